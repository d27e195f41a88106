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
    rest costs least. Then, until the limits are kept, the one that is missed least for its size.

    Args:
        goal: With corrections and real sizes.
        names: The set; existing indexes that stay are in it.
        ends_at: When to return what is left so far, by `time.monotonic`.

    Returns:
        A part of the set; without a correction and within the limits the whole of it.
    """
    chosen = goal.costs.names.mask(names)
    while monotonic() < ends_at:
        goal.costs.learn(chosen, ends_at)
        options = _without_one_to_blame(goal, chosen) or _without_one(goal, chosen)
        if not options:
            break
        chosen = _best(goal, chosen, options, ends_at)
    return goal.costs.names.names(chosen)


def _without_one_to_blame(goal: Goal, chosen: Mask) -> list[Mask]:
    """Return the sets with one index less of those in slow plans; none where no plan is slow."""
    blamed = 0
    for question, plan in _plans(goal, chosen):
        if goal.share_of(question, plan.cost, plan.used) >= FORBIDDEN_SHARE:
            blamed |= plan.used & goal.everything_mask
    return [chosen & ~(1 << item) for item in places(blamed & chosen)]


def _without_one(goal: Goal, chosen: Mask) -> list[Mask]:
    """Return the sets with one index less; none where the limits are kept."""
    if goal.affordable(goal.costs.names.names(chosen)):
        return []
    return [chosen & ~(1 << item) for item in places(chosen & goal.everything_mask)]


def _best(goal: Goal, chosen: Mask, options: list[Mask], ends_at: float) -> Mask:
    for option in options:
        goal.costs.learn(option, ends_at)
    now, least = _value(goal, chosen), 1.0

    def lost(option: Mask) -> float:
        """Return what a set costs more, for each byte that it is smaller; negative where it costs less."""
        more = _value(goal, option) - now
        item_bytes = goal.size(goal.costs.names.names(chosen & ~option))
        return more / max(item_bytes, least) if more > 0 else more

    return min(options, key=lambda option: (lost(option), option))


def _value(goal: Goal, chosen: Mask) -> float:
    """Return what a set counts, slow plans and upkeep included, as a share of the workload's cost."""
    upkeep = sum(goal.upkeep_share(item) for item in places(chosen & goal.everything_mask))
    return upkeep + sum(goal.share_of(question, p.cost, p.used) for question, p in _plans(goal, chosen))


def _plans(goal: Goal, chosen: Mask) -> Iterator[tuple[Question, Answer]]:
    """Yield each question with its plan under a set, or one that costs at least as much."""
    for question in goal.costs.questions:
        yield question, question.decisions.find_or_more(chosen)
