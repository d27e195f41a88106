"""Existing indexes that a set of new ones can do without: no plan of the workload misses them."""

from __future__ import annotations

from pgproof.stages.estimate.goal import Goal, Names

MISSED_FRAC = 0.001
"""A statement that gets dearer by that share misses an index. **Source**: judgement; the planner itself is
not steadier."""


def without_needless(goal: Goal, names: Names) -> Names:
    """Take existing indexes out of a set, dearest to keep up to date first, as long as no plan misses them.

    Args:
        goal: Tells what plans cost.
        names: A set, with the existing indexes that may go among its names.
    """
    kept = frozenset(names)
    for name in sorted(goal.base & kept, key=lambda name: (-goal.penalties.get(name, 0.0), name)):
        if not _is_missed(goal, kept - {name}, frozenset(names)):
            kept -= {name}
    return kept


def _is_missed(goal: Goal, without: Names, full: Names) -> bool:
    before, after = goal.costs.under(full), goal.costs.under(without)
    return any(
        cost.cost.value > before[name].cost.value * (1 + MISSED_FRAC)
        for name, cost in after.items()
        if name in before
    )
