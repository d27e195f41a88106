"""Costs of a workload under any set of candidates, with as few questions to the planner as can be.

Each statement, with each of its sets of values, is a `Question`; what the planner said about it is kept in a
tree of decisions, from which most sets are answered without asking (see ``decisions.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from pgproof.model.units import PlannerCost
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.stages.estimate.bits import Mask, Names
from pgproof.stages.estimate.decisions import Answer, Decisions
from pgproof.stages.estimate.provider import CostProvider, NotPlanned, PlanRequest, View, plan_views

MAX_PARAMETER_SETS = 3
"""Sets of values a statement is planned with. **Source**: judgement; the heaviest hold most weight."""


@dataclass(frozen=True, slots=True)
class Relevant:
    """Candidates that matter to a statement.

    Args:
        usable: Those that its plan could use at all; the more, the slower it is planned.
        proposed: Those among them that were proposed for it.
    """

    usable: frozenset[str]
    proposed: frozenset[str]


Relevance = Callable[[WorkloadStatement], Relevant]
"""Which candidates matter to a statement."""


@dataclass(frozen=True, slots=True)
class StatementCost:
    """What one statement costs under a set of candidates.

    Args:
        cost: Mean over its parameter sets, by their weights.
        used: Candidates that any of its plans uses.
    """

    cost: PlannerCost
    used: frozenset[str]


@dataclass(slots=True)
class Question:
    """A statement with one set of values, and what the planner said about it so far.

    Args:
        statement: Its name.
        request: What the planner is asked.
        share: Of the statement's calls, 0 to 1.
        decisions: What it said.
        proposed: Candidates that were proposed for the statement.
    """

    statement: str
    request: PlanRequest
    share: float
    decisions: Decisions
    proposed: Mask


class WorkloadCosts:
    """Answers for a workload, remembered.

    Attributes:
        planner_calls: How often the planner was asked.
        skipped: Statements that can't be planned, with the reason.
        names: What the provider can show or hide: candidates, and existing indexes that may go.
        base: Those existing indexes.
    """

    def __init__(
        self,
        provider: CostProvider,
        statements: Iterable[WorkloadStatement],
        *,
        max_sets: int = MAX_PARAMETER_SETS,
        relevance: Relevance | None = None,
    ) -> None:
        self.provider = provider
        self.planner_calls = 0
        self.skipped: dict[str, str] = {}
        self.names = Names((*provider.index_bytes, *provider.existing))
        self.base = self.names.mask(provider.existing)
        self._known: dict[Mask, Mapping[str, StatementCost]] = {}
        self._statements = tuple(statements)
        self._questions = [
            question
            for statement in self._statements
            for question in self._questions_of(statement, max_sets, relevance)
        ]
        self.learn(self.names.everything)

    @property
    def questions(self) -> Sequence[Question]:
        """Return the questions of all statements that can be planned, in workload order."""
        return [question for question in self._questions if question.statement not in self.skipped]

    def under(self, names: frozenset[str]) -> Mapping[str, StatementCost]:
        """Return the cost of each statement that can be planned, in workload order.

        Args:
            names: Candidates, and existing indexes that may go, as far as they are there; those that the
                provider refused are ignored.
        """
        mask = self.names.mask(names)
        if mask not in self._known:
            self.learn(mask)
            self._known[mask] = self._means(mask)
        return self._known[mask]

    def learn(self, mask: Mask, ends_at: float = float("inf")) -> None:
        """Ask for every statement's cost under a set that isn't known yet.

        Args:
            mask: The set.
            ends_at: From when on to ask nothing, by `time.monotonic`.
        """
        if monotonic() < ends_at:
            open_ones = [q for q in self.questions if q.decisions.find(mask) is None]
            self.ask([(q, q.decisions.relevant & ~mask) for q in open_ones])

    def _questions_of(
        self,
        statement: WorkloadStatement,
        max_sets: int,
        relevance: Relevance | None,
    ) -> list[Question]:
        usable = proposed = self.names.everything
        if relevance is not None:
            found = relevance(statement)
            usable, proposed = self.names.mask(found.usable) | self.base, self.names.mask(found.proposed)
        return [
            Question(statement.name, request, share, Decisions(usable, self.base), proposed)
            for request, share in _requests(statement, max_sets)
        ]

    def ask(self, asked: Sequence[tuple[Question, Mask]]) -> None:
        """Ask about statements, in each with some candidates hidden, whatever was said before."""
        if not asked:
            return
        views = [
            View(question.request, self.names.names(question.decisions.relevant & ~hidden))
            for question, hidden in asked
        ]
        answers = plan_views(self.provider, views)
        self.planner_calls += len(answers)
        for (question, hidden), answer in zip(asked, answers, strict=True):
            if isinstance(answer, NotPlanned):
                self.skipped.setdefault(question.statement, answer.reason)
            else:
                shown = question.decisions.relevant & ~hidden
                used = self.names.mask(answer.used) & shown
                question.decisions.record(Answer(hidden, used, answer.cost.value))

    def _means(self, mask: Mask) -> Mapping[str, StatementCost]:
        cost: dict[str, float] = {}
        used: dict[str, Mask] = {}
        for question in self.questions:
            found = question.decisions.find(mask)
            assert found is not None
            cost[question.statement] = cost.get(question.statement, 0.0) + found.cost * question.share
            used[question.statement] = used.get(question.statement, 0) | found.used
        return {
            name: StatementCost(PlannerCost(value), self.names.names(used[name]))
            for name, value in cost.items()
        }


def _requests(statement: WorkloadStatement, max_sets: int) -> list[tuple[PlanRequest, float]]:
    """Return what to ask about a statement, each with its share of the calls."""
    sets = sorted(statement.parameter_sets, key=_heaviest)[:max_sets]
    sql = statement.query.sql
    if not sets:
        return [(PlanRequest(sql, generic=bool(parameter_numbers(sql))), 1.0)]
    total = sum(s.weight for s in sets)
    return [(PlanRequest(sql, s.values), s.weight / total) for s in sets]


def _heaviest(parameters: ParameterSet) -> float:
    return -parameters.weight
