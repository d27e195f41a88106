"""Where the text form of a number or a time stands on a line."""

from __future__ import annotations

from datetime import UTC, date, datetime

NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
TIMES = frozenset({"date", "timestamp", "timestamptz"})

DAY_S = 86_400.0


def read_position(base_type: str, text: str) -> float | None:
    """Return where a value stands on a line: a number as it is, a time in seconds from before year 1 on.

    Args:
        base_type: ``pg_type.typname``.
        text: As the server prints it under DateStyle ISO.

    Returns:
        None for other types, infinity, years before Christ or beyond 9999, and other DateStyles.
    """
    try:
        if base_type in NUMBERS:
            number = float(text)
            return number if abs(number) < float("inf") else None
        if base_type == "date":
            return date.fromisoformat(text).toordinal() * DAY_S
        if base_type in TIMES:
            moment = datetime.fromisoformat(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return (aware - _START).total_seconds() + DAY_S
    except (ValueError, OverflowError):
        return None
    return None


def position_day(position: float) -> date:
    """Return the day (UTC) on which a position of a time lies.

    Raises:
        ValueError, OverflowError: It is before year 1 or beyond 9999.
    """
    return date.fromordinal(int(position // DAY_S))


_START = datetime(1, 1, 1, tzinfo=UTC)
