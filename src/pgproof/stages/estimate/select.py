"""Choosing sets of indexes of different ambition, by what the planner says and what writes would pay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from pgproof.changes.index_cover import as_change
from pgproof.model.candidate import (
    Ambition,
    Correction,
    IndexBudget,
    IndexCandidate,
    Proof,
    Selection,
)
from pgproof.model.catalog import Catalog
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import Index
from pgproof.model.units import PlannerCost
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.stages.estimate.aim import Aim, Found
from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.builds import build_seconds
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.provider import CostProvider
from pgproof.stages.estimate.relevance import find_relevance
from pgproof.stages.estimate.search import MAX_ROUNDS, best_seen, search
from pgproof.stages.estimate.verdicts import NO_HELP_FRAC, why_no_more
from pgproof.stages.estimate.weights import (
    find_overwhelming,
    find_writes,
    weigh_statements,
    write_penalty,
)

STEP_FRAC = 0.0002
"""Share of the workload's cost that any index of a set saves at least. **Source**: judgement."""

WORTH_FRAC = 0.00001
"""The same for the set that saves most, which owes nobody tidiness. **Source**: judgement: less is the
planner's rounding. With STEP_FRAC, and without indexes whose keys another one begins with, sets were measured
0.2 to 0.5 % of the cost behind those of Extend, which collects crumbs too."""

BALANCED_LEFT_FRACS = (0.04, 0.01, 0.0025)
"""Share of the cost still left that each index of the balanced set saves. **Source**: judgement;
measured by what is left, since that is what users wait for once the rest is gone. The smaller ones are for
workloads of many statements, where no index saves much."""

BALANCED_GAIN_FRAC = 0.5
"""Share of the best set's gain below which a balanced set is no balance. **Source**: judgement."""

BROAD_LEFT_FRAC = 0.005
"""The same for the broad set, where no budget says how far to go. **Source**: judgement."""

SPACE_LEFT_FRAC = 0.5
"""Share of the cost still left that indexes as large as all their tables have to save, where no budget says
what space is worth. **Source**: judgement: on the scenario shop, wide covering indexes took more space than
the tables, for a tenth of the cost left."""

LEAN_GAIN_FRAC = 0.8
"""Share of the balanced set's gain that the lean one is content with. **Source**: judgement (Pareto)."""

ALTERNATIVE_GAIN_FRAC = 0.5
"""Share of the gain without which another way is not worth a try. **Source**: judgement."""

WANTED_SETS = 3
"""Sets below which an alternative is looked for. **Source**: judgement; a race needs rivals."""

TIME_LIMIT_S = 60.0
"""Of the whole choice. **Source**: judgement; the first set is there within a second or two."""

FIRST_FRAC = 0.7
"""Share of the time that the best set, and the proof of it, may take; the rest is for the other sets.
**Source**: judgement; they start from what was learned."""

SIDE_ROUNDS = 9
"""Rounds of the search for each other set. **Source**: judgement; nobody asks for a proof of these."""

_NAMED = 3  # of candidates that one reason holds for
_SIDE_GAP_FRAC = 0.005


def choose_sets(
    provider: CostProvider,
    catalog: Catalog,
    workload: Workload,
    candidates: Sequence[IndexCandidate],
    *,
    checks: Sequence[WorkloadStatement] = (),
    budget: IndexBudget | None = None,
    corrections: Sequence[Correction] = (),
    time_limit_s: float = TIME_LIMIT_S,
    progress: Progress = ignore_progress,
) -> Selection:
    """Choose sets of candidates of different ambition.

    ``broad`` is the best set there is: within the budget, whatever it takes, or, without one, as long as an
    index saves half a percent of the cost left. ``balanced`` stops where another index saves next to nothing,
    without payload columns; ``lean`` is the smallest set with most of that gain. Where those coincide, an
    ``alternative`` does without the best index.

    Args:
        provider: Who prices them.
        catalog: Of the database, to tell which tables are written.
        workload: What is to become cheaper.
        candidates: To choose from.
        checks: Look-ups of foreign keys that count as statements.
        budget: What a set may take; None means no limit.
        corrections: What real runs of earlier sets taught.
        time_limit_s: When to be content with what was found; the gap to the best is in the proof.
        progress: Told of each round.

    Returns:
        The sets, least ambitious first, none twice; the same input gives the same answer, unless time cuts
        the search short.
    """
    ends_at = monotonic() + time_limit_s
    goal = make_goal(
        provider, catalog, workload, candidates, checks=checks, budget=budget, corrections=corrections
    )
    return choose(goal, ends_at=ends_at, progress=progress)


