"""Tries new statistics on a clone: do estimates get closer, and does a plan or a time change for the better?

Statistics that only make an estimate prettier cost every ANALYZE and every planning, for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from pgproof.changes import simulate_steps
from pgproof.changes.statistics import analyze_step
from pgproof.errors import ParseError, ServerError, UsageError
from pgproof.model.change import AnalyzeTable, CloneOnly, CreateStatistics
from pgproof.model.misestimate import find_misestimates
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.model.statistics_advice import StatementCheck, StatisticsAdvice, StatisticsCheck
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.postgres.session import Session
from pgproof.stages.estimate.executed_plans import demand_clone, execute

CLOSER_FACTOR = 2.0
"""An error has to shrink to a half: samples of ANALYZE differ by less. **Source**: judgement."""

SLOWER_FRAC = 0.15
"""A statement whose plan changed is slower from here on. **Source**: judgement; competitions draw the line
there too: no statement pays for another."""

FASTER_FRAC = 0.3
"""A time counts as changed from here on where the plan is the same: a hash table sized right, fewer batches.
**Source**: judgement; twice what neighbours on a busy host make of the shortest of several runs."""

NOISE_MS = 1.0
"""No difference below this counts. **Source**: judgement."""

RUNS, RUNS_OF_SHORT, SHORT_MS = 3, 7, 20.0
"""Executions of a statement, more of a short one; the shortest counts. **Source**: judgement."""

Shape: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What executing a statement showed: its worst error, its plans' shapes, and its time."""

    error: float
    shapes: tuple[Shape, ...]
    elapsed_ms: float


def check_statistics(
    session: Session,
    workload: Workload,
    advice: Sequence[StatisticsAdvice],
    *,
    progress: Progress = ignore_progress,
) -> tuple[StatisticsCheck, ...]:
    """Make each piece of advice so on a clone, execute its statements before and after, and undo it.

    Everything happens in transactions that are rolled back. Writing statements are executed too, so never do
    this on a server in use.

    Args:
        session: On a clone, writable, with a ``statement_timeout`` that no statement of interest reaches.
        workload: Of the advice; its parameter sets are used, the heaviest first.
        advice: What to try.
        progress: Told of each.

    Returns:
        One result a piece of advice, in order; where statistics of fewer kinds do better, its advice names
        these. ANALYZE is kept unless a plan got worse: it costs nothing to keep. Advice whose statements
        can't be executed is not kept.

    Raises:
        UsageError: The session may not write.
        Unreachable, ServerError: The clone is gone.
    """
    demand_clone(session)
    results = []
    for number, each in enumerate(advice):
        progress(f"trying statistics of {each.change.table}", number, len(advice))
        results.append(_check(session, workload, each))
    return tuple(results)


def _check(session: Session, workload: Workload, advice: StatisticsAdvice) -> StatisticsCheck:
    """Try advice in each form it can take; return the best of those worth keeping, else the first."""
    known = {statement.name: statement for statement in workload.statements}
    statements = [known[name] for name in advice.statements if name in known]
    table = advice.change.table
    with session.rolled_back():
        if not isinstance(advice.change, AnalyzeTable):
            # Else the new sample alone might make the difference.
            session.run(analyze_step(table).sql)
        before = {s.name: _execute(session, s, table) for s in statements}
        tried = [_try(session, each, statements, before) for each in _forms(advice)]
    return min((check for check in tried if check.kept), key=_rank, default=tried[0])


def _forms(advice: StatisticsAdvice) -> tuple[StatisticsAdvice, ...]:
    """Return advice as it is, and with each of several kinds of statistics alone.

    Together they are not always better: common combinations are asked first, and what their list has no
    room for is then taken for independent, dependencies or not.
    **Source**: ``statext_clauselist_selectivity`` in src/backend/statistics/extended_stats.c.
    """
    change = advice.change
    if not isinstance(change, CreateStatistics) or len(change.kinds) < 2:
        return (advice,)
    alone = (replace(advice, change=replace(change, kinds=(kind,))) for kind in change.kinds)
    return (advice, *alone)


def _rank(check: StatisticsCheck) -> tuple[int, int]:
    """Order what is worth keeping: the closest worst estimate first, to a half; then the simplest."""
    kinds = check.advice.change.kinds if isinstance(check.advice.change, CreateStatistics) else ()
    return round(2 * max((each.error_after for each in check.statements), default=1.0)), len(kinds)


def _try(
    session: Session,
    advice: StatisticsAdvice,
    statements: Sequence[WorkloadStatement],
    before: Mapping[str, _Seen | None],
) -> StatisticsCheck:
    with session.rolled_back():
        failure = _make_so(session, advice)
        if failure:
            return StatisticsCheck(advice, False, f"The clone's server refused it: {failure}")
        after = {s.name: _execute(session, s, advice.change.table) for s in statements}
        after |= _timed_again(session, advice, statements, after, before, 1 + SLOWER_FRAC)
    before = {**before, **_timed_again(session, advice, statements, before, after, 1 / (1 - FASTER_FRAC))}
    checks = tuple(
        StatementCheck(
            name,
            error_before=one.error,
            error_after=other.error,
            plan_changed=one.shapes != other.shapes,
            before_ms=one.elapsed_ms,
            after_ms=other.elapsed_ms,
        )
        for name, one in before.items()
        if one is not None and (other := after[name]) is not None
    )
    kept, reason = _judge(checks, harmless=isinstance(advice.change, AnalyzeTable))
    return StatisticsCheck(advice, kept, reason, checks)


