"""A criterion: a threshold that owners set on a figure of a competition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.figures import percent, size


class Unit(StrEnum):
    """What a figure counts."""

    MILLISECONDS = "ms"
    PER_SECOND = "/s"
    BYTES = "bytes"
    SHARE = "share"
    COUNT = "count"


class Metric(StrEnum):
    """Figures that a competition measures on each arm, named as a blueprint names them."""

    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    MEAN = "mean"
    THROUGHPUT = "throughput"
    ERRORS = "errors"
    ERROR_SHARE = "error_share"
    INDEX_SIZE = "index_size"
    BUILD_TIME = "build_time"
    BUILD_WAL = "build_wal"

    @property
    def unit(self) -> Unit:
        """What it counts."""
        return _UNITS.get(self, Unit.MILLISECONDS)

    @property
    def of_statements(self) -> bool:
        """Whether the race measures it for single statements."""
        return self in (Metric.P50, Metric.P95, Metric.MEAN)

    @property
    def of_load(self) -> bool:
        """Whether concurrent load measures it for the whole mix."""
        return self is not Metric.MEAN and self not in OF_BUILD


_UNITS = {
    Metric.THROUGHPUT: Unit.PER_SECOND,
    Metric.ERRORS: Unit.COUNT,
    Metric.ERROR_SHARE: Unit.SHARE,
    Metric.INDEX_SIZE: Unit.BYTES,
    Metric.BUILD_WAL: Unit.BYTES,
}

OF_BUILD = (Metric.INDEX_SIZE, Metric.BUILD_TIME, Metric.BUILD_WAL)
"""Figures of applying a variant, which no load changes."""


class Bound(StrEnum):
    """On which side of the threshold a figure has to lie."""

    BELOW = "<"
    AT_MOST = "<="
    EXACTLY = "="
    AT_LEAST = ">="
    ABOVE = ">"

    def keeps(self, figure: float, limit: float) -> bool:
        """Tell whether a figure lies on the right side; never for one that is not a number."""
        if self is Bound.BELOW:
            return figure < limit
        if self is Bound.AT_MOST:
            return figure <= limit
        if self is Bound.AT_LEAST:
            return figure >= limit
        return figure > limit if self is Bound.ABOVE else figure == limit


@dataclass(frozen=True, slots=True)
class Criterion:
    """A threshold on one figure.

    Args:
        metric: The figure.
        bound: On which side of the limit it has to lie.
        limit: In the metric's unit, >= 0: milliseconds, a second, bytes, a share (0.01 is 1 %), or a count.
        statements: Names in the workload: each of them has to keep it, alone, in the race. Empty means the
            whole mix under load.
        profile: Name of the load profile it is about; empty means the first one.
        gate: A variant that misses it can't win; otherwise it costs points only.
        title: What the owners call it; empty means that the threshold is its own name.
    """

    metric: Metric
    bound: Bound
    limit: float
    statements: tuple[str, ...] = ()
    profile: str = ""
    gate: bool = False
    title: str = ""


def figure_text(value: float, unit: Unit) -> str:
    """Return a figure with its unit as people read it: "48.2 ms", "512 /s", "196 MB", "0.2 %", "3"."""
    if math.isinf(value):
        return "no end"
    if unit is Unit.BYTES:
        return size(value)
    if unit is Unit.SHARE:
        return percent(value, 2 if 0 < value < 0.01 else 1)
    if unit is Unit.PER_SECOND:
        return f"{value:,.0f} /s" if value >= 10 else f"{value:.2g} /s"
    if unit is Unit.COUNT:
        return f"{value:,.0f}"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def criterion_text(criterion: Criterion) -> str:
    """Return the threshold for people: "p95 < 100 ms", "p95 of listUsers < 100 ms under rush"."""
    unit = criterion.metric.unit
    limit = f"{criterion.limit:g} ms" if unit is Unit.MILLISECONDS else figure_text(criterion.limit, unit)
    named = f" of {', '.join(criterion.statements)}" if criterion.statements else ""
    under = f" under {criterion.profile}" if criterion.profile else ""
    return f"{criterion.metric.value}{named} {criterion.bound.value} {limit}{under}"
