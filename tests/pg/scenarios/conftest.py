"""Scenarios loaded small: once for a server and a scenario."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.testing.servers import temporary_database
from tests.pg.scenarios.scripts import SCALE, Loader, run_scripts


@pytest.fixture(scope="session")
def loaded(pg_servers: object) -> Iterator[Loader]:
    """Gives a session on a loaded scenario: server, name. Asks for the servers so that they outlive it."""
    sessions: dict[tuple[int, str], Session] = {}
    with ExitStack() as stack:

        def get(server: EmbeddedServer, name: str) -> Session:
            key = (server.major, name)
            if key not in sessions:
                dsn = stack.enter_context(temporary_database(server))
                sessions[key] = stack.enter_context(open_session(dsn, read_only=False))
                run_scripts(sessions[key], name, SCALE)
            return sessions[key]

        yield get
