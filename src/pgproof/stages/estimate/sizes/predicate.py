"""What the predicate of a partial index leaves: of the rows, and of each column's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from pgproof.errors import PgproofError
from pgproof.model.relation import Column, Table
from pgproof.model.statistics import ColumnStatistics
from pgproof.sqltext.canonical import canonical_expression
from pgproof.sqltext.parameters import literals_to_parameters
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import Comparand, Predicate, PredicateKind
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.estimate.sizes.duplicates import TableSample, uncommon_keys

UNKNOWN_FRAC = 1 / 3
"""Share of rows that a condition leaves which says nothing. **Source**: DEFAULT_INEQ_SEL, selfuncs.h."""

_NUMBERS = ("int2", "int4", "int8", "oid", "float4", "float8", "numeric", "money")
_TRUTHS = {"true": "t", "false": "f"}


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a predicate leaves.

    Args:
        frac: Share of the rows, 0 to 1.
        columns: Columns it restricts, by name, with the statistics of what is left of them.
        understood: Every condition found could be answered from statistics.
    """

    frac: float
    columns: dict[str, Column] = field(default_factory=dict)
    understood: bool = True


@lru_cache(maxsize=1024)
def read_predicate(where: str, table: Table, sample: TableSample) -> Restriction:
    """Read a predicate against a table's statistics.

    Args:
        where: Predicate text; empty leaves everything.
        table: The table.
        sample: Where its statistics come from.
    """
    if not where:
        return Restriction(1.0)
    found = _conditions(where, table)
    if not found:
        return Restriction(UNKNOWN_FRAC, understood=False)
    if any(each.in_or for each in found):
        return _either(found, table, sample)
    frac, columns, understood = 1.0, dict[str, Column](), True
    for each in found:
        name = each.operand.column or ""
        column = columns.get(name) or table.column(name)
        narrowed = None if column is None else _narrow(column, each, sample)
        if narrowed is None or column is None:
            frac, understood = frac * UNKNOWN_FRAC, False
            continue
        part, statistics = narrowed
        frac *= part
        columns[column.name] = replace(column, statistics=statistics)
    return Restriction(min(max(frac, 0.0), 1.0), columns, understood)


def _either(found: Sequence[Predicate], table: Table, sample: TableSample) -> Restriction:
    """Add up alternatives; conditions that hold besides them are left aside."""
    total, understood = 0.0, all(each.in_or for each in found)
    for each in found:
        column = table.column(each.operand.column or "")
        narrowed = _narrow(column, each, sample) if column is not None else None
        understood = understood and narrowed is not None
        total += narrowed[0] if narrowed else UNKNOWN_FRAC
    return Restriction(min(total, 1.0), understood=understood)


def _conditions(where: str, table: Table) -> tuple[Predicate, ...]:
    names = tuple(column.name for column in table.columns)

    def columns_of(_schema: str | None, _table: str, /) -> Sequence[str] | None:
        return names

    try:
        statement = parse_statement(f"SELECT FROM t WHERE {canonical_expression(where)}")
        shapes = find_shapes(statement, columns_of)
    except PgproofError:
        return ()
    return shapes[0].predicates if shapes else ()


def _narrow(
    column: Column, predicate: Predicate, sample: TableSample
) -> tuple[float, ColumnStatistics] | None:
    """Return the share of rows that a condition leaves and the column's statistics among them."""
    statistics = column.statistics
    if statistics is None:
        return None
    kind = predicate.kind
    if kind in (PredicateKind.IS_NULL, PredicateKind.IS_NOT_NULL):
        nulls = (kind is PredicateKind.IS_NULL) != predicate.negated
        return _only_nulls(statistics) if nulls else _without_nulls(statistics)
    values = _values(predicate)
    if not values:
        return None
    if column.base_type == "bool":
        values = tuple(_TRUTHS.get(value, value) for value in values)
    if kind in (PredicateKind.EQUALITY, PredicateKind.IN):
        unequal = predicate.negated
        return _filtered(statistics, sample, lambda value: (value in values) != unequal, values, unequal)
    if predicate.operator == "<>":
        unequal = not predicate.negated
        return _filtered(statistics, sample, lambda value: (value in values) != unequal, values, unequal)
    if kind is PredicateKind.RANGE and not predicate.negated:
        holds = _range_test(column.base_type, predicate.operator, values)
        return _filtered(statistics, sample, holds, (), False) if holds else None
    return None


