"""Why these indexes and not others: worked out after the choice, with a few more questions to the planner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic

from pgproof.changes.index_cover import covers_existing
from pgproof.changes.index_text import create_index_sql
from pgproof.model.advice import (
    ChoiceExplanation,
    DropExplanation,
    IndexExplanation,
    Rival,
    StatementGain,
)
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.drop import DropCandidate
from pgproof.model.estimate import Confidence, IndexSize
from pgproof.model.figures import percent, size
from pgproof.model.relation import RelationKind, RelationName
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.estimate.costs import StatementCost
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.outlook import broken_limits, find_outlooks

TIME_LIMIT_S = 5.0
"""Of the whole explanation. **Source**: judgement: a reader waits that long for a reason, hardly longer."""

FELT_FRAC = 0.01
"""A statement is said to gain from an index where it gets cheaper by that share. **Source**: judgement."""

_UNTRIED = "the search stopped before it tried that: time was up, or little was left to gain"

TIE_FRAC = 0.001
"""Savings, as shares of the workload's cost, that differ by less are the same. **Source**: judgement; the
planner itself is not steadier."""


def explain_choice(
    goal: Goal,
    chosen: Iterable[str],
    candidates: Sequence[IndexCandidate],
    catalog: Catalog,
    statements: Sequence[WorkloadStatement],
    *,
    now: Iterable[str] = (),
    drops: Sequence[DropCandidate] = (),
    sizes: Mapping[str, IndexSize] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> ChoiceExplanation:
    """Explain a set of indexes.

    Args:
        goal: It was chosen by.
        chosen: All names that are visible with the set: its candidates, and the existing indexes that stay.
            The first are explained first, should time run out.
        candidates: It was chosen from.
        catalog: Of the database.
        statements: Of the workload; only those are named.
        now: Existing indexes among the names, as the database is.
        drops: Why existing indexes may go; those that are not chosen are explained.
        sizes: What the candidates' sizes rest on, where the provider says.
        time_limit_s: When to stop asking; what is then not known is said to be so.

    Returns:
        Every index of the set, with the heavy statements that are left and the existing indexes that go. The
        same input gives the same answer, unless time runs out.
    """
    names = tuple(chosen)
    asked = _Explainer(
        goal=goal,
        chosen=frozenset(names),
        now=frozenset(now),
        candidates={candidate.name: candidate for candidate in candidates},
        catalog=catalog,
        statements={statement.name: statement for statement in statements},
        sizes=sizes or {},
        ends_at=monotonic() + time_limit_s,
    )
    found = asked.explain([name for name in names if name in asked.candidates])
    return ChoiceExplanation(
        indexes=tuple(sorted(found, key=lambda index: -(index.saved_frac or 0.0))),
        outlooks=find_outlooks(
            goal, asked.chosen, asked.now, statements, asked.ends_at, unpriced=_unpriced(goal, candidates)
        ),
        drops=tuple(asked.explain_drop(drop) for drop in drops if drop.name not in asked.chosen),
    )


def _unpriced(goal: Goal, candidates: Sequence[IndexCandidate]) -> dict[str, list[str]]:
    """Return the candidates that could not be estimated, by the statements they were proposed for."""
    found: dict[str, list[str]] = {}
    for candidate in candidates:
        if candidate.name in goal.costs.provider.refused:
            for statement in candidate.statements:
                found.setdefault(statement, []).append(candidate.name)
    return found


@dataclass
class _Explainer:
    goal: Goal
    chosen: frozenset[str]
    now: frozenset[str]
    candidates: Mapping[str, IndexCandidate]
    catalog: Catalog
    statements: Mapping[str, WorkloadStatement]
    sizes: Mapping[str, IndexSize]
    ends_at: float

    @cached_property
    def unit(self) -> float:
        """The workload's cost as the database is, upkeep of existing indexes included."""
        return self.goal.total(self.now) or 1.0

    @cached_property
    def set_total(self) -> float:
        return self.goal.total(self.chosen)

    def explain(self, names: Sequence[str]) -> list[IndexExplanation]:
        """Explain indexes of the set: first what each is worth, then, with the time left, the rivals."""
        worth = [self._worth(name) for name in names]
        return [self._explain(name, *found) for name, found in zip(names, worth, strict=True)]

    def _worth(self, name: str) -> tuple[float | None, tuple[StatementGain, ...]]:
        """Return what the set loses without an index, and the statements that do; nothing without time."""
        if monotonic() >= self.ends_at:
            return None, ()
        rest = self.chosen - {name}
        saved_frac = (self.goal.total(rest) - self.set_total) / self.unit
        return saved_frac, tuple(self._gains(rest, self.chosen))

    def _explain(
        self, name: str, saved_frac: float | None, gains: tuple[StatementGain, ...]
    ) -> IndexExplanation:
        candidate = self.candidates[name]
        rival, note = self._rival(name)
        return IndexExplanation(
            index=name,
            table=candidate.change.table,
            sql=self._sql(candidate.change),
            reason=candidate.reason,
            saved_frac=saved_frac,
            set_frac=1 - self.set_total / self.unit,
            statements=gains,
            size=self._size(name),
            upkeep_frac=self.goal.upkeep((name,)) / self.unit,
            build_s=self.goal.build_s.get(name),
            supersedes=tuple(self._superseded(candidate.change)),
            rival=rival,
            rival_note=note,
        )

    def explain_drop(self, drop: DropCandidate) -> DropExplanation:
        """Say what it does that an existing index goes."""
        if drop.name not in self.now:
            return DropExplanation(drop, None)
        kept = self.chosen | {drop.name}
        saved = (self.goal.total(kept) - self.set_total) / self.unit
        return DropExplanation(drop, saved, tuple(self._gains(kept, self.chosen, dearer=True)))

    def _gains(
        self, one: frozenset[str], other: frozenset[str], *, dearer: bool = False
    ) -> list[StatementGain]:
        """Return the statements that get cheaper (or dearer) from one set to another, most first."""
        costs = self.goal.costs
        before, after, now = costs.under(one), costs.under(other), costs.under(self.now)
        found = []
        for name, statement in self.statements.items():
            if name not in after or name not in before:
                continue
            saved = before[name].cost.saved_frac(after[name].cost) * (-1 if dearer else 1)
            if saved >= FELT_FRAC:
                found.append(self._gain(statement, now[name], before[name], after[name]))
        return sorted(found, key=lambda gain: (-self._weighed(gain), gain.statement))

    def _gain(
        self, statement: WorkloadStatement, now: StatementCost, without: StatementCost, after: StatementCost
    ) -> StatementGain:
        weight = self.goal.weights.get(statement.name, 0.0)
        share = weight * now.cost.value / self.unit
        return StatementGain(statement.name, now.cost, without.cost, after.cost, statement.calls, share)

    def _weighed(self, gain: StatementGain) -> float:
        weight = self.goal.weights.get(gain.statement, 0.0)
        return weight * abs(gain.without.value - gain.after.value)

    def _rival(self, name: str) -> tuple[Rival | None, str]:
        """Return the best candidate to take an index's place, or why there is none."""
        if monotonic() >= self.ends_at:
            return None, "others were not compared: the time for it was used up"
        rest, pool = self.chosen - {name}, frozenset(self._pool(name))
        if not pool:
            return None, "no other candidate is on its table or for its statements"
        # The planner says itself which of them it would take: one question a statement for all of them.
        contenders = self.goal.used(rest | pool) & pool
        if not contenders:
            return None, "without it, no other candidate would be used in its place"
        best = min(contenders, key=lambda other: (self.goal.total(rest | {other}), other))
        return self._describe_rival(name, best, rest), ""

    def _pool(self, name: str) -> Iterator[str]:
        mine = self.candidates[name]
        for other in sorted(self.goal.everything - self.chosen):
            its = self.candidates.get(other)
            if its is None:
                continue
            if its.change.table == mine.change.table or set(its.statements) & set(mine.statements):
                yield other

    def _describe_rival(self, name: str, other: str, rest: frozenset[str]) -> Rival:
        return Rival(
            index=other,
            sql=self._sql(self.candidates[other].change),
            saved_frac=1 - self.goal.total(rest | {other}) / self.unit,
            size_bytes=self.goal.index_bytes[other],
            reason=self._why_not(name, other, rest | {other}),
        )

    def _why_not(self, name: str, other: str, exchanged: frozenset[str]) -> str:
        """Say why an index stands in the set and not the other one."""
        bytes_more = self.goal.index_bytes[other] - self.goal.index_bytes[name]
        worse = (self.goal.total(exchanged) - self.set_total) / self.unit
        saved = percent(1 - self.goal.total(exchanged) / self.unit, 1)
        instead = (
            f"the set would save {saved} with it instead of {percent(1 - self.set_total / self.unit, 1)}"
        )
        limits = ", ".join(broken_limits(self.goal, exchanged))
        if limits:
            return f"{instead}, but {limits} would not be kept"
        if worse > TIE_FRAC:
            upkeep = self.goal.upkeep((other,)) - self.goal.upkeep((name,))
            return f"{instead}, as it costs the writes more" if upkeep / self.unit > worse / 2 else instead
        if worse < -TIE_FRAC and bytes_more > 0:
            return f"{instead}, for {size(bytes_more)} more: a more ambitious set may have it"
        if worse < -TIE_FRAC:
            return f"{instead}; {_UNTRIED}"
        same = "the set would save about the same with it"
        if bytes_more:
            more = "more" if bytes_more > 0 else "less"
            return f"{same}, and take {size(abs(bytes_more))} {more}"
        return f"{same}: a tie"

    def _superseded(self, change: CreateIndex) -> Iterator[RelationName]:
        for index in self.catalog.indexes_of(change.table):
            duty = index.constraint or index.replica_identity or index.clustered
            if not duty and covers_existing(change, index):
                yield index.relation

    def _size(self, name: str) -> IndexSize:
        known = self.sizes.get(name)
        provider = self.goal.costs.provider.name
        return known or IndexSize(self.goal.index_bytes[name], Confidence.MEDIUM, f"as the {provider} has it")

    def _sql(self, change: CreateIndex) -> str:
        table = self.catalog.find_table(change.table.name, change.table.schema)
        partitioned = table is not None and table.kind is RelationKind.PARTITIONED
        return create_index_sql(change, concurrently=not partitioned, catalog=self.catalog)
