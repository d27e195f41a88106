"""The race: short rounds, every statement on all arms in random order, until the figures are clear.

What slows the machine for a moment slows neighbours in time alike. That is why arms take turns within
milliseconds, with the same values, and are compared pair by pair.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pgproof.errors import Unreachable
from pgproof.model.blueprint import Blueprint
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.trial import Comparison, Verdict
from pgproof.model.variant import CANARY, CONTROL
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.comparison import Rules, compare_arms
from pgproof.stages.compete.gates import may_regress, may_slow_writes
from pgproof.stages.compete.measure import Lane
from pgproof.stages.compete.observe import Observed, lost_connection
from pgproof.stages.compete.placement import Placement
from pgproof.stages.compete.samples import Samples
from pgproof.stages.compete.schedule import Schedule, fitting_timeout_ms

WISHED_ROUNDS = 30
"""Into so many rounds the time is divided; where a pass over the workload is shorter, there are more."""

MIN_ROUND_MS = 50.0

WARM_UP_FRAC = 0.1
"""Share of the race's time that warming up may take."""

WARM_UP_ROUNDS = 3

HOPELESS_RATIO = 3.0
"""An arm this much slower than the control is taken out as soon as verdicts are allowed."""

SPARED_FACTOR = 2.0
"""An execution is never stopped before this many times what the fastest arm took, seen before the race.

Source: judgement. A stopped execution forbids the verdict "better", so a statement that is slow everywhere
has to be let through; one that is slow on some arms only is stopped there, at little cost in what is known.
"""

_PASSES_FRAC = 0.6
_LOOK_COST_FRAC = 0.1


@dataclass(slots=True)
class RaceOutcome:
    """A finished race.

    Args:
        samples: All that was measured.
        rounds: Finished.
        dropped: Arms taken out early, each with the reason.
        stopped: Why it ended.
        timeout_ms: After which executions were stopped, but for statements that are slow on every arm.
        shortage: How many times the race's time it takes to give every statement the turns it needs; at most
            1 where the time was enough.
    """

    samples: Samples
    rounds: int
    dropped: dict[str, str]
    stopped: str
    timeout_ms: int
    shortage: float = 0.0


def run_race(
    lanes: Sequence[Lane],
    blueprint: Blueprint,
    statements: Sequence[WorkloadStatement],
    seen: Observed,
    rules: Rules,
    *,
    time_limit_s: float,
    settle: bool = True,
    barred: Collection[str] = (),
    progress: Progress = ignore_progress,
    clock: Callable[[], float] = time.monotonic,
) -> RaceOutcome:
    """Let the arms take turns until every verdict is settled or time is up.

    Args:
        lanes: The arms; control and canary are among them.
        blueprint: Weights, limits and length of the race.
        statements: Those that can be measured; at least one.
        seen: From `observe_arms`.
        rules: How to judge.
        time_limit_s: Of the race alone.
        settle: Stop as soon as the figures are clear; False uses all the time and drops nobody.
        barred: Arms that can't win any more for another reason; they are measured, but nothing waits for
            their verdict.
        progress: Told how much time has gone.
        clock: Seconds from any start; a race that is played back from its samples has a clock of its own.

    Raises:
        TrialFailed: An arm's connection was lost.
    """
    race = _Race(lanes, blueprint, statements, seen, rules, time_limit_s, settle, barred, progress, clock)
    return race.run()


