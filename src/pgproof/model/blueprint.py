"""A blueprint: the input of a competition, kept in the user's git."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgproof.model.budget import Budget
from pgproof.model.charter import Charter
from pgproof.model.criterion import Criterion
from pgproof.model.load_phase import LoadPhase, Start
from pgproof.model.merge import MergePlan
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload


@dataclass(frozen=True, slots=True)
class Weights:
    """How points are shared out; any positive numbers, only ratios matter.

    Args:
        tests: Targets and criteria that are met.
        p95: The 95th percentile under load.
        simplicity: Few statements, objects and bytes.

    Source: the criteria users brought with a blueprint: tests 50, performance (p95) 30, simplicity 20.
    """

    tests: float = 50
    p95: float = 30
    simplicity: float = 20


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """The load under which arms are compared.

    Args:
        clients: Concurrent connections of the closed loop, >= 1.
        think_time_ms: Pause of a client between statements, >= 0.
        slice_s: Length of one slice of load on one arm, > 0.
        slices: Slices an arm gets, interleaved over the arms, >= 1.
        name: For criteria and reports; empty for the only one.
        rate: Statements that arrive a second, whether or not earlier ones were answered (open loop), > 0;
            None means that clients wait for answers (closed loop).
        phases: One after the other, in place of the same load all the time; empty means no phases.
        start: With warm caches or with cold ones.
    """

    clients: int = 2
    think_time_ms: float = 0
    slice_s: float = 1.0
    slices: int = 3
    name: str = ""
    rate: float | None = None
    phases: tuple[LoadPhase, ...] = ()
    start: Start = Start.WARM


@dataclass(frozen=True, slots=True)
class Limits:
    """Gates: an arm beyond any of these cannot win.

    Args:
        index_bytes: New index bytes allowed; None means no limit.
        write_slowdown_frac: How much slower the workload's writes may get (0.5: half as slow again).
        statement_slowdown_frac: How much slower any one statement may get (0.2).
        error_frac: Errors allowed beyond the control's.
    """

    index_bytes: int | None = None
    write_slowdown_frac: float = 0.5
    statement_slowdown_frac: float = 0.2
    error_frac: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What the owners want of some statements: the performance tests of a competition.

    Args:
        title: What they call it ("search").
        statements: Their names in the workload, at least one.
        limit_ms: Each of them stays within it, 95th percentile in the race; None sets no limit.
        faster_frac: Share of the control's time that must be gone, 0 to 1 (0.8: five times faster); None
            asks for nothing.
    """

    title: str
    statements: tuple[str, ...]
    limit_ms: float | None = None
    faster_frac: float | None = None


@dataclass(frozen=True, slots=True)
class RacePlan:
    """How long to measure.

    Args:
        time_limit_s: Budget of the race and the load together, > 0.
        min_rounds: Paired rounds before any verdict, >= 10 (below that intervals lie).
        max_rounds: Stop here in any case.
        statement_timeout_ms: A statement that takes longer is stopped and counted as an error.
        seed: Of every random choice.
        confidence: Of the verdict's intervals, 0 to 1.
    """

    time_limit_s: float = 90.0
    min_rounds: int = 10
    max_rounds: int = 300
    statement_timeout_ms: int = 60_000
    seed: int = 1
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What competes, on what, under which rules.

    Args:
        name: Of the competition.
        goal: One line: what shall get better.
        workload: What is measured.
        variants: At least one; the control is added by the competition itself.
        weights: Of the score.
        targets: What the owners want; the share that an arm meets are its points for tests.
        load: The load profile.
        limits: The gates.
        race: Length of the measurement.
        notes: What the proposer wants read; may be empty.
        version: Of this format.
        criteria: Thresholds of the owners. Those that are gates disqualify; the others are points for tests,
            beside the targets.
        further_loads: Load profiles beside ``load``.
        tests: Commands that have to succeed against each arm.
        budget: What the competition may cost.
        merge: How the winner comes into the owners' repository.
        charter: What is for people.
    """

    name: str
    goal: str
    workload: Workload
    variants: tuple[Variant, ...]
    weights: Weights = field(default_factory=Weights)
    targets: tuple[Target, ...] = ()
    load: LoadProfile = field(default_factory=LoadProfile)
    limits: Limits = field(default_factory=Limits)
    race: RacePlan = field(default_factory=RacePlan)
    notes: tuple[str, ...] = ()
    version: int = 1
    criteria: tuple[Criterion, ...] = ()
    further_loads: tuple[LoadProfile, ...] = ()
    tests: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    merge: MergePlan = field(default_factory=MergePlan)
    charter: Charter = field(default_factory=Charter)
