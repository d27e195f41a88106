"""Choosing sets of indexes of different ambition, by what the planner says and what writes would pay."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pgproof.changes.index_cover import covers
from pgproof.model.candidate import Ambition, IndexCandidate, Selection
from pgproof.model.figures import percent, size
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import Catalog
from pgproof.model.units import PlannerCost
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.goal import Bar, Goal
from pgproof.stages.estimate.provider import CostProvider
from pgproof.stages.estimate.weights import (
    find_overwhelming,
    find_writes,
    weigh_statements,
    write_penalty,
)

NO_HELP_FRAC = 0.01
"""A workload that indexes save less than that is left alone. **Source**: judgement."""

BALANCED_LEFT_FRAC = 0.04
"""Share of the cost still left that each index of the balanced set saves. **Source**: judgement;
measured by what is left, since that is what users wait for once the rest is gone."""

BROAD_LEFT_FRAC = 0.005
"""The same for the broad set. **Source**: judgement."""

RESCUE_FACTOR = 2.0
"""The broad set also keeps an index without which a statement would cost that many times as much.
**Source**: judgement; half as fast is what users notice."""

TIE_FRAC = 0.02
"""Gains that differ by less are ties, won by the smaller index. **Source**: judgement; estimates err more."""

LEAN_GAIN_FRAC = 0.8
"""Share of the balanced set's gain that the lean one is content with. **Source**: judgement (Pareto)."""

LEAN_STEP_FRAC = 0.05
"""Share of that gain an index must bring to be considered for the lean set. **Source**: judgement."""

TWIN_LOSS_FRAC = 0.05
"""Share of the cost left that an index saves whose keys another one begins with. **Source**: judgement."""

ALTERNATIVE_GAIN_FRAC = 0.5
"""Share of the gain without which another way is not worth a try. **Source**: judgement."""

WANTED_SETS = 3
"""Sets below which an alternative is looked for. **Source**: judgement; a race needs rivals."""


def choose_sets(
    provider: CostProvider,
    catalog: Catalog,
    workload: Workload,
    candidates: Sequence[IndexCandidate],
    *,
    checks: Sequence[WorkloadStatement] = (),
    budget_bytes: int | None = None,
    progress: Progress = ignore_progress,
) -> Selection:
    """Choose sets of candidates of different ambition.

    ``lean`` is the few indexes with the best saving a byte, ``balanced`` goes on until another index saves
    next to nothing, ``broad`` takes payload columns and everything else the planner would use. Where those
    coincide, an ``alternative`` does without the best index.

    Args:
        provider: Who prices them.
        catalog: Of the database, to tell which tables are written.
        workload: What is to become cheaper.
        candidates: To choose from.
        checks: Look-ups of foreign keys that count as statements.
        budget_bytes: Limit of a set's size; None means no limit.
        progress: Told of each set.

    Returns:
        The sets, least ambitious first, none twice; the same input gives the same answer.
    """
    statements = (*workload.statements, *checks)
    costs = WorkloadCosts(provider, statements)
    nothing = costs.under(frozenset())
    weights = weigh_statements(statements, nothing)
    aside = find_overwhelming(statements, weights, nothing, costs.under(frozenset(provider.index_bytes)))
    writes = find_writes(workload.statements, catalog, nothing)
    by_name = {candidate.name: candidate for candidate in candidates}
    goal = Goal(
        costs=costs,
        weights={name: weight for name, weight in weights.items() if name not in aside},
        penalties={name: write_penalty(by_name[name], writes) for name in provider.index_bytes},
        index_bytes=provider.index_bytes,
        indexes={candidate.name: candidate.change for candidate in candidates},
        budget_bytes=budget_bytes,
    )
    plain = [c.name for c in candidates if c.name in provider.index_bytes and not c.change.include]
    sets = _choose(goal, plain, progress)
    return Selection(
        sets=tuple(goal.describe(ambition, names) for ambition, names in sets),
        reason=" ".join(
            filter(None, (_reason(goal, sets, budget_bytes), _left_aside(aside if sets else ())))
        ),
        before=PlannerCost(goal.before),
        floor=PlannerCost(goal.read_cost(goal.everything)),
        refused=tuple(f"{name}: {reason}" for name, reason in provider.refused.items()),
        planner_calls=costs.planner_calls,
    )


