"""What a competition measured, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgproof.model.prediction import Predictions
from pgproof.model.query import StatementKind
from pgproof.model.units import Interval


class Verdict(StrEnum):
    """How one arm compares with another."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    INCONCLUSIVE = "inconclusive"


class ArmRole(StrEnum):
    """Why an arm is in the race."""

    CONTROL = "control"
    CANARY = "canary"
    VARIANT = "variant"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate of one arm.

    Args:
        name: "results-equal", "write-path", "storage", "statement-regression", "errors", "build", "criteria".
        passed: Whether the arm may win.
        evidence: The figure and the limit, or the statement that failed; no row values.
    """

    name: str
    passed: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Whether an arm meets one of the owners' targets or criteria.

    Args:
        title: Of the target.
        met: By all of its statements.
        evidence: The figures; of the statement furthest from it where it is missed.
        measured: The figure of a criterion, in ``unit``; None where it was not measured, and for a target.
        limit: Of a criterion, in ``unit``; None for a target.
        unit: "ms", "/s", "bytes", "share" or "count"; empty for a target.
        over_frac: How far the figure is above the limit, as a share of it (0.32: a third more; -0.5: half of
            it); None where either is unknown or the limit is 0.
        gate: The arm can't win when it misses it.
    """

    title: str
    met: bool
    evidence: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    over_frac: float | None = None
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Equality:
    """Whether a statement's results on an arm equal the control's.

    Args:
        statement: Its name.
        equal: True, False, or None where it can't be compared.
        compared_sets: Parameter sets that were compared.
        note: How it was compared, or why it can't be.
    """

    statement: str
    equal: bool | None
    compared_sets: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class StatementTiming:
    """One statement on one arm, measured in the paired race.

    Args:
        statement: Its name.
        kind: What it does.
        calls: Its weight in the workload.
        samples: Executions measured.
        median_ms: Wall time, client side.
        p95_ms: Wall time.
        mean_ms: Wall time.
        cpu_ms: Mean on-CPU time of the backend; None where not readable.
        shared_blks: Mean buffers touched; None where not read.
        errors: Executions that failed.
        timed_out: Executions stopped by the statement timeout (their time is a lower bound).
    """

    statement: str
    kind: StatementKind
    calls: float
    samples: int
    median_ms: float
    p95_ms: float
    mean_ms: float
    cpu_ms: float | None = None
    shared_blks: float | None = None
    errors: int = 0
    timed_out: int = 0


