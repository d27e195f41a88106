"""Trials: sets of indexes really built on a clone, to see whether they make any statement slower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pgproof.config import Settings
from pgproof.errors import TrialFailed
from pgproof.model.candidate import Correction
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.paired import PairedTiming
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.statistics_advice import StatisticsAdvice, StatisticsCheck
from pgproof.model.trial import ArmRole
from pgproof.model.variant import Variant
from pgproof.model.workload import StatementCounters, Workload, WorkloadStatement
from pgproof.postgres.session import open_session
from pgproof.stages.compete.arms import BuiltArm, build_arm, can_turn, turn_arm
from pgproof.stages.compete.clones import EmbeddedClones, open_clones
from pgproof.stages.compete.measure import Lane
from pgproof.stages.compete.paired import PairedClock
from pgproof.stages.estimate.executed_plans import execute_plans
from pgproof.stages.estimate.statistics_check import check_statistics

PLAN_TIMEOUT_MS = 10_000
"""Statements that take longer are not executed for the sake of statistics. **Source**: judgement."""

TIMEOUT_MS = 60_000.0
"""Statements that take longer as the database is are left out of trials. **Source**: that of a race."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a variant on a clone.

    Args:
        timings: Of the statements whose plan it changes, in workload order.
        index_bytes: What each of its new indexes takes once built, by name.
        unknown: Statements whose plan it changes that were stopped with it and without, in workload order.
    """

    timings: tuple[PairedTiming, ...] = ()
    index_bytes: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


class Trials:
    """A control clone, and another one for the variants, one at a time; made by `open_trials`."""

    def __init__(
        self, host: EmbeddedClones, catalog: Catalog, workload: Workload, control: Lane, progress: Progress
    ) -> None:
        self._host = host
        self._control = control
        self._catalog = catalog
        self._workload = workload
        self._clock = PairedClock(control, TIMEOUT_MS)
        self._progress = progress
        self._count = 0
        self._arm: BuiltArm | None = None

    def execute_plans(self) -> Mapping[str, tuple[Plan, ...]]:
        """Return executed plans of statements as the database is, by name, without those that take long."""
        self._control.set_timeout(PLAN_TIMEOUT_MS)
        return execute_plans(self._control.session, self._workload, progress=self._progress)[0]

    def try_statistics(self, advice: Sequence[StatisticsAdvice]) -> tuple[StatisticsCheck, ...]:
        """Make statistics on a clone of its own, and see what they change."""
        self._drop_arm()
        self._count += 1
        name = f"trial_{self._count}"
        dsn = self._host.make(name)
        try:
            with open_session(dsn, read_only=False, statement_timeout_ms=PLAN_TIMEOUT_MS) as session:
                return check_statistics(session, self._workload, advice, progress=self._progress)
        finally:
            self._host.drop(name)

    def weigh(self, workload: Workload) -> Workload:
        """Return a workload whose statements have a time: measured here, unless the server measured any.

        Cost stands for time badly: one statement of TPC-H has 13 % of the cost and 64 % of the time.
        """
        if any(s.counters is not None and s.counters.total_ms > 0 for s in workload.statements):
            return workload
        times_ms = self._clock.time_alone(workload.statements, self._progress)
        weighed = (_timed(s, times_ms[s.name]) if s.name in times_ms else s for s in workload.statements)
        return replace(workload, statements=tuple(weighed))

    def measure(self, variant: Variant) -> Tried:
        """Build a variant on a clone and time the statements whose plan it changes.

        Raises:
            TrialFailed: It can't be built there.
        """
        arm = self._build(variant)
        if arm.failure:
            raise TrialFailed(
                f"The variant {variant.name} can't be built on a clone: {arm.failure}.",
                hint="Advise without measuring, or leave out what can't be built.",
            )
        new = {
            (change.table.schema, change.name): change.name
            for change in variant.changes
            if isinstance(change, CreateIndex)
        }
        with Lane(variant.name, arm.dsn, int(TIMEOUT_MS)) as lane:
            built = lane.session.query("built_indexes")
            comparison = self._clock.compare(lane, self._workload.statements, new.values(), self._progress)
        places = [((row.schema_name, row.index_name), int(row.size_bytes)) for row in built]
        sizes = {new[place]: size_bytes for place, size_bytes in places if place in new}
        return Tried(comparison.timings, sizes, comparison.unknown)

    def _build(self, variant: Variant) -> BuiltArm:
        """Build a variant where the last one stands, if that is possible, else on a clone of its own."""
        if self._arm is not None and can_turn(self._arm, variant):
            self._arm = turn_arm(self._arm, variant, self._catalog, self._progress)
            return self._arm
        self._drop_arm()
        self._count += 1
        name = f"trial_{self._count}"
        self._arm = build_arm(self._host, variant, ArmRole.VARIANT, name, self._catalog, self._progress)
        return self._arm

    def _drop_arm(self) -> None:
        if self._arm is not None:
            self._host.drop(self._arm.clone)
            self._arm = None


def _timed(statement: WorkloadStatement, time_ms: float) -> WorkloadStatement:
    calls = statement.calls
    return replace(statement, counters=StatementCounters(calls, total_ms=calls * time_ms, rows=calls))


@contextmanager
def open_trials(
    settings: Settings, dsn: str, workload: Workload, progress: Progress = ignore_progress
) -> Iterator[Trials]:
    """Copy the database and stand ready to try variants on it.

    Args:
        settings: Home and binaries.
        dsn: Of the database; only read.
        workload: Whose statements are timed.
        progress: Told what is being done.

    Raises:
        Unreachable, CapabilityMissing: The database can't be read.
        EmbeddedServerError, TrialFailed: It can't be copied.
    """
    with (
        open_clones(
            dsn, home=settings.home, arms=2, writes=False, clone_bindir=settings.bindir, progress=progress
        ) as (host, catalog),
        Lane("control", host.make("control"), int(TIMEOUT_MS)) as control,
    ):
        yield Trials(host, catalog, workload, control, progress)


def corrections_of(timings: tuple[PairedTiming, ...]) -> tuple[Correction, ...]:
    """Return what a trial taught: the statements it made slower, with the new indexes of their plans."""
    return tuple(
        Correction(timing.statement, frozenset(timing.indexes), timing.factor)
        for timing in timings
        if timing.is_slower and timing.indexes
    )
