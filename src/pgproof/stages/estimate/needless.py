"""Existing indexes that a set of new ones can do without: no plan of the workload misses them."""

from __future__ import annotations

from pgproof.stages.estimate.goal import Goal, Names

MISSED_FRAC = 0.001
"""A statement that gets dearer by that share misses an index. **Source**: judgement; the planner itself is
not steadier."""


def without_needless(goal: Goal, names: Names, may_go: Names | None = None) -> Names:
    """Take existing indexes out of a set, dearest to keep up to date first, as long as no plan misses them.

    Args:
        goal: Tells what plans cost.
        names: A set, with existing indexes among its names.
        may_go: Those of them that may be taken out; None means all.
    """
    kept = frozenset(names)
    removable = goal.base & kept if may_go is None else goal.base & kept & may_go
    for name in sorted(removable, key=lambda name: (-goal.penalties.get(name, 0.0), name)):
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
