"""How much of a table a condition leaves, from the statistics ANALYZE gathered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pgproof.model.relation import Catalog, Column, RelationKind, Table

UNKNOWN_EQUALITY_FRAC = 0.005
"""Where nothing is known. **Source**: ``DEFAULT_EQ_SEL``, src/include/utils/selfuncs.h."""


def equality_frac(table: Table, column: Column, value: str | None = None) -> float:
    """Return the share of rows equal to a value, 0 to 1.

    **Source**: ``var_eq_const`` and ``var_eq_non_const`` in src/backend/utils/adt/selfuncs.c: the value's own
    frequency where it is a common one, else what the common values leave, spread over the others.

    Args:
        table: Of the column.
        column: The column.
        value: Its text form; None means any value, as for a join.
    """
    statistics = column.statistics
    if statistics is None:
        return UNKNOWN_EQUALITY_FRAC
    distinct = statistics.distinct_rows(max(table.rows, 1))
    if value is None:
        return (1 - statistics.null_frac) / distinct
    common = dict(zip(statistics.most_common_vals, statistics.most_common_freqs, strict=False))
    if value in common:
        return common[value]
    left = max(1 - statistics.null_frac - sum(common.values()), 0.0)
    return left / max(distinct - len(common), 1.0)


def values_frac(table: Table, column: Column, values: Iterable[str]) -> float:
    """Return the share of rows equal to one of several values, 0 to 1."""
    return min(sum(equality_frac(table, column, value) for value in values), 1.0)


def null_frac(column: Column) -> float | None:
    """Return the share of NULLs, None where never analysed."""
    return None if column.statistics is None else column.statistics.null_frac


def with_rows(table: Table, catalog: Catalog) -> Table:
    """Return a table with its rows known: of a partitioned one that was never analysed, its children's."""
    return replace(table, rows=_rows(table, catalog))


def _rows(table: Table, catalog: Catalog) -> float:
    if table.kind is not RelationKind.PARTITIONED or table.rows > 0:
        return table.rows
    below = [_rows(child, catalog) for child in catalog.partitions_of(table.relation)]
    known = [rows for rows in below if rows >= 0]
    return sum(known) if known else -1