Chosen = tuple[Ambition, tuple[str, ...]]


def _choose(goal: Goal, plain: Sequence[str], progress: Progress) -> list[Chosen]:
    balanced = _grow_to_best(goal, plain, Bar(goal, BALANCED_LEFT_FRAC))
    progress("choosing indexes", 1, 3)
    gain = goal.gain(frozenset(balanced))
    lean = _lean(goal, plain, gain)
    progress("choosing indexes", 2, 3)
    broad = _shrink(goal, Bar(goal, BROAD_LEFT_FRAC))
    progress("choosing indexes", 3, 3)
    found = [(Ambition.LEAN, lean), (Ambition.BALANCED, balanced), (Ambition.BROAD, broad)]
    sets = _distinct(goal, found)
    if sets and len(sets) < WANTED_SETS:
        best = max(goal.gain(frozenset(names)) for _, names in sets)
        sets = _distinct(goal, [*sets, *_alternatives(goal, sets, best)])
    return sets[: WANTED_SETS + 1]


Merit = Callable[[float, int], float]


def _most_gain(gain: float, _size: int) -> float:
    return gain


def _most_gain_a_byte(gain: float, size: int) -> float:
    return gain / max(size, 8192)


def _grow(goal: Goal, pool: Sequence[str], bar: Bar, merit: Merit, enough: float = float("inf")) -> list[str]:
    """Add the index of most merit, one by one, while it gains enough."""
    chosen: list[str] = []
    current = goal.total(frozenset())
    while goal.before - current < enough:
        options = []
        for name in pool:
            names = frozenset((*chosen, name))
            if name in chosen or not goal.affordable(names):
                continue
            gain = current - goal.total(names)
            if gain > bar.at(current):
                options.append((merit(gain, goal.index_bytes[name]), goal.index_bytes[name], name))
        if not options:
            break
        ties = [option for option in options if option[0] >= max(options)[0] * (1 - TIE_FRAC)]
        chosen.append(min(ties, key=lambda option: (option[1], -option[0], option[2]))[2])
        current = goal.total(frozenset(chosen))
    return chosen


def _grow_to_best(goal: Goal, pool: Sequence[str], bar: Bar) -> tuple[str, ...]:
    """Add indexes while they gain enough, exchange early choices for better ones, take out the idle."""
    chosen = _grow(goal, pool, bar, _most_gain)
    return _without_idle(goal, _exchange(goal, chosen, pool, bar), bar)


def _exchange(goal: Goal, chosen: Sequence[str], pool: Sequence[str], bar: Bar) -> list[str]:
    """Replace each index by one that suits the set, as it has become, clearly better."""
    kept = list(chosen)
    for place, name in enumerate(kept):
        rest = frozenset(kept) - {name}
        options = [
            p for p in pool if p not in rest and goal.are_neighbours(p, name) and goal.affordable(rest | {p})
        ]
        current = goal.total(rest | {name})
        best = min(options, key=lambda p: (goal.total(rest | {p}), p), default=name)
        if current - goal.total(rest | {best}) > bar.at(current) / 2:
            kept[place] = best
    return kept


def _without_idle(goal: Goal, chosen: Sequence[str], bar: Bar) -> tuple[str, ...]:
    """Take out indexes that others, added later, have made superfluous."""
    kept = list(_without_repeats(goal, chosen))
    for name in tuple(kept):
        rest = frozenset(kept) - {name}
        current = goal.total(frozenset(kept))
        if goal.total(rest) - current <= bar.at(current) / 2:
            kept.remove(name)
    return tuple(kept)


