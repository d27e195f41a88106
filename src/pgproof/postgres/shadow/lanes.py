"""Databases of a shadow: one to make hypothetical indexes in, and copies with a session each to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgproof.errors import ServerError
from pgproof.postgres.accounts import new_id
from pgproof.postgres.failures import statement_failure
from pgproof.postgres.query_files import load_query
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.ends import Growth, move_ends
from pgproof.postgres.shadow.files import Extent, lay_out
from pgproof.postgres.shadow.lane import Lane
from pgproof.postgres.shadow.planner_settings import choose_settings
from pgproof.postgres.shadow.server import ADMIN, PRISTINE, Shadow, connect_to, failures_told
from pgproof.postgres.shadow.source import SHADOW_MAJOR
from pgproof.sqltext.quote import quote_identifier

_BATCH = 40


class Workshop:
    """The database in which hypothetical indexes are made, all files at length zero. See `open_workshop`.

    Attributes:
        name: Of the database.
    """

    def __init__(self, connection: psycopg.Connection[Any], name: str) -> None:
        self.name = name
        self._connection = connection

    def run_all(self, statements: Sequence[str]) -> list[str]:
        """Run statements, many with one message; one that fails spoils no other.

        Returns:
            For each in order why the server refused it, empty if it did not.

        Raises:
            ServerError: The shadow is gone.
        """
        reasons: list[str] = []
        for start in range(0, len(statements), _BATCH):
            batch = statements[start : start + _BATCH]
            if len(batch) == 1 or self._run(";\n".join(batch)):
                reasons += [self._run(sql) for sql in batch]
            else:
                reasons += [""] * len(batch)
        return reasons

    def _run(self, sql: str) -> str:
        try:
            self._connection.execute(sql.encode())
        except psycopg.Error as error:
            if self._connection.closed:
                raise statement_failure(error, "the shadow") from error
            return statement_failure(error, "the statement").message
        return ""

    def query(self, name: str, params: Mapping[str, object]) -> list[Row]:
        """Run one of our queries with parameters.

        Raises:
            ServerError: The shadow refused it, or is gone.
        """
        cursor = self._connection.cursor(row_factory=namedtuple_row)
        try:
            rows: list[Row] = cursor.execute(load_query(name, SHADOW_MAJOR).encode(), params).fetchall()
        except psycopg.Error as error:
            raise statement_failure(error, "working in the shadow") from error
        return rows

    def close(self) -> None:
        """Leave the database, so that it can be copied."""
        self._connection.close()

    def move_ends(self, growths: Sequence[Growth], read_at: datetime) -> None:
        """Move the ends of columns on in tables that grew; see `pgproof.postgres.shadow.ends.move_ends`."""
        move_ends(self._connection, growths, read_at)

    def relations(self) -> list[Row]:
        """Return the tables and indexes with their files: rows of the query ``shadow_relations``."""
        cursor = self._connection.cursor(row_factory=namedtuple_row)
        return cursor.execute(load_query("shadow_relations", SHADOW_MAJOR).encode()).fetchall()

    def derive_statistics(self, indexes: Mapping[int, tuple[float, int]]) -> None:
        """Give expressions of indexes the statistics of their column, each value put through the expression.

        An index with several expressions, or on one of several columns, goes without.

        Args:
            indexes: Different values (as in pg_stats) and mean width in bytes of the expression, by oid.
        """
        if not indexes:
            return
        cursor = self._connection.cursor(row_factory=namedtuple_row)
        params = {
            "oids": list(indexes),
            "distincts": [distinct for distinct, _ in indexes.values()],
            "widths": [width for _, width in indexes.values()],
        }
        query = load_query("shadow_expressions", SHADOW_MAJOR).encode()
        rows: list[Row] = cursor.execute(query, params).fetchall()
        self.run_all([row.statement for row in rows])

    def set_figures(self, figures: Mapping[int, tuple[int, float]]) -> None:
        """Give indexes their pages and rows.

        Args:
            figures: Pages and rows by oid.
        """
        self._connection.execute(
            load_query("shadow_figures", SHADOW_MAJOR).encode(),
            {
                "oids": list(figures),
                "pages": [pages for pages, _ in figures.values()],
                "rows": [rows for _, rows in figures.values()],
            },
        )


@contextmanager
def open_workshop(shadow: Shadow) -> Iterator[Workshop]:
    """Copy the pristine database; the copy is dropped at the end.

    Raises:
        ServerError: The shadow is gone.
    """
    with _copied_database(shadow, PRISTINE) as name, failures_told("working in the shadow"):
        connection = connect_to(shadow.server, name)
        path = ", ".join(quote_identifier(schema) for schema in shadow.source.search_path)
        connection.execute(f"SET search_path = {path or chr(39) * 2}".encode())
        with closing(connection):
            if shadow.source.guarded:
                _admit_role(connection, shadow)
            yield Workshop(connection, name)


@contextmanager
def open_lanes(
    shadow: Shadow, database: str, extents: Sequence[Extent], count: int
) -> Iterator[tuple[Lane, ...]]:
    """Copy a database some times, give the files their length, and open a session on each.

    Args:
        shadow: It runs there.
        database: A workshop's; nobody may be connected to it.
        extents: How long each relation's file is to be.
        count: Lanes wanted, at least 1.

    Raises:
        EmbeddedServerError: The file system can't hold files with holes of that length.
        ServerError: The shadow is gone.
    """
    settings = planner_settings_of(shadow)
    with ExitStack() as stack:
        stack.enter_context(failures_told("asking the shadow"))
        lanes = []
        for _ in range(count):
            name = stack.enter_context(laid_out_copy(shadow, database, extents))
            connection = stack.enter_context(connect_to(shadow.server, name))
            role = shadow.source.user if shadow.source.guarded else ""
            asking = stack.enter_context(connect_to(shadow.server, name)) if role else connection
            lanes.append(Lane(connection, asking, settings, shadow.source.search_path, role))
        yield tuple(lanes)


@contextmanager
def laid_out_copy(shadow: Shadow, database: str, extents: Sequence[Extent]) -> Iterator[str]:
    """Copy a database and give the files of the copy their length; it is dropped at the end.

    Args:
        shadow: It runs there.
        database: A workshop's; nobody may be connected to it.
        extents: How long each relation's file is to be.

    Yields:
        The copy's name.
    """
    with _copied_database(shadow, database) as name:
        folder = shadow.server.data_dir / "base" / str(_oid_of(shadow, name))
        lay_out(folder, extents, shadow.server.give)
        yield name


def planner_settings_of(shadow: Shadow) -> Mapping[str, str]:
    """Return the target's planner settings that a session of the shadow takes over."""
    with failures_told("asking the shadow"), connect_to(shadow.server, ADMIN) as admin:
        cursor = admin.cursor(row_factory=namedtuple_row)
        known = cursor.execute(load_query("planner_settings", SHADOW_MAJOR).encode()).fetchall()
    return choose_settings(shadow.source.settings, known)


