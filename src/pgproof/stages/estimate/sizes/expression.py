"""What stands in for a column where an index keeps an expression, of which there are no statistics."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

from pgproof.errors import PgproofError
from pgproof.model.relation import Column, Table
from pgproof.model.statistics import ColumnStatistics
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes

_KEEPING = (
    "lower",
    "upper",
    "btrim",
    "ltrim",
    "rtrim",
    "initcap",
    "unaccent",
    "immutable_unaccent",
    "reverse",
    "coalesce",
    "to_tsvector",
)
"""Functions that hardly change how wide and how varied a text is."""

_DIGEST_BYTES = 33
_GUESSED_TEXT_BYTES = 16
_GUESSED_DISTINCT = 200.0
"""Different values of an expression nothing is known of. **Source**: DEFAULT_NUM_DISTINCT, selfuncs.h."""


@lru_cache(maxsize=4096)
def stand_in(expression: str, table: Table) -> Column:
    """Return a column whose statistics are the best guess at an expression's.

    Args:
        expression: As the index has it.
        table: Of the index.
    """
    text = expression.strip().lower()
    sources = _columns_in(expression, table)
    source = sources[0] if len(sources) == 1 else None
    if source is not None and source.statistics is not None:
        called = text.lstrip("(").partition("(")[0]
        if called in _KEEPING:
            return source
        if called == "md5":
            statistics = replace(
                source.statistics, avg_width_bytes=_DIGEST_BYTES, histogram_bounds=(), most_common_vals=()
            )
            return Column(expression, "text", "text", False, statistics=statistics)
        if text.rstrip(")").endswith("::date") or called == "date":
            return _dates(expression, source, source.statistics)
    return Column(expression, "text", "text", False, statistics=_guess(sources))


def _dates(expression: str, source: Column, statistics: ColumnStatistics) -> Column:
    """Return the days of a column of times: as many as its histogram spans."""
    days = {bound[:10] for bound in (*statistics.histogram_bounds, *statistics.most_common_vals)}
    spanned = _days_between(min(days), max(days)) if days else _GUESSED_DISTINCT
    statistics = ColumnStatistics(statistics.null_frac, float(max(spanned, 1)), 4, statistics.correlation)
    return Column(expression, "date", "date", source.not_null, statistics=statistics)


def _days_between(first: str, last: str) -> int:
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    except ValueError:
        return int(_GUESSED_DISTINCT)


def _guess(sources: tuple[Column, ...]) -> ColumnStatistics:
    nulls = [column.statistics.null_frac for column in sources if column.statistics]
    return ColumnStatistics(max(nulls, default=0.0), _GUESSED_DISTINCT, _GUESSED_TEXT_BYTES)


def _columns_in(expression: str, table: Table) -> tuple[Column, ...]:
    names = tuple(column.name for column in table.columns)
    try:
        statement = parse_statement(f"SELECT FROM t WHERE ({expression}) IS NULL")
        shapes = find_shapes(statement, lambda _schema, _table: names)
    except PgproofError:
        return ()
    found = shapes[0].predicates[0].operand.columns if shapes and shapes[0].predicates else ()
    return tuple(column for name in found if (column := table.column(name)) is not None)