class _Race:
    """The state of a running race."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        blueprint: Blueprint,
        statements: Sequence[WorkloadStatement],
        seen: Observed,
        rules: Rules,
        time_limit_s: float,
        settle: bool,
        barred: Collection[str],
        progress: Progress,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._live = {lane.arm: lane for lane in lanes}
        self._blueprint = blueprint
        self._statements = tuple(statements)
        self._seen = seen
        self._rules = rules
        self._limit_s = time_limit_s
        self._settle = settle
        self._barred = {CONTROL.name, CANARY.name, *barred}
        self._progress = progress
        self._random = random.Random(blueprint.race.seed)
        pids = [lane.server_pid for lane in lanes if lane.server_pid is not None]
        self._placement = Placement(pids if len(pids) == len(lanes) else (), blueprint.race.seed)
        self._samples = Samples()
        self._dropped: dict[str, str] = {}
        costs = [seen.cost_ms[arm][s.name] for arm in self._live for s in self._statements]
        ceiling = blueprint.race.statement_timeout_ms or 1000.0 * time_limit_s
        budget_ms = 1000.0 * time_limit_s * _PASSES_FRAC
        self._timeout_ms = int(fitting_timeout_ms(costs, budget_ms, ceiling))
        self._timeouts_ms = {s.name: self._timeout_of(s.name, ceiling) for s in self._statements}
        self._schedule = Schedule(
            self._statements,
            self._mean_costs(),
            arms=len(self._live),
            round_ms=max(MIN_ROUND_MS, 1000.0 * time_limit_s / WISHED_ROUNDS),
            seed=blueprint.race.seed,
        )

    def run(self) -> RaceOutcome:
        started = self._clock()
        self._warm_up(started)
        rounds, looked_at, look_s = 0, self._clock(), 0.0
        stopped = ""
        while not stopped:
            self._run_round(rounds, self._samples)
            rounds += 1
            spent = self._clock() - started
            self._progress("racing", min(spent, self._limit_s), self._limit_s)
            # Judging costs time too: look again only once ten times as much was spent on measuring.
            if self._clock() - looked_at >= look_s / _LOOK_COST_FRAC and self._settle:
                began = self._clock()
                stopped = self._look(rounds)
                looked_at = self._clock()
                look_s = looked_at - began
            stopped = stopped or self._out_of_budget(rounds, spent)
        shortage = self._schedule.wanted_ms() / 1000.0 / max(self._limit_s, 0.001)
        return RaceOutcome(self._samples, rounds, self._dropped, stopped, self._timeout_ms, shortage)

    def _out_of_budget(self, rounds: int, spent_s: float) -> str:
        if rounds >= self._blueprint.race.max_rounds:
            return f"the limit of {rounds} rounds was reached"
        return "time was up" if spent_s >= self._limit_s else ""

    def _warm_up(self, started: float) -> None:
        """Run rounds that don't count until two of them take about the same time, or a cap is reached.

        A slow workload is warm already: its answers were compared and its plans read on every arm.
        """
        pass_ms = sum(self._mean_costs().values()) * len(self._live)
        before = 0.0
        for position in range(WARM_UP_ROUNDS):
            began = self._clock()
            if began - started + pass_ms / 1000.0 > self._limit_s * WARM_UP_FRAC:
                break
            self._run_round(position, Samples())
            took = self._clock() - began
            if before and abs(took / before - 1.0) < WARM_UP_FRAC:
                break
            before = took
        self._schedule.restart()

    def _run_round(self, number: int, into: Samples) -> None:
        """Run one round: each statement on all arms in random order, right after one another."""
        for item in self._schedule.next_round():
            order = list(self._live.values())
            self._random.shuffle(order)
            self._placement.next_turn()
            spent = []
            for lane in order:
                try:
                    lane.set_timeout(self._timeouts_ms[item.statement.name])
                    sample = lane.sample(item.statement, item.sets, number)
                except Unreachable as error:
                    raise lost_connection(lane, error) from error
                into.add(sample)
                if sample.walls_ms:
                    spent.append(sample.wall_ms)
            if spent:
                self._schedule.learn(item.statement.name, sum(spent) / len(spent))

    def _timeout_of(self, statement: str, ceiling_ms: float) -> int:
        """Return after how many ms a statement is stopped: late enough for the arm it suits best."""
        fastest_ms = min(self._seen.cost_ms[arm][statement] for arm in self._live)
        if math.isinf(fastest_ms):
            return self._timeout_ms
        return int(min(max(self._timeout_ms, SPARED_FACTOR * fastest_ms), ceiling_ms))

    def _mean_costs(self) -> dict[str, float]:
        return {
            s.name: sum(min(self._seen.cost_ms[arm][s.name], self._timeouts_ms[s.name]) for arm in self._live)
            / len(self._live)
            for s in self._statements
        }

    def _compare(self, arm: str, against: str, rounds: int) -> Comparison:
        return compare_arms(
            self._samples,
            self._statements,
            arm,
            against,
            rounds=rounds,
            rules=self._rules,
            blocks=self._seen.blocks,
        )

    def _look(self, rounds: int) -> str:
        """Drop who can't win any more; return why the race may end, empty when it must go on."""
        if rounds < self._rules.min_rounds:
            return ""
        variants = [arm for arm in self._live if arm not in self._barred]
        by_control = {arm: self._compare(arm, CONTROL.name, rounds) for arm in variants}
        leader = min(variants, key=lambda arm: by_control[arm].ratio, default=None)
        if leader is None:
            return "no variant that may win is left"
        rivals = {arm: self._compare(arm, leader, rounds) for arm in variants if arm != leader}
        for arm, reason in find_hopeless(by_control, rivals, leader, self._blueprint).items():
            self._dropped[arm] = reason
            del self._live[arm], by_control[arm]
            rivals.pop(arm, None)
        settled = [*by_control.values(), *rivals.values()]
        if any(c.verdict is Verdict.INCONCLUSIVE for c in settled):
            return ""
        better = [arm for arm, c in by_control.items() if c.verdict is Verdict.BETTER]
        if any(self._may_regress(arm) for arm in better):
            return ""
        return "every verdict was settled"

    def _may_regress(self, arm: str) -> bool:
        limits, alpha = self._blueprint.limits, self._rules.alpha
        each = alpha / len(self._statements)
        return may_slow_writes(
            self._samples, self._statements, arm, limits.write_slowdown_frac, alpha
        ) or any(
            may_regress(self._samples, s, arm, limits.statement_slowdown_frac, each) for s in self._statements
        )


def find_hopeless(
    by_control: Mapping[str, Comparison],
    by_leader: Mapping[str, Comparison],
    leader: str,
    blueprint: Blueprint,
) -> dict[str, str]:
    """Find the arms that can't win any more.

    A slower arm may still win on simplicity, so being behind is not enough: it must have lost more points on
    speed than simplicity can give.

    Args:
        by_control: Each live variant against the control.
        by_leader: Each but the leader against the leader.
        leader: The fastest.
        blueprint: For the weights.

    Returns:
        Arm and reason; empty when none. Never the leader while it may still win.
    """
    weights = blueprint.weights
    room = 1.0 - weights.simplicity / weights.p95 if weights.p95 > 0 else 0.0
    found = {}
    for arm, comparison in by_control.items():
        if comparison.verdict is Verdict.WORSE and comparison.interval.low > HOPELESS_RATIO:
            found[arm] = f"more than {HOPELESS_RATIO:.0f} times slower than the control"
        elif arm != leader and room > 0 and by_control[leader].verdict is Verdict.BETTER:
            behind = by_leader[arm]
            if behind.verdict is Verdict.WORSE and behind.interval.low > 1.0 / room:
                found[arm] = f"at least {behind.interval.low:.1f} times slower than {leader}"
    return found
