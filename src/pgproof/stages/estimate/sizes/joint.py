"""How many combinations of several columns' values there are, where the catalog tells."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Column, Table

ORDERED_TOGETHER_FROM = 0.999
"""Correlation from which two columns both follow the order of the rows. **Source**: judgement."""


def is_unique(columns: Sequence[Column], table: Table, catalog: Catalog) -> bool:
    """Say whether an existing unique index makes every combination of these columns appear once."""
    names = {column.name for column in columns}
    return any(
        index.unique
        and index.valid
        and not index.predicate
        and all(key.column and key.column in names for key in index.keys)
        for index in catalog.indexes_of(table.relation)
    )


def rows_referred_to(columns: Sequence[Column], table: Table, catalog: Catalog) -> float | None:
    """Return the most combinations there can be, since a foreign key on these columns allows no others."""
    names = {column.name for column in columns}
    found = []
    for constraint in catalog.constraints_of(table.relation):
        covered = set(constraint.columns)
        if constraint.references is None or len(covered) < 2 or covered != names:
            continue
        target = catalog.find_table(constraint.references.name, constraint.references.schema)
        if target is not None and target.rows > 0:
            found.append(target.rows)
    return min(found, default=None)


def combinations_counted(columns: Sequence[Column], table: Table, catalog: Catalog) -> float | None:
    """Return how many combinations ANALYZE counted of just these columns, None without such statistics."""
    names = {column.name for column in columns}
    found = (
        count
        for statistics in catalog.statistics
        if statistics.table == table.relation
        for group, count in statistics.distinct
        if set(group) == names
    )
    return next(found, None)


def ordered_together(columns: Sequence[Column]) -> bool:
    """Say whether all columns follow the order of the rows, so that each is a step function of the other."""
    correlations = [c.statistics.correlation if c.statistics else None for c in columns]
    return len(columns) > 1 and all(
        value is not None and abs(value) >= ORDERED_TOGETHER_FROM for value in correlations
    )
