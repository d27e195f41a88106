"""Runs the statements of a dump in a shadow; what fails is mended, else left out and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import pq

from pgproof.model.progress import Progress
from pgproof.postgres.shadow import script, standins

_BATCH = 50
_MENDS = 40
"""How often one statement is mended. **Source**: judgement; a table of stand-ins has one a column."""


@dataclass(slots=True)
class Report:
    """How a restore went.

    Attributes:
        skipped: What is not there, each with the reason; in the order of the dump.
        stand_ins: What is there in another form than in the target.
        missing_extensions: Extensions that this server lacks.
    """

    skipped: list[str] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    missing_extensions: list[str] = field(default_factory=list)


def restore_dump(connection: psycopg.Connection[Any], dump: str, progress: Progress) -> Report:
    """Run a dump's statements.

    Args:
        connection: To the shadow's database, as a superuser, in autocommit mode.
        dump: What pg_dump wrote.
        progress: Told how many statements are done.
    """
    report = Report()
    statements = [statement for statement in script.split_dump(dump) if script.is_wanted(statement)]
    # A dump empties the search path and sets what its statements rely on; the rest is about a quiet restore.
    for done, batch in _batches(statements):
        progress("restoring schema and statistics", done, len(statements))
        if _failure_of(connection, ";\n".join(batch)) is not None:
            for statement in batch:
                _restore_one(connection, statement, report)
    return report


def _batches(statements: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(statements), _BATCH):
        yield start, statements[start : start + _BATCH]


def _restore_one(connection: psycopg.Connection[Any], statement: str, report: Report) -> None:
    what = script.headline(statement)
    if script.is_foreign_table(statement):
        report.skipped.append(f"{what}: it lies on another server, which a shadow never asks")
        return
    error: psycopg.Error | None = None
    for _ in range(_MENDS):
        error = _failure_of(connection, statement)
        if error is None:
            return
        mended = _mend(connection, statement, error, report)
        if mended is None:
            break
        statement = mended
    if script.is_worth_telling(statement):
        report.skipped.append(f"{what}: {(error and error.diag.message_primary) or 'it could not be mended'}")


def _mend(
    connection: psycopg.Connection[Any], statement: str, error: psycopg.Error, report: Report
) -> str | None:
    """Make what a statement lacks, or write it with less; None where neither helps."""
    extension = standins.extension_of(statement)
    if extension:
        report.missing_extensions.append(extension)
        return None
    for stand_in in standins.find_stand_ins(statement, error):
        if _failure_of(connection, stand_in.sql) is not None:
            return None
        if stand_in.note:
            report.stand_ins.append(stand_in.note)
        return "" if stand_in.replaces else statement
    position = int(error.diag.statement_position or 0)
    shorter = script.leave_out_at(statement, position)
    if shorter == statement and error.sqlstate == "22023":
        shorter = script.without_options(statement)
    if shorter == statement:
        return None
    report.stand_ins.append(
        f"{script.headline(statement)}: a part is left out, because {error.diag.message_primary}"
    )
    return shorter


def _failure_of(connection: psycopg.Connection[Any], sql: str) -> psycopg.Error | None:
    """Run one statement or several as one transaction; return why the server refused."""
    if not sql:
        return None
    result = connection.pgconn.exec_(sql.encode())
    if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
        return psycopg.errors.error_from_result(result, connection.info.encoding)
    return None
