"""What the references may ask: a small interface over the same provider that our own algorithm asks.

A statement's cost is remembered by the indexes of the set that could matter to it (those with a column it
names), as in the public benchmark; so a set costs as many questions as it has news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from pgproof.model.candidate import IndexCandidate
from pgproof.model.relation import RelationName
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.bits import Names as Numbered
from pgproof.stages.estimate.provider import CostProvider, Planned, PlanRequest, View, plan_views

Names = frozenset[str]
"""Indexes, by their names."""

MAX_PARAMETER_SETS = 3
"""Sets of values a statement is planned with, as `pgproof.stages.estimate.costs` does by default."""


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with one set of values.

    Args:
        statement: Its name.
        request: What the planner is asked.
        weight: What a unit of its cost counts.
    """

    statement: str
    request: PlanRequest
    weight: float


class WhatIf:
    """Costs of statements under sets of indexes.

    Args:
        provider: Who is asked.
        statements: Of the workload.
        candidates: What there is to choose from; those that the provider refused are left out.
        relevance: Which of them could matter to each statement.
        time_limit_s: After that, `late` says so.

    Attributes:
        planner_calls: How often the planner was asked.
        skipped: Statements that can't be planned; they cost nothing.
        indexes: The candidates by name, in order.
    """

    def __init__(
        self,
        provider: CostProvider,
        statements: Sequence[WorkloadStatement],
        candidates: Sequence[IndexCandidate],
        relevance: Mapping[str, Names],
        *,
        time_limit_s: float = float("inf"),
    ) -> None:
        self.planner_calls = 0
        self.skipped: set[str] = set()
        self._bytes = dict(provider.index_bytes)
        self.indexes: Mapping[str, IndexCandidate] = {
            candidate.name: candidate for candidate in candidates if candidate.name in self._bytes
        }
        self._provider = provider
        self._questions = [question for statement in statements for question in questions(statement)]
        self._bits = Numbered(self.indexes)
        self._relevant = [self._bits.mask(relevance[question.statement]) for question in self._questions]
        self._answers: dict[tuple[int, Mask], Planned | None] = {}
        self._ends_at = monotonic() + time_limit_s

    @property
    def late(self) -> bool:
        """Whether the time is used up: return the best set so far."""
        return monotonic() >= self._ends_at

    @property
    def statements(self) -> list[str]:
        """Return the names of the statements that can be planned, in workload order."""
        names = dict.fromkeys(question.statement for question in self._questions)
        return [name for name in names if name not in self.skipped]

    def made_for(self, statement: str) -> Names:
        """Return the candidates that were made for a statement."""
        return frozenset(name for name, own in self.indexes.items() if statement in own.statements)

    def size(self, names: Iterable[str]) -> int:
        """Return the bytes of a set."""
        return sum(self._bytes[name] for name in names)

    def columns(self, name: str) -> tuple[RelationName, tuple[str, ...]]:
        """Return an index's table and columns in order."""
        change = self.indexes[name].change
        return change.table, tuple(key.column for key in change.keys)

    def total(self, names: Names) -> float:
        """Return the weighted cost of the workload under a set."""
        return self.totals([names])[0]

    def totals(self, sets: Sequence[Names]) -> list[float]:
        """Return the weighted cost of the workload under each of several sets, all asked together."""
        return self._costs(range(len(self._questions)), sets)

    def costs(self, statement: str, sets: Sequence[Names]) -> list[float]:
        """Return the weighted cost of one statement under each of several sets."""
        return self._costs(self._numbers(statement), sets)

    def used(self, statement: str, names: Names) -> Names:
        """Return the indexes of a set that a statement's plans use."""
        keys = [self._key(number, self._bits.mask(names)) for number in self._numbers(statement)]
        self._ask(keys)
        plans = [self._answers[key] for key in keys]
        return names & frozenset[str]().union(*(plan.used for plan in plans if plan))

    def _numbers(self, statement: str) -> list[int]:
        return [n for n, question in enumerate(self._questions) if question.statement == statement]

    def _key(self, number: int, mask: Mask) -> tuple[int, Mask]:
        return number, mask & self._relevant[number]

    def _costs(self, numbers: Sequence[int], sets: Sequence[Names]) -> list[float]:
        keys = [[self._key(number, mask) for number in numbers] for mask in map(self._bits.mask, sets)]
        self._ask([key for group in keys for key in group])
        return [sum(map(self._cost, group)) for group in keys]

    def _cost(self, key: tuple[int, Mask]) -> float:
        answer, question = self._answers[key], self._questions[key[0]]
        if answer is None or question.statement in self.skipped:
            return 0.0
        return question.weight * answer.cost.value

    def _ask(self, keys: Iterable[tuple[int, Mask]]) -> None:
        news = [key for key in dict.fromkeys(keys) if key not in self._answers]
        if not news:
            return
        views = [View(self._questions[number].request, self._bits.names(mask)) for number, mask in news]
        self.planner_calls += len(views)
        for key, answer in zip(news, plan_views(self._provider, views), strict=True):
            if isinstance(answer, Planned):
                self._answers[key] = answer
            else:
                self._answers[key] = None
                self.skipped.add(self._questions[key[0]].statement)


def questions(statement: WorkloadStatement) -> list[Question]:
    """Return what the planner is asked about a statement: its heaviest sets of values, or none.

    A statement counts by its calls.
    """
    sets = sorted(statement.parameter_sets, key=lambda s: -s.weight)[:MAX_PARAMETER_SETS]
    sql = statement.query.sql
    if not sets:
        request = PlanRequest(sql, generic=bool(parameter_numbers(sql)))
        return [Question(statement.name, request, statement.calls)]
    total = sum(s.weight for s in sets)
    return [
        Question(statement.name, PlanRequest(sql, s.values), statement.calls * s.weight / total) for s in sets
    ]
