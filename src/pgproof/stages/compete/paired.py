"""Does a variant make any statement slower? Executed in turns on two clones, more often where it looks so.

Estimates can't tell: of 90 statements of TPC-DS, a set of indexes that promised 31 % less cost made 12
slower, by up to 4.5 times. So each statement whose plan a variant changes is executed with and without it.
Most are clearly not slower after one pair; only the others are worth more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from pgproof.errors import ServerError
from pgproof.model.paired import PairedTiming
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.stages.compete.measure import Lane, is_parallel, why_not_executable

SLOWER_FRAC = 0.15
"""Beyond that a statement counts as slower. **Source**: issue of the index advisor; CPU times of repeated
executions on a shared machine were within 5 %."""

SUSPECT_FRAC = 0.05
"""Beyond that the first pair is not trusted. **Source**: the same noise."""

MORE_PAIRS = 4
"""Further pairs of a suspect. **Source**: five pairs that all point one way have a chance of 1 in 32."""

CAP_FACTOR = 4.0
"""An execution that takes that many times as long as without the variant is stopped."""

CAP_LEAST_MS = 1000.0


@dataclass
class PairedClock:
    """Times statements on a control and remembers what they took.

    Args:
        control: A clone as the database is.
        timeout_ms: Statements that take longer on the control are left out; 0 means none.
    """

    control: Lane
    timeout_ms: float = 60_000.0
    _known: dict[str, _Taken | None] = field(default_factory=dict)
    _plans: dict[str, Plan | None] = field(default_factory=dict)

    def compare(
        self,
        arm: Lane,
        statements: Sequence[WorkloadStatement],
        new_indexes: Iterable[str],
        progress: Progress = ignore_progress,
    ) -> tuple[PairedTiming, ...]:
        """Time the statements whose plan is another one on an arm.

        Args:
            arm: A clone with a variant.
            statements: Of the workload.
            new_indexes: Names of its indexes, as plans show them.
            progress: Told of each statement.

        Returns:
            In workload order. Statements whose plan is the same, that can't be executed, or that take too
            long without the variant are left out.

        Raises:
            Unreachable: A clone is gone.
        """
        names = frozenset(new_indexes)
        found = []
        for number, statement in enumerate(statements):
            progress(f"timing {statement.name}", number, len(statements))
            if why_not_executable(statement):
                continue
            values = _values_of(statement)
            before, after = self._plan_of(statement, values), _read_plan(arm, statement, values)
            if before is None or after is None or _shape(before) == _shape(after):
                continue
            used = tuple(sorted(names & after.indexes_used()))
            # Workers are processes of their own: the clock of a session's processor misses them.
            by_wall = is_parallel(before) or is_parallel(after)
            timing = self._time(arm, statement, values, used, by_wall=by_wall)
            if timing is not None:
                found.append(timing)
        return tuple(found)

    def _plan_of(self, statement: WorkloadStatement, values: Sequence[str | None]) -> Plan | None:
        if statement.name not in self._plans:
            self._plans[statement.name] = _read_plan(self.control, statement, values)
        return self._plans[statement.name]

    def _time(
        self,
        arm: Lane,
        statement: WorkloadStatement,
        values: Sequence[str | None],
        used: tuple[str, ...],
        *,
        by_wall: bool,
    ) -> PairedTiming | None:
        if statement.name not in self._known:
            self._known[statement.name] = _run(self.control, statement, values, self.timeout_ms)
        first = self._known[statement.name]
        if first is None or first.is_capped:
            return None
        cap_ms = max(first.wall_ms * CAP_FACTOR, CAP_LEAST_MS)
        taken = _run(arm, statement, values, cap_ms)
        if taken is None:
            return None
        pairs = [(first, taken)]
        # What was stopped may have waited rather than worked.
        by_wall = by_wall or taken.is_capped or first.cpu_ms is None or taken.cpu_ms is None
        if taken.spent_ms(by_wall) > first.spent_ms(by_wall) * (1 + SUSPECT_FRAC):
            pairs += self._more(arm, statement, values, cap_ms)
        # The first executions may have met cold caches.
        counted = pairs[1:] or pairs
        before_ms = median(one.spent_ms(by_wall) for one, _ in counted)
        after_ms = median(other.spent_ms(by_wall) for _, other in counted)
        points = [other.spent_ms(by_wall) > one.spent_ms(by_wall) for one, other in pairs]
        return PairedTiming(
            statement=statement.name,
            before_ms=before_ms,
            after_ms=after_ms,
            pairs=len(pairs),
            clock="wall" if by_wall else "cpu",
            indexes=used,
            is_slower=all(points) and after_ms > before_ms * (1 + SLOWER_FRAC),
            is_capped=any(other.is_capped for _, other in counted),
        )

    def _more(
        self, arm: Lane, statement: WorkloadStatement, values: Sequence[str | None], cap_ms: float
    ) -> Iterator[tuple[_Taken, _Taken]]:
        for _ in range(MORE_PAIRS):
            before = _run(self.control, statement, values, self.timeout_ms)
            after = _run(arm, statement, values, cap_ms)
            if before is None or after is None:
                return
            yield before, after


@dataclass(frozen=True, slots=True)
class _Taken:
    wall_ms: float
    cpu_ms: float | None
    is_capped: bool

    def spent_ms(self, by_wall: bool) -> float:
        """Return what it took by one clock or the other."""
        return self.wall_ms if by_wall or self.cpu_ms is None else self.cpu_ms


def _run(
    lane: Lane, statement: WorkloadStatement, values: Sequence[str | None], cap_ms: float
) -> _Taken | None:
    """Execute a statement once; None where it fails."""
    lane.set_timeout(int(cap_ms))
    sample = lane.sample(statement, (ParameterSet(tuple(values)),), 0)
    if not sample.walls_ms:
        return None
    return _Taken(sample.walls_ms[0], sample.cpu_ms, bool(sample.timed_out))


def _values_of(statement: WorkloadStatement) -> tuple[str | None, ...]:
    heaviest = max(statement.parameter_sets, key=lambda one: one.weight, default=None)
    return heaviest.values if heaviest else ()


def _read_plan(lane: Lane, statement: WorkloadStatement, values: Sequence[str | None]) -> Plan | None:
    with contextlib.suppress(ServerError):
        return lane.read_plan(statement, values, execute=False)
    if lane.session.closed:
        lane.session.value("SELECT 1")  # says that it is unreachable
    return None


def _shape(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    return tuple((node.node_type, node.relation, node.index) for node in plan.root.walk())
