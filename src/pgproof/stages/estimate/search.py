"""Search for the best set of indexes, with a proof of how good it is.

Rounds of two integer programs (`program.py`) over what the planner said so far (`decisions.py`). The first
knows only plans that were seen: its set is the best one so far. The second takes every leaf that nobody asked
about at its lower bound: its optimum bounds what any set can reach, and its set is what to ask about next.
Where the two meet, the set is proved to be the best, up to the planner's own noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from pgproof.model.progress import Progress, ignore_progress
from pgproof.stages.estimate.bits import Mask, places, single_bits
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.program import Program, Solution, Way, solve

GAP_FRAC = 0.001
"""A set that close to the bound, as a share of the workload's cost, is called the best.
**Source**: judgement; estimates within 5 % of each other are ties."""

MAX_ROUNDS = 200
"""Of the search. **Source**: judgement; TPC-H takes a dozen or two."""

STEPS = 8
"""Questions about one statement in one round. **Source**: judgement."""

RESCUE_FACTOR = 2.0
"""A statement that costs that many times the least it could counts as left behind. **Source**: judgement;
half as fast is what users notice."""

_PROGRAM_S = 5.0
_LOOSE_FRAC = 0.1
_NOWHERE = 1e9


@dataclass(frozen=True, slots=True)
class Aim:
    """What a search is after. All prices are shares of the workload's cost.

    Args:
        pool: Candidates it may take.
        index_price: What an index has to save to be worth having.
        rescue_price: What it is worth to bring one statement near the least it can cost.
        tidy: Take no index whose keys another one of the set begins with.
    """

    pool: Mask
    index_price: float = 0.0
    rescue_price: float = 0.0
    tidy: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Args:
        chosen: The set; empty where nothing pays.
        value: Its total with the prices of the aim, as a share of the workload's cost.
        bound: No set has less, up to the planner's noise; likewise a share.
        rounds: How many it took.
        seconds: Wall time.
        first_s: Wall time to the first set.
    """

    chosen: Mask
    value: float
    bound: float
    rounds: int
    seconds: float
    first_s: float

    @property
    def gap_frac(self) -> float:
        """How far the set may be from the best one, as a share of the workload's cost."""
        return max(self.value - self.bound, 0.0)


def search(
    goal: Goal,
    aim: Aim,
    *,
    starts: Sequence[Mask] = (),
    ends_at: float = float("inf"),
    gap_frac: float = GAP_FRAC,
    progress: Progress = ignore_progress,
) -> Found:
    """Search for the best set.

    Args:
        goal: What is to be made small.
        aim: What a set has to pay for.
        starts: Sets to begin with, such as what earlier searches came to.
        ends_at: When to stop, by `time.monotonic`; the best set so far is returned then.
        gap_frac: Stop when the set is that close to the bound, as a share of the workload's cost.
        progress: Told of each round.

    Returns:
        The best set found. The same questions and answers give the same set, unless time ends the search.
    """
    began = monotonic()
    state = _Search(goal, aim, ends_at, gap_frac)
    for chosen in (0, *starts):
        state.try_set(chosen & aim.pool)
    state.ask_singles()
    rounds, first_s = 0, monotonic() - began
    while rounds < MAX_ROUNDS and not state.is_done and state.run_round():
        rounds += 1
        if rounds == 1:
            first_s = state.first_at - began
        progress(f"choosing indexes, at most {state.gap:.1%} from the best", rounds)
    return Found(
        state.chosen, state.value, min(state.bound, state.value), rounds, monotonic() - began, first_s
    )


def best_seen(goal: Goal, aim: Aim, *, most_value: float, prices: dict[int, float]) -> Mask | None:
    """Return the cheapest set, by other prices than the goal's, that reaches a value by plans already seen.

    Args:
        goal: What is to be made small.
        aim: Which candidates may be taken.
        most_value: What the statements and the upkeep may cost, as a share of the workload's cost.
        prices: By the candidate's number.

    Returns:
        The set, None where none reaches it.
    """
    state = _Search(goal, aim, float("inf"), GAP_FRAC)
    ways = [list(state.seen_ways(question)) for question in goal.costs.questions]
    upkeep = {item: goal.upkeep_share(item) for item in state.items_of(ways)}
    program = Program(ways, prices, goal.limits(state.items_of(ways), tidy=aim.tidy), most_value, upkeep)
    found = solve(program, gap_frac=GAP_FRAC, time_limit_s=_PROGRAM_S)
    return None if found is None else found.chosen


