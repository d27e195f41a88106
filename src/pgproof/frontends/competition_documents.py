"""What ``--json`` writes of a competition: its arms, its verdict, its statements.

Field names are stable: a field may be added, never renamed or removed within a major version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pgproof.model.prediction import Predictions
from pgproof.model.trial import (
    ArmResult,
    CloneInfo,
    Competition,
    GateResult,
    ProfileLoad,
    Score,
    TargetResult,
    Verdict,
)
from pgproof.model.units import Interval


@dataclass(frozen=True, slots=True)
class ArmDocument:
    """One arm of a competition.

    Args:
        name: "control" or the variant's name.
        title: One line for humans.
        gates: All gates; empty for the control.
        gates_passed: No gate failed.
        targets: The owners' targets, then their criteria, met or not; of the control the criteria alone.
        p50_ms: Latency under concurrent load; None when the arm did not get that far.
        p95_ms: The same.
        p99_ms: The same.
        throughput_qps: Statements a second under that load.
        index_bytes: Index bytes added.
        build_ms: Time to apply its steps.
        build_wal_bytes: WAL written while applying.
        score: Points, 0 to 100; None when a gate failed and for the control.
        score_parts: How they came about.
        time_ratio: Paired time against the control; None for the control.
        interval: Of ``time_ratio``; None while there are too few rounds to say.
        verdict: Against the control.
        cpu_ratio: The same by on-CPU time.
        blks_ratio: The same by buffers.
        note: Any disagreement between the kinds of evidence.
        apply_sql: In order.
        revert_sql: In order.
        dropped: Why it left the race early; empty otherwise.
        predictions: What the planner predicted, in cost, beside what was measured, in time: by statement and
            in total; null for the control and where nothing was predicted.
        further_loads: Under the load profiles after the first one.
    """

    name: str
    title: str
    gates: tuple[GateResult, ...]
    gates_passed: bool
    targets: tuple[TargetResult, ...]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    throughput_qps: float | None
    index_bytes: int
    build_ms: float
    build_wal_bytes: int
    score: float | None
    score_parts: Score | None
    time_ratio: float | None
    interval: Interval | None
    verdict: Verdict | None
    cpu_ratio: float | None
    blks_ratio: float | None
    note: str
    apply_sql: tuple[str, ...]
    revert_sql: tuple[str, ...]
    dropped: str
    predictions: Predictions | None = None
    further_loads: tuple[ProfileLoad, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictDocument:
    """What follows from a competition.

    Args:
        winner: Name of the variant; null when undecided, void or nothing is better.
        interval: The winner's time ratio against the control (0.1: ten times faster).
        decision: One sentence: why.
        void: Nothing can be concluded (the hidden second control differed).
        rounds: Paired rounds.
        detectable_effect_frac: Smallest effect these rounds could show.
    """

    winner: str | None
    interval: Interval | None
    decision: str
    void: bool
    rounds: int
    detectable_effect_frac: float


@dataclass(frozen=True, slots=True)
class StatementDocument:
    """One statement before (control) and after (winner, else the best variant in the race).

    Args:
        name: Of the statement.
        before_ms: Median on the control.
        after_ms: Median on the other arm; None without one.
        ratio: before / after.
        rows_equal: Results equal; null where they can't be compared.
        note: How they were compared, or why not.
    """

    name: str
    before_ms: float
    after_ms: float | None
    ratio: float | None
    rows_equal: bool | None
    note: str


@dataclass(frozen=True, slots=True)
class CompetitionDocument:
    """``pgproof compete``.

    Args:
        run: Its id in the ledger: what ``deploy`` and ``report`` take.
        blueprint: Name of the blueprint.
        control: The database as it is.
        variants: By score, disqualified ones last.
        verdict: What follows.
        statements: In workload order.
        clone: How the arms were made.
        skipped: Statements that were not measured, each with the reason.
        notes: Anything else a reader must know.
        seconds: Wall time.
    """

    run: str
    blueprint: str
    control: ArmDocument
    variants: tuple[ArmDocument, ...]
    verdict: VerdictDocument
    statements: tuple[StatementDocument, ...]
    clone: CloneInfo
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float


def arm_document(arm: ArmResult) -> ArmDocument:
    """Return an arm as ``--json`` shows it."""
    load, comparison = arm.load, arm.comparison
    return ArmDocument(
        name=arm.name,
        title=arm.title,
        gates=arm.gates,
        gates_passed=arm.gates_passed,
        targets=arm.targets,
        p50_ms=load.p50_ms if load else None,
        p95_ms=load.p95_ms if load else None,
        p99_ms=load.p99_ms if load else None,
        throughput_qps=load.throughput_qps if load else None,
        index_bytes=arm.index_bytes,
        build_ms=arm.build_ms,
        build_wal_bytes=arm.build_wal_bytes,
        score=arm.score.total if arm.score else None,
        score_parts=arm.score,
        time_ratio=comparison.ratio if comparison else None,
        interval=_known(comparison.interval) if comparison else None,
        verdict=comparison.verdict if comparison else None,
        cpu_ratio=comparison.cpu_ratio if comparison else None,
        blks_ratio=comparison.blks_ratio if comparison else None,
        note=comparison.note if comparison else "",
        apply_sql=arm.apply_sql,
        revert_sql=arm.revert_sql,
        dropped=arm.dropped,
        predictions=arm.predictions,
        further_loads=arm.further_loads,
    )


def _known(interval: Interval) -> Interval | None:
    """Return an interval; None for one without end, which says that nothing is known yet."""
    return interval if math.isfinite(interval.high) else None


def verdict_document(competition: Competition) -> VerdictDocument:
    """Return what follows from a competition."""
    return VerdictDocument(
        winner=competition.winner,
        interval=competition.interval,
        decision=competition.decision,
        void=competition.void,
        rounds=competition.rounds,
        detectable_effect_frac=competition.detectable_effect_frac,
    )


def statement_documents(competition: Competition) -> tuple[StatementDocument, ...]:
    """Return each statement on the control and on the winner (else the first variant), in workload order."""
    control = competition.arm("control")
    other = competition.arm(competition.winner) if competition.winner else _first_variant(competition)
    after = {timing.statement: timing for timing in other.statements} if other else {}
    equality = {entry.statement: entry for entry in other.equality} if other else {}
    rows = []
    for before in control.statements:
        timing, entry = after.get(before.statement), equality.get(before.statement)
        rows.append(
            StatementDocument(
                name=before.statement,
                before_ms=before.median_ms,
                after_ms=timing.median_ms if timing else None,
                ratio=before.median_ms / timing.median_ms if timing and timing.median_ms else None,
                rows_equal=entry.equal if entry else None,
                note=entry.note if entry else "",
            )
        )
    return tuple(rows)


def competition_document(run: str, competition: Competition) -> CompetitionDocument:
    """Return a competition as ``--json`` shows it."""
    return CompetitionDocument(
        run=run,
        blueprint=competition.blueprint,
        control=arm_document(competition.arm("control")),
        variants=variant_documents(competition),
        verdict=verdict_document(competition),
        statements=statement_documents(competition),
        clone=competition.clone,
        skipped=competition.skipped,
        notes=competition.notes,
        seconds=competition.seconds,
    )


def variant_documents(competition: Competition) -> tuple[ArmDocument, ...]:
    """Return the variants, in the competition's order, without control and canary."""
    return tuple(arm_document(arm) for arm in competition.arms if arm.role == "variant")


def _first_variant(competition: Competition) -> ArmResult | None:
    return next((arm for arm in competition.arms if arm.role == "variant"), None)