def choose(
    goal: Goal,
    *,
    starts: Sequence[frozenset[str]] = (),
    ends_at: float = float("inf"),
    progress: Progress = ignore_progress,
) -> Selection:
    """Choose sets for a goal; see `choose_sets`.

    Args:
        goal: From `make_goal`.
        starts: Sets to begin with, within the limits, existing indexes that stay among them.
        ends_at: When to be content with what was found, by `time.monotonic`.
        progress: Told of each round.
    """
    chooser = _Chooser(goal, ends_at, progress, [goal.costs.names.mask(names) for names in starts])
    sets, proof = chooser.choose()
    reason = why_no_more(goal, bool(sets))
    return Selection(
        sets=tuple(goal.describe(ambition, names) for ambition, names in sets),
        reason=reason,
        before=PlannerCost(goal.before),
        floor=PlannerCost(goal.read_cost(goal.everything | goal.base)),
        refused=tuple(_why_refused(goal.costs.provider.refused)),
        planner_calls=goal.costs.planner_calls,
        proof=proof,
    )


def _why_refused(refused: Mapping[str, str]) -> Iterator[str]:
    """Say each reason once, with the names of some candidates it holds for."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in refused.items():
        names[reason].append(name)
    for reason, all_names in names.items():
        more = len(all_names) - _NAMED
        yield f"{', '.join(all_names[:_NAMED])}{f' and {more} more' if more > 0 else ''}: {reason}"


def make_goal(
    provider: CostProvider,
    catalog: Catalog,
    workload: Workload,
    candidates: Sequence[IndexCandidate],
    *,
    checks: Sequence[WorkloadStatement] = (),
    budget: IndexBudget | None = None,
    corrections: Sequence[Correction] = (),
) -> Goal:
    """Weigh a workload: what each statement counts, what each candidate takes; see `choose_sets`."""
    statements = (*workload.statements, *checks)
    costs = WorkloadCosts(
        provider,
        statements,
        relevance=find_relevance(catalog, candidates),
    )
    base = provider.existing
    nothing, everything = costs.under(base), costs.under(base.union(provider.index_bytes))
    weights = weigh_statements(statements, nothing)
    aside = find_overwhelming(statements, weights, nothing, everything)
    writes = find_writes(workload.statements, catalog, nothing)
    usable = [candidate for candidate in candidates if candidate.name in provider.index_bytes]
    return Goal(
        costs=costs,
        weights={name: weight for name, weight in weights.items() if name not in aside},
        penalties={
            **{candidate.name: write_penalty(candidate.change, writes) for candidate in usable},
            **{str(i.relation): write_penalty(as_change(i), writes) for i in _named(catalog, base)},
        },
        index_bytes=provider.index_bytes,
        indexes={candidate.name: candidate.change for candidate in candidates},
        budget=budget or IndexBudget(),
        build_s={c.name: _build_s(c, catalog) for c in usable},
        write_cost=sum(
            weights[s.name] * nothing[s.name].cost.value
            for s in workload.statements
            if s.query.kind.writes and s.name in nothing
        ),
        corrections=corrections,
        aside=aside,
        table_bytes=_table_bytes(usable, catalog),
    )


def _table_bytes(candidates: Sequence[IndexCandidate], catalog: Catalog) -> int:
    tables = {candidate.change.table for candidate in candidates}
    found = (catalog.find_table(table.name, table.schema) for table in tables)
    return sum(table.size_bytes for table in found if table is not None)


def _build_s(candidate: IndexCandidate, catalog: Catalog) -> float:
    table = catalog.find_table(candidate.change.table.name, candidate.change.table.schema)
    return build_seconds(candidate.change, table) if table else 0.0


def _named(catalog: Catalog, names: frozenset[str]) -> list[Index]:
    return [index for index in catalog.indexes if str(index.relation) in names]


Chosen = tuple[Ambition, frozenset[str]]


@dataclass
class _Chooser:
    goal: Goal
    ends_at: float
    progress: Progress
    starts: list[Mask] = field(default_factory=list)

    def choose(self) -> tuple[list[Chosen], Proof]:
        goal, now = self.goal, monotonic()
        first_ends_at = now + FIRST_FRAC * (self.ends_at - now)
        best = self._search(Aim(goal.everything_mask, WORTH_FRAC), None, first_ends_at, MAX_ROUNDS)
        calls = goal.costs.planner_calls
        left = goal.total(self._names(best)) / (goal.before or 1.0)
        broad = best
        if goal.budget == IndexBudget():
            price = max(BROAD_LEFT_FRAC * left, STEP_FRAC)
            space = SPACE_LEFT_FRAC * left
            broad = self._search(Aim(goal.everything_mask, price, space, rescue_price=2 * price, tidy=True))
        balanced = self._balanced(goal.plain_mask, left, goal.gain(self._names(best)))
        if goal.budget != IndexBudget() and goal.gain(self._names(balanced)) > goal.gain(self._names(broad)):
            broad = replace(broad, chosen=balanced.chosen)  # time ended the search for the best one early
        proof = self._proof(best, broad, calls)
        lean = self._lean(balanced)
        found = [(Ambition.LEAN, lean), (Ambition.BALANCED, balanced.chosen), (Ambition.BROAD, broad.chosen)]
        sets = self._distinct([(ambition, goal.costs.names.names(mask)) for ambition, mask in found])
        if sets and len(sets) < WANTED_SETS:
            sets = self._distinct([*sets, *self._alternatives(sets, left)])
        return sets, proof

    def _search(
        self,
        aim: Aim,
        gap_frac: float | None = _SIDE_GAP_FRAC,
        ends_at: float = float("inf"),
        max_rounds: int = SIDE_ROUNDS,
    ) -> Found:
        found = search(
            self.goal,
            aim,
            starts=self.starts,
            ends_at=min(ends_at, self.ends_at),
            gap_frac=gap_frac,
            max_rounds=max_rounds,
            progress=self.progress,
        )
        self.starts.append(found.chosen)
        return found

    def _balanced(self, pool: Mask, left: float, best_gain: float) -> Found:
        """Search for a set whose every index saves a good part of the cost left."""
        space = SPACE_LEFT_FRAC * left if self.goal.budget.size_bytes is None else 0.0
        for frac in BALANCED_LEFT_FRACS:
            found = self._search(Aim(pool, max(frac * left, STEP_FRAC), space, tidy=True))
            if self.goal.gain(self._names(found)) >= BALANCED_GAIN_FRAC * best_gain:
                break
        return found

    def _names(self, found: Found) -> frozenset[str]:
        return self.goal.costs.names.names(found.chosen)

    def _proof(self, found: Found, broad: Found, planner_calls: int) -> Proof:
        """Say how far the broad set is from what any set could save, and what it took to know."""
        best = self._names(found) & self.goal.everything
        return Proof(
            saved_frac=self._saved_frac(broad),
            bound_frac=1 - found.bound,
            rounds=found.rounds,
            planner_calls=planner_calls,
            seconds=found.seconds,
            first_s=found.first_s,
            best_frac=self._saved_frac(found),
            best_indexes=len(best),
            best_bytes=self.goal.size(best),
        )

    def _saved_frac(self, found: Found) -> float:
        """Return what a set saves, as a share of the workload's cost, less what its indexes have to."""
        prices = WORTH_FRAC * (found.chosen & self.goal.everything_mask).bit_count()
        return self.goal.gain(self._names(found)) / (self.goal.before or 1.0) - prices

    def _lean(self, balanced: Found) -> Mask:
        """Return the smallest set with most of the balanced one's gain."""
        goal = self.goal
        gain = goal.gain(self._names(balanced))
        if gain <= 0:
            return 0
        sizes = {item: goal.index_bytes.get(name, 0) for item, name in enumerate(goal.costs.names.all)}
        mean = sum(sizes.values()) / max(len(sizes), 1)
        prices = {item: size / (mean or 1.0) + 0.1 for item, size in sizes.items()}
        most = 1 - LEAN_GAIN_FRAC * gain / (goal.before or 1.0)
        found = best_seen(goal, Aim(goal.plain_mask, tidy=True), most_value=most, prices=prices)
        return balanced.chosen if found is None else found | goal.costs.base

    def _distinct(self, found: Sequence[Chosen]) -> list[Chosen]:
        """Leave out sets that gain too little, and of equal sets all but the first."""
        goal = self.goal
        kept: dict[frozenset[str], Chosen] = {}
        for ambition, names in found:
            new = names & goal.everything
            if new and new not in kept and goal.gain(names) > NO_HELP_FRAC * goal.before:
                kept[new] = (ambition, names)
        return list(kept.values())

    def _alternatives(self, sets: Sequence[Chosen], left: float) -> list[Chosen]:
        """Look for another way to much the same gain: without the index that brings the most."""
        goal = self.goal
        best = max(goal.gain(names) for _, names in sets)
        leader = max(
            (name for _, names in sets for name in names & goal.everything),
            key=lambda name: (goal.gain(goal.base | {name}), name),
        )
        pool = goal.everything_mask & ~goal.costs.names.mask((leader,))
        names = self._names(self._balanced(pool, left, best))
        return [(Ambition.ALTERNATIVE, names)] if goal.gain(names) >= ALTERNATIVE_GAIN_FRAC * best else []
