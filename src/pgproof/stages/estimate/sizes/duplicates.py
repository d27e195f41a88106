"""How many different keys a column has, corrected for what a sample of blocks gets wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pgproof.model.statistics import ColumnStatistics

ROWS_SAMPLED_A_TARGET = 300
"""Rows, and blocks, that ANALYZE looks at for each unit of the statistics target (analyze.c, 18)."""

CLUSTERED_FROM = 0.9
"""Correlation from which equal values are taken to lie beside each other. **Source**: judgement."""

_BISECTIONS = 50


@dataclass(frozen=True, slots=True)
class TableSample:
    """What ANALYZE saw of a table.

    Args:
        rows: Rows of the table.
        pages: Its blocks.
        target: Statistics target.
    """

    rows: float
    pages: int
    target: int = 100

    @property
    def size(self) -> int:
        """Rows and blocks in the sample, at most."""
        return ROWS_SAMPLED_A_TARGET * self.target

    @property
    def complete(self) -> bool:
        """Whether every row was in it."""
        return self.rows <= self.size

    @property
    def blocks_frac(self) -> float:
        """Share of the blocks that rows were taken from."""
        return min(1.0, self.size / self.pages) if self.pages > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Keys:
    """The values of a column that are not among its common ones.

    Args:
        distinct: Different values that there are.
        possible: Different values that rows are drawn from at random; some of them no row has.
    """

    distinct: float
    possible: float


@lru_cache(maxsize=4096)
def uncommon_keys(statistics: ColumnStatistics, sample: TableSample) -> Keys | None:
    """Return the values besides the common ones, None where there are none.

    ANALYZE uses the estimator of Haas and Stokes 1998 (Duj1 in analyze.c), exact where every value has the
    same number of rows, spread over the table. Two things about real columns are turned back here by solving
    for the number of values that would have given the estimate:

    - Rows that fell to values at random: then the estimate is some 15 % low.
    - Equal values beside each other, where rows were taken from some of the blocks only: the sample meets the
      same value more often than a sample of single rows would; 400,000 instead of 1,500,000 order numbers in
      TPC-H's lineitem.

    Args:
        statistics: Of the column.
        sample: Where they come from.
    """
    common = len(statistics.most_common_freqs)
    left = 1.0 - statistics.null_frac - sum(statistics.most_common_freqs)
    rows = sample.rows * left
    estimate = min(statistics.distinct_rows(sample.rows), rows + common)
    if left <= 1e-6 or estimate - common < 0.5 or rows < 1.0:
        return None
    if estimate - common >= rows * (1.0 - 1e-4):
        return Keys(rows, math.inf)
    clustered = abs(statistics.correlation or 0.0) >= CLUSTERED_FROM
    blocks_frac = sample.blocks_frac if clustered else 1.0
    taken = min(float(sample.size), sample.rows) * left

    def estimated(possible: float) -> float:
        each = rows / possible
        chance = min(taken / (rows * blocks_frac), 1.0)  # of a row in a block that was read
        if clustered and each >= 1.0:  # each value has as many rows as the others
            seen, once = _binomial(each, min(chance, 1.0 - 1e-9))
        else:
            seen, once = -math.expm1(-each * chance), each * chance * math.exp(-each * chance)
        found, single = possible * blocks_frac * seen, possible * blocks_frac * once
        return taken * found / (taken - single + single * taken / rows)

    # The common values add to what was seen, hardly to what was seen once.
    possible = _solve(estimated, estimate - common, low=max((estimate - common) / 2, 1.0), high=rows * 1e4)
    if clustered:
        possible = min(possible, rows)
        return Keys(possible, possible / -math.expm1(-rate_given_met(rows / possible)))
    return Keys(possible * -math.expm1(-rows / possible), possible)


def rate_given_met(each: float) -> float:
    """Return the rate of a Poisson distribution whose mean, zeros left out, is ``each`` (above 1)."""
    rate = each
    for _ in range(40):
        rate = each * -math.expm1(-rate)
    return max(rate, 1e-6)


def _binomial(rows: float, chance: float) -> tuple[float, float]:
    """Return the chances that of so many rows at least one is drawn, and that exactly one is."""
    missed = math.log1p(-chance)
    return -math.expm1(rows * missed), rows * chance * math.exp((rows - 1.0) * missed)


def _solve(function: Callable[[float], float], wanted: float, *, low: float, high: float) -> float:
    """Find where a growing function takes a value, in logarithmic steps."""
    lower, upper = math.log(low), math.log(high)
    for _ in range(_BISECTIONS):
        middle = (lower + upper) / 2
        if function(math.exp(middle)) < wanted:
            lower = middle
        else:
            upper = middle
    return math.exp((lower + upper) / 2)
