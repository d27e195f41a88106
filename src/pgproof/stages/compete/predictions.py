"""Was the planner right? What it predicted of a variant, beside what the race measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pgproof.model.prediction import Exactness, Predictions, StatementPrediction
from pgproof.model.units import Interval
from pgproof.model.variant import CONTROL, Variant
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.comparison import statement_ratio
from pgproof.stages.compete.intervals import winsorise
from pgproof.stages.compete.samples import Samples


def compare_predictions(
    samples: Samples, statements: Sequence[WorkloadStatement], variant: Variant, alpha: float
) -> Predictions | None:
    """Put what was predicted of a variant beside what it did.

    A statement's measured change is that of its time ratio, and a total is weighted as the verdict weighs
    it: where all statements are compared, it is the change that the verdict is about.

    Args:
        samples: Of the race.
        statements: Those that were measured; others are left out, whatever was predicted.
        variant: With what was predicted; an arm of that name may have no samples.
        alpha: Chance of a wrong interval, of each statement.

    Returns:
        None where nothing was predicted.
    """
    if not variant.expected:
        return None
    costs = {expected.statement: expected.cost_frac for expected in variant.expected}
    times_ms = {s.name: _time_ms(samples, s, variant.name) for s in statements}
    total_ms = math.fsum(filter(None, times_ms.values()))
    rows = [
        _measure(samples, s.name, variant.name, costs.get(s.name), _share(times_ms[s.name], total_ms), alpha)
        for s in statements
    ]
    rows.sort(key=lambda row: row.weight_frac or 0.0, reverse=True)  # stable: unmeasured ones as they stood
    return _sum_up(rows)


def _time_ms(samples: Samples, statement: WorkloadStatement, arm: str) -> float | None:
    """Return what all calls of a statement take on the control, in the rounds that the arm took part in."""
    stratum = samples.stratum(arm, CONTROL.name, statement.name, statement.calls)
    return None if stratum is None else stratum.weight * float(np.mean(winsorise(stratum.against)))


def _measure(
    samples: Samples, statement: str, arm: str, cost: float | None, weight_frac: float | None, alpha: float
) -> StatementPrediction:
    predicted = None if cost is None else cost - 1.0
    if weight_frac is None:
        return StatementPrediction(statement, None, predicted, None)
    exactness = _exactness(samples, statement, arm)
    found = statement_ratio(samples, statement, arm, CONTROL.name, alpha)
    low, high = found.interval.low - 1.0, found.interval.high - 1.0
    return StatementPrediction(
        statement,
        weight_frac=weight_frac,
        cost_change_frac=predicted,
        time_change_frac=None if exactness is None else found.ratio - 1.0,
        exactness=exactness or Exactness.EXACT,
        interval=Interval(low, high, 1.0 - alpha) if exactness is not None and math.isfinite(high) else None,
    )


def _share(part: float | None, whole: float) -> float | None:
    return None if part is None else part / whole


def _exactness(samples: Samples, statement: str, arm: str) -> Exactness | None:
    """Return what a measured change says; None where it says nothing, as both sides were stopped."""
    sides = (samples.timed_out(arm, statement), samples.timed_out(CONTROL.name, statement))
    return {
        (False, False): Exactness.EXACT,
        (True, False): Exactness.AT_LEAST,
        (False, True): Exactness.AT_MOST,
    }.get(sides)


def _sum_up(rows: Sequence[StatementPrediction]) -> Predictions:
    compared = [row for row in rows if row.error_frac is not None]
    if not compared:
        return Predictions(tuple(rows), compared=0)
    figures = [(row.weight_frac, row.cost_change_frac, row.time_change_frac) for row in compared]
    weights, costs, times = np.array(figures, dtype=np.float64).T
    errors = np.abs(times - costs)
    off = [(error, row.statement) for error, row in zip(errors, compared, strict=True) if row.is_off]
    return Predictions(
        statements=tuple(rows),
        compared=len(compared),
        cost_change_frac=float(np.average(costs, weights=weights)),
        time_change_frac=float(np.average(times, weights=weights)),
        median_error_frac=float(np.median(errors)),
        worst=max(off, key=lambda entry: entry[0])[1] if off else "",  # of equals the first, the heaviest
    )
