"""From paired timings to intervals that stay true however often one looks at them.

A race looks at its figures after every round and stops when they are clear. An ordinary 95 % interval,
looked at a hundred times, is wrong far more often than 1 time in 20. What is used here is an anytime-valid
interval for a mean with unknown variance, on the logarithms of paired ratios (arm / control, taken
milliseconds apart, so that whatever slows the machine slows both).

A workload's ratio is put together from its statements' (a stratified estimate): slow statements may then
be measured less often than fast ones without tilting the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgproof.model.trial import Verdict
from pgproof.model.units import Interval

PRACTICAL_MARGIN_FRAC = 0.03
"""Differences up to this are nobody's win: SAME lies wholly inside it, BETTER and WORSE wholly outside.

Source: own A/A measurements, where two identical clones differed by up to 0.7 % for good (layout on disk);
3 % leaves room and is below what users of a database notice.
"""

TUNED_FOR_PAIRS = 5
"""Where the anytime interval is narrowest for its size; elsewhere it is valid, only wider.

Slow statements yield few pairs, and fast workloads are clear anyway: tuned for 30 pairs, nothing could be
said of 5, however large the effect; tuned for 5, the interval at 30 is 4 % wider and at 100 it is 6 % wider.
"""

WINSOR_FROM = 10
"""Fewer values than this are never winsorised: their spread would be estimated from too little."""

MIN_PAIRS = 3
"""Pairs a statement needs before its spread means anything."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stratum:
    """One statement's paired measurements on two arms.

    Args:
        weight: Its calls; only ratios matter.
        arm: Time (or buffers) on the arm, shape (pairs,), > 0.
        against: On the other arm, same shape, paired by position.
    """

    weight: float
    arm: Floats
    against: Floats


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """A ratio of two times.

    Args:
        ratio: arm / against.
        interval: Anytime-valid; (0, inf) while too little is known.
        pairs: Smallest number of pairs among the statements.
    """

    ratio: float
    interval: Interval
    pairs: int


def anytime_radius(standard_error: float, freedom: float, alpha: float) -> float:
    """Return the half-width of an anytime-valid interval for a mean with unknown variance.

    Args:
        standard_error: Of the mean so far, >= 0.
        freedom: Degrees of freedom behind it, > 0 (n - 1 for a plain mean).
        alpha: Chance, over the whole infinite sequence of looks, that the mean is ever left out; 0 to 1.

    Returns:
        The half-width in units of the mean; ``inf`` where nothing can be said yet.

    **Source**: the t-statistic's mixture martingale with a normal prior N(0, 1/phi) on the effect size: Lai
    (1976), "On confidence sequences"; Lindon, Ham, Tingley, Bojinov (2022), "Anytime-valid inference in
    linear models", theorem on the sequential t-test; Ville's inequality turns it into an interval. With
    r = phi/(phi + n) and c = (alpha^2 r)^(1/n) the interval is t^2 <= (n - 1)(1 - c)/(c - r). ``phi`` is set
    so that it is narrowest near ``TUNED_FOR_PAIRS``: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021),
    "Time-uniform central limit theory", eq. for rho.
    """
    if freedom <= 0:
        return math.inf
    n = freedom + 1.0
    spread = -2.0 * math.log(alpha)
    phi = TUNED_FOR_PAIRS / (spread + math.log(spread) + 1.0) if spread > 1.0 else float(TUNED_FOR_PAIRS)
    r = phi / (phi + n)
    c = math.exp((2.0 * math.log(alpha) + math.log(r)) / n)
    if c <= r:
        return math.inf
    return standard_error * math.sqrt(freedom * (1.0 - c) / (c - r))


def winsorise(values: Floats, width: float = 3.0) -> Floats:
    """Return ``values`` with outliers pulled in to median +- ``width`` robust standard deviations.

    Args:
        values: Shape (n,).
        width: In units of 1.4826 x the median absolute deviation.

    Returns:
        A new array of the same shape; unchanged below ``WINSOR_FROM`` values or where half of them are equal.

    **Source**: Huber and Ronchetti, "Robust Statistics" (2009), ch. 1 and 4 (MAD as scale, metric
    winsorising).
    """
    if values.size < WINSOR_FROM:
        return values.copy()
    centre = float(np.median(values))
    scale = 1.4826 * float(np.median(np.abs(values - centre)))
    if scale == 0.0:
        return values.copy()
    return np.clip(values, centre - width * scale, centre + width * scale)