def _values(predicate: Predicate) -> tuple[str, ...]:
    """Return the constants of a condition in text form; empty where they are not plain."""
    if predicate.comparand is not Comparand.CONSTANT or not predicate.constant:
        return ()
    try:
        _, values = literals_to_parameters(f"SELECT FROM t WHERE x IN ({predicate.constant})")
    except PgproofError:
        return ()
    plain = tuple(value for value in values if value is not None)
    return plain if len(plain) == len(values) else ()


def _only_nulls(statistics: ColumnStatistics) -> tuple[float, ColumnStatistics]:
    return statistics.null_frac, ColumnStatistics(1.0, 0.0, statistics.avg_width_bytes)


def _without_nulls(statistics: ColumnStatistics) -> tuple[float, ColumnStatistics]:
    left = 1.0 - statistics.null_frac
    scale = 1.0 / left if left > 0 else 0.0
    return left, replace(
        statistics,
        null_frac=0.0,
        n_distinct=statistics.n_distinct if statistics.n_distinct > 0 else statistics.n_distinct * scale,
        most_common_freqs=tuple(share * scale for share in statistics.most_common_freqs),
    )


def _filtered(
    statistics: ColumnStatistics,
    sample: TableSample,
    holds: Callable[[str], bool],
    named: Sequence[str],
    unequal: bool,
) -> tuple[float, ColumnStatistics]:
    """Keep the values for which something holds.

    Args:
        statistics: Of the column.
        sample: Where they come from.
        holds: What is asked of each value.
        named: Values that the condition names; empty for a range.
        unequal: It asks for others than those.
    """
    shares = zip(statistics.most_common_vals, statistics.most_common_freqs, strict=False)
    common = [(value, share) for value, share in shares if holds(value)]
    others = max(1.0 - statistics.null_frac - sum(statistics.most_common_freqs), 0.0)
    uncommon = uncommon_keys(statistics, sample)
    rare = uncommon.distinct if uncommon else 0.0
    bounds = tuple(value for value in statistics.histogram_bounds if holds(value))
    unseen = len(set(named) - set(statistics.most_common_vals))
    if not named:
        part = len(bounds) / len(statistics.histogram_bounds) if statistics.histogram_bounds else 0.0
        rare_left = rare * part
    else:
        rare_left = max(rare - unseen, 0.0) if unequal else min(float(unseen), rare)
        part = rare_left / rare if rare > 0 else 0.0
    frac = sum(share for _, share in common) + others * part
    scale = 1.0 / frac if frac > 0 else 0.0
    return frac, ColumnStatistics(
        0.0,
        max(len(common) + rare_left, 1.0),
        statistics.avg_width_bytes,
        None,
        tuple(value for value, _ in common),
        tuple(share * scale for _, share in common),
        bounds,
    )


def _range_test(base_type: str, operator: str, values: Sequence[str]) -> Callable[[str], bool] | None:
    """Return what tells whether a value lies in a range; None where its type has no order known here."""
    read: Callable[[str], Any] = float if base_type in _NUMBERS else str
    try:
        limits = [read(value) for value in values]
        match operator, limits:
            case "BETWEEN", [low, high]:
                return lambda value: low <= read(value) <= high
            case "<" | "<=", [limit]:
                return lambda value: read(value) <= limit
            case ">" | ">=", [limit]:
                return lambda value: read(value) >= limit
    except ValueError:
        pass
    return None
