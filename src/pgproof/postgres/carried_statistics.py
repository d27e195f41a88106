"""Gives a copy its source's own statistics, so that queries are planned on it as they are there.

A dump of PostgreSQL 18 holds what ANALYZE found for columns and expressions of indexes, and the figures in
pg_class; the rest is read here. What was never analysed stays so in the copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg

from pgproof.postgres.binaries import Binaries
from pgproof.postgres.session import Row, Session, open_session
from pgproof.postgres.shadow.extended import ExtendedData, read_extended, write_extended

CARRYING_MAJOR = 18
"""The first version whose programs dump statistics, and whose server takes them."""

OWN_STATISTICS = "statistics are the source's own, as old as they are there"
FRESH_STATISTICS = (
    "statistics are fresh, the source's own may be older: they are carried over from PostgreSQL 18 on"
)

_REFUSALS = ("WARNING:", "pg_restore: error: could not execute query")


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What of a source's statistics no dump holds.

    Args:
        pages: Rows of the query ``file_lengths``.
        extended: Contents of extended statistics.
        expressions: Names of those that have expressions, whose contents can't be carried over.
    """

    pages: Sequence[Row]
    extended: tuple[ExtendedData, ...]
    expressions: tuple[str, ...]


def can_carry(dumper: Binaries, target: Binaries) -> bool:
    """Tell whether statistics can be carried over.

    Args:
        dumper: Whose pg_dump and pg_restore are used.
        target: What the copy's server runs.
    """
    return min(dumper.major, target.major) >= CARRYING_MAJOR


def read_statistics(source: Session) -> SourceStatistics:
    """Read what the dump will not hold."""
    return SourceStatistics(
        pages=source.query("file_lengths"),
        extended=read_extended(source, superuser=source.query("database")[0].is_superuser),
        expressions=tuple(row.statistics_name for row in source.query("extended_expressions")),
    )


def write_statistics(dsn: str, found: SourceStatistics) -> None:
    """Add to a copy what the dump's statistics lack.

    The planner multiplies rows per block with the length of the file today. A copy's files are shorter where
    the source's are bloated, so the figures are put to their lengths: the planner counts as many rows as it
    does in the source, and takes the same part of the blocks for visible to all.

    Args:
        dsn: Of the copy, for a superuser; it is vacuumed, and the dump's statistics are in it.
        found: From the source.

    Raises:
        ServerError: As the server says.
    """
    figures = {
        "schemas": [row.schema_name for row in found.pages],
        "relations": [row.relation_name for row in found.pages],
        "pages": [row.pages for row in found.pages],
    }
    with open_session(dsn, read_only=False, statement_timeout_ms=0) as copy:
        copy.query("carried_figures", figures)
        copy.run("DELETE FROM pg_catalog.pg_statistic_ext_data")  # autovacuum may have been here
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        write_extended(connection, found.extended)


def describe_carried(found: SourceStatistics, complaints: str) -> tuple[str, ...]:
    """Say what statistics a copy has, and what of the source's it lacks.

    Args:
        found: What was read of the source.
        complaints: Of pg_restore, when it restored the dump's statistics.
    """
    return (OWN_STATISTICS, *_missing(found, complaints))


def _missing(found: SourceStatistics, complaints: str) -> Iterator[str]:
    refused = sum(line.startswith(_REFUSALS) for line in complaints.splitlines())
    if refused:
        yield f"{refused} statistics of the source could not be restored, so plans may differ from its own"
    yield from (data.note for data in found.extended if data.note)
    if found.expressions:
        names = ", ".join(found.expressions)
        yield f"what extended statistics know of expressions is not in the copy: {names}"
