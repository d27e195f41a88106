"""Search for the best set of indexes, with a proof of how good it is.

Two programs (`program.py`). The first knows only plans that were seen: its set is the best one so far, and
relaxed, it says what candidates are worth. The second bounds what any set can reach, by cells about which
more and more was asked (`bounding.py`). At the prices of the one, the other, or between, a round asks where
something better may hide. A candidate that would cost more, by the bound, than the best set saves is left out
for good. Where the two programs meet, the set is proved to be the best, up to the planner's own noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from pgproof.model.progress import Progress, ignore_progress
from pgproof.stages.estimate import scouting
from pgproof.stages.estimate.aim import Aim, Found
from pgproof.stages.estimate.bits import Mask, mask_of, places
from pgproof.stages.estimate.bounding import Bounds
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.greedy import climb
from pgproof.stages.estimate.prices import Charges, Prices, charges_of
from pgproof.stages.estimate.program import (
    Program,
    Relaxation,
    Solution,
    Way,
    items_of,
    relax,
    rounded,
    solve,
)

GAP_OF_SAVING_FRAC = 0.003
"""A set that close to the bound, as a share of what it saves, is called the best. **Source**: judgement; so
little of a saving, which the planner reckons to a few percent, is nobody's loss."""

LEAST_GAP_FRAC = 0.0001
"""The same as a share of the workload's cost, where a set saves next to nothing. **Source**: judgement."""

MAX_ROUNDS = 200
"""Of the search. **Source**: judgement; TPC-H takes a dozen or two."""

MIXES = (0.0, 0.5, 1.0)
"""What the bounding program has to say about prices, round by round; the rest, what seen plans say.
Prices of seen plans lead to what is better, those of the bound to what it rests on. **Source**: judgement; on
TPC-H, in one run each, the gap was a little smaller than with one of them alone."""

IMPROVE_EVERY = 3
"""Rounds between two looks for a better set. **Source**: judgement; a third of the time goes there."""

TIE_WEIGHT = 0.1
"""What the workload's whole cost counts beside an index of mean size, where sizes are to be small.
**Source**: judgement; decides between sets of about the same size."""

WHOLE_FRAC = 0.25
"""Share of the gap that may be left between the two relaxed programs when candidates have to be whole; that
takes a slower program. **Source**: judgement."""

LOOKS = 3
"""Sets to look around in one go, once the relaxed programs have met. **Source**: judgement; before, prices
lead to better sets at fewer questions."""

RESCUE_FACTOR = 2.0
"""A statement that costs that many times the least it could counts as left behind. **Source**: judgement;
half as fast is what users notice."""

_PROGRAM_S = 5.0
_CLIMB_S = 3.0
_CLIMB_FRAC = 0.001  # of the cost, for a set that more is asked about anyway
SINGLES_FRAC = 0.25
"""Share of the time left that may go into single candidates. **Source**: judgement; the planner is quick when
it is shown one, and small gains are in no plan that has all to choose from."""

_BATCH = 500
_SMALLEST_FRAC = 0.001  # of its value, for the smallest set of some gain
_PROVE_FRAC = 0.25  # of the gap left, for a program of whole candidates
_NOWHERE = 1e9
_FAR = 1e6  # more than anything is worth


