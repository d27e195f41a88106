"""A good set to begin with: step by step the index that saves most for its size.

Greedy choices are often near the best and never proved. They need few questions when they are put off: what
an index saves mostly shrinks as others come, so only those that looked best last time are asked about anew.
An index that covers chosen ones takes their place.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from pgproof.stages.estimate.bits import Mask, places
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.decisions import Answer
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.program import Limit

AT_ONCE = 8
"""Candidates asked about in one go, which keeps all lanes of the planner busy. **Source**: judgement."""

LEAST_GAIN = 1e-7
"""Of the workload's cost; what saves less is left to those who prove. **Source**: judgement."""

PAGE_BYTES = 8192

Value = Callable[[Question, float, Mask], float]
"""What a plan of a question counts: the question, its cost, the candidates it uses."""


def climb(
    goal: Goal,
    pool: Mask,
    value: Value,
    price: Callable[[int], float],
    *,
    tidy: bool = False,
    ends_at: float = float("inf"),
) -> Mask:
    """Return a set that keeps the limits, chosen index by index.

    Args:
        goal: What is to be made small.
        pool: Candidates that may be taken.
        value: What a plan counts, as a share of the workload's cost.
        price: What a candidate has to save, likewise.
        tidy: Take no index whose keys another one of the set begins with.
        ends_at: When to stop, by `time.monotonic`.

    Returns:
        The set, with the existing indexes that may go; empty where time was up before anything was known.

    **Source**: Extend: Schlosser, Kossmann and Boissier (2019), ICDE; put-off evaluation: Minoux (1978),
    "Accelerated greedy algorithms for maximizing submodular set functions".
    """
    return _Climb(goal, pool, value, price, tidy, ends_at).run()


@dataclass(frozen=True, slots=True)
class _Step:
    """One more index, perhaps in place of shorter ones."""

    chosen: Mask
    gain: float
    ratio: float


@dataclass
class _Climb:
    goal: Goal
    pool: Mask
    value: Value
    price: Callable[[int], float]
    tidy: bool
    ends_at: float
    _chosen: Mask = field(default=0, init=False)
    _now: list[Answer] = field(default_factory=list, init=False)
    _concerned: dict[int, list[int]] = field(default_factory=dict, init=False)
    _limits: Sequence[Limit] = field(default=(), init=False)
    _questions: Sequence[Question] = field(default=(), init=False)

    def run(self) -> Mask:
        """Choose until nothing saves more."""
        self._questions = self.goal.costs.questions
        self._limits = self.goal.limits(list(places(self.pool)), tidy=False)
        self._concerned = {item: [] for item in places(self.pool)}
        for number, question in enumerate(self._questions):
            for item in places(question.decisions.relevant & question.proposed & self.pool):
                self._concerned[item].append(number)
        if not self._learn():
            return 0
        waiting = [(-float("inf"), item) for item in self._concerned]
        while monotonic() < self.ends_at:
            step = self._next(waiting)
            if step is None or step.gain < LEAST_GAIN:
                break
            self._chosen = step.chosen
            if not self._learn():
                break
        return self._chosen | self.goal.costs.base

    def _next(self, waiting: list[tuple[float, int]]) -> _Step | None:
        """Return the step that saves most for its size; ``waiting`` holds what each saved last time."""
        heapq.heapify(waiting)
        fresh: dict[int, _Step | None] = {}
        while waiting and monotonic() < self.ends_at:
            best = waiting[0][1]
            if best in fresh:
                return fresh[best]
            batch = [heapq.heappop(waiting)[1] for _ in range(min(AT_ONCE, len(waiting)))]
            fresh |= self._try([item for item in batch if item not in fresh])
            for item in batch:
                step = fresh[item]
                heapq.heappush(waiting, (float("inf") if step is None else -step.ratio, item))
        return None

    def _try(self, items: Sequence[int]) -> dict[int, _Step | None]:
        """Return the step each candidate makes, asking the planner what isn't known; None where none may."""
        sets = {item: self._with(item) for item in items}
        possible = {item: chosen for item, chosen in sets.items() if chosen is not None}
        base = self.goal.costs.base
        asked = []
        for item, chosen in possible.items():
            for question in (self._questions[number] for number in self._touched(item, chosen)):
                if question.decisions.find(chosen | base) is None:
                    asked.append((question, question.decisions.relevant & ~(chosen | base)))
        self.goal.costs.ask(asked)
        return {item: None if chosen is None else self._step(item, chosen) for item, chosen in sets.items()}

    def _with(self, item: int) -> Mask | None:
        """Return the set with one more index in place of those it covers; None where that isn't allowed."""
        bit = 1 << item
        if self._chosen & bit:
            return None
        names = self.goal.costs.names.all
        leaving = 0
        for other in places(self._chosen):
            if self.goal.covers(names[item], names[other]):
                leaving |= 1 << other
            elif self.tidy and self.goal.covers(names[other], names[item]):
                return None
        chosen = self._chosen & ~leaving | bit
        return chosen if self._keeps_limits(chosen) else None

    def _keeps_limits(self, chosen: Mask) -> bool:
        return all(
            sum(limit.amounts.get(item, 0.0) for item in places(chosen)) <= limit.most * (1 + 1e-9)
            for limit in self._limits
        )

    def _touched(self, item: int, chosen: Mask) -> list[int]:
        """Return the questions whose plan may be another one with a step."""
        leaving = self._chosen & ~chosen
        if not leaving:
            return self._concerned[item]
        hurt = [number for number, answer in enumerate(self._now) if answer.used & leaving]
        return sorted({*self._concerned[item], *hurt})

    def _step(self, item: int, chosen: Mask) -> _Step:
        leaving, listed = self._chosen & ~chosen, self.goal.costs.names.listed
        gain = sum(self.price(other) for other in places(leaving)) - self.price(item)
        for number in self._touched(item, chosen):
            question, before = self._questions[number], self._now[number]
            after = question.decisions.find_or_more(chosen | self.goal.costs.base)
            gain += self.value(question, before.cost, before.used)
            gain -= self.value(question, after.cost, after.used)
        grown = self.goal.size(listed(chosen)) - self.goal.size(listed(self._chosen))
        return _Step(chosen, gain, gain / max(grown, PAGE_BYTES) if gain > 0 else gain)

    def _learn(self) -> bool:
        """Learn every statement's plan with the set; False where time is up before it is known."""
        chosen = self._chosen | self.goal.costs.base
        self.goal.costs.learn(chosen, self.ends_at)
        plans = [question.decisions.find(chosen) for question in self._questions]
        self._now = [plan for plan in plans if plan is not None]
        return len(self._now) == len(self._questions)
