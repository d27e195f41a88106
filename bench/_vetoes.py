"""Our set once real runs had their say: what got slower becomes a penalty, and we choose again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench._contenders import OURS, Case, Choice, open_provider, ours
from bench._real_sets import measure
from bench.references.costs import Names, questions
from pgproof.model.candidate import Correction
from pgproof.postgres.shadow.server import Shadow
from pgproof.stages.estimate.provider import CostProvider, Planned
from pgproof.stages.propose.indexes import propose_indexes

AFTER_RUNS = f"{OURS}, after real runs"
MOST_ROUNDS = 5
"""Sets that are run. **Source**: judgement; each takes as long as the workload."""


def choose_with_runs(
    shadow: Shadow,
    case: Case,
    dsn: str,
    budget_bytes: int,
    *,
    time_limit_s: float,
    rounds: int,
    limit_s: float,
) -> Choice:
    """Choose, build, run; choose again with what the slower statements taught, until none is slower.

    Returns:
        The last set; its calls and seconds are those of all choices together, the runs left out.
    """
    candidates = propose_indexes(case.catalog, case.workload)
    corrections: list[Correction] = []
    calls, seconds, cpu_s = 0, 0.0, 0.0
    with open_provider(shadow, case.catalog, candidates) as provider:
        for _ in range(MOST_ROUNDS):
            choice = ours(shadow, provider, case, candidates, budget_bytes, time_limit_s, corrections)
            calls, seconds = calls + choice.planner_calls, seconds + choice.seconds
            cpu_s += choice.cpu_s
            [(without, times)] = measure(
                dsn, case.workload.statements, [choice], rounds=rounds, limit_s=limit_s
            )
            lessons = list(_lessons(provider, case, choice.names, times.slower_than(without)))
            if not lessons:
                break
            corrections += lessons
    return replace(choice, algorithm=AFTER_RUNS, planner_calls=calls, seconds=seconds, cpu_s=cpu_s)


def _lessons(
    provider: CostProvider, case: Case, names: Names, slower: dict[str, float]
) -> Iterator[Correction]:
    for statement in case.workload.statements:
        if statement.name in slower:
            plans = provider.plan([question.request for question in questions(statement)], names)
            used = frozenset[str]().union(*(plan.used for plan in plans if isinstance(plan, Planned)))
            if used & names:  # else no new index is in its plan, and none is to blame
                yield Correction(statement.name, used & names, slower[statement.name])
