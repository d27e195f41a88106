"""Gives each table of a shadow two rows: the ends of its columns as ANALYZE saw them.

Where a value lies beyond a histogram, the planner looks for the column's real end in a B-tree on it. Without
an answer it assumes that one row in ten thousand lies there. In the shadow it finds the ends of the
statistics, which are the real ones in a table that has not changed since. Whether it has, is known only when
the shadow is used (see `pgproof.postgres.shadow.files.Extent`).

**Source**: PostgreSQL 18, selfuncs.c, ``get_actual_variable_range`` and ``ineq_histogram_selectivity``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgproof.model.progress import Progress
from pgproof.postgres.query_files import load_query
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.source import SHADOW_MAJOR

_VACUUMED_AT_ONCE = 200
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
    connection.execute(_KEEP.encode())
    # Neither triggers nor foreign keys.
    connection.execute(b"SET session_replication_role = replica")
    filled = []
    for done, row in enumerate(tables):
        progress("noting the ends of columns", done, len(tables))
        if _insert(connection, [row.insert_least, row.insert_greatest]) or _insert(
            connection, [row.insert_least]
        ):
            filled.append(row.table_name)
    for start in range(0, len(filled), _VACUUMED_AT_ONCE):
        names = ", ".join(filled[start : start + _VACUUMED_AT_ONCE])
        connection.execute(f"VACUUM (TRUNCATE off, INDEX_CLEANUP off) {names}".encode())
    connection.execute(_BRING_BACK.encode())
    connection.execute(b"RESET session_replication_role")
    connection.execute(b"DROP TABLE figures")


def _insert(connection: psycopg.Connection[Any], statements: Sequence[str]) -> bool:
    try:
        connection.execute(";\n".join(statements).encode())
    except psycopg.Error:
        return False
    return True
