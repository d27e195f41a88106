"""What is to be said about a choice of indexes: how far they can go, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.candidate import IndexBudget
from pgproof.model.figures import percent, size
from pgproof.stages.estimate.goal import Goal

NO_HELP_FRAC = 0.01
"""A workload that indexes save less than that is left alone. **Source**: judgement."""


def why_no_more(goal: Goal, found: bool) -> str:
    """Say how far indexes can go at all, or why there are none.

    Args:
        goal: What was to be made small.
        found: Whether there are sets.

    Returns:
        One to three sentences.
    """
    return " ".join(filter(None, (_reason(goal, found), _left_aside(goal.aside if found else ()))))


def _reason(goal: Goal, found: bool) -> str:
    if not goal.everything:
        return (
            "No index was worth asking the planner about: what could be indexed usefully is indexed already."
        )
    floor = goal.read_cost(goal.everything | goal.base)
    possible = 1 - floor / goal.before if goal.before else 0.0
    count = len(goal.everything)
    candidates = "the only candidate in place" if count == 1 else f"all {count} candidates in place at once"
    asked = f"with {candidates} the planner expects {percent(possible, 1)}"
    if found:
        return f"No set of these indexes can save more: {asked} less cost."
    if possible > NO_HELP_FRAC and goal.corrections:
        return f"What was tried on a clone made statements slower: {asked} less cost, and is mistaken."
    if possible > NO_HELP_FRAC and goal.budget != IndexBudget():
        return f"No index that helps fits into {_budget_words(goal.budget)}: {asked} less cost."
    if possible > NO_HELP_FRAC:
        return f"Indexes would cost the writes about what they save the reads: {asked} less cost for reads."
    return f"No index will help here: {asked} less cost. Look at the statements themselves, or at settings."


def _budget_words(budget: IndexBudget) -> str:
    words = (
        size(budget.size_bytes) if budget.size_bytes is not None else "",
        _count_words(budget.count) if budget.count is not None else "",
        f"{budget.build_s:g} s of building" if budget.build_s is not None else "",
        f"{percent(budget.write_frac, 0)} of the writes' cost" if budget.write_frac is not None else "",
    )
    return ", ".join(filter(None, words))


def _count_words(count: int) -> str:
    return "1 index" if count == 1 else f"{count} indexes"


def _left_aside(names: Sequence[str]) -> str:
    if not names:
        return ""
    verb = "costs" if len(names) == 1 else "cost"
    return (
        f"{', '.join(names)} {verb} more than all other statements together, and no index changes that: "
        "the sets are chosen for the others."
    )
