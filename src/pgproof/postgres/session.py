"""A guarded connection to one database: the only way pgproof talks to a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.sql import SQL, Identifier

from pgproof.errors import CapabilityMissing, ServerError, Unreachable
from pgproof.postgres import grants
from pgproof.postgres.connect import CONNECT_TIMEOUT_S, connect, is_idle
from pgproof.postgres.dsn import address_of, libpq_environment, mask, with_database
from pgproof.postgres.failures import (
    INSUFFICIENT_PRIVILEGE,
    denial_of,
    statement_failure,
    unknown_relation,
)
from pgproof.postgres.query_files import load_query

__all__ = ["Result", "Row", "Session", "libpq_environment", "mask", "open_session", "with_database"]

Row: TypeAlias = Any
"""A named tuple: one attribute a column."""

_IDLE_IN_TRANSACTION_MS = 60_000
_OLDEST_VERSION_NUM = 130_000


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave back.

    Args:
        columns: Names in order; empty for a statement without a result.
        rows: In the server's order.
        row_count: Rows returned or changed; -1 where the statement has no such count.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    row_count: int


class Session:
    """One connection in autocommit mode, with its guards set. Made by `open_session`.

    Safe for one thread at a time; `cancel` alone may be called from another.

    Attributes:
        address: Where it goes, safe to print ("db1:5432/shop").
        version_num: The server's, like 180006.
        backend_pid: Of the server process.
        database: Name of the database.
        user: Current role.
        read_only: The server refuses writes of this session.
        pooled: A pooler in transaction mode stands between; guards are then set for each transaction anew.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        guards: Mapping[str, str],
        *,
        address: str,
        read_only: bool,
        pooled: bool,
    ) -> None:
        self._connection = connection
        self._guards = dict(guards)
        self._rolled_back_depth = 0
        self.address = address
        self.read_only = read_only
        self.pooled = pooled
        self.version_num = connection.info.server_version
        self.user = connection.info.user
        if not pooled:
            with self._failures("setting the session's guards"):
                self._set_guards(is_local=False)
        facts = self.query("session")[0]
        self.backend_pid: int = facts.backend_pid
        self.database: str = facts.database_name
        self.user = facts.user_name

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version_num // 10000

    @property
    def closed(self) -> bool:
        """Whether the connection is closed or was lost."""
        return self._connection.closed

    @property
    def rolls_back(self) -> bool:
        """Whether everything run now will be undone (see `rolled_back`)."""
        return self._rolled_back_depth > 0

    def query(
        self,
        name: str,
        params: Mapping[str, object] | None = None,
        *,
        identifiers: Mapping[str, str] | None = None,
        major: int | None = None,
    ) -> list[Row]:
        """Run a catalog query of this room.

        Args:
            name: Of the file in ``queries/``, without ending; the file for the server's version is taken.
            params: Values of its ``%(name)s`` placeholders.
            identifiers: Names for its ``{name}`` placeholders, quoted here.
            major: Take the file for this version instead of the server's.

        Returns:
            Named tuples in the query's order.

        Raises:
            KeyError: No file of that name serves this version.
            CapabilityMissing, Unreachable, ServerError: As the server says.
        """
        text = load_query(name, self.major if major is None else major)
        names = {key: Identifier(value) for key, value in (identifiers or {}).items()}
        sql = SQL(text).format(**names) if names else text
        with self._failures(f"the catalog query {name}"), self._guarded():
            cursor = self._connection.cursor(row_factory=namedtuple_row)
            return cursor.execute(sql, dict(params) if params else None, prepare=False).fetchall()

    def run(self, sql: str, values: Sequence[str | None] = (), *, as_text: bool = False) -> Result:
        """Run one statement as an application would send it: by the extended protocol, ``$1`` bound untyped.

        Args:
            sql: Exactly one statement.
            values: ``$1`` first, each in its type's text form; None is NULL. The server infers the types.
            as_text: Return every value in the server's text form (or None), exact for any type.

        Raises:
            CapabilityMissing, Unreachable, ServerError: As the server says.
        """
        with self._failures("the statement"), self._guarded():
            cursor = _OneStatementCursor(self._connection)
            cursor.execute(sql.encode(), list(values), prepare=False)
            result = cursor.pgresult
            if result is None or cursor.description is None:
                return Result((), [], cursor.rowcount)
            columns = tuple(_text(result.fname(place)) or "" for place in range(result.nfields))
            return Result(columns, _read_rows(cursor, as_text), cursor.rowcount)

    def value(self, sql: str, values: Sequence[str | None] = ()) -> Any:
        """Run one statement and return the first column of its first row; None without rows."""
        rows = self.run(sql, values).rows
        return rows[0][0] if rows and rows[0] else None

    def value_unbound(self, sql: str) -> Any:
        """Run a statement whose ``$n`` stay without values, as EXPLAIN (GENERIC_PLAN) wants it.

        Args:
            sql: One statement, and known to be one: the simple protocol, used here, would run several.

        Returns:
            The first column of the first row; None without rows.
        """
        with self._failures("the statement"), self._guarded():
            row = self._connection.execute(sql.encode(), prepare=False).fetchone()
            return row[0] if row else None

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Run a block in a transaction that is always rolled back; a nested one rolls back to a savepoint.

        Sequences that were advanced stay advanced, and a block must not commit by itself.
        """
        with self._failures("the transaction"), self._connection.transaction(force_rollback=True):
            if self.pooled and not self._rolled_back_depth:
                self._set_guards(is_local=True)
            self._rolled_back_depth += 1
            try:
                yield
            finally:
                self._rolled_back_depth -= 1

    def cancel(self) -> None:
        """Ask the server to stop what this session runs; may be called from another thread.

        Raises:
            ServerError: The request could not be sent.
        """
        with self._failures("the cancel request"):
            self._connection.cancel_safe(timeout=CONNECT_TIMEOUT_S)

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_guards(self, *, is_local: bool) -> None:
        params = {"names": list(self._guards), "values": list(self._guards.values()), "is_local": is_local}
        sql = load_query("session_settings", self.major)
        self._connection.execute(sql, params, prepare=False)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Through a pooler that hands out another server session each time, guard this one transaction."""
        if not self.pooled or self._rolled_back_depth:
            yield
            return
        with self._connection.transaction():
            self._set_guards(is_local=True)
            yield

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            hint = ""
            denial = denial_of(error) if error.sqlstate == INSUFFICIENT_PRIVILEGE else None
            if denial is not None:
                schemas = self._schemas_of(denial.name) if denial.kind in grants.RELATION_KINDS else []
                hint = grants.grant_for(denial, schemas, self.user, self.read_only)
            unseen = unknown_relation(error)
            if unseen and (schemas := self._schemas_of(unseen, "unusable_schemas")):
                raise CapabilityMissing(
                    f"Not allowed: {unseen} is in schema {', '.join(schemas)}, closed to {self.user}.",
                    sqlstate=INSUFFICIENT_PRIVILEGE,
                    hint=grants.grants_to_see(unseen, schemas, self.user),
                ) from error
            raise statement_failure(error, what, hint=hint) from error

    def _schemas_of(self, name: str, query: str = "denied_relation") -> list[str]:
        """Look for the schemas of a relation that we may not read; the server's message names it without."""
        if not is_idle(self._connection):
            return []
        try:
            cursor = self._connection.cursor(row_factory=namedtuple_row)
            sql = load_query(query, self.major)
            rows: list[Row] = cursor.execute(sql, {"name": name}, prepare=False).fetchall()
            return [row.schema_name for row in rows]
        except psycopg.Error:
            return []  # the hint does without the schema


