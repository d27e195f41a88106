"""Columns where a few values are frequent, many less so, and most rows have a value of their own.

Free text and names are like that. A sample then meets the frequent values several times, and ANALYZE takes
all values for as frequent as those: it says 945,000 different comments for TPC-H's lineitem, which has
4,580,000. The frequencies are taken to fall with a power of the rank, through the frequent values seen and
with as many pairs of equal rows in the sample as ANALYZE must have found.
"""

from __future__ import annotations

import math
from functools import lru_cache

from pgproof.model.statistics import ColumnStatistics
from pgproof.stages.estimate.sizes.duplicates import CLUSTERED_FROM, TableSample, uncommon_keys

SEEN_OFTEN_ROWS = 4.0
"""Rows in the sample that make a value frequent, where chance alone would give most values none.

**Source**: judgement; with a quarter of a row expected, four have a chance of 1 in 8,000.
"""

SELDOM_SEEN_ROWS = 0.25
_TOP = 4
_LEAST_POWER, _MOST_POWER = 0.501, 1.5


@lru_cache(maxsize=4096)
def rank_frequencies(statistics: ColumnStatistics, sample: TableSample) -> tuple[tuple[float, float], ...]:
    """Return how many values have which share of the rows, most frequent first.

    Args:
        statistics: Of the column.
        sample: Where they come from.

    Returns:
        Pairs of values and share of each. What they leave of the rows has values of its own. Empty where the
        column is not like that.
    """
    common = statistics.most_common_freqs[:_TOP]
    clustered = abs(statistics.correlation or 0.0) >= CLUSTERED_FROM
    others = uncommon_keys(statistics, sample)
    if not common or clustered or sample.complete or others is None:
        return ()
    if common[0] * sample.size < SEEN_OFTEN_ROWS or sample.size / others.distinct > SELDOM_SEEN_ROWS:
        return ()
    pairs = 1.0 / others.possible  # chance that two rows are equal
    power = _fit_power(common, pairs, sample.rows)
    if power is None:
        return ()
    top = _top_share(common, power)
    last = _last_rank(top, power, sample.rows)
    found, low = [], 1.0
    while low < last:
        high = min(low * 2, last)
        found.append((high - low, top * _integral(low, high, power) / (high - low)))
        low = high
    mass = sum(keys * share for keys, share in found)
    return tuple(found) if mass < 1.0 - statistics.null_frac else ()


def _fit_power(common: tuple[float, ...], pairs: float, rows: float) -> float | None:
    """Find the power that gives so many pairs of equal rows; None where there is none."""

    def chance(power: float) -> float:
        top = _top_share(common, power)
        return top * top * (1.0 + _integral(1.5, _last_rank(top, power, rows), 2 * power))

    low, high = _LEAST_POWER, _MOST_POWER
    if not chance(high) <= pairs <= chance(low):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > pairs else (low, middle)
    return (low + high) / 2


def _top_share(common: tuple[float, ...], power: float) -> float:
    return float(sum(common) / sum(rank**-power for rank in range(1, len(common) + 1)))


def _last_rank(top: float, power: float, rows: float) -> float:
    """Return the rank from which a value has a single row."""
    return max(math.exp(math.log(top * rows) / power), 2.0)


def _integral(low: float, high: float, power: float) -> float:
    if abs(power - 1.0) < 1e-6:
        return math.log(high / low)
    return float((high ** (1.0 - power) - low ** (1.0 - power)) / (1.0 - power))