def _timed_again(
    session: Session,
    advice: StatisticsAdvice,
    statements: Sequence[WorkloadStatement],
    seen: Mapping[str, _Seen | None],
    others: Mapping[str, _Seen | None],
    factor: float,
) -> dict[str, _Seen | None]:
    """Time once more what took ``factor`` times as long as the other way; the shorter time counts.

    A busy host makes one of two equal things look slower.
    """
    result: dict[str, _Seen | None] = {}
    for statement in statements:
        one, other = seen[statement.name], others[statement.name]
        if one is not None and other is not None and one.elapsed_ms > other.elapsed_ms * factor:
            second = _execute(session, statement, advice.change.table)
            result[statement.name] = min(filter(None, (one, second)), key=lambda each: each.elapsed_ms)
    return result


def _make_so(session: Session, advice: StatisticsAdvice) -> str:
    """Run the change's steps; return why that failed, or nothing. A failure spoils the transaction around."""
    steps = simulate_steps(advice.change)
    if isinstance(steps, CloneOnly):
        return steps.reason
    try:
        for step in steps:
            session.run(step.sql)
    except ServerError as error:
        if session.closed:
            raise
        return error.message
    return ""


def _execute(session: Session, statement: WorkloadStatement, table: RelationName) -> _Seen | None:
    """Execute a statement a few times; None where it can't be, and so can't speak for the advice."""
    best_ms: list[float] = []
    plans: list[Plan] = []
    try:
        while len(best_ms) < RUNS or (len(best_ms) < RUNS_OF_SHORT and best_ms[-1] < SHORT_MS):
            plans = list(execute(session, statement))
            best_ms.append(sum(plan.execution_ms or 0.0 for plan in plans))
    except (ParseError, UsageError):
        return None
    except ServerError:
        if session.closed:
            raise
        return None
    return _Seen(
        error=max(worst_error(plan, table) for plan in plans),
        shapes=tuple(plan_shape(plan.root) for plan in plans),
        elapsed_ms=min(best_ms),
    )


def worst_error(plan: Plan, table: RelationName) -> float:
    """Return how many times an executed plan's worst estimate was off, >= 1.

    Args:
        plan: An executed one.
        table: Whose scans are judged, with all of the plan's aggregates.
    """
    judged = (
        error.factor
        for error in find_misestimates(plan)
        if (error.node.relation == table.name and error.node.schema in ("", table.schema))
        or error.node.node_type in ("Aggregate", "Group")
    )
    return max(judged, default=1.0)


def plan_shape(node: PlanNode) -> Shape:
    """Return what a plan does, without any figure: two plans of one shape differ in costs alone."""
    kind = (node.node_type, node.extra.get("Strategy"), node.extra.get("Join Type"))
    return (*kind, node.relation, node.index, *(plan_shape(child) for child in node.children))


def _judge(checks: Sequence[StatementCheck], *, harmless: bool) -> tuple[bool, str]:
    if not checks:
        return harmless, "None of its statements could be executed, so nothing was shown."
    slower = [check for check in checks if _is_slower(check)]
    if slower:
        worst = max(slower, key=lambda check: check.after_ms / max(check.before_ms, 1e-3))
        return False, (
            f"{worst.statement} got slower by it ({_effect(worst)}): the planner, told the truth about rows,"
            " is wrong about what reading them costs; look at random_page_cost and effective_cache_size."
        )
    closer = [check for check in checks if check.error_after * CLOSER_FACTOR <= check.error_before]
    useful = [check for check in closer if check.plan_changed or _is_faster(check)]
    if useful:
        best = max(useful, key=lambda check: check.error_before / check.error_after)
        return True, f"{_told(best)}; {_effect(best)}."
    if closer:
        return harmless, f"{_told(closer[0])}, but no plan and no time changed."
    return harmless, "No estimate got closer."


def _is_slower(check: StatementCheck) -> bool:
    limit_ms = max(check.before_ms * (1 + SLOWER_FRAC), check.before_ms + NOISE_MS)
    return check.plan_changed and check.after_ms > limit_ms


def _is_faster(check: StatementCheck) -> bool:
    limit_ms = min(check.before_ms * (1 - FASTER_FRAC), check.before_ms - NOISE_MS)
    return check.after_ms < limit_ms


def _told(check: StatementCheck) -> str:
    before, after = check.error_before, check.error_after
    return f"{check.statement} was off {before:,.0f} times, with it {after:,.1f} times"


def _effect(check: StatementCheck) -> str:
    plan = "its plan changed, " if check.plan_changed else ""
    return f"{plan}{check.before_ms:,.1f} ms before, {check.after_ms:,.1f} ms after"
