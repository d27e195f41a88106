"""What choosing indexes is about: the workload's weighted cost, and the upkeep of the indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgproof.model.candidate import Ambition, IndexSet
from pgproof.model.change import CreateIndex
from pgproof.model.units import PlannerCost
from pgproof.stages.estimate.costs import WorkloadCosts

STEP_FRAC = 0.0002
"""Share of the workload's cost that any index of a set saves at least. **Source**: judgement."""

Names = frozenset[str]
"""Candidates by the names of their indexes."""


@dataclass
class Goal:
    """What is to be made small: the workload's weighted cost and the upkeep of the indexes.

    Args:
        costs: Of the workload under any set.
        weights: What a unit of a statement's cost counts, by statement.
        penalties: Upkeep of each candidate, in the same weights.
        index_bytes: Size of each candidate that can be estimated.
        indexes: The candidates themselves, by name.
        budget_bytes: Limit of a set's size; None means no limit.
    """

    costs: WorkloadCosts
    weights: Mapping[str, float]
    penalties: Mapping[str, float]
    index_bytes: Mapping[str, int]
    indexes: Mapping[str, CreateIndex]
    budget_bytes: int | None

    @cached_property
    def everything(self) -> Names:
        """All candidates that can be estimated."""
        return frozenset(self.index_bytes)

    @cached_property
    def before(self) -> float:
        """Weighted cost of the workload as it is."""
        return self.read_cost(frozenset())

    def read_cost(self, names: Names) -> float:
        """Return the workload's weighted cost with a set, upkeep left out."""
        under = self.costs.under(names)
        return sum(self.weights.get(name, 0.0) * cost.cost.value for name, cost in under.items())

    def upkeep(self, names: Iterable[str]) -> float:
        """Return what keeping a set up to date costs."""
        return sum(self.penalties[name] for name in sorted(names))

    def total(self, names: Names) -> float:
        """Return the cost with a set, upkeep included: the smaller, the better."""
        return self.read_cost(names) + self.upkeep(names)

    def gain(self, names: Names) -> float:
        """Return what a set saves, upkeep taken off; negative where it costs more."""
        return self.before - self.total(names)

    def size(self, names: Iterable[str]) -> int:
        """Return the bytes of a set."""
        return sum(self.index_bytes[name] for name in names)

    def affordable(self, names: Iterable[str]) -> bool:
        """Tell whether a set is within the budget."""
        return self.budget_bytes is None or self.size(names) <= self.budget_bytes

    def are_neighbours(self, one: str, other: str) -> bool:
        """Tell whether two indexes are of the same table."""
        return self.indexes[one].table == self.indexes[other].table

    def nearly_repeats(self, one: str, other: str) -> bool:
        """Tell whether an index has the keys that another one begins with, in whatever order."""
        mine, its = self.indexes[one], self.indexes[other]
        if one == other or mine.table != its.table or mine.method != its.method or mine.where != its.where:
            return False
        head = its.keys[: len(mine.keys)]
        return {(k.column, k.expression) for k in mine.keys} == {(k.column, k.expression) for k in head}

    def used(self, names: Names) -> Names:
        """Return those of a set that some plan uses."""
        under = self.costs.under(names)
        return frozenset[str]().union(*(cost.used for cost in under.values()))

    def describe(self, ambition: Ambition, names: Sequence[str]) -> IndexSet:
        """Return a set with its figures."""
        chosen = frozenset(names)
        return IndexSet(
            ambition=ambition,
            names=tuple(names),
            before=PlannerCost(self.before),
            after=PlannerCost(self.read_cost(chosen)),
            index_bytes=self.size(chosen),
            write_penalty=PlannerCost(self.upkeep(chosen)),
        )

    def rescues(self, name: str, names: Names, factor: float) -> bool:
        """Tell whether some statement would cost ``factor`` times as much without one index of a set."""
        with_it, without = self.costs.under(names), self.costs.under(names - {name})
        return any(without[s].cost.value >= factor * cost.cost.value > 0 for s, cost in with_it.items())


@dataclass(frozen=True)
class Bar:
    """What an index has to save to stay in a set: a share of the cost left, but not next to nothing.

    Args:
        goal: Whose cost.
        left_frac: Share of the cost left.
        least: A saving below which nothing counts, in the goal's weights.
    """

    goal: Goal
    left_frac: float
    least: float = 0.0

    def at(self, total: float) -> float:
        """Return the least saving worth an index while the cost left is ``total``."""
        return max(self.left_frac * total, STEP_FRAC * self.goal.before, self.least)
