"""Charts as inline SVG: no script, no network; colours come from the page's CSS variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from pgproof.frontends.report.figures import ms
from pgproof.model.figures import ratio
from pgproof.model.units import Interval

_WIDTH = 860
_LABEL = 190
_RIGHT = 96
_ROW = 30
_LOWEST_RATIO, _HIGHEST_RATIO = 1e-4, 1e2
"""Ends of the axis: an arm with few rounds has an interval without end."""


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One arm of the interval chart.

    Args:
        label: Name of the arm.
        ratio: Time of the arm divided by the control's, > 0.
        interval: Of the ratio.
        tone: CSS class: "winner", "variant", "canary".
    """

    label: str
    ratio: float
    interval: Interval
    tone: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm of the latency chart.

    Args:
        label: Name of the arm.
        quantiles_ms: 101 values, the 0th to the 100th percentile.
        tone: CSS class: "control", "winner", "variant-1", "variant-2"...
    """

    label: str
    quantiles_ms: tuple[float, ...]
    tone: str


def draw_intervals(rows: Sequence[IntervalRow]) -> Markup:
    """Draw each arm's time against the control's as a dot with its interval, on a logarithmic axis.

    Args:
        rows: In the order to show; empty draws nothing.

    Returns:
        An SVG element, empty without rows.
    """
    if not rows:
        return Markup("")
    lows = [max(min(row.interval.low, row.ratio), _LOWEST_RATIO) for row in rows]
    highs = [min(max(row.interval.high, row.ratio), _HIGHEST_RATIO) for row in rows]
    axis = _LogAxis(min(*lows, 0.5), max(*highs, 1.3), _LABEL, _WIDTH - _RIGHT)
    height = _ROW * len(rows) + 52
    parts = [_grid(axis, 8, height - 36, lambda value: f"{value * 100:g} %")]
    one = axis.x(1.0)
    parts.append(f'<line class="control-line" x1="{one:.1f}" x2="{one:.1f}" y1="8" y2="{height - 36}"/>')
    for position, row in enumerate(rows):
        parts.append(_interval_row(row, axis, 8 + _ROW * position + _ROW / 2))
    caption = "time in percent of the control's, logarithmic; left of 100 % is faster"
    parts.append(f'<text class="axis" x="{(_LABEL + _WIDTH - _RIGHT) / 2}" y="{height - 4}">{caption}</text>')
    return _svg(height, "".join(parts), "Time of each arm against the control, with its interval")


def _interval_row(row: IntervalRow, axis: _LogAxis, y: float) -> str:
    low, high, dot = axis.x(row.interval.low), axis.x(row.interval.high), axis.x(row.ratio)
    return (
        f'<text class="label" x="{_LABEL - 12}" y="{y + 4:.1f}">{escape(row.label)}</text>'
        f'<line class="whisker {row.tone}" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle class="dot {row.tone}" cx="{dot:.1f}" cy="{y:.1f}" r="5"/>'
        f'<text class="value" x="{_WIDTH - _RIGHT + 12}" y="{y + 4:.1f}">{ratio(row.ratio)}</text>'
    )


def draw_latencies(curves: Sequence[Curve]) -> Markup:
    """Draw latency distributions: the share of statements finished within a time, on a logarithmic axis.

    Args:
        curves: In legend order; those without quantiles are left out.

    Returns:
        An SVG element, empty without curves.
    """
    curves = [curve for curve in curves if len(curve.quantiles_ms) > 1]
    if not curves:
        return Markup("")
    top, bottom = 10, 250
    floor = min(max(curve.quantiles_ms[1], 0.01) for curve in curves)
    axis = _LogAxis(floor, max(curve.quantiles_ms[-1] for curve in curves), 56, _WIDTH - 16)
    parts = [_grid(axis, top, bottom, ms)]
    for share in (0, 25, 50, 75, 95):
        y = bottom - (bottom - top) * share / 100
        parts.append(f'<line class="grid" x1="56" x2="{_WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="label" x="48" y="{y + 4:.1f}">{share} %</text>')
    for curve in curves:
        parts.append(_curve(curve, axis, top, bottom))
    parts.append(_legend(curves, bottom + 52))
    caption = "statements finished within this time, logarithmic"
    parts.append(f'<text class="axis" x="{_WIDTH / 2}" y="{bottom + 32}">{caption}</text>')
    return _svg(bottom + 66, "".join(parts), "Latency distributions under load")


def _curve(curve: Curve, axis: _LogAxis, top: float, bottom: float) -> str:
    last = len(curve.quantiles_ms) - 1
    points = " ".join(
        f"{axis.x(value):.1f},{bottom - (bottom - top) * position / last:.1f}"
        for position, value in enumerate(curve.quantiles_ms)
    )
    title = f"<title>{escape(curve.label)}</title>"
    return f'<polyline class="curve {curve.tone}" points="{points}">{title}</polyline>'


def _legend(curves: Sequence[Curve], y: float) -> str:
    parts, x = [], 56.0
    for curve in curves:
        parts.append(f'<line class="curve {curve.tone}" x1="{x}" x2="{x + 22}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="legend" x="{x + 28}" y="{y + 4}">{escape(curve.label)}</text>')
        x += 52 + 8 * len(curve.label)
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _LogAxis:
    low: float
    high: float
    left: float
    right: float

    def x(self, value: float) -> float:
        span = math.log(self.high / self.low) or 1.0
        share = math.log(max(value, self.low) / self.low) / span
        return self.left + (self.right - self.left) * min(share, 1.0)

    def ticks(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        every = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        return [tick for tick in every if self.low <= tick <= self.high]


def _grid(axis: _LogAxis, top: float, bottom: float, label: object) -> str:
    write = label if callable(label) else str
    return "".join(
        f'<line class="grid" x1="{axis.x(tick):.1f}" x2="{axis.x(tick):.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text class="axis" x="{axis.x(tick):.1f}" y="{bottom + 14}">{escape(write(tick))}</text>'
        for tick in axis.ticks()
    )


def _svg(height: float, body: str, title: str) -> Markup:
    box = f'viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
    return Markup(f'<svg class="chart" {box}>{body}</svg>')