def search(
    goal: Goal,
    aim: Aim,
    *,
    starts: Sequence[Mask] = (),
    ends_at: float = float("inf"),
    gap_frac: float | None = None,
    max_rounds: int = MAX_ROUNDS,
    progress: Progress = ignore_progress,
) -> Found:
    """Search for the best set.

    Args:
        goal: What is to be made small.
        aim: What a set has to pay for.
        starts: Sets to begin with, such as what earlier searches came to.
        ends_at: When to stop, by `time.monotonic`; the best set so far is returned then.
        gap_frac: Stop when the set is that close to the bound, as a share of the workload's cost; None takes
            GAP_OF_SAVING_FRAC of what the set saves.
        max_rounds: When to stop in any case.
        progress: Told of each round.

    Returns:
        The best set found. The same questions and answers give the same set, unless time ends the search.
    """
    began = monotonic()
    state = _Search(goal, aim, ends_at, gap_frac)
    state.ask_roots()
    for chosen in (0, *starts):
        if state.keeps_limits(chosen & aim.pool):
            state.try_set(chosen & aim.pool | goal.costs.base)
    goal.costs.ask(scouting.by_size(goal, aim.pool & ~goal.too_large))
    state.improve(1)
    while state.rounds < max_rounds and not state.is_done and state.run_round():
        progress(f"choosing indexes, at most {state.gap:.1%} from the best", state.rounds)
    if max_rounds == MAX_ROUNDS:
        state.improve(LOOKS)  # close enough to the bound is not yet the best that is near
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
    state = _Search(goal, aim, float("inf"), LEAST_GAP_FRAC)
    ways = [state.seen_ways(question) for question in goal.costs.questions]
    items = items_of(ways)
    program = Program(
        ways,
        prices,
        goal.limits(items, tidy=aim.tidy),
        most_value,
        {item: goal.upkeep_share(item) for item in items},
        TIE_WEIGHT,
    )
    found = solve(program, gap_frac=_SMALLEST_FRAC, time_limit_s=_PROGRAM_S)
    return None if found is None else found.chosen


