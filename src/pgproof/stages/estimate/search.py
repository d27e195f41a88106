"""Search for the best set of indexes, with a proof of how good it is.

Rounds of two integer programs (`program.py`) over what the planner said so far (`decisions.py`). The first
knows only plans that were seen: its set is the best one so far. The second takes every leaf that nobody asked
about at its lower bound: its optimum bounds what any set can reach, and its set is what to ask about next.
Where the two meet, the set is proved to be the best, up to the planner's own noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import monotonic

from pgproof.model.progress import Progress, ignore_progress
from pgproof.stages.estimate import scouting
from pgproof.stages.estimate.bits import Mask, places
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.decisions import Leaf
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.program import Program, Solution, Way, relax, solve

GAP_FRAC = 0.001
"""A set that close to the bound, as a share of the workload's cost, is called the best.
**Source**: judgement; estimates within 5 % of each other are ties."""

GAP_OF_SAVING_FRAC = 0.005
"""The same as a share of what all candidates together save, where that is more. **Source**: judgement; half a
percent less of a saving, which the planner reckons to a few percent, is nobody's loss."""

MAX_ROUNDS = 200
"""Of the search. **Source**: judgement; TPC-H takes a dozen or two."""

STEPS = 8
"""Questions about one statement in one round. **Source**: judgement."""

SINGLES_FRAC = 0.25
"""Share of the time left that may go into single candidates. **Source**: judgement."""

TIE_WEIGHT = 0.1
"""What the workload's whole cost counts beside an index of mean size, where sizes are to be small.
**Source**: judgement; decides between sets of about the same size."""

CLIMBS = 12
"""Sets to look around in one go. **Source**: judgement."""

RESCUE_FACTOR = 2.0
"""A statement that costs that many times the least it could counts as left behind. **Source**: judgement;
half as fast is what users notice."""

_PROGRAM_S = 5.0
_BATCH = 500
_LOOSE_FRAC = 0.1
_NOWHERE = 1e9


@dataclass(frozen=True, slots=True)
class Aim:
    """What a search is after. All prices are shares of the workload's cost.

    Args:
        pool: Candidates it may take.
        index_price: What an index has to save to be worth having.
        space_price: What indexes as large as all their tables together have to save on top.
        rescue_price: What it is worth to bring one statement near the least it can cost.
        tidy: Take no index whose keys another one of the set begins with.
    """

    pool: Mask
    index_price: float = 0.0
    space_price: float = 0.0
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


def search(
    goal: Goal,
    aim: Aim,
    *,
    starts: Sequence[Mask] = (),
    ends_at: float = float("inf"),
    gap_frac: float | None = None,
    progress: Progress = ignore_progress,
) -> Found:
    """Search for the best set.

    Args:
        goal: What is to be made small.
        aim: What a set has to pay for.
        starts: Sets to begin with, such as what earlier searches came to.
        ends_at: When to stop, by `time.monotonic`; the best set so far is returned then.
        gap_frac: Stop when the set is that close to the bound, as a share of the workload's cost; None takes
            GAP_FRAC, or GAP_OF_SAVING_FRAC of what all candidates save.
        progress: Told of each round.

    Returns:
        The best set found. The same questions and answers give the same set, unless time ends the search.
    """
    began = monotonic()
    state = _Search(goal, aim, ends_at, gap_frac)
    state.ask_roots()
    for chosen in (0, *starts):
        state.try_set(chosen & aim.pool | goal.costs.base)
    goal.costs.ask(scouting.by_size(goal, aim.pool & ~goal.too_large))
    state.improve()
    state.ask_singles()
    while state.rounds < MAX_ROUNDS and not state.is_done and state.run_round():
        progress(f"choosing indexes, at most {state.gap:.1%} from the best", state.rounds)
    first_s = (state.first_at or monotonic()) - began
    return Found(
        state.chosen, state.value, min(state.bound, state.value), state.rounds, monotonic() - began, first_s
    )


def best_seen(goal: Goal, aim: Aim, *, most_value: float, prices: dict[int, float]) -> Mask | None:
    """Return the cheapest set, by other prices than the goal's, that reaches a value by plans already seen.

    Args:
        goal: What is to be made small.
        aim: Which candidates may be taken.
        most_value: What the statements and the upkeep may cost, as a share of the workload's cost.
        prices: By the candidate's number; about 1 for one of mean size.

    Returns:
        The set, None where none reaches it.
    """
    state = _Search(goal, aim, float("inf"), GAP_FRAC)
    ways = [state.seen_ways(question) for question in goal.costs.questions]
    items = state.items_of(ways)
    program = Program(
        ways,
        prices,
        goal.limits(items, tidy=aim.tidy),
        most_value,
        {item: goal.upkeep_share(item) for item in items},
        TIE_WEIGHT,
    )
    found = solve(program, gap_frac=GAP_FRAC, time_limit_s=_PROGRAM_S)
    return None if found is None else found.chosen


