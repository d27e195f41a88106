"""Gates: what a variant must not do, however fast it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pgproof.model.blueprint import Limits
from pgproof.model.figures import percent, ratio, size, span
from pgproof.model.trial import Equality, GateResult
from pgproof.model.units import Interval
from pgproof.model.variant import CONTROL
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.arms import BuiltArm
from pgproof.stages.compete.comparison import group_ratio, statement_ratio
from pgproof.stages.compete.intervals import MIN_PAIRS, RatioEstimate
from pgproof.stages.compete.load_log import LoadLog
from pgproof.stages.compete.samples import Samples

REGRESSION_FLOOR_MS = 0.1
"""A statement may get slower by this much whatever its share: below it, a client's own clock is what is
seen."""

LOAD_ERRORS_BY_CHANCE_FRAC = 0.01
"""Deadlocks and the like come by chance under load; a difference up to this is no evidence."""

_SHOWN = 3


def judge_build(arm: BuiltArm) -> GateResult:
    """Judge whether the variant could be applied at all."""
    if arm.failure:
        return GateResult("build", False, arm.failure)
    return GateResult("build", True, f"{len(arm.steps)} steps in {arm.build_ms / 1000:.1f} s")


def judge_results(equalities: Sequence[Equality]) -> GateResult:
    """Judge whether all answers are the control's; what can't be compared is named."""
    different = [e for e in equalities if e.equal is False]
    unknown = [e for e in equalities if e.equal is None]
    if different:
        shown = "; ".join(f"{e.statement}: {e.note}" for e in different[:_SHOWN])
        return GateResult("results-equal", False, f"{len(different)} of {len(equalities)} differ: {shown}")
    equal = len(equalities) - len(unknown)
    evidence = f"{equal} of {len(equalities)} statements equal"
    if unknown:
        named = "; ".join(f"{e.statement}: {e.note}" for e in unknown[:_SHOWN])
        more = f"; and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        evidence += f"; not compared: {named}{more}"
    return GateResult("results-equal", True, evidence)


def judge_storage(arm: BuiltArm, limits: Limits) -> GateResult:
    """Judge the index bytes a variant adds."""
    figure = f"{'+' if arm.index_bytes >= 0 else ''}{size(arm.index_bytes)} of indexes"
    if limits.index_bytes is None:
        return GateResult("storage", True, f"{figure}, no limit set")
    allowed = f"{size(limits.index_bytes)} allowed"
    return GateResult("storage", arm.index_bytes <= limits.index_bytes, f"{figure}, {allowed}")


def judge_writes(
    samples: Samples,
    statements: Sequence[WorkloadStatement],
    arm: str,
    limits: Limits,
    alpha: float,
    wal: Mapping[str, Mapping[str, float]],
) -> GateResult:
    """Judge how much slower the workload's writes got.

    Args:
        samples: Of the race.
        statements: Those that were measured.
        arm: Its name.
        limits: For ``write_slowdown_frac``.
        alpha: Chance of a wrong interval.
        wal: WAL bytes one execution writes, by arm and statement; may be empty.

    Returns:
        Failed only when the whole interval lies beyond the limit.
    """
    writes = [s for s in statements if not s.query.read_only]
    if not writes:
        return GateResult("write-path", True, "no writes in the workload")
    estimate = group_ratio(samples, writes, arm, CONTROL.name, alpha)
    if estimate.pairs < MIN_PAIRS:
        return GateResult("write-path", True, f"only {estimate.pairs} pairs measured, which says nothing")
    limit = 1.0 + limits.write_slowdown_frac
    evidence = (
        f"writes take {ratio(estimate.ratio)} of the control's time ({span(estimate.interval)}), "
        f"{ratio(limit)} allowed; "
        "the commit's own flush is not in it"
    )
    return GateResult("write-path", estimate.interval.low <= limit, evidence + _wal_words(writes, arm, wal))


def _wal_words(writes: Sequence[WorkloadStatement], arm: str, wal: Mapping[str, Mapping[str, float]]) -> str:
    ours, theirs = wal.get(arm, {}), wal.get(CONTROL.name, {})
    both = [s for s in writes if s.name in ours and s.name in theirs]
    calls = sum(s.calls for s in both)
    if not calls:
        return ""
    mean = sum(s.calls * ours[s.name] for s in both) / calls
    base = sum(s.calls * theirs[s.name] for s in both) / calls
    return f"; {mean:.0f} bytes of WAL a write, {base:.0f} on the control"


def judge_regressions(
    samples: Samples, statements: Sequence[WorkloadStatement], arm: str, limits: Limits, alpha: float
) -> GateResult:
    """Judge whether any reading statement got slower than allowed, beyond doubt.

    Wall time alone may show it. Where it is too noisy to, on-CPU time may: but only of a statement that looks
    slower than allowed by wall time too.

    Args:
        samples: Of the race.
        statements: Those that were measured.
        arm: Its name.
        limits: For ``statement_slowdown_frac``.
        alpha: Chance of a wrong interval among all these statements.
    """
    reads = [s for s in statements if s.query.read_only]
    each = alpha / max(2 * len(reads), 1)  # by two clocks
    limit = 1.0 + limits.statement_slowdown_frac
    slower, worst, worst_name = [], RatioEstimate(0.0, Interval(0.0, math.inf, 1.0), 0), ""
    for statement in reads:
        wall = statement_ratio(samples, statement.name, arm, CONTROL.name, each)
        if wall.pairs and wall.ratio > worst.ratio:
            worst, worst_name = wall, statement.name
        if wall.ratio <= limit or not _counts(samples, statement, arm):
            continue
        shown = f"{statement.name} takes {ratio(wall.ratio)} of the control's time"
        cpu = statement_ratio(samples, statement.name, arm, CONTROL.name, each, cpu=True)
        if wall.interval.low > limit:
            slower.append(shown)
        elif cpu.pairs >= MIN_PAIRS and cpu.interval.low > limit:
            slower.append(f"{shown} ({ratio(cpu.ratio)} of its on-CPU time)")
    if slower:
        evidence = f"{'; '.join(slower[:_SHOWN])}; {ratio(limit)} allowed"
        return GateResult("statement-regression", False, evidence)
    if not worst_name:
        return GateResult("statement-regression", True, "no reads measured")
    evidence = f"worst is {worst_name} at {ratio(worst.ratio)} of the control's time"
    if worst.ratio > limit and math.isfinite(worst.interval.high):
        evidence += (
            f" ({span(worst.interval)}), which leaves it open whether the {ratio(limit)} allowed are kept"
        )
    return GateResult("statement-regression", True, evidence)


def may_regress(samples: Samples, statement: WorkloadStatement, arm: str, limit: float, alpha: float) -> bool:
    """Tell whether a statement looks slower than allowed, without the figures being clear yet."""
    if not statement.query.read_only or not _counts(samples, statement, arm):
        return False
    estimate = statement_ratio(samples, statement.name, arm, CONTROL.name, alpha)
    return estimate.ratio > 1.0 + limit >= estimate.interval.low


def may_slow_writes(
    samples: Samples, statements: Sequence[WorkloadStatement], arm: str, limit: float, alpha: float
) -> bool:
    """Tell whether the workload's writes look slower than allowed, without the figures being clear yet."""
    writes = [s for s in statements if not s.query.read_only]
    estimate = group_ratio(samples, writes, arm, CONTROL.name, alpha)
    return estimate.ratio > 1.0 + limit >= estimate.interval.low


