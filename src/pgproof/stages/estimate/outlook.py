"""What indexes can still do for statements that stay heavy with a set of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from pgproof.model.advice import OutlookCase, StatementOutlook
from pgproof.model.figures import percent, size
from pgproof.model.units import PlannerCost
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.stages.estimate.costs import StatementCost
from pgproof.stages.estimate.goal import Goal, Names

HEAVY_FRAC = 0.05
"""Share of the cost left that makes a statement heavy. **Source**: judgement; a twentieth is felt."""

HELP_FRAC = 0.05
"""Share of a statement's cost below which nothing is called help. **Source**: judgement; estimates within
about 5 % are ties."""


def find_outlooks(
    goal: Goal,
    chosen: Names,
    now: Names,
    statements: Sequence[WorkloadStatement],
    ends_at: float,
    *,
    unpriced: Mapping[str, Sequence[str]] | None = None,
) -> tuple[StatementOutlook, ...]:
    """Say for each statement that stays heavy whether another index would help it.

    Args:
        goal: By which the set was chosen.
        chosen: All names that are visible with the set.
        now: Names that are visible as the database is.
        statements: Of the workload.
        ends_at: When to stop asking the planner, by `time.monotonic`.
        unpriced: Candidates that nobody could estimate, by the statements they were proposed for.

    Returns:
        Heaviest first, those that have no weight in the goal before all; empty where no statement is heavy.
    """
    after = goal.costs.under(chosen)
    total = goal.read_cost(chosen) or 1.0
    planned = [statement.name for statement in statements if statement.name in after]
    shares = {
        name: goal.weights[name] * after[name].cost.value / total for name in planned if name in goal.weights
    }
    heavy = sorted((n for n in shares if shares[n] >= HEAVY_FRAC), key=lambda name: (-shares[name], name))
    aside = [name for name in planned if name not in shares]
    valueless = {s.name for s in statements if not s.parameter_sets and parameter_numbers(s.query.sql)}
    found = [_outlook(goal, chosen, now, name, shares.get(name), ends_at) for name in (*aside, *heavy)]
    sure = [_without_values(one) if one.statement in valueless else one for one in found]
    return tuple(_with_unpriced(outlook, goal, (unpriced or {}).get(outlook.statement)) for outlook in sure)


def _without_values(outlook: StatementOutlook) -> StatementOutlook:
    """Say that an index may help after all, where the planner had to assume how much a condition keeps."""
    if outlook.case is not OutlookCase.NO_INDEX:
        return outlook
    reason = (
        f"no values of its parameters are known: planned for any, {outlook.reason}; a workload file with"
        " values may tell another story"
    )
    return replace(outlook, case=OutlookCase.UNKNOWN, reason=reason)


def _with_unpriced(outlook: StatementOutlook, goal: Goal, unpriced: Sequence[str] | None) -> StatementOutlook:
    """Say that an index may help after all, where some could not be estimated."""
    if not unpriced or outlook.case is OutlookCase.LEFT_OUT:
        return outlook
    names = ", ".join(unpriced[:3]) + (f" and {len(unpriced) - 3} more" if len(unpriced) > 3 else "")
    why = f"{names} could not: {goal.costs.provider.refused[unpriced[0]]}"
    reason = f"of the candidates that could be estimated, {outlook.reason}; {why}"
    return replace(outlook, case=OutlookCase.UNKNOWN, reason=reason)


def _outlook(
    goal: Goal, chosen: Names, now: Names, name: str, left_frac: float | None, ends_at: float
) -> StatementOutlook:
    before, after = goal.costs.under(now)[name].cost, goal.costs.under(chosen)[name].cost
    best = goal.costs.under(goal.everything | chosen)[name]
    floor = min(best.cost, after)
    if after.saved_frac(floor) < HELP_FRAC:
        helped = before.saved_frac(after) >= HELP_FRAC
        case = OutlookCase.EXHAUSTED if helped else OutlookCase.NO_INDEX
        reason = _exhausted(before, after, floor) if helped else _no_index(after, floor)
        return StatementOutlook(name, case, left_frac, before, after, floor, reason)
    if monotonic() >= ends_at:
        reason = (
            f"every candidate at once would bring it from {_cost(after)} to {_cost(floor)}; there was no time"
            " to ask which of them does"
        )
        return StatementOutlook(name, OutlookCase.UNKNOWN, left_frac, before, after, floor, reason)
    helper, cost = _best_helper(goal, chosen, name, best)
    reason = f"{_promise(best, chosen, helper, after, cost)}, but {_why_left_out(goal, chosen, helper)}"
    return StatementOutlook(
        name, OutlookCase.LEFT_OUT, left_frac, before, after, floor, reason, helper=helper, helped=cost
    )


def _best_helper(goal: Goal, chosen: Names, name: str, best: StatementCost) -> tuple[str, PlannerCost]:
    """Return the candidate of the best plan that helps most on top of the set, with the cost."""
    options = sorted(best.used - chosen)
    costs = {option: goal.costs.under(chosen | {option})[name].cost for option in options}
    helper = min(options, key=lambda option: (costs[option], option))
    return helper, costs[helper]


def _promise(best: StatementCost, chosen: Names, helper: str, after: PlannerCost, cost: PlannerCost) -> str:
    if after.saved_frac(cost) >= HELP_FRAC:
        return f"{helper} would bring it from {_cost(after)} to {_cost(cost)}"
    others = len(best.used - chosen) - 1
    more = "1 more" if others == 1 else f"{others} more"
    return f"{helper} with {more} would bring it from {_cost(after)} to {_cost(best.cost)}"


def _why_left_out(goal: Goal, chosen: Names, helper: str) -> str:
    extended = chosen | {helper}
    crowded = ", ".join(broken_limits(goal, extended))
    if crowded:
        return f"{crowded} would not be kept"
    read = goal.read_cost(chosen) - goal.read_cost(extended)
    upkeep = goal.upkeep(extended) - goal.upkeep(chosen)
    unit = goal.before or 1.0
    if read <= 0:
        return "it makes others dearer by as much"
    if upkeep >= read:
        return (
            f"keeping it up to date costs the writes {percent(upkeep / unit, 1)}, more than the"
            f" {percent(read / unit, 1)} that it saves"
        )
    saved = percent((read - upkeep) / unit, 1)
    return f"it would save {saved} of the workload's cost for {size(goal.index_bytes[helper])}: too little"


def broken_limits(goal: Goal, names: Names) -> Iterator[str]:
    """Yield the limits of a set that some names would not keep, in words."""
    budget, new = goal.budget, [name for name in sorted(names) if name in goal.index_bytes]
    if budget.size_bytes is not None and goal.size(new) > budget.size_bytes:
        yield f"the limit of {size(budget.size_bytes)}"
    if budget.count is not None and len(new) > budget.count:
        yield f"the limit of {budget.count} {'index' if budget.count == 1 else 'indexes'}"
    if budget.build_s is not None and sum(goal.build_s.get(name, 0.0) for name in new) > budget.build_s:
        yield f"the limit of {budget.build_s:.0f} s to build"
    if budget.write_frac is not None and goal.upkeep(new) > budget.write_frac * goal.write_cost:
        yield f"the limit of {percent(budget.write_frac)} for writes"


def _no_index(after: PlannerCost, floor: PlannerCost) -> str:
    if floor == after:
        return f"no index will help: it costs {_cost(after)} with every candidate in place just the same"
    return f"no index will help: {_cost(after)} is {_cost(floor)} with every candidate in place"


def _exhausted(before: PlannerCost, after: PlannerCost, floor: PlannerCost) -> str:
    done = f"indexes have done what they can: {_cost(before)} is {_cost(after)} now"
    return done if floor == after else f"{done}, and {_cost(floor)} with every candidate in place"


def _cost(cost: PlannerCost) -> str:
    return f"{cost.value:,.0f}" if cost.value >= 100 else f"{cost.value:.3g}"