class _Search:
    def __init__(self, goal: Goal, aim: Aim, ends_at: float, gap_frac: float | None) -> None:
        self._goal = goal
        self._aim = aim = replace(aim, pool=aim.pool & ~goal.too_large)
        self._base = goal.costs.base
        self._excluded = ~(aim.pool | self._base) & goal.costs.names.everything
        self._ends_at = ends_at
        self._wanted_gap = gap_frac
        self._pool = aim.pool  # without what is proved to be no better
        self._floor = _NOWHERE  # no set that has any of it costs less
        self._bounds: Bounds | None = None
        self._charges: Charges | None = None
        self._seen_bound = _NOWHERE  # what seen plans cost with candidates in part
        self._idle_rounds = 0
        self._matter: Mask = 0  # candidates whose absence a program of whole candidates has to mind
        self._looked_around: set[Mask] = set()
        self.chosen: Mask = 0
        self.value = _NOWHERE
        self.bound = 0.0
        self.rounds = 0
        self.first_at = 0.0

    @property
    def gap(self) -> float:
        return self.value - self.bound

    @property
    def _gap_frac(self) -> float:
        """How close the set has to come."""
        if self._wanted_gap is not None:
            return self._wanted_gap
        return max(LEAST_GAP_FRAC, GAP_OF_SAVING_FRAC * (1 - self.value))

    @property
    def is_done(self) -> bool:
        return self.gap <= self._gap_frac or monotonic() >= self._ends_at

    def run_round(self) -> bool:
        """Do one round; tell whether another one may bring more."""
        before = (self.value, self.bound)
        bounds = self._bounds = self._bounds or Bounds(
            self._goal.costs, self._value, self._pool, self._excluded
        )
        asked = self._explore(bounds, MIXES[self.rounds % len(MIXES)])
        self.rounds += 1
        self._raise_bound(bounds)
        met = self._seen_bound - self.bound <= WHOLE_FRAC * self.gap
        if not self.is_done and self.rounds == IMPROVE_EVERY:
            self._ask_singles()
            self._climb_greedily()
        if not self.is_done and (self.rounds % IMPROVE_EVERY == 0 or not asked):
            self.improve(LOOKS if met or not asked else 0)
        self._idle_rounds = 0 if asked or before != (self.value, self.bound) else self._idle_rounds + 1
        if self.is_done or (self._idle_rounds < len(MIXES) and not met):
            return True
        # The relaxed programs have nearly met: only whole candidates can bring more.
        return self._prove(bounds) or asked or before != (self.value, self.bound)

    def improve(self, looks: int) -> None:
        """Take the best set by the plans that were seen, and look around it some times, while that helps."""
        self._climb()
        self.first_at = self.first_at or monotonic()
        for _ in range(looks):
            if self.chosen in self._looked_around or monotonic() >= self._ends_at:
                return
            self._looked_around.add(self.chosen)
            self._goal.costs.ask(scouting.around(self._goal, self._pool | self.chosen, self.chosen))
            if self._bounds is not None:
                self._explore(self._bounds, 0.0, self.chosen)
            self._climb()

    def keeps_limits(self, chosen: Mask) -> bool:
        """Tell whether a set of candidates is one to be searched for."""
        limits = self._goal.limits(list(places(chosen)), tidy=self._aim.tidy)
        return all(sum(limit.amounts.values()) <= limit.most * (1 + 1e-9) for limit in limits)

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

    def seen_ways(self, question: Question) -> list[Way]:
        """Return the plans that were seen, each with what it needs."""
        if question.statement in self._goal.costs.skipped:
            return [Way(0, 0, 0.0)]
        if self._goal.is_corrected(question.statement):
            return self._corrected_ways(question)
        possible = self._pool | self.chosen | self._base
        return [
            Way(answer.used & ~self._base, 0, self._value(question, answer.cost, answer.used))
            for answer in question.decisions.cheapest_by_use()
            if not answer.used & ~possible and not answer.hidden & self._base
        ]

    def _corrected_ways(self, question: Question) -> list[Way]:
        """Return ways for a statement of which a plan is slower than it looks: a cheap one may hide it."""
        return [
            Way(
                leaf.place.needs & ~self._base,
                leaf.place.lacks & ~self._excluded,
                self._value(question, question.decisions.dearest if leaf.is_open else leaf.cost, leaf.used),
            )
            for leaf in question.decisions.leaves(self._excluded)
        ]

    def _ask_singles(self) -> None:
        """Learn what each candidate does on its own, as far as there is time for it."""
        asked = scouting.singles(self._goal, self._pool)
        began = monotonic()
        for first in range(0, len(asked), _BATCH):
            if monotonic() - began > SINGLES_FRAC * (self._ends_at - began):
                return
            self._goal.costs.ask(asked[first : first + _BATCH])

    def _climb_greedily(self) -> None:
        """Try the set that grows index by index; it takes no more time than single candidates may."""
        now = monotonic()
        until = min(now + SINGLES_FRAC * (self._ends_at - now), self._ends_at)
        pool, tidy = self._pool & ~self._base, self._aim.tidy
        self.try_set(climb(self._goal, pool, self._value, self._price, tidy=tidy, ends_at=until))

    def _climb(self) -> None:
        """Solve the program of seen plans, without the candidates that the relaxed one is sure about."""
        ways = [self.seen_ways(question) for question in self._goal.costs.questions]
        relaxed = self._relax(ways)
        if relaxed is None:
            return
        self.try_set(self._rounded(relaxed))
        room = self.value - relaxed.bound
        dear = sum(1 << item for item, more in relaxed.dearer.items() if more > room) & ~self.chosen
        left = [[way for way in group if not way.needs & dear] for group in ways]
        items = items_of(left)
        prices = {item: self._price(item) for item in items}
        program = Program(left, prices, self._goal.limits(items, tidy=self._aim.tidy))
        time_s = min(max(self._ends_at - monotonic(), 0.1), _CLIMB_S)
        gap_frac = max(self._gap_frac / 4, min(_CLIMB_FRAC, self.gap / 10))
        found = solve(program, gap_frac=gap_frac, time_limit_s=time_s, start=self.chosen)
        if found is not None:
            self.try_set(found.chosen | self._base)

    def _explore(self, bounds: Bounds, mix: float, free: Mask = 0) -> bool:
        """Ask where something better than is known may hide, at mixed prices; tell whether there was any.

        Args:
            bounds: What is known.
            mix: What the bounding program has to say about prices.
            free: Candidates that are there anyway.
        """
        ways = [self.seen_ways(question) for question in bounds.questions]
        relaxed = self._relax(ways)
        if relaxed is None:
            return False
        self._seen_bound = relaxed.bound
        charges = charges_of(relaxed)
        if self._charges is not None and mix:
            charges = charges.mixed(self._charges, mix)
        prices = Prices(charges, bounds.relevant, free)
        targets = [min(w.value + prices.of(n, w.needs) for w in group) for n, group in enumerate(ways)]
        slack = self._gap_frac / 2 / max(len(targets), 1)
        return bounds.explore(prices, targets, slack=slack, ends_at=self._ends_at)

    def _raise_bound(self, bounds: Bounds) -> None:
        """Solve the relaxed bounding program, and leave out for good what it rules out."""
        relaxed = self._relax(bounds.ways())
        if relaxed is None:
            return
        self._charges = charges_of(relaxed)
        self.try_set(self._rounded(relaxed))
        self.bound = max(self.bound, min(relaxed.bound, self._floor))
        enough = self.value - self._gap_frac / 4
        dear = sum(1 << item for item, more in relaxed.dearer.items() if relaxed.bound + more >= enough)
        gone = dear & self._pool & ~mask_of(relaxed.parts) & ~self.chosen
        if gone:
            self._floor = min(self._floor, enough)
            self._pool &= ~gone
            bounds.exclude(gone)

    def _prove(self, bounds: Bounds) -> bool:
        """Solve the bounding program with whole candidates, and ask about its set; tell whether it helped."""
        minded = self._matter
        found = self._solve_whole(bounds)
        if found is None:
            return False
        self.bound = max(self.bound, min(found.bound, self._floor))
        chosen = found.chosen | self._base
        self.try_set(chosen)
        if self.is_done:
            return True
        away = dict.fromkeys(places(self._pool), _FAR)
        prices = Prices(Charges([{} for _ in bounds.questions], away), [0] * len(bounds.questions), chosen)
        plans = [(q, q.decisions.find_or_more(chosen)) for q in bounds.questions]
        targets = [self._value(q, plan.cost, plan.used) for q, plan in plans]
        slack = self._gap_frac / 4 / max(len(targets), 1)
        explored = bounds.explore(prices, targets, slack=slack, ends_at=self._ends_at)
        return explored or minded != self._matter

    def _solve_whole(self, bounds: Bounds) -> Solution | None:
        """Solve the bounding program with whole candidates."""
        ways = bounds.ways()
        relaxed = self._relax(ways)
        time_s = min(max(self._ends_at - monotonic(), 0.1), _PROGRAM_S)
        gap_frac = max(self._gap_frac, self.gap) * _PROVE_FRAC
        # Rows about what nobody would take anyway make the program slow and its bound no better.
        self._matter |= self.chosen | (mask_of(relaxed.parts) if relaxed else 0)
        some = [[replace(way, lacks=way.lacks & self._matter) for way in group] for group in ways]
        items = items_of(some)
        limits = self._goal.limits(items, tidy=self._aim.tidy)
        program = Program(some, {item: self._price(item) for item in items}, limits)
        found = solve(program, gap_frac=gap_frac, time_limit_s=time_s, start=self.chosen)
        if found is not None:
            self._matter |= found.chosen
        return found

    def _rounded(self, relaxed: Relaxation) -> Mask:
        limits = self._goal.limits(list(relaxed.parts), tidy=self._aim.tidy)
        return rounded(relaxed.parts, limits) | self._base

    def _relax(self, ways: Sequence[Sequence[Way]]) -> Relaxation | None:
        items = list(places(self._pool | self.chosen & ~self._base))
        prices = {item: self._price(item) for item in items}
        return relax(Program(ways, prices, self._goal.limits(items, tidy=False)))

    def _value(self, question: Question, cost: float, used: Mask) -> float:
        value = self._goal.share_of(question, cost, used)
        if cost > RESCUE_FACTOR * question.decisions.least(self._excluded):
            value += self._aim.rescue_price * question.share
        return value

    def _price(self, item: int) -> float:
        goal = self._goal
        space = self._aim.space_price * goal.space_frac(item)
        return goal.upkeep_share(item) + self._aim.index_price + space
