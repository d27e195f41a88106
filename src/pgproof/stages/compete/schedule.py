"""Which statements run in which round, with which values: seeded, the same for every arm."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.workload import ParameterSet, WorkloadStatement

REPEAT_UNTIL_MS = 2.0
"""A fast statement is repeated within a round until about this much time is measured: a client's clock and
wake-up cost tens of microseconds, which would drown a statement of 0.05 ms measured once."""

MAX_REPEATS = 20

PAIRS_WANTED = 5
"""Pairs that every statement gets before any gets more: with fewer, no effect is large enough to be shown."""

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

    Statements that cost no more than their share of a round are in every round. The others take turns with
    the time that is left over, saved up from round to round: first those with fewer than ``PAIRS_WANTED``
    rounds, then those that have used the least time. So a slow statement doesn't eat the time of all others,
    nor do they starve it.

    Args:
        statements: What can be run; at least one.
        cost_ms: Time of one execution of each on one arm, by statement name.
        arms: How many arms run each item.
        round_ms: Wished length of a round over all arms.
        seed: Of the order and of the values.

    **Source**: deficit round robin: Shreedhar and Varghese (1996), IEEE/ACM Transactions on Networking 4,
    375; least attained service first: Nuyens and Wierman (2008), Performance Evaluation 65, 286.
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
        self._saved_ms = 0.0
        self._position = {s.name: self._random.random() for s in statements}

    def next_round(self) -> tuple[Item, ...]:
        """Return the items of the next round in running order; at least one."""
        share_ms = self._round_ms / len(self._statements)
        all_fit = sum(self._round_cost_ms(s) for s in self._statements) <= self._round_ms
        fast = [s for s in self._statements if all_fit or self._round_cost_ms(s) <= share_ms]
        chosen = [self._take(statement) for statement in fast]
        self._saved_ms += self._round_ms - sum(self._round_cost_ms(s) for s in fast)
        slow = [s for s in self._statements if s not in fast]
        self._random.shuffle(slow)
        slow.sort(key=lambda s: (min(self._rounds[s.name], PAIRS_WANTED), self._spent_ms[s.name]))
        for statement in slow:
            # the first pairs don't wait for savings: without them there is no verdict at all
            urgent = self._rounds[statement.name] < PAIRS_WANTED and statement is slow[0]
            if not urgent and self._round_cost_ms(statement) > self._saved_ms:
                break
            self._saved_ms -= self._round_cost_ms(statement)
            chosen.append(self._take(statement))
        self._random.shuffle(chosen)
        return tuple(chosen)

    def _take(self, statement: WorkloadStatement) -> Item:
        self._rounds[statement.name] += 1
        self._spent_ms[statement.name] += self._round_cost_ms(statement)
        return Item(statement, tuple(self._draw(statement) for _ in range(self._repeats(statement))))

    def _round_cost_ms(self, statement: WorkloadStatement) -> float:
        """Return the time of a statement in one round, repeats and all arms included."""
        return self._cost_ms[statement.name] * self._repeats(statement) * self._arms

    def wanted_ms(self) -> float:
        """Return the time in which each statement gets ``PAIRS_WANTED`` rounds, by the times learnt."""
        return PAIRS_WANTED * sum(self._round_cost_ms(s) for s in self._statements)

    def restart(self) -> None:
        """Forget what was handed out so far, but not the times that were learnt."""
        self._spent_ms = dict.fromkeys(self._spent_ms, 0.0)
        self._rounds = dict.fromkeys(self._rounds, 0)
        self._saved_ms = 0.0

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
        budget_ms: Time that ``PAIRS_WANTED`` executions of all of them may take together.
        ceiling_ms: The user's own statement timeout.

    Returns:
        ``ceiling_ms`` where everything fits; otherwise less, but at least 500 ms. A slower execution is
        stopped there, and its time counts as a lower bound.
    """
    if PAIRS_WANTED * sum(min(cost, ceiling_ms) for cost in costs_ms) <= budget_ms:
        return ceiling_ms
    low, high = 500.0, max(ceiling_ms, 500.0)
    for _ in range(40):
        middle = (low + high) / 2.0
        if PAIRS_WANTED * sum(min(cost, middle) for cost in costs_ms) <= budget_ms:
            low = middle
        else:
            high = middle
    return low
