"""Opening a ledger: one engine for SQLite files and PostgreSQL, and its failures in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from pgproof.errors import ConfigError
from pgproof.ledger.schema import create_or_check

_BUSY_MS = 15_000
"""How long a writer waits for another one; a write takes milliseconds."""

_WRITES = "pgproof_writes"


def open_engine(url: str) -> Engine:
    """Open a ledger's database, and make its tables where it has none.

    Args:
        url: ``sqlite:///path``, ``postgresql://...``, or a bare path of an SQLite file.

    Raises:
        ConfigError: It can't be used: address, rights, damage, or a newer version.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _open_sqlite(parsed)
    else:
        engine = create_engine(parsed, pool_pre_ping=True)
    with writing(engine) as connection:
        create_or_check(connection)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that keeps other writers of an SQLite file out from its start."""
    with (
        _failures(engine),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection for reading."""
    with _failures(engine), engine.connect() as connection:
        yield connection


def address_of(engine: Engine) -> str:
    """Return where a ledger is, without a password."""
    database = engine.url.database or ""
    return database if engine.dialect.name == "sqlite" else engine.url.render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    if "://" not in url:
        return URL.create("sqlite", database=str(Path(url).expanduser()))
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _not_a_url() from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        backend = parsed.get_backend_name()
    except NoSuchModuleError:
        raise _not_a_url() from None
    if backend not in ("sqlite", "postgresql"):
        raise _not_a_url()
    return parsed


def _not_a_url() -> ConfigError:
    return ConfigError(
        "The address of the ledger can't be read",
        hint="Write sqlite:///path/to/ledger.db or postgresql://user@host/database.",
    )


def _open_sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    if not url.database or url.database == ":memory:":
        raise ConfigError(
            "A ledger in memory would be forgotten", hint="Name a file: sqlite:///path/ledger.db."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Workloads hold parameter values: for nobody else's eyes.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError(
            f"The ledger {path} can't be written: {error.strerror}",
            hint="Give pgproof a folder it may write to (setting home), or name another ledger.",
        ) from error
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _BUSY_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # else the driver opens transactions by itself, and too late
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer can't wait for another one: SQLite fails it at once. So writers say so first.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _failures(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # Only the first line: PostgreSQL puts values of the failed row into the next one.
        reason = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
        raise ConfigError(
            f"The ledger {address_of(engine)} can't be used: {reason}", hint=_hint(reason)
        ) from None


def _hint(reason: str) -> str:
    if "not a database" in reason or "malformed" in reason:
        return "The file is damaged or not a ledger: move it away, and pgproof makes a new one."
    if "locked" in reason:
        return "Another program holds the file: try again, or use a PostgreSQL ledger for many writers."
    if "readonly" in reason or "unable to open" in reason:
        return "Give pgproof a folder it may write to (setting home), or name another ledger."
    return "Check the address and the rights of the ledger, or name another one."
