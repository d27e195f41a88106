"""Thresholds as people write them: "p95 < 100 ms", "throughput > 500 /s", "errors = 0"."""

from __future__ import annotations

import re

from pgproof.errors import UsageError
from pgproof.frontends.blueprint.problems import nearest
from pgproof.model.criterion import Bound, Criterion, Metric, Unit

FORM = "Write a figure, a bound and a limit: p95 < 100 ms, throughput > 500 /s, errors = 0."
_SHAPE = re.compile(r"\s*(?P<metric>\w+)\s*(?P<bound><=|>=|<|>|==?)\s*(?P<limit>.*?)\s*")
_LIMIT = re.compile(r"(?P<number>[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?)\s*(?P<unit>[^\d\s].*)?")

_PER_SECOND = dict.fromkeys(
    ("/s", "per second", "requests/s", "req/s", "req/sec", "requests/sec", "qps"), 1.0
)
UNITS: dict[Unit, dict[str, float]] = {
    Unit.MILLISECONDS: {"ms": 1.0, "s": 1000.0, "min": 60_000.0, "us": 0.001},
    Unit.BYTES: {"bytes": 1, "B": 1, "kB": 1024, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4},
    Unit.PER_SECOND: _PER_SECOND,
    Unit.SHARE: {"%": 0.01, "": 1.0},
    Unit.COUNT: {"": 1.0},
}
"""What may stand behind a number, by what it counts, with its worth."""


def parse_threshold(text: str) -> Criterion:
    """Read a threshold.

    Args:
        text: A metric, a bound, a number with its unit. Times, sizes and rates need a unit.

    Returns:
        The criterion, about the whole mix.

    Raises:
        UsageError: It is none; the hint says what to write.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no threshold.", hint=FORM)
    names = tuple(metric.value for metric in Metric)
    if match["metric"] not in names:
        raise UsageError(f"no figure is called {match['metric']!r}.", hint=nearest(match["metric"], names))
    metric, bound = Metric(match["metric"]), Bound(match["bound"].replace("==", "="))
    if bound is Bound.EXACTLY and metric.unit is not Unit.COUNT:
        raise UsageError(
            f"{metric.value} is never exactly one value.", hint="Write < or <=, > or >= instead of =."
        )
    return Criterion(metric, bound, _read_limit(match["limit"], metric))


def write_threshold(criterion: Criterion) -> str:
    """Return a threshold as `parse_threshold` reads it back to the same number."""
    unit = criterion.metric.unit
    word = {Unit.MILLISECONDS: " ms", Unit.PER_SECOND: " /s", Unit.BYTES: " bytes"}.get(unit, "")
    number, limit = repr(criterion.limit).removesuffix(".0"), criterion.limit
    for name in ("GB", "MB", "kB") if unit is Unit.BYTES else ():
        if limit and limit % UNITS[unit][name] == 0:
            number, word = f"{limit / UNITS[unit][name]:.0f}", f" {name}"
            break
    return f"{criterion.metric.value} {criterion.bound.value} {number}{word}"


def _read_limit(text: str, metric: Metric) -> float:
    units = UNITS[metric.unit]
    known = ", ".join(unit for unit in units if unit)
    match = _LIMIT.fullmatch(text)
    try:
        number = float(match["number"].replace(",", "")) if match else None
    except ValueError:
        number = None
    if match is None or number is None:
        raise UsageError(f"{text!r} is no limit.", hint=FORM)
    unit = (match["unit"] or "").strip()
    if unit not in units:
        told = f"{unit!r} is no unit of {metric.value}." if unit else f"{metric.value} needs a unit."
        raise UsageError(told, hint=f"Known units: {known}." if known else "It is a plain number.")
    if number < 0:
        raise UsageError(f"a limit of {text} can't be kept: no figure is below 0.", hint=FORM)
    return number * units[unit]
