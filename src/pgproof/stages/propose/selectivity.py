"""How much of a table a condition leaves, from the statistics ANALYZE gathered."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import replace

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Column, RelationKind, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import Predicate, PredicateKind
from pgproof.stages.propose.literals import known_values

UNKNOWN_EQUALITY_FRAC = 0.005
"""Where nothing is known. **Source**: ``DEFAULT_EQ_SEL``, src/include/utils/selfuncs.h."""

UNKNOWN_RANGE_FRAC = 1 / 3
"""Of one bound where nothing is known. **Source**: ``DEFAULT_INEQ_SEL``, src/include/utils/selfuncs.h."""

UNKNOWN_NULLS_FRAC = 0.1
"""Of a column never analysed. **Source**: judgement; rare enough that the planner is asked."""

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})


def equality_frac(table: Table, column: Column | None, value: str | None = None) -> float:
    """Return the share of rows equal to a value, 0 to 1.

    **Source**: ``var_eq_const`` and ``var_eq_non_const`` in src/backend/utils/adt/selfuncs.c: the value's own
    frequency where it is a common one, else what the common values leave, spread over the others.

    Args:
        table: Of the column.
        column: The column; None for an expression, of which nothing is known.
        value: Its text form; None means any value, as for a join.
    """
    statistics = column.statistics if column else None
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


def predicate_frac(statement: WorkloadStatement, table: Table, predicate: Predicate) -> float:
    """Return the share of rows a condition leaves, 0 to 1; the smallest seen among the known values.

    The smallest, since an index is worth asking the planner for if any of the values is rare.
    """
    column = table.column(predicate.operand.column or "")
    if predicate.kind in (PredicateKind.IS_NULL, PredicateKind.IS_NOT_NULL):
        known = None if column is None else null_frac(column)
        if known is None:
            return UNKNOWN_NULLS_FRAC
        return known if predicate.kind is PredicateKind.IS_NULL else 1 - known
    if column is None:
        return UNKNOWN_EQUALITY_FRAC
    values = [as_statistics_write_it(value, column) for value, _ in known_values(predicate, statement)]
    if predicate.kind in (PredicateKind.RANGE, PredicateKind.ROW_RANGE):
        return range_frac(column, predicate.operator, values)
    if predicate.kind is PredicateKind.IN and all(isinstance(item, str) for item in predicate.items):
        return values_frac(table, column, values) if values else equality_frac(table, column)
    return min(
        (equality_frac(table, column, value) for value in values), default=equality_frac(table, column)
    )


def values_frac(table: Table, column: Column, values: Iterable[str]) -> float:
    """Return the share of rows equal to one of several values, 0 to 1."""
    return min(sum(equality_frac(table, column, value) for value in values), 1.0)


def range_frac(column: Column, operator: str, values: list[str]) -> float:
    """Return the share of rows within a bound, 0 to 1, from the histogram; a guess without one.

    Args:
        column: A number, a date or a time, else nothing is known.
        operator: ``<``, ``<=``, ``>``, ``>=`` or ``BETWEEN``.
        values: Bounds seen, text forms; of several for one bound the one that leaves least counts.
    """
    places = [place for value in values if (place := _place(column, value)) is not None]
    if not places or len(places) < len(values):
        return UNKNOWN_RANGE_FRAC if operator != "BETWEEN" else UNKNOWN_RANGE_FRAC**2
    if operator == "BETWEEN":
        pairs = zip(places[::2], places[1::2], strict=False)
        return max(min((high - low for low, high in pairs), default=UNKNOWN_RANGE_FRAC), 0.0)
    return min(places) if operator.startswith("<") else 1 - max(places)


def _place(column: Column, value: str) -> float | None:
    """Return the share of a column's values below a value, None where that can't be told."""
    bounds = column.statistics.histogram_bounds if column.statistics else ()
    read = _reader(column)
    if len(bounds) < 2 or read is None:
        return None
    try:
        known = [read(bound) for bound in bounds]
        return bisect_left(known, read(value)) / len(known)
    except ValueError:
        return None


def _reader(column: Column) -> Callable[[str], tuple[float, str]] | None:
    """Return how to read a column's text forms so that they sort; ISO dates do as they are."""
    if column.base_type in _NUMBERS:
        return lambda text: (float(text), "")
    if column.base_type in _MOMENTS:
        return lambda text: (0.0, text)
    return None


def as_statistics_write_it(value: str, column: Column) -> str:
    """Return a value in the text form that pg_stats has."""
    if column.base_type == "bool":
        return "t" if value.lower() in ("t", "true", "on", "yes", "1") else "f"
    return value


def null_frac(column: Column) -> float | None:
    """Return the share of NULLs, None where never analysed."""
    return None if column.statistics is None else column.statistics.null_frac


def with_rows(table: Table, catalog: Catalog) -> Table:
    """Return a table with its rows known: of a partitioned one that was never analysed, its children's."""
    if table.kind is not RelationKind.PARTITIONED or table.rows > 0:
        return table
    return replace(table, rows=_rows(table, catalog))


def _rows(table: Table, catalog: Catalog) -> float:
    if table.kind is not RelationKind.PARTITIONED or table.rows > 0:
        return table.rows
    below = [_rows(child, catalog) for child in catalog.partitions_of(table.relation)]
    known = [rows for rows in below if rows >= 0]
    return sum(known) if known else -1