def variance_of_mean(values: Floats) -> float:
    """Return the variance of the mean of ``values``, widened where neighbours are alike.

    Args:
        values: In time order, shape (n,), n >= 2.

    Returns:
        s^2/n times (1 + a)/(1 - a), a being the lag-1 autocorrelation cut to [0, 0.9].

    **Source**: effective sample size of an AR(1) sequence: Zwiers and von Storch (1995), J. Climate 8, 336.
    """
    n = values.size
    centred = values - values.mean()
    power = float(centred @ centred)
    if power == 0.0:
        return 0.0
    alike = float(centred[:-1] @ centred[1:]) / power if n >= WINSOR_FROM else 0.0
    alike = min(max(alike, 0.0), 0.9)
    return power / (n - 1) / n * (1.0 + alike) / (1.0 - alike)


def estimate_ratio(strata: Sequence[Stratum], alpha: float) -> RatioEstimate:
    """Return the ratio of two arms' workload times with its anytime-valid interval.

    The ratio is sum(weight x control's time x statement's ratio) / sum(weight x control's time); a
    statement's ratio is exp(mean of its winsorised paired log-ratios).

    Args:
        strata: One a statement; may be empty. Values must be > 0.
        alpha: Chance of the interval ever leaving the truth out, 0 to 1.

    Returns:
        Ratio 1 and interval (0, inf) with 0 pairs for empty input; an unbounded interval while some statement
        has fewer than ``MIN_PAIRS`` pairs.

    **Source**: delta method for a stratified ratio: Cochran, "Sampling Techniques" (1977), 6.10-6.11; degrees
    of freedom by Satterthwaite (1946), Biometrics Bulletin 2, 110.
    """
    unknown = Interval(0.0, math.inf, 1.0 - alpha)
    pairs = min((s.arm.size for s in strata), default=0)
    if pairs == 0:
        return RatioEstimate(1.0, unknown, 0)
    logs = [winsorise(np.log(s.arm / s.against)) for s in strata]
    means = np.array([float(x.mean()) for x in logs])
    base = np.array([s.weight * float(np.mean(winsorise(s.against))) for s in strata])
    ratio = float((base * np.exp(means)).sum() / base.sum())
    if pairs < MIN_PAIRS:
        return RatioEstimate(ratio, unknown, pairs)
    parts = _variance_parts(strata, logs, base, means)
    counts = np.array([s.arm.size for s in strata], dtype=np.float64)
    total = float(parts.sum())
    freedom = total**2 / float((parts**2 / (counts - 1)).sum()) if total > 0 else float((counts - 1).sum())
    radius = anytime_radius(math.sqrt(total), freedom, alpha)
    if math.isinf(radius) or radius > 700:
        return RatioEstimate(ratio, unknown, pairs)
    return RatioEstimate(
        ratio, Interval(ratio * math.exp(-radius), ratio * math.exp(radius), 1.0 - alpha), pairs
    )


def _variance_parts(strata: Sequence[Stratum], logs: Sequence[Floats], base: Floats, means: Floats) -> Floats:
    """Return each statement's share of the variance of the log of the workload's ratio, shape (statements,).

    A statement enters twice: by its own ratio (with the arm's share of time), and by its weight in the sum
    (by as much as the arm's share of time differs from the control's).
    """
    arm_share = base * np.exp(means) / (base * np.exp(means)).sum()
    own_share = base / base.sum()
    of_ratio = np.array([variance_of_mean(x) for x in logs])
    of_weight = np.array([variance_of_mean(winsorise(np.log(s.against))) for s in strata])
    parts: Floats = arm_share**2 * of_ratio + (arm_share - own_share) ** 2 * of_weight
    return parts


def judge(interval: Interval, margin_frac: float = PRACTICAL_MARGIN_FRAC) -> Verdict:
    """Return what an interval of a time ratio says.

    Args:
        interval: Of arm / other.
        margin_frac: Practical margin; the band of "same" is [1/(1 + margin), 1 + margin].

    Returns:
        BETTER or WORSE when the interval lies wholly outside the band, SAME when wholly inside (two-sided,
        so that "not shown to be worse" never passes for "equal"), INCONCLUSIVE otherwise.

    **Source**: equivalence by interval inclusion: Schuirmann (1987), J. Pharmacokin. Biopharm. 15, 657.
    """
    low, high = 1.0 / (1.0 + margin_frac), 1.0 + margin_frac
    if interval.high < low:
        return Verdict.BETTER
    if interval.low > high:
        return Verdict.WORSE
    if interval.within(low, high):
        return Verdict.SAME
    return Verdict.INCONCLUSIVE
