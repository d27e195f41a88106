"""Numbers of a table or a page: as in every message, with a dash where nothing is known."""

from __future__ import annotations

import math

from pgproof.model import figures
from pgproof.model.units import Interval


def ms(value: float | None) -> str:
    """Return milliseconds with three significant digits, seconds from 1,000 ms on; a dash for None."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:,.2f} s"
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} ms"


def seconds(value: float) -> str:
    """Return a span of time as people say it: "5 minutes", "1 hour", "90 s"."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if value and value % length == 0:
            count = f"{value / length:,.0f} {unit}"
            return count if value == length else f"{count}s"
    return f"{value:,g} s"


def size(value: float | None) -> str:
    """Return bytes with a unit (1 kB = 1024 bytes); a dash for None."""
    return "-" if value is None else figures.size(value)


def duration(seconds: float) -> str:
    """Return seconds as people say them: "40 s", "12 min", "3.5 h"."""
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def counted(number: int, one: str, many: str) -> str:
    """Return how many there are of something: "1 index", "1,200 indexes"."""
    return f"{number:,} {one if number == 1 else many}"


def times(ratio: float | None) -> str:
    """Return how many times faster (before / after); a dash for None."""
    if ratio is None:
        return "-"
    if ratio >= 100:
        return f"{ratio:,.0f}x"
    return f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"


def ratio_interval(interval: Interval | None) -> str:
    """Return a time ratio's interval as percent of the control's time; a dash where nothing is known."""
    if interval is None or math.isinf(interval.high):
        return "-"
    return f"{_three_digits(interval.low * 100)}..{_three_digits(interval.high * 100)} %"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as percent, "< 1 %" where it is too small to show; a dash for None."""
    return "-" if value is None else figures.percent(value, digits)


def saving(value: float | None) -> str:
    """Return a share that is saved as percent, "over 99.9 %" while any is left; a dash for None."""
    return "over 99.9 %" if value is not None and 0.9995 <= value < 1.0 else percent(value)


def change(value: float | None) -> str:
    """Return how much it changed, with its sign: "-65 %", "+12 %"; never "-100 %" while any is left."""
    if value is None:
        return "-"
    if -1.0 < value < -0.995:
        return f"-{min(-value * 100, 99.9):.1f} %"
    rounded = round(value * 100)
    return f"{rounded:+,d} %" if rounded else "0 %"


def change_interval(interval: Interval | None) -> str:
    """Return the interval of a change: "-55 to -40 %"; a dash where nothing is known."""
    if interval is None or math.isinf(interval.high):
        return "-"
    return f"{change(interval.low).removesuffix(' %')} to {change(interval.high)}"


def points_off(value: float | None) -> str:
    """Return how far apart two shares are, in percentage points: "17 points"; a dash for None."""
    if value is None:
        return "-"
    return "1 point" if 0.005 <= value < 0.015 else f"{value * 100:,.0f} points"


def points(value: float | None) -> str:
    """Return points with one digit; a dash for None."""
    return "-" if value is None else f"{value:.1f}"


def yes_no(value: bool | None) -> str:
    """Return yes, NO, or a dash for None."""
    return "-" if value is None else "yes" if value else "NO"
