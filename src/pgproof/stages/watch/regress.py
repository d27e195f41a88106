"""Compare two windows of a workload: what became better, worse, new; what vanished."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgproof.model.regression import Presence, StatementShift, WorkloadShift
from pgproof.model.trial import Verdict
from pgproof.model.units import Interval
from pgproof.model.workload import StatementCounters, Workload, WorkloadStatement
from pgproof.stages.watch.welch import FEWEST_CALLS, welch_interval

WORK_RATIO = 1.5
"""Rows or buffers a call that grew or shrank by this much are told beside the verdict. Source: judgement."""


@dataclass(frozen=True, slots=True)
class ShiftLimits:
    """What counts as a difference, and as one that matters.

    Args:
        min_calls: Fewer in either window leave the verdict open; not below ``welch.FEWEST_CALLS``. Source:
            peer default (pganalyze: 50 calls).
        effect_frac: A difference counts beyond this share of the smaller mean. Source: judgement; two windows
            differ in cache, data and company, unlike the paired runs of a race, where 3 % is the margin.
        floor_ms: A difference counts beyond this mean time. Source: judgement; less than a round trip in one
            data centre, which no caller can tell.
        share_frac: A statement matters from this share of all time on. Source: judgement.
        alpha: Chance of any wrong verdict among all statements of a comparison.
    """

    min_calls: int = 50
    effect_frac: float = 0.2
    floor_ms: float = 0.1
    share_frac: float = 0.01
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.min_calls < FEWEST_CALLS:
            raise ValueError(f"min_calls is {self.min_calls}; intervals need at least {FEWEST_CALLS} calls")


def compare_windows(before: Workload, after: Workload, limits: ShiftLimits = ShiftLimits()) -> WorkloadShift:
    """Compare two windows statement by statement.

    Statements are matched by fingerprint, so a server's queryids may change in between. The chance ``alpha``
    is shared out evenly among the statements that can be compared.

    Args:
        before: The earlier window, with counters.
        after: The later one; best of the same hours of the week.
        limits: What counts.

    Returns:
        Every shape of either window once; those that added most time first.

    **Source**: sharing out alpha: Bonferroni; equivalence by interval inclusion: Schuirmann (1987), J.
    Pharmacokin. Biopharm. 15, 657.
    """
    earlier, later = _by_shape(before), _by_shape(after)
    totals = _measured_ms(earlier.values()), _measured_ms(later.values())
    comparable = sum(_enough(earlier[key], later[key], limits) for key in earlier.keys() & later.keys())
    alpha = limits.alpha / max(comparable, 1)
    shifts = [
        _shift(key, earlier.get(key), later.get(key), totals, limits, alpha) for key in {**earlier, **later}
    ]
    shifts.sort(key=lambda s: (-s.added_ms, s.name, s.fingerprint))
    return WorkloadShift(tuple(shifts), tuple(_notes(before, after)))


def judge_difference(
    difference_ms: Interval, before_ms: float, after_ms: float, limits: ShiftLimits = ShiftLimits()
) -> Verdict:
    """Return what the interval of a difference of means says.

    Args:
        difference_ms: Mean after - mean before.
        before_ms: Mean before.
        after_ms: Mean after.
        limits: The margin is the larger of ``floor_ms`` and ``effect_frac`` of the smaller mean, so that
            exchanging the windows exchanges the verdict and nothing else.
    """
    margin_ms = max(limits.floor_ms, limits.effect_frac * min(before_ms, after_ms))
    if difference_ms.low > margin_ms:
        return Verdict.WORSE
    if difference_ms.high < -margin_ms:
        return Verdict.BETTER
    return Verdict.SAME if difference_ms.within(-margin_ms, margin_ms) else Verdict.INCONCLUSIVE


def _by_shape(workload: Workload) -> dict[str, WorkloadStatement]:
    """Return the statements by fingerprint.

    Where a file names one shape twice the first wins: it carries the server's counters of the shape.
    """
    found: dict[str, WorkloadStatement] = {}
    for statement in workload.statements:
        found.setdefault(statement.query.fingerprint, statement)
    return found


def _measured_ms(statements: Iterable[WorkloadStatement]) -> float:
    return sum(s.counters.total_ms for s in statements if s.counters)


def _shift(
    fingerprint: str,
    before: WorkloadStatement | None,
    after: WorkloadStatement | None,
    totals_ms: tuple[float, float],
    limits: ShiftLimits,
    alpha: float,
) -> StatementShift:
    presence = Presence.NEW if before is None else Presence.VANISHED if after is None else Presence.BOTH
    counted = (before.counters if before else None, after.counters if after else None)
    shares = [c.total_ms / t for c, t in zip(counted, totals_ms, strict=True) if c and t > 0]
    share_frac = max(shares, default=0.0)
    verdict, difference_ms, notes = Verdict.INCONCLUSIVE, None, _only_once(presence)
    if presence is Presence.BOTH:
        verdict, difference_ms, notes = _verdict(*counted, limits, alpha)
    return StatementShift(
        fingerprint=fingerprint,
        name=next(statement.name for statement in (after, before) if statement),
        presence=presence,
        verdict=verdict,
        difference_ms=difference_ms,
        share_frac=share_frac,
        heavy=share_frac >= limits.share_frac,
        before=counted[0],
        after=counted[1],
        notes=notes,
    )


def _only_once(presence: Presence) -> tuple[str, ...]:
    missing = "earlier" if presence is Presence.NEW else "later"
    return (f"not among the statements of the {missing} window: it did not run, or others were heavier",)


def _verdict(
    before: StatementCounters | None, after: StatementCounters | None, limits: ShiftLimits, alpha: float
) -> tuple[Verdict, Interval | None, tuple[str, ...]]:
    """Return verdict, difference and notes of a statement that both windows have."""
    if before is None or after is None:
        return Verdict.INCONCLUSIVE, None, ("not measured in both windows",)
    difference_ms = welch_interval(before, after, alpha)
    changes = tuple(_changes_of_work(before, after))
    calls = min(before.calls, after.calls)
    if calls < limits.min_calls:
        reason = f"{calls:,.0f} calls in one window; fewer than {limits.min_calls} say too little"
        return Verdict.INCONCLUSIVE, difference_ms, (reason, *changes)
    if difference_ms is None:
        return Verdict.INCONCLUSIVE, None, ("the spread of its times is unknown", *changes)
    return judge_difference(difference_ms, before.mean_ms, after.mean_ms, limits), difference_ms, changes


def _enough(before: WorkloadStatement, after: WorkloadStatement, limits: ShiftLimits) -> bool:
    calls = [s.counters.calls for s in (before, after) if s.counters and s.counters.stddev_ms is not None]
    return len(calls) == 2 and min(calls) >= limits.min_calls


def _changes_of_work(before: StatementCounters, after: StatementCounters) -> Iterator[str]:
    """Yield what a call does more or less of than before: a change of work, not of speed."""
    buffers = before.shared_blks_hit + before.shared_blks_read, after.shared_blks_hit + after.shared_blks_read
    for what, was, now in (("rows", before.rows, after.rows), ("buffers", *buffers)):
        old, new = was / before.calls if before.calls else 0.0, now / after.calls if after.calls else 0.0
        ratio = new / old if old else (math.inf if new else 1.0)
        if ratio >= WORK_RATIO or ratio <= 1 / WORK_RATIO:
            yield f"{what} a call: {old:,.1f} before, {new:,.1f} after"


def _notes(before: Workload, after: Workload) -> Iterator[str]:
    if before.database and after.database and before.database != after.database:
        yield f"the windows are of different databases: {before.database} and {after.database}"
    if before.server_version and after.server_version and before.server_version != after.server_version:
        yield f"the server changed from PostgreSQL {before.server_version} to {after.server_version}"
    if before.captured_at and after.captured_at and before.captured_at >= after.captured_at:
        yield "the later window does not end after the earlier one"
    yield from (f"earlier window: {note}" for note in before.notes)
    yield from (f"later window: {note}" for note in after.notes)
