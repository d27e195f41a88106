"""Which statements run in which round, with which values: seeded, the same for every arm."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.stages.compete.intervals import MIN_PAIRS

REPEAT_UNTIL_MS = 2.0
"""A fast statement is repeated within a round until about this much time is measured: a client's clock and
wake-up cost tens of microseconds, which would drown a statement of 0.05 ms measured once."""

MAX_REPEATS = 20

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Item:
    """One statement of a round.

    Args:
        statement: What to run.
        sets: The parameter sets to run it with, one after another; at least one.
    """

    statement: WorkloadStatement
    sets: tuple[ParameterSet, ...]


class Schedule:
    """Hands out the rounds of a race.

    Statements first get ``MIN_PAIRS`` rounds each; from then on those that have used the least time come
    first, so that a slow statement doesn't eat the time of all others. When one pass over the workload fits
    into a round, every round holds all statements.

    Args:
        statements: What can be run; at least one.
        cost_ms: Time of one execution of each on one arm, by statement name.
        arms: How many arms run each item.
        round_ms: Wished length of a round over all arms.
        seed: Of the order and of the values.

    **Source**: least attained service first: Nuyens and Wierman (2008), "The Foreground-Background queue",
    Performance Evaluation 65, 286.
    """

    def __init__(
        self,
        statements: Sequence[WorkloadStatement],
        cost_ms: Mapping[str, float],
        *,
        arms: int,
        round_ms: float,
        seed: int,
    ) -> None:
        self._statements = tuple(statements)
        self._cost_ms = dict(cost_ms)
        self._arms = arms
        self._round_ms = round_ms
        self._random = random.Random(seed)
        self._spent_ms = dict.fromkeys((s.name for s in statements), 0.0)
        self._rounds = dict.fromkeys((s.name for s in statements), 0)
        self._position = {s.name: self._random.random() for s in statements}

    def next_round(self) -> tuple[Item, ...]:
        """Return the items of the next round in running order; at least one."""
        order = list(self._statements)
        self._random.shuffle(order)
        order.sort(key=lambda s: (min(self._rounds[s.name], MIN_PAIRS), self._spent_ms[s.name]))
        chosen: list[Item] = []
        left_ms = self._round_ms
        for statement in order:
            repeats = self._repeats(statement)
            cost_ms = self._cost_ms[statement.name] * repeats * self._arms
            if chosen and cost_ms > left_ms:
                continue
            left_ms -= cost_ms
            self._rounds[statement.name] += 1
            self._spent_ms[statement.name] += cost_ms
            chosen.append(Item(statement, tuple(self._draw(statement) for _ in range(repeats))))
        self._random.shuffle(chosen)
        return tuple(chosen)

    def learn(self, statement: str, mean_ms: float) -> None:
        """Correct a statement's expected time on an average arm."""
        self._cost_ms[statement] = max(mean_ms, 0.001)

    def _repeats(self, statement: WorkloadStatement) -> int:
        wanted = math.ceil(REPEAT_UNTIL_MS / max(self._cost_ms[statement.name], 0.001))
        return max(1, min(MAX_REPEATS, wanted))

    def _draw(self, statement: WorkloadStatement) -> ParameterSet:
        """Return the next parameter set: spread evenly over the sets by weight, from a random start.

        **Source**: golden-ratio sequence, Kuipers and Niederreiter (1974), "Uniform Distribution of
        Sequences", 2.3.
        """
        sets = statement.parameter_sets or (ParameterSet(()),)
        at = self._position[statement.name]
        self._position[statement.name] = (at + _GOLDEN) % 1.0
        goal = at * sum(s.weight for s in sets)
        for candidate in sets:
            goal -= candidate.weight
            if goal < 0:
                return candidate
        return sets[-1]


def fitting_timeout_ms(costs_ms: Sequence[float], budget_ms: float, ceiling_ms: float) -> float:
    """Return the longest an execution may take so that a race can still finish.

    Args:
        costs_ms: Time of one execution of every statement on every arm.
        budget_ms: Time that ``MIN_PAIRS`` executions of all of them may take together.
        ceiling_ms: The user's own statement timeout.

    Returns:
        ``ceiling_ms`` where everything fits; otherwise less, but at least 500 ms. A slower execution is
        stopped there, and its time counts as a lower bound.
    """
    if MIN_PAIRS * sum(min(cost, ceiling_ms) for cost in costs_ms) <= budget_ms:
        return ceiling_ms
    low, high = 500.0, max(ceiling_ms, 500.0)
    for _ in range(40):
        middle = (low + high) / 2.0
        if MIN_PAIRS * sum(min(cost, middle) for cost in costs_ms) <= budget_ms:
            low = middle
        else:
            high = middle
    return low
