"""How many combinations of several columns' values there are, where the catalog tells."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.relation import Catalog, Column, Table

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


def ordered_together(columns: Sequence[Column]) -> bool:
    """Say whether all columns follow the order of the rows, so that each is a step function of the other."""
    correlations = [c.statistics.correlation if c.statistics else None for c in columns]
    return len(columns) > 1 and all(
        value is not None and abs(value) >= ORDERED_TOGETHER_FROM for value in correlations
    )
