"""From what was measured to the competition as people read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgproof.changes import describe
from pgproof.model.blueprint import Blueprint
from pgproof.model.trial import (
    ArmResult,
    ArmRole,
    Comparison,
    Equality,
    GateResult,
    LoadResult,
    PlanPair,
    ProfileLoad,
    Score,
    StatementTiming,
    TargetResult,
)
from pgproof.model.variant import CONTROL
from pgproof.model.workload import WorkloadStatement
from pgproof.postgres.explain import render_plan
from pgproof.stages.compete.arms import BuiltArm
from pgproof.stages.compete.bootstrap import DRAWS
from pgproof.stages.compete.comparison import Rules, compare_arms
from pgproof.stages.compete.criteria import ArmFigures, judge_criteria, judge_criteria_gate
from pgproof.stages.compete.gates import (
    judge_build,
    judge_errors,
    judge_regressions,
    judge_results,
    judge_storage,
    judge_writes,
)
from pgproof.stages.compete.load_log import LoadLog, draw_p95, summarise_load
from pgproof.stages.compete.observe import Observed
from pgproof.stages.compete.predictions import compare_predictions
from pgproof.stages.compete.race import RaceOutcome
from pgproof.stages.compete.samples import Samples
from pgproof.stages.compete.score import Entry, rate_simplicity
from pgproof.stages.compete.targets import judge_targets, share_met

PLANS_SHOWN = 5

_RADIUS_IN_STANDARD_ERRORS = 3.9
"""An anytime interval's half-width after some thirty pairs, to draw from it."""


