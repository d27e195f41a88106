"""Servers that live as long as a test session, and databases that live as long as a test."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgproof.postgres.accounts import new_id
from pgproof.postgres.embedded import Binaries, EmbeddedServer, list_binaries, start_server

_STATEMENT_TIMEOUT_S = 60.0
_CONDITION = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+)")


class ServerPool:
    """One server for each PostgreSQL install, started when first asked for.

    Args:
        home: Folder of pgproof for their clusters and templates.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[Binaries, EmbeddedServer] = {}

    def server(self, binaries: Binaries) -> EmbeddedServer:
        """Return the running server of an install.

        Raises:
            EmbeddedServerError: It can't be started.
        """
        if binaries not in self._running:
            self._running[binaries] = start_server(
                binaries, home=self._home, label=f"test-{binaries.major}", durable=False
            )
        return self._running[binaries]

    def stop(self) -> None:
        """Stop every server of this pool."""
        while self._running:
            self._running.popitem()[1].stop()


@contextmanager
def temporary_database(server: EmbeddedServer) -> Iterator[str]:
    """Make an empty database; it is dropped at the end, whoever is still connected to it.

    Yields:
        Its libpq connection string.
    """
    name = f"test_{new_id()}"
    run_statement(server, f'CREATE DATABASE "{name}"')
    try:
        yield server.dsn(name)
    finally:
        run_statement(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def run_statement(server: EmbeddedServer, sql: str, database: str = "postgres") -> str:
    """Run SQL through psql, independent of the code under test.

    Args:
        server: Where.
        sql: One or more statements.
        database: In which database.

    Returns:
        The rows, one a line, columns separated by ``|``; empty if there are none.

    Raises:
        EmbeddedServerError: A statement failed.
    """
    output = server.run_tool(
        "psql",
        ["-XqAt", "-v", "ON_ERROR_STOP=1"],
        database=database,
        stdin=sql,
        timeout_s=_STATEMENT_TIMEOUT_S,
    )
    return output.stdout.rstrip("\n")


def installs_to_test(majors: tuple[int, ...] = ()) -> tuple[Binaries, ...]:
    """Return one install for each major version, newest first.

    Args:
        majors: Only these versions; empty takes all there are.
    """
    chosen: dict[int, Binaries] = {}
    for binaries in list_binaries():
        if not majors or binaries.major in majors:
            chosen.setdefault(binaries.major, binaries)
    return tuple(chosen[major] for major in sorted(chosen, reverse=True))


def version_matches(major: int, spec: str) -> bool:
    """Say whether a major version meets a condition.

    Args:
        major: Such as 15.
        spec: Such as ``>= 14`` or ``>= 14, < 17``; empty always holds.

    Raises:
        ValueError: The condition can't be read.
    """
    for part in filter(None, (part.strip() for part in spec.split(","))):
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise ValueError(f"no condition on a PostgreSQL major version: {part!r}; write it like '>= 14'")
        limit = int(found[2])
        holds = {
            ">=": major >= limit,
            "<=": major <= limit,
            "==": major == limit,
            "!=": major != limit,
            ">": major > limit,
            "<": major < limit,
        }
        if not holds[found[1]]:
            return False
    return True


def session_home() -> Path:
    """Return a private folder that lasts from session to session, so that templates are made once."""
    home = Path(tempfile.gettempdir(), f"pgproof-tests-{os.geteuid()}")
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        found = home.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not ours:  # somebody else was there first; a fresh folder is safe, only slower
            return Path(tempfile.mkdtemp(prefix="pgproof-tests-"))
    return home
