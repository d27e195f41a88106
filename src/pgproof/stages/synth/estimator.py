"""What ANALYZE will make of a column: its estimate of distinct values, turned round."""

from __future__ import annotations

import math

_SAMPLE_ROWS = 30_000
"""**Source**: PostgreSQL 18, analyze.c: 300 times the default statistics target."""
_STEPS = 40
_CLOSE = 0.02


def values_for_estimate(estimate: float, rows: float, frequent: int, frac_of_frequent: float) -> int:
    """Return how many different values a column must have for ANALYZE to find so many.

    The estimate takes all rows for alike. Where a few values have many rows, it is too small for the others.

    Args:
        estimate: Distinct values that statistics have.
        rows: Of the table, NULLs left out.
        frequent: How many most common values there are, which are among ``estimate``.
        frac_of_frequent: Share of the rows that hold one of those.

    Returns:
        At least ``estimate``, at most what the rows allow.

    **Source**: Haas and Stokes 1998, "Estimating the number of classes in a finite population", the estimator
    Duj1 as in PostgreSQL 18, analyze.c, ``compute_scalar_stats``.
    """
    others = rows * (1 - frac_of_frequent)
    low, high = max(estimate, 1.0), frequent + others
    if (
        high <= low
        or rows <= _SAMPLE_ROWS
        or _estimated(low, rows, frequent, others) >= estimate * (1 - _CLOSE)
    ):
        return round(low)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _estimated(middle, rows, frequent, others) < estimate:
            low = middle
        else:
            high = middle
    return round(high)


def _estimated(values: float, rows: float, frequent: int, others: float) -> float:
    """Return what Duj1 gives on average for values that share the rows evenly, but for the frequent ones."""
    sample = min(float(_SAMPLE_ROWS), rows)
    frac = sample / rows
    each = others / max(values - frequent, 1.0)
    less = math.floor(each)
    found = once = 0.0
    for count, share in ((less, less + 1 - each), (less + 1, each - less)):
        found += share * (1 - (1 - frac) ** count)
        once += share * count * frac * (1 - frac) ** max(count - 1, 0)
    distinct = frequent + found * (values - frequent)
    single = once * (values - frequent)
    return sample * distinct / (sample - single + single * frac)