def judge_errors(
    samples: Samples,
    statements: Sequence[WorkloadStatement],
    arm: str,
    limits: Limits,
    logs: Mapping[str, LoadLog],
) -> GateResult:
    """Judge the share of executions that failed or were stopped, beyond the control's: alone, and under load.

    Args:
        samples: Of the race.
        statements: Those that were measured.
        arm: Its name.
        limits: For ``error_frac``.
        logs: Of the load, by arm; arms may be missing.
    """
    ours, theirs = _failed_frac(samples, statements, arm), _failed_frac(samples, statements, CONTROL.name)
    passed = ours - theirs <= limits.error_frac
    evidence = f"{percent(ours, 1)} of executions failed or timed out, {percent(theirs, 1)} on the control"
    if arm in logs and CONTROL.name in logs:
        loaded, base = logs[arm], logs[CONTROL.name]
        passed = passed and not _has_more_errors(loaded, base, limits.error_frac)
        evidence += (
            f"; under load {percent(loaded.error_frac, 1)}, {percent(base.error_frac, 1)} on the control"
        )
    return GateResult("errors", passed, evidence)


def _has_more_errors(ours: LoadLog, theirs: LoadLog, allowed_frac: float) -> bool:
    """Tell whether an arm failed more often than chance and the limit allow.

    **Source**: two proportions with pooled variance, three standard errors: Fleiss, Levin and Paik (2003),
    "Statistical Methods for Rates and Proportions", 3.1.
    """
    ours_n, theirs_n = max(ours.attempts, 1), max(theirs.attempts, 1)
    pooled = (ours.errors + theirs.errors) / (ours_n + theirs_n)
    chance = 3.0 * math.sqrt(pooled * (1.0 - pooled) * (1.0 / ours_n + 1.0 / theirs_n))
    return ours.error_frac - theirs.error_frac > allowed_frac + max(chance, LOAD_ERRORS_BY_CHANCE_FRAC)


def _failed_frac(samples: Samples, statements: Sequence[WorkloadStatement], arm: str) -> float:
    """Return the mean over statements, so that a fast one that is run often doesn't hide a slow one."""
    shares = []
    for statement in statements:
        found = samples.of(arm, statement.name)
        runs = sum(len(s.walls_ms) + s.errors for s in found)
        if runs:
            shares.append(sum(s.errors + s.timed_out for s in found) / runs)
    return sum(shares) / len(shares) if shares else 0.0


def _counts(samples: Samples, statement: WorkloadStatement, arm: str) -> bool:
    """Tell whether the difference of the medians is more than ``REGRESSION_FLOOR_MS``."""
    stratum = samples.stratum(arm, CONTROL.name, statement.name, 1.0)
    if stratum is None:
        return False
    return float(np.median(stratum.arm) - np.median(stratum.against)) > REGRESSION_FLOOR_MS
