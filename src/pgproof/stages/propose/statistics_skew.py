"""Columns whose list of most common values ends too early for the values that the workload asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgproof.model.catalog import Catalog
from pgproof.model.figures import percent
from pgproof.model.finding import Evidence
from pgproof.model.relation import Column, Table
from pgproof.model.statistics import ColumnStatistics
from pgproof.model.workload import ParameterSource, WorkloadStatement
from pgproof.sqltext.shape import Predicate, PredicateKind
from pgproof.stages.propose.literals import known_values
from pgproof.stages.propose.reading import ReadStatement, table_of

STEEP_FACTOR = 10.0
"""The last common value is so many times more frequent than the mean of the others: the values just behind it
are underestimated nearly as much. **Source**: the same bar as for estimates that were seen to be wrong."""

READ_IN_FULL = 100
"""Common values of a column that a catalog snapshot holds at most: the query ``column_statistics``."""

_USED = (ParameterSource.DECLARED, ParameterSource.LOG, ParameterSource.ACTIVITY)


@dataclass(frozen=True, slots=True)
class ShortList:
    """A column, and a statement that asks for values behind the end of its list.

    Args:
        table: Of the column.
        column: The column.
        statement: Name of the statement.
        evidence: Facts.
        words: The trouble in words, without a full stop.
    """

    table: Table
    column: Column
    statement: str
    evidence: tuple[Evidence, ...]
    words: str


def find_short_lists(catalog: Catalog, read: Iterable[ReadStatement]) -> Iterator[ShortList]:
    """Yield columns compared for equality with values that are really used and not among the common ones.

    Only where the list is full and steep at its end, so that values behind it matter.
    """
    for entry in read:
        for level in entry.levels:
            for predicate in level.predicates:
                table = table_of(level, predicate.operand.relation, catalog)
                column = table.column(predicate.operand.column or "") if table else None
                if table is None or column is None or not _asks_behind(entry.statement, predicate, column):
                    continue
                yield _short(table, column, entry.statement.name)


def _asks_behind(statement: WorkloadStatement, predicate: Predicate, column: Column) -> bool:
    statistics = column.statistics
    if statistics is None or predicate.kind not in (PredicateKind.EQUALITY, PredicateKind.IN):
        return False
    used = any(chosen.source in _USED for chosen in statement.parameter_sets) or not predicate.parameters
    values = {value for value, _ in known_values(predicate, statement)} if used else set()
    return _steepness(column) >= STEEP_FACTOR and bool(values - set(statistics.most_common_vals))


def _steepness(column: Column) -> float:
    """Return how many times more frequent the last common value is than the mean of those left out."""
    statistics = column.statistics
    is_full = statistics is not None and len(statistics.most_common_vals) >= READ_IN_FULL
    if statistics is None or not is_full or column.statistics_target not in (None, READ_IN_FULL):
        return 0.0
    rest = _rest_frac(statistics)
    return statistics.most_common_freqs[-1] / rest if rest > 0 else 0.0


def _rest_frac(statistics: ColumnStatistics) -> float:
    left = 1.0 - statistics.null_frac - sum(statistics.most_common_freqs)
    # Minus a share of the rows means that new rows bring new values: next to none is frequent.
    others = statistics.n_distinct - len(statistics.most_common_vals)
    return max(left, 0.0) / others if others >= 1 else 0.0


def _short(table: Table, column: Column, statement: str) -> ShortList:
    statistics = column.statistics
    assert statistics is not None
    evidence = (
        Evidence("common values kept", f"{len(statistics.most_common_vals)}", "pg_stats"),
        Evidence("distinct values", f"{statistics.n_distinct:,.0f}", "pg_stats"),
        Evidence("share of the last one kept", percent(statistics.most_common_freqs[-1], 2), "pg_stats"),
        Evidence("mean share of the others", percent(_rest_frac(statistics), 4), "pg_stats"),
    )
    words = (
        f"{statement} asks for values of {column.name} of {table.relation} that are not among the common"
        f" ones, and the last common one is {_steepness(column):,.0f} times as frequent as others are thought"
        " to be"
    )
    return ShortList(table, column, statement, evidence, words)