class _Search:
    def __init__(self, goal: Goal, aim: Aim, ends_at: float, gap_frac: float | None) -> None:
        self._goal = goal
        self._aim = aim = replace(aim, pool=aim.pool & ~goal.too_large)
        self._base = goal.costs.base
        self._excluded = ~(aim.pool | self._base) & goal.costs.names.everything
        self._ends_at = ends_at
        self._wanted_gap = gap_frac
        self.chosen: Mask = 0
        self.value = _NOWHERE
        self.bound = 0.0
        self.rounds = 0
        self.first_at = 0.0
        self._looked_around: set[Mask] = set()

    @cached_property
    def _gap_frac(self) -> float:
        """How close the set has to come; known once the roots are."""
        if self._wanted_gap is not None:
            return self._wanted_gap
        least = sum(
            self._goal.share_of(question, question.decisions.least(self._excluded), 0)
            for question in self._goal.costs.questions
        )
        return max(GAP_FRAC, GAP_OF_SAVING_FRAC * (1 - least))

    @property
    def gap(self) -> float:
        return self.value - self.bound

    @property
    def is_done(self) -> bool:
        return self.gap <= self._gap_frac or monotonic() >= self._ends_at

    def run_round(self) -> bool:
        """Do one round; tell whether another one may bring more."""
        before = (self.value, self.bound, self._goal.costs.planner_calls)
        self.rounds += 1
        if self.rounds.bit_count() == 1:
            self.improve()
        if not self.is_done and not self._raise_bound():
            # The relaxed program is at its end: only whole candidates can bring more.
            self.improve()
            if not self.is_done:
                self._prove()
        return before != (self.value, self.bound, self._goal.costs.planner_calls)

    def improve(self) -> None:
        """Take the best set by the plans that were seen, and look around it, while that helps."""
        for _ in range(CLIMBS):
            found = self._solve(self.seen_ways, self._gap_frac)
            if found is not None:
                self.try_set(found.chosen | self._base)
            self.first_at = self.first_at or monotonic()
            if self.chosen in self._looked_around or monotonic() >= self._ends_at:
                return
            self._looked_around.add(self.chosen)
            self._goal.costs.ask(scouting.around(self._goal, self._aim.pool, self.chosen))

    def _raise_bound(self) -> bool:
        """Solve the relaxed program, and ask about the leaves it counts on; tell whether that helped."""
        leaves = {id(q): list(self._leaves(q)) for q in self._goal.costs.questions}
        relaxed = relax(self._program([self._ways(q, leaves[id(q)]) for q in self._goal.costs.questions]))
        if relaxed is None:
            return False
        self.bound = max(self.bound, relaxed.bound)
        likely = relaxed.likely | self._base
        if self._goal.affordable(self._goal.costs.names.names(likely)):
            self.try_set(likely)
        points = [
            (question, (likely | leaf.place.needs) & ~leaf.place.lacks)
            for question, taken in zip(self._goal.costs.questions, relaxed.taken, strict=True)
            for leaf in (leaves[id(question)][place] for place in taken)
            if leaf.is_open
        ]
        return not self.is_done and self._deepen(points)

    def _prove(self) -> None:
        """Solve the bounding program with whole candidates, and ask about its set."""
        found = self._solve(self._bounding_ways, max(self._gap_frac / 2, self.gap * _LOOSE_FRAC))
        if found is None:
            return
        self.bound = max(self.bound, found.bound)
        if not self.is_done:
            self.try_set(found.chosen | self._base)
            self._deepen([(question, found.chosen) for question in self._goal.costs.questions])

    def try_set(self, chosen: Mask) -> None:
        """Learn what a set costs, and keep it if it is the best one so far.

        Without time for questions it counts what it costs at most, by the plans that were seen.
        """
        self._goal.costs.learn(chosen, self._ends_at if self.value < _NOWHERE else float("inf"))
        prices = sum(self._price(item) for item in places(chosen & ~self._base))
        plans = [(q, q.decisions.find_or_more(chosen)) for q in self._goal.costs.questions]
        value = prices + sum(self._value(question, plan.cost, plan.used) for question, plan in plans)
        if value < self.value:
            self.chosen, self.value = chosen, value

    def ask_roots(self) -> None:
        """Learn what each statement costs with all candidates that may be taken."""
        asked = []
        for question in self._goal.costs.questions:
            if not question.decisions.least(self._excluded):
                asked.append((question, self._excluded & question.decisions.relevant))
        self._goal.costs.ask(asked)

    def ask_singles(self) -> None:
        """Learn what each candidate does on its own, as far as there is time for it."""
        asked = scouting.singles(self._goal, self._aim.pool)
        began = monotonic()
        for first in range(0, len(asked), _BATCH):
            if monotonic() - began > SINGLES_FRAC * (self._ends_at - began):
                return
            self._goal.costs.ask(asked[first : first + _BATCH])

    def seen_ways(self, question: Question) -> list[Way]:
        """Return the plans that were seen, each with what it needs."""
        if self._goal.is_corrected(question.statement):
            return self._ways(question, self._leaves(question), question.decisions.dearest)
        return [
            Way(answer.used & ~self._base, 0, self._value(question, answer.cost, answer.used))
            for answer in question.decisions.cheapest_by_use()
            if not answer.used & ~(self._aim.pool | self._base) and not answer.hidden & self._base
        ]

    def _bounding_ways(self, question: Question) -> list[Way]:
        return self._ways(question, self._leaves(question))

    def _leaves(self, question: Question) -> list[Leaf]:
        return list(question.decisions.leaves(self._excluded))

    def _ways(self, question: Question, leaves: Sequence[Leaf], open_cost: float | None = None) -> list[Way]:
        """Return leaves as ways, the open ones at their lower bound or at another cost."""
        return [
            Way(
                leaf.place.needs & ~self._base,
                leaf.place.lacks & ~self._excluded,
                self._value(
                    question, leaf.cost if open_cost is None or not leaf.is_open else open_cost, leaf.used
                ),
            )
            for leaf in leaves
        ]

    def _solve(self, ways_of: Callable[[Question], list[Way]], gap_frac: float) -> Solution | None:
        left = max(self._ends_at - monotonic(), 0.1)
        program = self._program([ways_of(question) for question in self._goal.costs.questions])
        return solve(program, gap_frac=gap_frac, time_limit_s=min(left, _PROGRAM_S), start=self.chosen)

    def _program(self, ways: Sequence[Sequence[Way]]) -> Program:
        items = self.items_of(ways)
        prices = {item: self._price(item) for item in items}
        return Program(ways, prices, self._goal.limits(items, tidy=self._aim.tidy))

    def items_of(self, ways: Sequence[Sequence[Way]]) -> list[int]:
        """Return the candidates that any way speaks of, by number."""
        named = 0
        for group in ways:
            for way in group:
                named |= way.needs | way.lacks
        return list(places(named))

    def _deepen(self, points: Sequence[tuple[Question, Mask]]) -> bool:
        """Ask on where the bound of a set may be far below what it costs; tell whether anything was asked."""
        slack = self._gap_frac / 2 / max(len(self._goal.costs.questions), 1)
        waiting = list(points)
        for step in range(STEPS):
            asked: dict[tuple[int, Mask], tuple[Question, Mask]] = {}
            left = []
            for question, chosen in waiting:
                hidden = question.decisions.next_hidden(chosen, self._excluded)
                least = self._value(question, question.decisions.bound(chosen, self._excluded), 0)
                if hidden is not None and self._seen_value(question, chosen) - least > slack:
                    asked[id(question), hidden] = (question, hidden)
                    left.append((question, chosen))
            if not asked or monotonic() >= self._ends_at:
                return step > 0
            self._goal.costs.ask(tuple(asked.values()))
            waiting = left
        return True

    def _seen_value(self, question: Question, chosen: Mask) -> float:
        found = question.decisions.find(chosen)
        return _NOWHERE if found is None else self._value(question, found.cost, found.used)

    def _value(self, question: Question, cost: float, used: Mask) -> float:
        value = self._goal.share_of(question, cost, used)
        if cost > RESCUE_FACTOR * question.decisions.least(self._excluded):
            value += self._aim.rescue_price * question.share
        return value

    def _price(self, item: int) -> float:
        goal = self._goal
        space = self._aim.space_price * goal.space_frac(item)
        return goal.upkeep_share(item) + self._aim.index_price + space
