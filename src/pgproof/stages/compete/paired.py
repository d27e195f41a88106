"""Does a variant make any statement slower? Executed in turns on two clones, more often where it looks so.

Estimates can't tell: of 90 statements of TPC-DS, a set of indexes that promised 31 % less cost made 12
slower, by up to 4.5 times. So each statement whose plan a variant changes is executed with and without it.
Most are clearly not slower after one pair; only the others are worth more. A plan that was timed is not timed
again: the next variant mostly differs in a few statements.

What counts is the time that the server process worked, which neighbours of the machine change little. Where
either plan has parallel workers, which are processes of their own, where an execution was stopped while it
waited, and where the clock can't be read, it is the time that passed, less that the server process was kept
waiting for a processor. Limits go by that time too.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from pgproof.errors import ServerError
from pgproof.model.paired import PairedTiming
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.stages.compete.intervals import Stratum, estimate_ratio
from pgproof.stages.compete.measure import Lane, is_parallel, why_not_executable
from pgproof.stages.compete.patience import stopped_after

SLOWER_FRAC = 0.15
"""Beyond that a statement counts as slower. **Source**: issue of the index advisor; CPU times of repeated
executions on a shared machine were within 5 %."""

SUSPECT_FRAC = 0.05
"""Beyond that the first pair is not trusted. **Source**: the same noise."""

MORE_PAIRS = 8
"""Further pairs of a suspect, at most; three are enough where they agree. **Source**: the anytime interval of
8 ratios with a spread of 10 % is +- 14 %, which tells 15 % slower from equal."""

ALPHA = 0.05
"""Chance that the interval of a suspect's factor leaves the truth out."""

NEAR_PAIRS = 3
"""So many further pairs are enough where, on average, nothing is lost beyond SUSPECT_FRAC. **Source**: with a
spread of 10 % between pairs, 20 % slower looks like that 1 time in 40."""

FAR_PAIRS = 2
CLEAR_FACTOR = 2.0
"""Where FAR_PAIRS further pairs all lie beyond it, no more are needed. **Source**: more than ten times the
spread of CPU times."""

CAP_FACTOR = 3.0
"""An execution that takes that many times as long as without the variant is stopped. **Source**: judgement;
how much slower than slow changes nothing about what follows."""

CAP_LEAST_MS = 1000.0

WAITED_FRAC = 0.5
"""What was stopped and had worked a smaller share of the time has waited. **Source**: judgement."""

_LEAST_MS = 1e-6
_Shape = tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """What a variant does to the statements whose plan it changes, each list in workload order.

    Args:
        timings: Of those that were executed.
        unknown: Names of those that were stopped with the variant and without: nobody knows what it does to
            them.
    """

    timings: tuple[PairedTiming, ...]
    unknown: tuple[str, ...] = ()


