"""Questions that lead to good sets early: the planner takes the cheapest plan and minds no index's size.

Left alone, it names the widest indexes there are, which no budget holds. So it is shown the smaller ones
alone, each one alone, and what would fit beside a set or in place of one of its indexes.
"""

from __future__ import annotations

from pgproof.stages.estimate.bits import Mask, single_bits
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.goal import Goal

LADDER_STEP = 3.0
"""Factor between the sizes up to which candidates are shown. **Source**: judgement."""

MAX_LADDER = 8
"""Such sizes. **Source**: judgement: from 1 GB down to half a megabyte."""

Asks = list[tuple[Question, Mask]]
"""Questions, each with the candidates to hide."""


def by_size(goal: Goal, pool: Mask) -> Asks:
    """Return questions that show only the smaller candidates, down to the smallest; none without a budget.

    Args:
        goal: What is to be made small.
        pool: Candidates that may be taken.
    """
    asked: dict[tuple[int, Mask], tuple[Question, Mask]] = {}
    for most in _ladder(goal):
        shown = _no_larger_than(goal, most) & pool | goal.costs.base
        for question in goal.costs.questions:
            hidden = question.decisions.relevant & ~shown
            if question.decisions.find(shown) is None:
                asked[id(question), hidden] = (question, hidden)
    return list(asked.values())


def singles(goal: Goal, pool: Mask) -> Asks:
    """Return questions that show one candidate: little work for the planner, and small gains show.

    Args:
        goal: What is to be made small.
        pool: Candidates that may be taken.
    """
    base = goal.costs.base
    return [
        (question, question.decisions.relevant & ~(own | base))
        for question in goal.costs.questions
        for own in single_bits(question.decisions.relevant & question.proposed & pool)
        if question.decisions.find(own | base) is None
    ]


def around(goal: Goal, pool: Mask, chosen: Mask) -> Asks:
    """Return questions about what plans would take in place of each index of a set, and beside it.

    Only candidates are shown that some plan of the statement used before: the planner is quick then.

    Args:
        goal: What is to be made small.
        pool: Candidates that may be taken.
        chosen: The set; what it costs is known.
    """
    costs = goal.costs
    taken = goal.size(costs.names.listed(chosen))
    asked: Asks = []
    for leaving in (0, *single_bits(chosen & ~costs.base)):
        left = _left(goal, taken - goal.size(costs.names.listed(leaving)))
        for room in (left, left / LADDER_STEP):
            fitting = _no_larger_than(goal, room)
            for question in costs.questions:
                decisions = question.decisions
                now = decisions.find(chosen)
                concerned = now is not None and (not leaving or now.used & leaving)
                shown = (chosen | fitting & decisions.useful) & ~leaving & pool | costs.base
                if concerned and decisions.find(shown) is None:
                    asked.append((question, decisions.relevant & ~shown))
    return asked


def _ladder(goal: Goal) -> list[float]:
    """Return sizes that shrink in steps from all that fits to the smallest candidate's."""
    sizes = sorted(goal.index_bytes.values())
    most = goal.budget.size_bytes
    if not sizes or most is None:
        return []
    steps = [float(min(most, sizes[-1]))]
    while steps[-1] / LADDER_STEP > sizes[0] and len(steps) < MAX_LADDER:
        steps.append(steps[-1] / LADDER_STEP)
    return steps


def _left(goal: Goal, taken: float) -> float:
    """Return the bytes that are left beside what is taken."""
    most = goal.budget.size_bytes
    return float("inf") if most is None else most - taken


def _no_larger_than(goal: Goal, most: float) -> Mask:
    """Return the candidates up to a size."""
    return goal.costs.names.mask(name for name, size in goal.index_bytes.items() if size <= most)
