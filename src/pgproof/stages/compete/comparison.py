"""One arm against another: three kinds of evidence, and where they disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model import figures
from pgproof.model.trial import Comparison, Verdict
from pgproof.model.units import Interval
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.intervals import (
    MIN_PAIRS,
    PRACTICAL_MARGIN_FRAC,
    RatioEstimate,
    Stratum,
    estimate_ratio,
    judge,
)
from pgproof.stages.compete.samples import Samples

Blocks = Mapping[str, Mapping[str, float]]
"""Buffers one execution touches: by arm, then by statement."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How comparisons are judged.

    Args:
        alpha: Chance of a wrong interval, of each comparison.
        min_rounds: Rounds before any verdict.
        confidence: Of all intervals together, as shown to people.
    """

    alpha: float
    min_rounds: int
    confidence: float


def make_rules(confidence: float, variants: int, min_rounds: int) -> Rules:
    """Share the chance of error among all comparisons of a competition.

    Args:
        confidence: That no interval of the whole competition is wrong, 0 to 1.
        variants: Competing, >= 1. Each meets the control and each other variant; the canary meets the
            control.
        min_rounds: Rounds before any verdict.

    **Source**: Bonferroni's inequality.
    """
    comparisons = 1 + variants + variants * (variants - 1) // 2
    return Rules((1.0 - confidence) / comparisons, min_rounds, confidence)


def compare_arms(
    samples: Samples,
    statements: Sequence[WorkloadStatement],
    arm: str,
    against: str,
    *,
    rounds: int,
    rules: Rules,
    blocks: Blocks,
) -> Comparison:
    """Compare two arms over the workload.

    The verdict is by wall time, which is what users feel. Where wall time is too noisy to tell, on-CPU time
    and buffers together may say SAME; they never say BETTER or WORSE alone.

    Args:
        samples: Of the race so far.
        statements: Those that were measured.
        arm: Name of one arm.
        against: Name of the other.
        rounds: Finished so far.
        rules: How to judge.
        blocks: Buffers of the arms; arms and statements may be missing.
    """
    wall = _estimate(samples, statements, arm, against, rules, cpu=False)
    cpu = _estimate(samples, statements, arm, against, rules, cpu=True)
    buffers = blocks_ratio(statements, blocks.get(arm, {}), blocks.get(against, {}))
    interval = _shown(wall.interval, rules)
    ready = rounds >= rules.min_rounds and wall.pairs >= MIN_PAIRS
    verdict = judge(interval) if ready else Verdict.INCONCLUSIVE
    notes = []
    unknown = stopped_statements(samples, statements, arm, against, verdict)
    if unknown:
        notes.append(f"{verdict} can't be told: stopped by the timeout: {', '.join(unknown)}")
        verdict = Verdict.INCONCLUSIVE
    if (
        ready
        and not unknown
        and verdict is Verdict.INCONCLUSIVE
        and _same_by_the_rest(cpu, buffers, interval)
    ):
        verdict = Verdict.SAME
        notes.append("same by on-CPU time and buffers; wall time alone was too noisy to tell")
    if ready:
        notes.extend(_disagreements(verdict, cpu, buffers))
    return Comparison(
        arm=arm,
        against=against,
        ratio=wall.ratio,
        interval=interval,
        verdict=verdict,
        rounds=rounds,
        cpu_ratio=cpu.ratio if cpu.pairs else None,
        cpu_interval=_shown(cpu.interval, rules) if cpu.pairs >= MIN_PAIRS else None,
        blks_ratio=buffers,
        note="; ".join(notes),
    )


def stopped_statements(
    samples: Samples, statements: Sequence[WorkloadStatement], arm: str, against: str, verdict: Verdict
) -> list[str]:
    """Name the statements whose stopped executions forbid a verdict; empty when it stands.

    A stopped execution's time is a lower bound. It may hide how slow the arm is, so it forbids BETTER and
    SAME on the arm; on the other side it forbids WORSE and SAME.
    """
    hidden = {
        Verdict.BETTER: (arm,),
        Verdict.SAME: (arm, against),
        Verdict.WORSE: (against,),
        Verdict.INCONCLUSIVE: (),
    }[verdict]
    return [s.name for s in statements if any(samples.timed_out(side, s.name) for side in hidden)]


def statement_ratio(
    samples: Samples, statement: str, arm: str, against: str, alpha: float, *, cpu: bool = False
) -> RatioEstimate:
    """Return one statement's time ratio between two arms; an unbounded interval while little is known.

    Args:
        samples: Of the race.
        statement: Its name.
        arm: Name of one arm.
        against: Name of the other.
        alpha: Chance of a wrong interval.
        cpu: Of on-CPU time instead of wall time.
    """
    stratum = samples.stratum(arm, against, statement, 1.0, cpu)
    return estimate_ratio([stratum] if stratum else [], alpha)


def group_ratio(
    samples: Samples, statements: Sequence[WorkloadStatement], arm: str, against: str, alpha: float
) -> RatioEstimate:
    """Return the time ratio of a group of statements (the workload's writes, say), weighted by calls."""
    return estimate_ratio(_strata(samples, statements, arm, against, cpu=False), alpha)


def blocks_ratio(
    statements: Sequence[WorkloadStatement], arm: Mapping[str, float], against: Mapping[str, float]
) -> float | None:
    """Return the ratio of buffers touched, weighted by calls; None where some were not read on both arms."""
    if any(s.name not in arm or s.name not in against for s in statements):
        return None
    theirs = sum(s.calls * against[s.name] for s in statements)
    return sum(s.calls * arm[s.name] for s in statements) / theirs if theirs > 0 else None


def _estimate(
    samples: Samples,
    statements: Sequence[WorkloadStatement],
    arm: str,
    against: str,
    rules: Rules,
    *,
    cpu: bool,
) -> RatioEstimate:
    strata = _strata(samples, statements, arm, against, cpu=cpu)
    if len(strata) < sum(1 for s in statements if samples.pairs(arm, against, s.name)):
        strata = []  # on-CPU time of some statement is missing: a partial sum would compare something else
    estimate = estimate_ratio(strata, rules.alpha)
    missing = any(samples.pairs(arm, against, s.name) < MIN_PAIRS for s in statements)
    if missing:
        return RatioEstimate(
            estimate.ratio, Interval(0.0, math.inf, 1 - rules.alpha), 0 if cpu else estimate.pairs
        )
    return estimate


def _strata(
    samples: Samples, statements: Sequence[WorkloadStatement], arm: str, against: str, *, cpu: bool
) -> list[Stratum]:
    found = (samples.stratum(arm, against, s.name, s.calls, cpu) for s in statements)
    return [stratum for stratum in found if stratum is not None]


def _shown(interval: Interval, rules: Rules) -> Interval:
    """Return the interval with the confidence that holds for all comparisons together."""
    return Interval(interval.low, interval.high, rules.confidence)


def _same_by_the_rest(cpu: RatioEstimate, buffers: float | None, wall: Interval) -> bool:
    return (
        cpu.pairs >= MIN_PAIRS
        and judge(cpu.interval) is Verdict.SAME
        and not wall.excludes(1.0)
        and buffers is not None
        and abs(buffers - 1.0) <= PRACTICAL_MARGIN_FRAC
    )


def _disagreements(verdict: Verdict, cpu: RatioEstimate, buffers: float | None) -> list[str]:
    """Say where on-CPU time or buffers tell another story than the verdict."""
    notes = []
    if cpu.pairs >= MIN_PAIRS:
        by_cpu = judge(cpu.interval)
        if {verdict, by_cpu} == {Verdict.BETTER, Verdict.WORSE}:
            notes.append(f"on-CPU time says {by_cpu}, wall time says {verdict}")
        elif verdict is Verdict.INCONCLUSIVE and by_cpu in (Verdict.BETTER, Verdict.WORSE):
            notes.append(f"on-CPU time says {by_cpu} ({figures.ratio(cpu.ratio)}), wall time can't tell yet")
    if buffers is not None and verdict is Verdict.BETTER and buffers > 1.0 + PRACTICAL_MARGIN_FRAC:
        notes.append(
            f"faster, but touches {figures.ratio(buffers)} of the control's buffers: "
            "slower where they are not cached"
        )
    if buffers is not None and verdict is Verdict.WORSE and buffers < 1.0 - PRACTICAL_MARGIN_FRAC:
        notes.append(f"slower here, but touches only {figures.ratio(buffers)} of the control's buffers")
    return notes