@dataclass
class PairedClock:
    """Times statements on a control and on arms, and remembers what they took.

    Args:
        control: A clone as the database is.
        timeout_ms: When to stop a statement on the control; 0 means never.
    """

    control: Lane
    timeout_ms: float = 60_000.0
    _known: dict[str, _Taken | None] = field(default_factory=dict)
    _plans: dict[str, Plan | None] = field(default_factory=dict)
    _timings: dict[tuple[str, _Shape], PairedTiming | None] = field(default_factory=dict)

    def compare(
        self,
        arm: Lane,
        statements: Sequence[WorkloadStatement],
        new_indexes: Iterable[str],
        progress: Progress = ignore_progress,
    ) -> PairedComparison:
        """Time the statements whose plan is another one on an arm.

        Args:
            arm: A clone with a variant.
            statements: Of the workload.
            new_indexes: Names of its indexes, as plans show them; the same name means the same index on every
                arm.
            progress: Told of each statement.

        Returns:
            What came of it; statements that can't be executed are left out.

        Raises:
            Unreachable: A clone is gone.
        """
        names = frozenset(new_indexes)
        found, unknown = [], []
        for number, statement in enumerate(statements):
            progress(f"timing {statement.name}", number, len(statements))
            if why_not_executable(statement):
                continue
            values = _values_of(statement)
            before, after = self._plan_of(statement, values), _read_plan(arm, statement, values)
            if before is None or after is None or _shape(before) == _shape(after):
                continue
            key = (statement.name, _shape(after))
            if key not in self._timings:
                by_wall = is_parallel(before) or is_parallel(after)
                self._timings[key] = self._time(arm, statement, values, by_wall=by_wall)
            timing = self._timings[key]
            if timing is None:
                continue
            if timing.was_capped and timing.is_capped:
                unknown.append(statement.name)
            else:
                found.append(replace(timing, indexes=tuple(sorted(names & after.indexes_used()))))
        return PairedComparison(tuple(found), tuple(unknown))

    def time_alone(
        self, statements: Sequence[WorkloadStatement], progress: Progress = ignore_progress
    ) -> dict[str, float]:
        """Return the milliseconds that one call of each statement takes on the control, by name.

        Statements that were stopped count with the time until then, and the work of parallel workers is left
        out; statements that can't be executed are missing.
        """
        found = {}
        for number, statement in enumerate(statements):
            progress(f"timing {statement.name}", number, len(statements))
            if not why_not_executable(statement):
                taken = self._first(statement, _values_of(statement))
                if taken is not None:
                    found[statement.name] = taken.spent_ms(by_wall=taken.is_capped)
        return found

    def _plan_of(self, statement: WorkloadStatement, values: Sequence[str | None]) -> Plan | None:
        if statement.name not in self._plans:
            self._plans[statement.name] = _read_plan(self.control, statement, values)
        return self._plans[statement.name]

    def _first(self, statement: WorkloadStatement, values: Sequence[str | None]) -> _Taken | None:
        """Return what a statement took on the control when it was first executed."""
        if statement.name not in self._known:
            self._known[statement.name] = _run(self.control, statement, values, self.timeout_ms)
        return self._known[statement.name]

    def _time(
        self, arm: Lane, statement: WorkloadStatement, values: Sequence[str | None], *, by_wall: bool
    ) -> PairedTiming | None:
        first = self._first(statement, values)
        if first is None:
            return None
        taken = _run(arm, statement, values, self._cap_ms(first))
        if taken is None:
            return None
        pairs = [_Pair(first, taken, by_wall)]
        if not first.is_capped and _Seen(pairs).factor > 1 + SUSPECT_FRAC:
            pairs += self._more(arm, statement, values, by_wall=by_wall)
        return _sum_up(statement.name, pairs)

    def _more(
        self, arm: Lane, statement: WorkloadStatement, values: Sequence[str | None], *, by_wall: bool
    ) -> Iterator[_Pair]:
        """Execute on until it is clear whether a statement is slower."""
        pairs: list[_Pair] = []
        for _ in range(MORE_PAIRS):
            before = _run(self.control, statement, values, self.timeout_ms)
            if before is None or before.is_capped:
                return
            after = _run(arm, statement, values, self._cap_ms(before))
            if after is None:
                return
            pairs.append(_Pair(before, after, by_wall))
            yield pairs[-1]
            if _Seen(pairs).is_settled:
                return

    def _cap_ms(self, before: _Taken) -> float:
        """Return when to stop an execution on an arm."""
        return self.timeout_ms if before.is_capped else max(before.wall_ms * CAP_FACTOR, CAP_LEAST_MS)


@dataclass(frozen=True, slots=True)
class _Taken:
    """One execution.

    Args:
        wall_ms: The time that passed, less that its server process waited for a processor.
        cpu_ms: The time that this process worked; None where it can't be read.
        is_capped: It was stopped.
    """

    wall_ms: float
    cpu_ms: float | None
    is_capped: bool

    def spent_ms(self, *, by_wall: bool) -> float:
        """Return what it took by one clock or the other, never nothing."""
        return max(self.wall_ms if by_wall or self.cpu_ms is None else self.cpu_ms, _LEAST_MS)