def _without_repeats(goal: Goal, chosen: Sequence[str]) -> tuple[str, ...]:
    """Take out indexes whose keys another one begins with: in the same order always, else unless it costs."""
    kept = list(chosen)
    for name in chosen:
        rest = frozenset(kept) - {name}
        current = goal.total(frozenset(kept))
        if any(covers(goal.indexes[other], goal.indexes[name]) for other in rest) or (
            any(goal.nearly_repeats(name, other) for other in rest)
            and goal.total(rest) - current <= TWIN_LOSS_FRAC * current
        ):
            kept.remove(name)
    return tuple(kept)


def _lean(goal: Goal, plain: Sequence[str], full_gain: float) -> tuple[str, ...]:
    if full_gain <= 0:
        return ()
    bar = Bar(goal, 0.0, LEAN_STEP_FRAC * full_gain)
    return _without_idle(goal, _grow(goal, plain, bar, _most_gain_a_byte, LEAN_GAIN_FRAC * full_gain), bar)


def _shrink(goal: Goal, bar: Bar) -> tuple[str, ...]:
    """Start from all that the planner would use; take out what pays least until the rest pays and fits."""
    names = goal.used(goal.everything)
    while names:
        current = goal.total(names)
        losses = {name: goal.total(names - {name}) - current for name in sorted(names)}
        poor = [
            name
            for name, loss in losses.items()
            if loss <= 0 or (loss <= bar.at(current) and not goal.rescues(name, names, RESCUE_FACTOR))
        ]
        if not poor and goal.affordable(names):
            break
        if poor:
            names -= {min(poor, key=lambda name: (losses[name], name))}
        else:
            names -= {min(losses, key=lambda name: (losses[name] / max(goal.index_bytes[name], 1), name))}
    ranked = sorted(names, key=lambda name: (goal.total(frozenset((name,))), name))
    return _without_repeats(goal, ranked)


def _distinct(goal: Goal, found: Sequence[Chosen]) -> list[Chosen]:
    """Leave out sets that gain too little, and of equal sets all but the first."""
    kept: list[Chosen] = []
    for ambition, names in found:
        chosen = frozenset(names)
        known = any(frozenset(other) == chosen for _, other in kept)
        if names and not known and goal.gain(chosen) > NO_HELP_FRAC * goal.before:
            kept.append((ambition, names))
    return kept


def _alternatives(goal: Goal, sets: Sequence[Chosen], best_gain: float) -> list[Chosen]:
    """Look for another way to much the same gain: without the index that brings the most."""
    leader = max(
        (name for _, names in sets for name in names), key=lambda name: (goal.gain(frozenset((name,))), name)
    )
    pool = [name for name in sorted(goal.everything) if name != leader]
    names = _grow_to_best(goal, pool, Bar(goal, BALANCED_LEFT_FRAC))
    if goal.gain(frozenset(names)) < ALTERNATIVE_GAIN_FRAC * best_gain:
        return []
    return [(Ambition.ALTERNATIVE, names)]


def _left_aside(names: Sequence[str]) -> str:
    if not names:
        return ""
    verb = "costs" if len(names) == 1 else "cost"
    return (
        f"{', '.join(names)} {verb} more than all other statements together, and no index changes that: "
        "the sets are chosen for the others."
    )


def _reason(goal: Goal, sets: Sequence[Chosen], budget_bytes: int | None) -> str:
    if not goal.everything:
        return (
            "No index was worth asking the planner about: what could be indexed usefully is indexed already."
        )
    floor = goal.read_cost(goal.everything)
    possible = 1 - floor / goal.before if goal.before else 0.0
    count = len(goal.everything)
    candidates = "the only candidate in place" if count == 1 else f"all {count} candidates in place at once"
    asked = f"with {candidates} the planner expects {percent(possible, 1)}"
    if sets:
        return f"No set of these indexes can save more: {asked} less cost."
    if possible > NO_HELP_FRAC and budget_bytes is not None:
        return f"No index that helps fits into {size(budget_bytes)}: {asked} less cost."
    if possible > NO_HELP_FRAC:
        return f"Indexes would cost the writes about what they save the reads: {asked} less cost for reads."
    return f"No index will help here: {asked} less cost. Look at the statements themselves, or at settings."