@dataclass(slots=True)
class Record:
    """All that was measured, before it is judged.

    Args:
        blueprint: What was asked for.
        arms: Control, canary, then the variants as in the blueprint; also those that could not be built.
        statements: Those that were measured, in workload order.
        equalities: By arm; empty for arms that could not be built, and for the control.
        seen: Plans, buffers, WAL.
        race: Samples and how it ended.
        logs: Of the load, by arm; arms may be missing.
        rules: Of the verdicts.
        further_logs: Of the load profiles after the first one, by their name and arm.
        comparisons: Of each arm with the control; made from the rest.
        loads: What the clients saw, by arm and profile (the first one is ""); made from the rest.
    """

    blueprint: Blueprint
    arms: tuple[BuiltArm, ...]
    statements: tuple[WorkloadStatement, ...]
    equalities: Mapping[str, tuple[Equality, ...]]
    seen: Observed
    race: RaceOutcome
    logs: Mapping[str, LoadLog]
    rules: Rules
    further_logs: Mapping[str, Mapping[str, LoadLog]] = field(default_factory=dict)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    loads: dict[str, dict[str, LoadResult]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        race = self.blueprint.race
        for profile, logs in {"": self.logs, **self.further_logs}.items():
            for name, log in logs.items():
                self.loads.setdefault(name, {})[profile] = summarise_load(log, race.seed, race.confidence)
        for arm in self.arms:
            if arm.role is not ArmRole.CONTROL and not arm.failure:
                self.comparisons[arm.name] = compare_arms(
                    self.race.samples,
                    self.statements,
                    arm.name,
                    CONTROL.name,
                    rounds=self.race.rounds,
                    rules=self.rules,
                    blocks=self.seen.blocks,
                )


def judge_gates(record: Record, arm: BuiltArm) -> tuple[GateResult, ...]:
    """Return all gates of a variant in a fixed order; only "build" for one that could not be built."""
    build = judge_build(arm)
    if not build.passed:
        return (build,)
    samples, limits, alpha = record.race.samples, record.blueprint.limits, record.rules.alpha
    criteria = judge_criteria_gate(judge_arm_criteria(record, arm))
    return (
        build,
        judge_results(record.equalities.get(arm.name, ())),
        judge_regressions(samples, record.statements, arm.name, limits, alpha),
        judge_writes(samples, record.statements, arm.name, limits, alpha, record.seen.wal),
        judge_storage(arm, limits),
        judge_errors(samples, record.statements, arm.name, limits, record.logs),
        *((criteria,) if criteria else ()),
    )


def make_entries(record: Record, gates: Mapping[str, Sequence[GateResult]]) -> tuple[Entry, ...]:
    """Return the variants that were raced as the score wants them, in blueprint order.

    p95 is the clients' under load when every variant has enough samples for an interval. Otherwise the
    race's ratio of the whole workload's time stands in for it, for all variants alike.

    Args:
        record: What was measured.
        gates: By arm.
    """
    raced = [a for a in record.arms if a.role is ArmRole.VARIANT and not a.failure]
    seed = record.blueprint.race.seed
    draws = {a.name: draw_p95(record.logs[a.name], seed) for a in raced if a.name in record.logs}
    by_load = all(a.name in draws and draws[a.name].size for a in raced)
    entries = []
    for arm in raced:
        comparison = record.comparisons[arm.name]
        if by_load:
            own = draws[arm.name]
            p95 = float(np.quantile(np.frombuffer(record.logs[arm.name].latencies_ms), 0.95))
        else:
            own, p95 = draw_ratio(comparison, seed), comparison.ratio
        entries.append(
            Entry(
                name=arm.name,
                gates_passed=all(gate.passed for gate in gates[arm.name]),
                comparison=comparison,
                p95_ms=p95,
                p95_draws_ms=own,
                simplicity=rate_simplicity(arm.variant, arm.steps, arm.index_bytes, arm.index_bytes_before),
                targets_met_frac=share_met(judge_arm_targets(record, arm)),
            )
        )
    return tuple(entries)


def judge_arm_targets(record: Record, arm: BuiltArm) -> tuple[TargetResult, ...]:
    """Return whether an arm meets the blueprint's targets, then its criteria; of the control only these."""
    if arm.failure or arm.role is ArmRole.CANARY:
        return ()
    criteria = judge_arm_criteria(record, arm)
    if arm.role is ArmRole.CONTROL:
        return criteria
    before, after = time_statements(record, CONTROL.name), time_statements(record, arm.name)
    return (*judge_targets(record.blueprint.targets, before, after), *criteria)


def judge_arm_criteria(record: Record, arm: BuiltArm) -> tuple[TargetResult, ...]:
    """Return whether an arm keeps the owners' thresholds, in their order."""
    if not record.blueprint.criteria:
        return ()
    loads = dict(record.loads.get(arm.name, {}))
    if "" in loads:
        loads[record.blueprint.load.name] = loads[""]
    figures = ArmFigures(
        timings=time_statements(record, arm.name),
        loads=loads,
        index_bytes=arm.index_bytes,
        build_ms=arm.build_ms,
        build_wal_bytes=arm.wal_bytes,
    )
    return judge_criteria(record.blueprint.criteria, figures)


def draw_ratio(comparison: Comparison, seed: int) -> NDArray[np.float64]:
    """Draw plausible values of an arm's time ratio; empty while its interval is unbounded.

    **Source**: the ratio's logarithm is about normal (delta method, see ``intervals.py``).
    """
    interval = comparison.interval
    if math.isinf(interval.high) or interval.low <= 0:
        return np.zeros(0)
    spread = math.log(interval.high / interval.low) / 2.0 / _RADIUS_IN_STANDARD_ERRORS
    # an arm's own draws, the same in every run of the same seed
    rng = np.random.default_rng([seed, *comparison.arm.encode()])
    return np.exp(rng.normal(math.log(comparison.ratio), spread, DRAWS))


def make_arm_result(
    record: Record, arm: BuiltArm, gates: Sequence[GateResult], score: Score | None
) -> ArmResult:
    """Put together all that is known of an arm."""
    changes = ", ".join(describe(change) for change in arm.variant.changes)
    return ArmResult(
        name=arm.name,
        role=arm.role,
        title=arm.variant.title or changes,
        gates=tuple(gates),
        equality=record.equalities.get(arm.name, ()),
        statements=time_statements(record, arm.name) if not arm.failure else (),
        load=record.loads.get(arm.name, {}).get(""),
        further_loads=tuple(
            ProfileLoad(profile, load) for profile, load in record.loads.get(arm.name, {}).items() if profile
        ),
        comparison=record.comparisons.get(arm.name),
        index_bytes=arm.index_bytes,
        build_ms=arm.build_ms,
        build_wal_bytes=arm.wal_bytes,
        score=score,
        apply_sql=tuple(step.sql for step in arm.steps),
        revert_sql=tuple(step.sql for step in arm.revert),
        plans=pick_plans(record, arm.name) if arm.role is ArmRole.VARIANT else (),
        dropped=record.race.dropped.get(arm.name, ""),
        targets=judge_arm_targets(record, arm),
        predictions=compare_predictions(
            record.race.samples, record.statements, arm.variant, record.rules.alpha
        )
        if not arm.failure
        else None,
    )


def time_statements(record: Record, arm: str) -> tuple[StatementTiming, ...]:
    """Return an arm's times of each statement that was measured on it, in workload order."""
    result = []
    for statement in record.statements:
        found = record.race.samples.of(arm, statement.name)
        walls = np.array([wall for sample in found for wall in sample.walls_ms])
        if not found:
            continue
        cpu = [sample.cpu_ms for sample in found if sample.cpu_ms is not None]
        result.append(
            StatementTiming(
                statement=statement.name,
                kind=statement.query.kind,
                calls=statement.calls,
                samples=int(walls.size),
                median_ms=float(np.median(walls)) if walls.size else 0.0,
                p95_ms=float(np.quantile(walls, 0.95)) if walls.size else 0.0,
                mean_ms=float(walls.mean()) if walls.size else 0.0,
                cpu_ms=float(np.mean(cpu)) if cpu and len(cpu) == len(found) else None,
                shared_blks=record.seen.blocks.get(arm, {}).get(statement.name),
                errors=sum(sample.errors for sample in found),
                timed_out=sum(sample.timed_out for sample in found),
            )
        )
    return tuple(result)


def pick_plans(record: Record, arm: str) -> tuple[PlanPair, ...]:
    """Return the plans before and after of the statements whose time changed most, most changed first."""
    changed = []
    for statement in record.statements:
        before = record.seen.plans.get(CONTROL.name, {}).get(statement.name)
        after = record.seen.plans.get(arm, {}).get(statement.name)
        factor = _factor(record.race.samples, statement.name, arm)
        if before is not None and after is not None and factor > 0:
            changed.append((factor, statement.name, before, after))
    changed.sort(key=lambda entry: (-entry[0], entry[1]))
    return tuple(
        PlanPair(name, render_plan(before), render_plan(after))
        for _, name, before, after in changed[:PLANS_SHOWN]
    )


def _factor(samples: Samples, statement: str, arm: str) -> float:
    """Return the absolute logarithm of a statement's time ratio; 0 without pairs."""
    stratum = samples.stratum(arm, CONTROL.name, statement, 1.0)
    return abs(math.log(float(np.median(stratum.arm / stratum.against)))) if stratum else 0.0
