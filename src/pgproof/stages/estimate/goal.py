"""What choosing indexes is about: the workload's weighted cost, and the upkeep of the indexes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from pgproof.changes.index_cover import covers
from pgproof.model.candidate import Ambition, Correction, IndexBudget, IndexSet
from pgproof.model.change import CreateIndex
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost
from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.costs import Question, WorkloadCosts
from pgproof.stages.estimate.program import Limit

Names = frozenset[str]
"""Candidates by the names of their indexes."""

Leads = frozenset[tuple[RelationName, str, bool]]
"""Tables, the leading keys of the indexes that a plan uses on them, and whether these have payload."""

FORBIDDEN_SHARE = 10.0
"""What a plan that was measured to be slow counts on top, as a share of the workload's cost: more than any
set can save."""


@dataclass
class Goal:
    """What is to be made small: the workload's weighted cost and the upkeep of the indexes.

    Args:
        costs: Of the workload under any set.
        weights: What a unit of a statement's cost counts, by statement.
        penalties: Upkeep of each candidate, in the same weights.
        index_bytes: Size of each candidate that can be estimated.
        indexes: The candidates themselves, by name.
        budget: What a set may take.
        build_s: Seconds to build each candidate; those absent take none.
        write_cost: What the workload's writes cost without new indexes, in the same weights.
        corrections: What real runs taught.
        aside: Statements left out, since they would hide all others.
        table_bytes: Of all tables that have candidates, without indexes.
    """

    costs: WorkloadCosts
    weights: Mapping[str, float]
    penalties: Mapping[str, float]
    index_bytes: Mapping[str, int]
    indexes: Mapping[str, CreateIndex]
    budget: IndexBudget = field(default_factory=IndexBudget)
    build_s: Mapping[str, float] = field(default_factory=dict)
    write_cost: float = 0.0
    corrections: Sequence[Correction] = ()
    aside: Sequence[str] = ()
    table_bytes: int = 0

    @cached_property
    def everything(self) -> Names:
        """All candidates that can be estimated."""
        return frozenset(self.index_bytes)

    @cached_property
    def base(self) -> Names:
        """Existing indexes that may go, by name; a set that keeps them holds their names too."""
        return self.costs.provider.existing

    @cached_property
    def everything_mask(self) -> Mask:
        """All candidates that can be estimated, as bits."""
        return self.costs.names.mask(self.everything)

    @cached_property
    def too_large(self) -> Mask:
        """Candidates that break a limit all by themselves, as bits."""
        return self.costs.names.mask(name for name in self.everything if not self.affordable((name,)))

    @cached_property
    def plain_mask(self) -> Mask:
        """Those without payload columns, as bits."""
        return self.costs.names.mask(name for name in self.everything if not self.indexes[name].include)

    @cached_property
    def before(self) -> float:
        """Weighted cost of the workload as it is."""
        return self.read_cost(self.base)

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
        return self.total(self.base) - self.total(names)

    def size(self, names: Iterable[str]) -> int:
        """Return the bytes that a set adds to what is there."""
        return sum(self.index_bytes.get(name, 0) for name in names)

    def share_of(self, question: Question, cost: float, used: Mask) -> float:
        """Return what one plan of a question counts, as a share of the workload's cost.

        A plan that was measured to be slow counts what it was measured to cost, and so much more that no set
        leads to it where there is another way: no statement pays for another.
        """
        weight = self.weights.get(question.statement, 0.0) * question.share
        slow = max(self._corrected(question, used), default=0.0) if used else 0.0
        if slow:
            return weight * max(cost, slow) / self._unit + FORBIDDEN_SHARE
        return weight * cost / self._unit

    def is_corrected(self, statement: str) -> bool:
        """Tell whether a real run taught anything about a statement."""
        return statement in self._corrections

    def upkeep_share(self, item: int) -> float:
        """Return what keeping a candidate up to date costs, as a share of the workload's cost."""
        return self.penalties[self.costs.names.all[item]] / self._unit

    def space_frac(self, item: int) -> float:
        """Return a candidate's size as a share of all tables that have candidates."""
        return self.index_bytes.get(self.costs.names.all[item], 0) / max(self.table_bytes, 1)

    def limits(self, items: Sequence[int], *, tidy: bool) -> list[Limit]:
        """Return what a set of candidates has to keep.

        Args:
            items: Candidates in question, by number.
            tidy: Also, that no index's keys begin another one of the set.
        """
        named = {item: self.costs.names.all[item] for item in items}
        names = {item: name for item, name in named.items() if name in self.index_bytes}
        limits = [
            Limit({item: amount(name) for item, name in names.items()}, most)
            for most, amount in self._budgeted
            if most is not None
        ]
        if tidy:
            limits += [Limit(dict.fromkeys(pair, 1.0), 1.0) for pair in self._repeats(names)]
        return limits

    def affordable(self, names: Iterable[str]) -> bool:
        """Tell whether a set is within the budget."""
        chosen = sorted(self.everything.intersection(names))
        return all(
            most is None or sum(map(amount, chosen)) <= most * (1 + 1e-9) for most, amount in self._budgeted
        )

    @cached_property
    def _unit(self) -> float:
        return self.before or 1.0

    @property
    def _budgeted(self) -> tuple[tuple[float | None, Callable[[str], float]], ...]:
        budget = self.budget
        writes = None if budget.write_frac is None else budget.write_frac * self.write_cost
        return (
            (budget.size_bytes, lambda name: self.index_bytes.get(name, 0)),
            (budget.count, lambda name: float(name in self.index_bytes)),
            (budget.build_s, lambda name: self.build_s.get(name, 0.0)),
            (writes, lambda name: self.penalties[name]),
        )

    def _repeats(self, names: Mapping[int, str]) -> Iterator[tuple[int, int]]:
        """Yield pairs of which one makes the other superfluous."""
        by_table: defaultdict[RelationName, list[int]] = defaultdict(list)
        for item, name in names.items():
            by_table[self.indexes[name].table].append(item)
        for group in by_table.values():
            for one, other in combinations(group, 2):
                if self.covers(names[one], names[other]) or self.covers(names[other], names[one]):
                    yield one, other

    def covers(self, one: str, other: str) -> bool:
        """Tell whether one candidate makes another one superfluous; asked again in every round."""
        pair = (one, other)
        if pair not in self._known_covers:
            self._known_covers[pair] = covers(self.indexes[one], self.indexes[other])
        return self._known_covers[pair]

    @cached_property
    def _known_covers(self) -> dict[tuple[str, str], bool]:
        return {}

    @cached_property
    def _corrections(self) -> Mapping[str, list[tuple[Leads, float]]]:
        found: defaultdict[str, list[tuple[Leads, float]]] = defaultdict(list)
        for correction in self.corrections:
            found[correction.statement].append((self._leads(correction.used), correction.cost_factor))
        return found

    def _corrected(self, question: Question, used: Mask) -> Iterator[float]:
        known = self._corrections.get(question.statement)
        if not known:
            return
        leads = self._leads(self.costs.names.names(used))
        plain = question.decisions.dearest
        for measured, factor in known:
            if measured <= leads:
                yield plain * factor

    def _leads(self, names: Iterable[str]) -> Leads:
        """Return what makes plans alike: the tables and the leading keys of the indexes in them."""
        indexes = (self.indexes[name] for name in names if name in self.indexes)
        return frozenset(
            (i.table, i.keys[0].column or i.keys[0].expression, bool(i.include)) for i in indexes
        )

    def used(self, names: Names) -> Names:
        """Return those of a set that some plan uses."""
        under = self.costs.under(names)
        return frozenset[str]().union(*(cost.used for cost in under.values()))

    def ranked(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return a set's candidates, those first without which it would cost most more."""
        chosen = frozenset(names)
        new = chosen & self.everything
        return tuple(sorted(new, key=lambda name: (-self.total(chosen - {name}), name)))

    def describe(self, ambition: Ambition, names: Names) -> IndexSet:
        """Return a set with its figures."""
        chosen = frozenset(names)
        return IndexSet(
            ambition=ambition,
            names=self.ranked(chosen),
            dropped=tuple(sorted(self.base - chosen)),
            before=PlannerCost(self.before),
            after=PlannerCost(self.read_cost(chosen)),
            index_bytes=self.size(chosen),
            write_penalty=PlannerCost(self.upkeep(chosen & self.everything)),
        )
