"""Rows into tables: COPY, and what a table needs after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgproof.errors import ServerError
from pgproof.model.progress import Progress
from pgproof.model.relation import RelationName
from pgproof.model.synthesis import SourceTable
from pgproof.postgres.failures import statement_failure
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.server import failures_told
from pgproof.postgres.synthetic.facts import FORMAT
from pgproof.sqltext.quote import qualify

_FULL = 100
_FILL_AS_USUAL = "ALTER TABLE {0} RESET (fillfactor)"
_FILL = "ALTER TABLE {} SET (fillfactor = {})"
_SEEN_BY_ALL = 0.5
"""Share of a table's pages from which it counts as vacuumed. **Source**: judgement."""


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into a table.

    Args:
        relation: The table.
        columns: Those that are filled, in the order of the text.
        pieces: Rows as text for COPY, each with their number.
        rows: In all pieces.
        frozen: Everybody may see all rows at once, as after VACUUM.
        fillfactor: How full pages are made, where that is not the table's own; 0 where it is.
        own_fillfactor: The table's own.
    """

    relation: RelationName
    columns: Sequence[str]
    pieces: Iterable[tuple[int, bytes]]
    rows: int
    frozen: bool
    fillfactor: int = 0
    own_fillfactor: int = 100


def copy_tables(dsn: str, contents: Sequence[Content], progress: Progress) -> None:
    """Fill empty tables, each in one transaction.

    Args:
        dsn: Of the database, for a role that may write there.
        contents: One a table; pieces are asked for as the server takes them.
        progress: Told the rows written.

    Raises:
        ServerError: A row was refused; the table's name is in the message, no value is.
    """
    total, done = sum(content.rows for content in contents), 0
    with failures_told("filling the copy"), _connect(dsn) as connection, _connect(dsn) as bystander:
        # As long as somebody may look at the database as it was, VACUUM marks no page as seen by all.
        bystander.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ")
        bystander.execute(b"SELECT pg_catalog.pg_current_xact_id_if_assigned()")
        connection.execute(b"SET synchronous_commit = off")
        for content in contents:
            done = _copy(connection, content, progress, done, total)
        for content in contents:
            if not content.frozen:
                _shorten(connection, content)
        bystander.execute(b"COMMIT")


def _connect(dsn: str) -> psycopg.Connection[Any]:
    options = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in FORMAT.items())
    return psycopg.connect(
        dsn,
        autocommit=True,
        prepare_threshold=None,
        client_encoding="UTF8",
        options=options,
        application_name="pgproof",
    )


def _shorten(connection: psycopg.Connection[Any], content: Content) -> None:
    """Give back the pages that COPY took in advance: the planner goes by the length of the file."""
    name = Identifier(content.relation.schema, content.relation.name)
    with suppress(psycopg.Error):  # somebody else's lock; the file is a little too long then
        connection.execute(SQL("VACUUM {}").format(name))


def _copy(
    connection: psycopg.Connection[Any], content: Content, progress: Progress, done: int, total: int
) -> int:
    name = Identifier(content.relation.schema, content.relation.name)
    columns = SQL(", ").join(map(Identifier, content.columns))
    ending = SQL(" WITH (FREEZE)") if content.frozen else SQL("")
    statement = SQL("COPY {} ({}) FROM STDIN").format(name, columns) + ending
    task = f"making rows of {content.relation}"
    progress(task, done, total)
    try:
        with connection.transaction(), connection.cursor() as cursor:
            if content.fillfactor:
                cursor.execute(SQL(_FILL).format(name, content.fillfactor))
            if content.frozen:  # allowed for a table emptied in the same transaction; it needs no WAL then
                cursor.execute(SQL("TRUNCATE ONLY {}").format(name))
            with cursor.copy(statement) as copy:
                for rows, piece in content.pieces:
                    copy.write(piece)
                    done += rows
                    progress(task, done, total)
            if content.fillfactor:
                own = content.own_fillfactor
                cursor.execute(SQL(_FILL if own < _FULL else _FILL_AS_USUAL).format(name, own))
    except psycopg.Error as error:
        raise statement_failure(error, f"filling {content.relation}") from error
    return done


def settle(
    dsn: str, tables: Sequence[SourceTable], settings: Mapping[str, str], progress: Progress
) -> tuple[str, ...]:
    """Bring sequences, materialized views and statistics in line with the rows.

    A table that is not analysed in the source stays so; one that nobody vacuumed there is not vacuumed.

    Args:
        dsn: Of the filled database.
        tables: Of the source.
        settings: The source's; how closely it looks at columns is taken over.
        progress: Told what is done.

    Returns:
        What could not be done, in order.
    """
    notes: list[str] = []
    with open_session(dsn, read_only=False, statement_timeout_ms=0) as session:
        target = settings.get("default_statistics_target", "100")
        session.value("SELECT pg_catalog.set_config('default_statistics_target', $1, false)", (target,))
        for row in session.query("synthesis_sequences"):
            _run(session, row.statement, notes, "a sequence")
        for row in session.query("synthesis_matviews"):
            progress(f"refreshing {row.object_name}")
            _run(session, f"REFRESH MATERIALIZED VIEW {row.object_name}", notes, row.object_name)
        wanted = [table for table in tables if table.analysed]
        for done, table in enumerate(wanted):
            progress("analysing", done, len(wanted))
            name = qualify(table.relation.schema, table.relation.name)
            verb = "VACUUM (ANALYZE)" if not table.partitioned and is_seen_by_all(table) else "ANALYZE"
            _run(session, f"{verb} {name}", notes, str(table.relation))
    return tuple(notes)


def is_seen_by_all(table: SourceTable) -> bool:
    """Tell whether a table counts as vacuumed, so that its copy is to be."""
    return table.visible_frac > _SEEN_BY_ALL


def _run(session: Session, sql: str, notes: list[str], what: str) -> None:
    try:
        session.run(sql)
    except ServerError as error:
        notes.append(f"{what}: {error.message}")
