"""Advice on statistics that the planner lacks, and what became of it on a clone."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.change import AnalyzeTable, CreateStatistics, SetStatisticsTarget
from pgproof.model.finding import Evidence


@dataclass(frozen=True, slots=True)
class StatisticsAdvice:
    """Statistics that might lead the planner to better plans; only a trial on a clone can tell.

    Args:
        change: What to do.
        reason: Why, in words; no row values.
        evidence: Facts behind it, worst first; at least one.
        source: Section of PostgreSQL's documentation.
        statements: Names of the statements it would help, in workload order; may be empty for ANALYZE.
        error_factor: How many times an estimate was off, >= 1; None where no plan was executed.
    """

    change: AnalyzeTable | CreateStatistics | SetStatisticsTarget
    reason: str
    evidence: tuple[Evidence, ...]
    source: str
    statements: tuple[str, ...] = ()
    error_factor: float | None = None


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """One statement with and without new statistics, executed on a clone.

    Args:
        statement: Its name.
        error_before: How many times its worst estimate on the table was off, >= 1.
        error_after: The same with the statistics.
        plan_changed: The plan has another shape.
        before_ms: Shortest execution without them, summed over the parameter sets.
        after_ms: And with them.
    """

    statement: str
    error_before: float
    error_after: float
    plan_changed: bool
    before_ms: float
    after_ms: float


@dataclass(frozen=True, slots=True)
class StatisticsCheck:
    """What became of advice on a clone.

    Args:
        advice: The advice.
        kept: An estimate got closer, a plan or a time changed, and no statement got slower.
        reason: Why it was kept or not, in one sentence.
        statements: One entry a statement that could be executed, in the advice's order; may be empty.
    """

    advice: StatisticsAdvice
    kept: bool
    reason: str
    statements: tuple[StatementCheck, ...] = ()
