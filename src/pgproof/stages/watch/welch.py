"""The interval of a difference of two means, from what cumulative counters keep."""

from __future__ import annotations

import math
from statistics import NormalDist

from pgproof.model.units import Interval
from pgproof.model.workload import StatementCounters

FEWEST_CALLS = 20
"""Below this `student_quantile` is not exact enough for an interval."""


def welch_interval(before: StatementCounters, after: StatementCounters, alpha: float) -> Interval | None:
    """Return the interval of mean time after - mean time before, in milliseconds.

    Calls are taken as independent. Those of a real application are not quite (a cold cache slows neighbours
    alike), so the interval is a little too narrow: judge it with a practical margin, not against zero.

    Args:
        before: Of the earlier window.
        after: Of the later window.
        alpha: Chance of leaving the true difference out, 0 to 1.

    Returns:
        None where a standard deviation is unknown or a window has fewer than ``FEWEST_CALLS`` calls.

    **Source**: Welch (1947), Biometrika 34, 28; degrees of freedom by Satterthwaite (1946), Biometrics
    Bulletin 2, 110.
    """
    parts = [_variance_of_mean(before), _variance_of_mean(after)]
    if parts[0] is None or parts[1] is None:
        return None
    variance = parts[0] + parts[1]
    difference = after.mean_ms - before.mean_ms
    radius = 0.0
    if variance > 0.0:
        share = parts[0] / variance  # by shares, since the square of a tiny variance is 0 to a computer
        freedom = 1.0 / (share**2 / (before.calls - 1) + (1.0 - share) ** 2 / (after.calls - 1))
        radius = student_quantile(1.0 - alpha / 2.0, freedom) * math.sqrt(variance)
    return Interval(difference - radius, difference + radius, 1.0 - alpha)


def student_quantile(probability: float, freedom: float) -> float:
    """Return a quantile of Student's t distribution.

    Args:
        probability: 0.5 to 1, below 1.
        freedom: Degrees of freedom, 19 or more; the error is below 0.1 % for probabilities up to 0.9999.

    **Source**: expansion in 1/freedom: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964),
    26.7.5.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _variance_of_mean(counters: StatementCounters) -> float | None:
    """Return the variance of the mean.

    pg_stat_statements divides by the calls, a sample's variance by one less: s^2 n/(n - 1) / n = s^2/(n - 1).

    **Source**: PostgreSQL documentation, pg_stat_statements, ``stddev_exec_time`` (population standard
    deviation).
    """
    if counters.stddev_ms is None or counters.calls < FEWEST_CALLS:
        return None
    return counters.stddev_ms**2 / (counters.calls - 1)
