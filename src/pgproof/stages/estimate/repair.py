"""The nearest set to one that failed: without the plans that were measured to be slow, and within the limits.

A new search has to find everything again; what was chosen before, less what did harm, is a good start.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from pgproof.stages.estimate.bits import Mask, places
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.decisions import Answer
from pgproof.stages.estimate.goal import FORBIDDEN_SHARE, Goal, Names


def repaired(goal: Goal, names: Names, ends_at: float = float("inf")) -> Names:
    """Return a set without those of its indexes that break what is known of it, one after the other.

    First the indexes go that plans use which were measured to be slow: each time the one without which the
    rest costs least, by the plans seen so far. Then, until the limits are kept, the one that is missed least
    for its size.

    Args:
        goal: With corrections and real sizes.
        names: The set; existing indexes that stay are in it.
        ends_at: From when on all indexes of slow plans go together, by `time.monotonic`.

    Returns:
        A part of the set that leads to no slow plan and keeps the limits; the whole of it where it does.
    """
    chosen = goal.costs.names.mask(names)
    while True:
        goal.costs.learn(chosen)
        blamed = _to_blame(goal, chosen)
        if blamed and monotonic() >= ends_at:
            chosen &= ~blamed
        elif blamed:
            chosen = _without_one(goal, chosen, blamed)
        elif not goal.affordable(goal.costs.names.names(chosen)):
            candidates = chosen & goal.everything_mask
            for item in places(candidates):
                goal.costs.learn(chosen & ~(1 << item), ends_at)
            chosen = _without_one(goal, chosen, candidates)
        else:
            return goal.costs.names.names(chosen)


def _to_blame(goal: Goal, chosen: Mask) -> Mask:
    """Return the indexes of a set that slow plans use."""
    blamed = 0
    for question, plan in _plans(goal, chosen):
        if goal.share_of(question, plan.cost, plan.used) >= FORBIDDEN_SHARE:
            blamed |= plan.used & goal.everything_mask
    return blamed & chosen


def _without_one(goal: Goal, chosen: Mask, candidates: Mask) -> Mask:
    """Return a set without that one of some candidates which is missed least for its size."""
    now = _value(goal, chosen)

    def lost(item: int) -> float:
        """Return what the rest costs more, for each byte that it is smaller; negative where it costs less."""
        more = _value(goal, chosen & ~(1 << item)) - now
        return more / max(goal.index_bytes[goal.costs.names.all[item]], 1) if more > 0 else more

    return chosen & ~(1 << min(places(candidates), key=lambda item: (lost(item), item)))


def _value(goal: Goal, chosen: Mask) -> float:
    """Return what a set counts, slow plans and upkeep included, as a share of the workload's cost."""
    upkeep = sum(goal.upkeep_share(item) for item in places(chosen & goal.everything_mask))
    return upkeep + sum(goal.share_of(question, p.cost, p.used) for question, p in _plans(goal, chosen))


def _plans(goal: Goal, chosen: Mask) -> Iterator[tuple[Question, Answer]]:
    """Yield each question with its plan under a set, or one that costs at least as much."""
    for question in goal.costs.questions:
        yield question, question.decisions.find_or_more(chosen)
