"""Numbers as people read them, said the same way in messages, on the terminal and in reports."""

from __future__ import annotations

import math

from pgproof.model.units import Interval

_UNITS = ("B", "kB", "MB", "GB", "TB")


def percent(frac: float, digits: int = 0) -> str:
    """Return a share as percent: "17 %". One too small to show is "< 1 %", never "0 %".

    Args:
        frac: 0.17 is 17 %; may be negative or above 1.
        digits: After the point.
    """
    least = 10.0**-digits
    if 0 < frac * 100 < least:
        return f"< {least:.{digits}f} %"
    rounded = round(frac * 100, digits) + 0.0  # a loss too small to show is "0 %", not "-0 %"
    return f"{rounded:,.{digits}f} %"


def ratio(value: float) -> str:
    """Return how much a part is of a whole, as percent: two digits that count for small ones ("9.4 %")."""
    return percent(value, 0 if value >= 0.1 else 1)


def span(interval: Interval) -> str:
    """Return an interval of a ratio as percent: "12 to 26 %"; one without an upper end is "12 % or more"."""
    if math.isinf(interval.high):
        return f"{ratio(interval.low)} or more"
    return f"{ratio(interval.low).removesuffix(' %')} to {ratio(interval.high)}"


def size(value: float) -> str:
    """Return bytes with a unit, as PostgreSQL counts them (1 MB = 1024 kB): "12.4 MB", "512 MB"."""
    sign, rest = ("-" if value < 0 else ""), abs(float(value))
    place = 0
    while rest >= 1024 and place < len(_UNITS) - 1:
        rest, place = rest / 1024, place + 1
    digits = 1 if place >= 2 and rest < 100 else 0
    return f"{sign}{rest:,.{digits}f} {_UNITS[place]}"