class _Search:
    def __init__(self, goal: Goal, aim: Aim, ends_at: float, gap_frac: float) -> None:
        self._goal = goal
        self._aim = aim
        self._ends_at = ends_at
        self._gap_frac = gap_frac
        self.chosen: Mask = 0
        self.value = _NOWHERE
        self.bound = 0.0
        self.first_at = 0.0

    @property
    def gap(self) -> float:
        return self.value - self.bound

    @property
    def is_done(self) -> bool:
        return self.gap <= self._gap_frac or monotonic() >= self._ends_at

    def run_round(self) -> bool:
        """Do one round; tell whether another one may bring more."""
        before = (self.value, self.bound, self._goal.costs.planner_calls)
        seen = self._solve(self.seen_ways)
        if seen is not None:
            self.try_set(seen.chosen)
        self.first_at = self.first_at or monotonic()
        bounding = self._solve(self._bounding_ways)
        if bounding is not None:
            self.bound = max(self.bound, bounding.bound)
            if not self.is_done:
                self.try_set(bounding.chosen)
                self._deepen(bounding.chosen)
        return before != (self.value, self.bound, self._goal.costs.planner_calls)

    def try_set(self, chosen: Mask) -> None:
        """Learn what a set costs, and keep it if it is the best one so far."""
        if not self._goal.costs.learn(chosen, self._ends_at if self.value < _NOWHERE else float("inf")):
            return
        prices = sum(self._price(item) for item in places(chosen))
        value = prices + sum(self._seen_value(question, chosen) for question in self._goal.costs.questions)
        if value < self.value:
            self.chosen, self.value = chosen, value

    def ask_singles(self) -> None:
        """Learn what each candidate that the best plans use does on its own."""
        asked = []
        for question in self._goal.costs.questions:
            decisions = question.decisions
            for own in single_bits(decisions.favourite & self._aim.pool):
                if decisions.find(own) is None:
                    asked.append((question, decisions.relevant & ~own))
        self._goal.costs.ask(asked)

    def seen_ways(self, question: Question) -> Iterator[Way]:
        """Yield the plans that were seen, each with what it needs."""
        if self._goal.is_corrected(question.statement):
            yield from self._partitioned_ways(question, question.decisions.dearest)
            return
        for answer in question.decisions.cheapest_by_use():
            if answer.used & ~self._aim.pool == 0:
                yield Way(answer.used, 0, self._value(question, answer.cost, answer.used))

    def _bounding_ways(self, question: Question) -> Iterator[Way]:
        return self._partitioned_ways(question, None)

    def _partitioned_ways(self, question: Question, open_cost: float | None) -> Iterator[Way]:
        """Yield the leaves, the open ones at their lower bound or at another cost."""
        for leaf in question.decisions.leaves():
            if leaf.needs & ~self._aim.pool:
                continue
            cost = leaf.cost if open_cost is None or not leaf.is_open else open_cost
            yield Way(leaf.needs, leaf.lacks & self._aim.pool, self._value(question, cost, leaf.used))

    def _solve(self, ways_of: Callable[[Question], Iterator[Way]]) -> Solution | None:
        ways = [list(ways_of(question)) for question in self._goal.costs.questions]
        items = self.items_of(ways)
        program = Program(
            ways, {item: self._price(item) for item in items}, self._goal.limits(items, tidy=self._aim.tidy)
        )
        gap = self._gap_frac / 2
        if self.value < _NOWHERE:
            gap = max(gap, self.gap * _LOOSE_FRAC)
        left = max(self._ends_at - monotonic(), 0.1)
        return solve(program, gap_frac=gap, time_limit_s=min(left, _PROGRAM_S), start=self.chosen)

    def items_of(self, ways: Sequence[Sequence[Way]]) -> list[int]:
        """Return the candidates that any way speaks of, by number."""
        named = 0
        for group in ways:
            for way in group:
                named |= way.needs | way.lacks
        return list(places(named))

    def _deepen(self, chosen: Mask) -> None:
        """Ask on where the bound of a set is far below what it costs."""
        slack = self._gap_frac / 2 / max(len(self._goal.costs.questions), 1)
        waiting = list(self._goal.costs.questions)
        for _ in range(STEPS):
            asked = []
            for question in waiting:
                hidden = question.decisions.next_hidden(chosen)
                if hidden is None:
                    continue
                least = self._value(question, question.decisions.bound(chosen), 0)
                if self._seen_value(question, chosen) - least > slack:
                    asked.append((question, hidden))
            if not asked or monotonic() >= self._ends_at:
                return
            self._goal.costs.ask(asked)
            waiting = [question for question, _ in asked]

    def _seen_value(self, question: Question, chosen: Mask) -> float:
        found = question.decisions.find(chosen)
        return 0.0 if found is None else self._value(question, found.cost, found.used)

    def _value(self, question: Question, cost: float, used: Mask) -> float:
        value = self._goal.share_of(question, cost, used)
        if cost > RESCUE_FACTOR * question.decisions.least:
            value += self._aim.rescue_price * question.share
        return value

    def _price(self, item: int) -> float:
        return self._goal.upkeep_share(item) + self._aim.index_price