def _admit_role(connection: psycopg.Connection[Any], shadow: Shadow) -> None:
    """Let the target's role plan here, under the policies that hold for it there and under no other."""
    source = shadow.source
    role = quote_identifier(source.user)
    with suppress(psycopg.errors.DuplicateObject):
        connection.execute(f"CREATE ROLE {role} NOLOGIN".encode())
    cursor = connection.cursor(row_factory=namedtuple_row)
    params = {
        "role": source.user,
        "memberships": list(source.memberships),
        "guarded": [str(table) for table in source.guarded],
    }
    query = load_query("shadow_privileges", SHADOW_MAJOR).encode()
    rows: list[Row] = cursor.execute(query, params).fetchall()
    for row in rows:
        connection.execute(row.statement.encode())


@contextmanager
def _copied_database(shadow: Shadow, template: str) -> Iterator[str]:
    name = f"pgproof_{new_id()}"
    _run(shadow, f"CREATE DATABASE {name} TEMPLATE {quote_identifier(template)} STRATEGY file_copy")
    try:
        yield name
    finally:
        with suppress(ServerError):  # the server goes, and its folder with it
            _run(shadow, f"DROP DATABASE {name} WITH (FORCE)")


def _oid_of(shadow: Shadow, database: str) -> int:
    with connect_to(shadow.server, ADMIN) as admin:
        row = admin.execute(
            "SELECT oid FROM pg_catalog.pg_database WHERE datname = %s", (database,)
        ).fetchone()
    return int(row[0]) if row else 0


def _run(shadow: Shadow, sql: str) -> None:
    with failures_told("copying a database of the shadow"), connect_to(shadow.server, ADMIN) as admin:
        admin.execute(sql.encode())