def open_session(
    dsn: str,
    *,
    read_only: bool = True,
    statement_timeout_ms: int = 30_000,
    lock_timeout_ms: int = 2_000,
    application_name: str = "pgproof",
    database: str | None = None,
) -> Session:
    """Connect and set the guards. The user's own settings, such as search_path, stay as they are.

    Args:
        dsn: Any form libpq reads: URL, key=value, ``service=NAME``, or empty for the PG* environment.
        read_only: Let the server refuse writes.
        statement_timeout_ms: Longest time a statement may run; 0 means no limit.
        lock_timeout_ms: Longest wait for a lock; 0 means no limit.
        application_name: As pg_stat_activity shows it.
        database: Another database of the same server than ``dsn`` names.

    Raises:
        UsageError: ``dsn`` can't be read.
        Unreachable: No connection came about, or a session that writes would go through a pooler.
        ServerError: The server is older than PostgreSQL 13.
    """
    if database is not None:
        dsn = with_database(dsn, database)
    guards = {
        "statement_timeout": str(statement_timeout_ms),
        "lock_timeout": str(lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
    }
    if read_only:
        # The first holds for every transaction to come, the second for the one that a pooler grants us.
        guards |= {"default_transaction_read_only": "on", "transaction_read_only": "on"}
    connection, pooled = connect(dsn, application_name)
    try:
        if connection.info.server_version < _OLDEST_VERSION_NUM:
            raise _too_old(connection.info.server_version, address_of(dsn))
        if pooled and not read_only:
            raise _pooler_refused(address_of(dsn))
        return Session(connection, guards, address=address_of(dsn), read_only=read_only, pooled=pooled)
    except BaseException:
        connection.close()
        raise


class _OneStatementCursor(psycopg.RawCursor[tuple[Any, ...]]):
    """Sends every statement by the extended protocol, also one without values.

    The simple protocol would run several statements in one text, and ``COMMIT; BEGIN READ WRITE; ...`` would
    step out of a session that only reads.
    """

    def _execute_send(self, query: Any, **options: Any) -> None:
        super()._execute_send(query, **{**options, "force_extended": True})


def _read_rows(cursor: psycopg.RawCursor[tuple[Any, ...]], as_text: bool) -> list[tuple[Any, ...]]:
    if as_text:
        return _text_rows(cursor)
    try:
        return cursor.fetchall()
    except psycopg.DataError:
        return _text_rows(cursor)  # Python has no infinity in its dates, and no year 10000


def _text_rows(cursor: psycopg.RawCursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    result = cursor.pgresult
    if result is None:
        return []
    return [
        tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples)
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _too_old(version_num: int, address: str) -> ServerError:
    return ServerError(
        f"{address} runs PostgreSQL {version_num // 10000}, and pgproof knows 13 and later.",
        hint="Upgrade the server, or restore a dump of it into a newer one and work there.",
        context={"version_num": version_num},
    )


def _pooler_refused(address: str) -> Unreachable:
    return Unreachable(
        f"{address} is a pooler that shares server sessions: our lock and statement timeouts would leak into "
        "other clients' sessions, or not hold for ours.",
        hint="For anything that writes, give the address of the PostgreSQL server itself.",
        context={"address": address},
    )