@dataclass(frozen=True, slots=True)
class _Pair:
    """An execution without and one with a variant, one after the other."""

    before: _Taken
    after: _Taken
    is_parallel: bool = False

    @property
    def by_wall(self) -> bool:
        """Whether the server processes' own time does not tell what the executions took."""
        return self.is_parallel or any(
            one.cpu_ms is None or (one.is_capped and one.cpu_ms < one.wall_ms * WAITED_FRAC)
            for one in (self.before, self.after)
        )


class _Seen:
    """What some pairs say together, all by the same clock."""

    def __init__(self, pairs: Sequence[_Pair]) -> None:
        self.by_wall = any(pair.by_wall for pair in pairs)
        self.before_ms = [pair.before.spent_ms(by_wall=self.by_wall) for pair in pairs]
        self.after_ms = [pair.after.spent_ms(by_wall=self.by_wall) for pair in pairs]
        times = Stratum(1.0, np.array(self.after_ms), np.array(self.before_ms))
        found = estimate_ratio([times], ALPHA)
        self.factor, self.interval = found.ratio, found.interval

    @property
    def is_settled(self) -> bool:
        """Whether more pairs would not change what is said."""
        return self.is_far or self.is_near or self.interval.excludes(1 + SLOWER_FRAC)

    @property
    def is_near(self) -> bool:
        """Whether it is so little slower, if at all, that nobody needs to know more."""
        return len(self.before_ms) >= NEAR_PAIRS and self.factor <= 1 + SUSPECT_FRAC

    @property
    def is_far(self) -> bool:
        """Whether it is slower by so much that two pairs are enough."""
        factors = [after / before for before, after in zip(self.before_ms, self.after_ms, strict=True)]
        return len(factors) >= FAR_PAIRS and not self.by_wall and min(factors) > CLEAR_FACTOR

    @property
    def is_slower(self) -> bool:
        """Whether it is slower by more than what may be lost, and slower at all beyond noise."""
        return self.is_far or (self.factor > 1 + SLOWER_FRAC and self.interval.low > 1.0)


def _sum_up(statement: str, pairs: Sequence[_Pair]) -> PairedTiming:
    # The first executions may have met cold caches, and the control's may be long ago.
    counted = pairs[1:] or pairs
    seen = _Seen(counted)
    return PairedTiming(
        statement=statement,
        before_ms=median(seen.before_ms),
        after_ms=median(seen.after_ms),
        pairs=len(pairs),
        clock="wall" if seen.by_wall else "cpu",
        is_slower=seen.is_slower,
        is_capped=any(pair.after.is_capped for pair in counted),
        was_capped=any(pair.before.is_capped for pair in counted),
        interval=seen.interval if math.isfinite(seen.interval.high) else None,
    )


def _run(
    lane: Lane, statement: WorkloadStatement, values: Sequence[str | None], cap_ms: float
) -> _Taken | None:
    """Execute a statement once; None where it fails."""
    queued_ms = lane.queued_ms()
    with stopped_after(lane, cap_ms):
        sample = lane.sample(statement, (ParameterSet(tuple(values)),), 0)
    if not sample.walls_ms:
        return None
    wall_ms = max(sample.walls_ms[0] - (lane.queued_ms() - queued_ms), sample.cpu_ms or 0.0)
    return _Taken(wall_ms, sample.cpu_ms, bool(sample.timed_out))


def _values_of(statement: WorkloadStatement) -> tuple[str | None, ...]:
    heaviest = max(statement.parameter_sets, key=lambda one: one.weight, default=None)
    return heaviest.values if heaviest else ()


def _read_plan(lane: Lane, statement: WorkloadStatement, values: Sequence[str | None]) -> Plan | None:
    with contextlib.suppress(ServerError):
        return lane.read_plan(statement, values, execute=False)
    if lane.session.closed:
        lane.session.value("SELECT 1")  # says that it is unreachable
    return None


def _shape(plan: Plan) -> _Shape:
    return tuple((node.node_type, node.relation, node.index, node.alias) for node in plan.root.walk())
