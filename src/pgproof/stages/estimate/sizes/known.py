"""What is known of an index before any access method is asked: its rows, its columns, their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import Column, IndexKey, Table
from pgproof.stages.estimate.sizes.duplicates import TableSample
from pgproof.stages.estimate.sizes.expression import stand_in
from pgproof.stages.estimate.sizes.predicate import Restriction, read_predicate
from pgproof.stages.estimate.sizes.unanalysed import PAGE_BYTES, guess_rows

DEFAULT_TARGET = 100
"""default_statistics_target, where the catalog doesn't say (PostgreSQL 13 to 18)."""


@dataclass(frozen=True, slots=True)
class KnownIndex:
    """An index on one table, with what the statistics say of its rows and columns.

    Args:
        change: The index.
        table: The table, or one partition.
        catalog: Of the database.
        rows: Rows of the table that the predicate leaves.
        table_sample: Where the statistics come from.
        columns: A column for each key and payload, in index order; stand-ins for expressions.
        restricted: Names of the columns whose statistics are those of the rows left.
        guesses: Why not everything is known, in words; empty where it is.
    """

    change: CreateIndex
    table: Table
    catalog: Catalog
    rows: float
    table_sample: TableSample
    columns: tuple[Column, ...]
    restricted: frozenset[str]
    guesses: tuple[str, ...]

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the keys, without payload."""
        return self.columns[: len(self.change.keys)]

    def sample_of(self, column: Column) -> TableSample:
        """Return what a column's statistics speak of: the table, or the rows a predicate leaves."""
        if column.name in self.restricted:
            return TableSample(self.rows, 0)
        target = column.statistics_target
        return (
            self.table_sample if target is None or target < 1 else replace(self.table_sample, target=target)
        )


def look_up(
    change: CreateIndex, table: Table, catalog: Catalog, predicate_frac: float | None = None
) -> KnownIndex:
    """Gather what is known of an index on one table.

    Args:
        change: The index.
        table: The table, or a partition of it.
        catalog: Of the database.
        predicate_frac: Share of the rows that the predicate leaves, where the caller knows better.
    """
    target = catalog.setting("default_statistics_target") or ""
    analysed = table.rows >= 0
    sample = TableSample(
        table.rows if analysed else guess_rows(table),
        table.pages if analysed else table.size_bytes // PAGE_BYTES,
        int(target) if target.isdigit() else DEFAULT_TARGET,
    )
    restriction = read_predicate(change.where, table, sample)
    frac = restriction.frac if predicate_frac is None else predicate_frac
    columns = tuple(_column_of(key, table, restriction) for key in change.keys)
    payload = tuple(_named(name, table, restriction) for name in change.include)
    return KnownIndex(
        change,
        table,
        catalog,
        rows=sample.rows * min(max(frac, 0.0), 1.0),
        table_sample=sample,
        columns=(*columns, *payload),
        restricted=frozenset(restriction.columns),
        guesses=tuple(_guesses(change, table, (*columns, *payload), restriction, predicate_frac)),
    )


def _column_of(key: IndexKey, table: Table, restriction: Restriction) -> Column:
    return stand_in(key.expression, table) if key.expression else _named(key.column, table, restriction)


def _named(name: str, table: Table, restriction: Restriction) -> Column:
    found = restriction.columns.get(name) or table.column(name)
    return found or Column(name, "unknown", "unknown", False)


def _guesses(
    change: CreateIndex,
    table: Table,
    columns: Sequence[Column],
    restriction: Restriction,
    predicate_frac: float | None,
) -> list[str]:
    found = []
    if table.rows < 0:
        found.append(f"{table.relation} was never analysed")
    unknown = [column.name for column in columns if column.statistics is None]
    if unknown and table.rows >= 0:
        found.append(f"there are no statistics of {', '.join(unknown)}")
    if any(key.expression for key in change.keys):
        found.append("expressions have no statistics before the index exists")
    if not restriction.understood and predicate_frac is None:
        found.append("the predicate's share of the rows is a guess")
    return found