@dataclass(frozen=True, slots=True)
class LoadResult:
    """An arm under concurrent load.

    Args:
        clients: Connections that took part.
        duration_s: Seconds of load.
        samples: Statements finished.
        errors: Statements that failed, timed out or were refused.
        throughput_qps: Finished statements a second.
        p50_ms: Latency as a client sees it.
        p95_ms: Latency.
        p99_ms: Latency.
        p95_interval_ms: Block-bootstrap interval of p95; None below 300 samples.
        quantiles_ms: 101 values, the 0th to the 100th percentile, for plots; empty without samples.
    """

    clients: int
    duration_s: float
    samples: int
    errors: int
    throughput_qps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p95_interval_ms: Interval | None = None
    quantiles_ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileLoad:
    """An arm under another load profile than the first one.

    Args:
        profile: Its name.
        load: What was measured.
    """

    profile: str
    load: LoadResult


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another, paired round by round.

    Args:
        arm: Name of the arm.
        against: Name of the other.
        ratio: Time of the arm divided by the other's (0.1: ten times faster), by wall time.
        interval: Anytime-valid interval of the ratio.
        verdict: What follows.
        rounds: Paired rounds.
        cpu_ratio: The same by on-CPU time; None where not readable.
        cpu_interval: Its interval.
        blks_ratio: The same by buffers; None where not read.
        note: Any disagreement between the three kinds of evidence.
    """

    arm: str
    against: str
    ratio: float
    interval: Interval
    verdict: Verdict
    rounds: int
    cpu_ratio: float | None = None
    cpu_interval: Interval | None = None
    blks_ratio: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """An arm's points, each part 0 to 100.

    Args:
        total: Weighted sum.
        tests: 100 times the share of the owners' targets and criteria that are met; 100 where none are set.
        p95: 100 for the fastest p95 among the arms in the race, less in proportion.
        simplicity: See ``stages/compete/score.py`` for the formula.
        wins_frac: Share of bootstrap draws in which it had the most points.
    """

    total: float
    tests: float
    p95: float
    simplicity: float
    wins_frac: float


@dataclass(frozen=True, slots=True)
class PlanPair:
    """A statement's plan text before and after."""

    statement: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ArmResult:
    """All that is known of one arm.

    Args:
        name: Of its variant, or "control" / "canary".
        role: Why it was in the race.
        title: One line for humans.
        gates: All gates, passed or not; empty for control and canary.
        equality: One entry a statement; empty for the control.
        statements: One entry a statement that could be executed.
        load: Under concurrent load; None when the arm was stopped before.
        comparison: Against the control; None for the control itself.
        index_bytes: All index bytes the variant added (may be negative).
        build_ms: Time to apply its steps.
        build_wal_bytes: WAL written while applying.
        score: None when a gate failed.
        apply_sql: What was run, in order.
        revert_sql: What undoes it, in order.
        plans: Plans before and after of the statements that changed most.
        dropped: Why it was taken out of the race early, empty otherwise.
        targets: The owners' targets, then their criteria, met or not; for the control the criteria alone, so
            that one sees where one stands today; empty for the canary.
        predictions: What the planner predicted beside what was measured; None where nothing was predicted.
        further_loads: Under the load profiles after the first one, in the blueprint's order.
    """

    name: str
    role: ArmRole
    title: str
    gates: tuple[GateResult, ...] = ()
    equality: tuple[Equality, ...] = ()
    statements: tuple[StatementTiming, ...] = ()
    load: LoadResult | None = None
    comparison: Comparison | None = None
    index_bytes: int = 0
    build_ms: float = 0.0
    build_wal_bytes: int = 0
    score: Score | None = None
    apply_sql: tuple[str, ...] = ()
    revert_sql: tuple[str, ...] = ()
    plans: tuple[PlanPair, ...] = ()
    dropped: str = ""
    targets: tuple[TargetResult, ...] = ()
    predictions: Predictions | None = None
    further_loads: tuple[ProfileLoad, ...] = ()

    @property
    def gates_passed(self) -> bool:
        """Whether no gate failed."""
        return all(gate.passed for gate in self.gates)


@dataclass(frozen=True, slots=True)
class CloneInfo:
    """How the arms were made.

    Args:
        method: "template on an embedded server from pg_dump"...
        reason: Why this rung of the ladder.
        server_version: On which the arms ran.
        target_version: Of the source.
        seconds: Time to make the sealed copy.
        notes: What could not be copied, and whether it matters.
    """

    method: str
    reason: str
    server_version: str
    target_version: str
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Competition:
    """A finished competition.

    Args:
        blueprint: Its name.
        started_at: Aware.
        seconds: Wall time of the whole.
        clone: How arms were made.
        arms: Control first, then the variants by score (disqualified ones last), then the canary.
        winner: Name of the winning variant; None when undecided, void or nothing is better.
        decision: One sentence: why.
        interval: The winner's time ratio against the control; None without a winner.
        void: The canary differed from the control, or the generator was ill: nothing can be concluded.
        rounds: Paired rounds.
        detectable_effect_frac: Smallest effect these rounds could show (half-width of the canary's interval).
        seed: Of every random choice.
        skipped: Statements that were not measured, each with the reason.
        notes: Anything else a reader must know.
    """

    blueprint: str
    started_at: datetime
    seconds: float
    clone: CloneInfo
    arms: tuple[ArmResult, ...]
    winner: str | None
    decision: str
    interval: Interval | None
    void: bool
    rounds: int
    detectable_effect_frac: float
    seed: int
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def arm(self, name: str) -> ArmResult:
        """Return the arm of that name; KeyError when there is none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)
