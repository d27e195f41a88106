"""The owners' targets: the performance tests that an arm meets or misses."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.blueprint import Target
from pgproof.model.figures import percent
from pgproof.model.trial import StatementTiming, TargetResult


def judge_targets(
    targets: Sequence[Target], control: Sequence[StatementTiming], arm: Sequence[StatementTiming]
) -> tuple[TargetResult, ...]:
    """Judge each target by the race: medians against the control's, and the 95th percentile.

    Args:
        targets: Of the blueprint.
        control: The control's times.
        arm: The arm's times.

    Returns:
        One result a target, in order. A statement that was not measured misses its target.
    """
    before = {timing.statement: timing for timing in control}
    after = {timing.statement: timing for timing in arm}
    return tuple(_judge(target, before, after) for target in targets)


def share_met(results: Sequence[TargetResult]) -> float:
    """Return the share of targets and criteria that are met, 0 to 1; 1 where none are set."""
    return sum(result.met for result in results) / len(results) if results else 1.0


def _judge(
    target: Target, before: dict[str, StatementTiming], after: dict[str, StatementTiming]
) -> TargetResult:
    missed: dict[str, list[str]] = {}  # by what was wanted
    figures, unknown = [], []
    for name in target.statements:
        if name not in before or name not in after:
            unknown.append(f"{name} was not measured")
            continue
        old, new = before[name], after[name]
        faster = 1.0 - new.median_ms / old.median_ms if old.median_ms else 0.0
        change = f"{percent(abs(faster))} {'faster' if faster >= 0 else 'slower'}"
        figures.append(f"{name} {change}, p95 {new.p95_ms:.1f} ms")
        if target.faster_frac is not None and faster < target.faster_frac:
            missed.setdefault(f"{percent(target.faster_frac)} faster", []).append(figures[-1])
        elif target.limit_ms is not None and (new.p95_ms > target.limit_ms or new.timed_out):
            missed.setdefault(f"p95 within {target.limit_ms:.0f} ms", []).append(figures[-1])
    misses = [f"{'; '.join(told)}; wanted {wanted}" for wanted, told in missed.items()] + unknown
    return TargetResult(target.title, not misses, "; ".join(misses or figures))
