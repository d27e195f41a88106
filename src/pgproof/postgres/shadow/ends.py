"""Gives each table of a shadow two rows: the ends of its columns as ANALYZE saw them.

Where a value lies beyond a histogram, the planner looks for the column's real end in a B-tree on it. Without
an answer it assumes that one row in ten thousand lies there. In the shadow it finds the statistics' ends,
which are the real ones in a table that has not changed since. In one that grew, they are moved on.

**Source**: PostgreSQL 18, selfuncs.c, ``get_actual_variable_range`` and ``ineq_histogram_selectivity``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgproof.model.progress import Progress
from pgproof.model.relation import RelationName
from pgproof.postgres.query_files import load_query
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.source import SHADOW_MAJOR

_VACUUMED_AT_ONCE = 200
_RISING = 0.9
"""Correlation from which a column is taken to rise with the rows. **Source**: judgement."""
_KEEP = """\
CREATE TEMPORARY TABLE figures AS
SELECT oid, relpages, reltuples, relallvisible, relallfrozen FROM pg_catalog.pg_class"""
# VACUUM counts two rows, where the statistics know of millions.
_BRING_BACK = """\
UPDATE pg_catalog.pg_class AS c
   SET relpages = f.relpages, reltuples = f.reltuples,
       relallvisible = f.relallvisible, relallfrozen = f.relallfrozen
  FROM figures AS f
 WHERE f.oid = c.oid
   AND (c.relpages, c.reltuples, c.relallvisible, c.relallfrozen)
       IS DISTINCT FROM (f.relpages, f.reltuples, f.relallvisible, f.relallfrozen)"""


def insert_ends(connection: psycopg.Connection[Any], progress: Progress) -> None:
    """Insert the rows, and have them marked as visible to all; figures about the tables stay as they are.

    A table whose constraints refuse such a row goes without.

    Args:
        connection: To the shadow's database, as a superuser, in autocommit mode; the search path is empty.
        progress: Told of each table.
    """
    cursor = connection.cursor(row_factory=namedtuple_row)
    tables: list[Row] = cursor.execute(load_query("shadow_ends", SHADOW_MAJOR).encode()).fetchall()
    with _unnoticed(connection) as filled:
        for done, row in enumerate(tables):
            progress("noting the ends of columns", done, len(tables))
            both = [row.insert_least, row.insert_greatest]
            if _try(connection, both) or _try(connection, both[:1]):
                filled.append(row.table_name)


@dataclass(frozen=True, slots=True)
class Growth:
    """A table with rows that its statistics don't know of.

    Args:
        table: Which one.
        frac: Their number, of the rows at the last ANALYZE.
    """

    table: RelationName
    frac: float


def move_ends(connection: psycopg.Connection[Any], growths: Sequence[Growth], read_at: datetime) -> None:
    """Move on the greatest values of tables that grew, of columns that rise from row to row.

    Args:
        connection: To a database of the shadow that nobody else uses, as a superuser, in autocommit mode.
        growths: Tables with their growth.
        read_at: No time lies behind it, unless it did at the last ANALYZE.
    """
    if not growths:
        return
    params = {
        "schemas": [growth.table.schema for growth in growths],
        "tables": [growth.table.name for growth in growths],
        "growths": [growth.frac for growth in growths],
        "read_at": read_at.isoformat(),
        "correlation": _RISING,
    }
    cursor = connection.cursor(row_factory=namedtuple_row)
    rows: list[Row] = cursor.execute(load_query("shadow_growth", SHADOW_MAJOR).encode(), params).fetchall()
    with _unnoticed(connection) as changed:
        changed += [row.table_name for row in rows if _try(connection, [row.statement])]


@contextmanager
def _unnoticed(connection: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """Let a block write rows without triggers and foreign keys; afterwards all may see them.

    Yields:
        A list for the names of the tables that were written; figures about them stay as they are.
    """
    connection.execute(_KEEP.encode())
    connection.execute(b"SET session_replication_role = replica")
    written: list[str] = []
    yield written
    for start in range(0, len(written), _VACUUMED_AT_ONCE):
        names = ", ".join(written[start : start + _VACUUMED_AT_ONCE])
        connection.execute(f"VACUUM (TRUNCATE off, INDEX_CLEANUP on) {names}".encode())
    connection.execute(_BRING_BACK.encode())
    connection.execute(b"RESET session_replication_role")
    connection.execute(b"DROP TABLE figures")


def _try(connection: psycopg.Connection[Any], statements: Sequence[str]) -> bool:
    try:
        connection.execute(";\n".join(statements).encode())
    except psycopg.Error:
        return False
    return True
