"""Values that lie on a line of whole numbers: text to number, number to text, and the step between values.

A date is a number of days, a timestamp of microseconds, a ``numeric`` of its smallest digit. What has no
place on the line (infinity, NaN) is kept as text by whoever asked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import AddressValueError, IPv4Address

import numpy as np
import numpy.typing as npt

from pgproof.stages.synth.chance import Longs

Texts = npt.NDArray[np.object_]
"""Text forms, one a row; ready for COPY."""

LIMIT = 2**62
"""Numbers stay below, so that sums of two fit."""

_DIGITS_MAX = 15
_SECOND_US, _DAY_US = 1_000_000, 86_400_000_000
_STEPS_US = (_DAY_US, 3_600_000_000, 60_000_000, _SECOND_US, 1_000, 1)
_EPOCH, _FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1).toordinal()
_INTERVAL = re.compile(
    r"(?:(?P<years>-?\d+) years? ?)?(?:(?P<months>-?\d+) mons? ?)?(?:(?P<days>-?\d+) days? ?)?"
    r"(?:(?P<sign>[-+])?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?))?"
)
_DIGITS = re.compile(r"[0-9]{1,18}")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "%": "%%"})
_TIME = re.compile(r"(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)")
_INTEGERS = {"int2": 2**15, "int4": 2**31, "int8": LIMIT, "oid": 2**31}
_FRACTIONS = ("numeric", "float4", "float8", "money")


@dataclass(frozen=True, slots=True)
class Line:
    """A type's values as whole numbers.

    Args:
        read: Number of a text form; None where it has no place on the line.
        write: Text forms of numbers.
        step: Least distance between two values.
        least: Of all values of the type.
        greatest: Of all values of the type.
        rounded: Known values may be written otherwise than they are, so they have to be kept as text.
    """

    read: Callable[[str], int | None]
    write: Callable[[Longs], Texts]
    step: int = 1
    least: int = -LIMIT
    greatest: int = LIMIT
    rounded: bool = False


def line_of(
    base_type: str, known: Sequence[str], scale: int | None = None, precision: int = 0
) -> Line | None:
    """Return the line of a type; None where its values don't lie on one.

    Args:
        base_type: pg_type.typname.
        known: Text forms of values that must be on it; they tell how fine it is.
        scale: Digits behind the point that the column allows; None where it is open.
        precision: Digits of a numeric, 0 where open.
    """
    if base_type in _INTEGERS:
        least = 0 if base_type == "oid" else -_INTEGERS[base_type]
        return Line(_whole, _write_whole, 1, least, _INTEGERS[base_type] - 1)
    if base_type in _FRACTIONS:
        return _fractions(base_type, known, scale, precision)
    if base_type == "date":
        return Line(_read_date, _write_dates)
    if base_type in ("timestamp", "timestamptz"):
        return _fitted(Line(_read_timestamp, _write_timestamps), known)
    if base_type == "time":
        return _fitted(Line(_read_time, _write_times, 1, 0, _DAY_US - 1), known)
    if base_type == "interval":
        return _fitted(Line(_read_interval, _write_intervals), known)
    if base_type in ("inet", "cidr"):
        return Line(_read_address, _write_addresses, 1, 0, 2**32 - 1)
    if base_type in ("macaddr", "pg_lsn"):
        return Line(_read_mac, _write_mac, 1, 0, 2**48 - 1) if base_type == "macaddr" else None
    return None


def numbered_line(known: Sequence[str], limit: int = 0) -> Line | None:
    """Return the line of texts that differ in one number, as ``Customer#000000042`` and ``user42@mail`` do.

    Args:
        known: Text forms; at least two.
        limit: Characters at most, 0 where there is no limit.

    Returns:
        None where they are not of that form.
    """
    begin = len(_shared_start(known).rstrip("0123456789"))
    end = len(_shared_start([value[begin:][::-1] for value in known]))
    tail = known[0][len(known[0]) - end :].lstrip("0123456789") if known else ""
    prefix = known[0][:begin] if known else ""
    digits = [value[begin : len(value) - len(tail)] for value in known]
    if len(known) < 2 or not all(_DIGITS.fullmatch(number) for number in digits):
        return None
    fixed = len(digits[0]) if len({len(number) for number in digits}) == 1 else 0
    if not fixed and any(number.startswith("0") and number != "0" for number in digits):
        return None
    written = f"{prefix.translate(_ESCAPES)}%0{fixed}d{tail.translate(_ESCAPES)}" if fixed else ""
    pattern = written or f"{prefix.translate(_ESCAPES)}%d{tail.translate(_ESCAPES)}"
    room = min(limit - len(prefix) - len(tail) if limit else 18, 18)

    def read(text: str) -> int | None:
        inside = text[len(prefix) : len(text) - len(tail)]
        whole = text.startswith(prefix) and text.endswith(tail) and _DIGITS.fullmatch(inside)
        return int(inside) if whole else None

    def write(numbers: Longs) -> Texts:
        return texts([pattern % number for number in numbers.tolist()])

    return Line(read, write, 1, 0, 10 ** (fixed or room) - 1)


def _shared_start(values: Sequence[str]) -> str:
    """Return the beginning that all values have; the least and the greatest decide."""
    least, greatest = min(values, default=""), max(values, default="")
    differing = (place for place, pair in enumerate(zip(least, greatest, strict=False)) if len(set(pair)) > 1)
    return least[: next(differing, min(len(least), len(greatest)))]


def texts(found: Sequence[str]) -> Texts:
    """Return text forms as an array."""
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def _whole(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < LIMIT else None


def _write_whole(numbers: Longs) -> Texts:
    return texts(list(map(str, numbers.tolist())))


def _fractions(base_type: str, known: Sequence[str], scale: int | None, precision: int) -> Line:
    """Count in the smallest digit that the known values have, as far as their numbers stay exact."""
    parsed = [value for value in map(_decimal, known) if value is not None]
    seen = max((-int(value.normalize().as_tuple().exponent) for value in parsed), default=2)
    largest = max((abs(value) for value in parsed), default=Decimal(1))
    wide = _DIGITS_MAX if base_type != "float4" else 7
    whole_digits = max(largest.adjusted() + 1, 1) if largest else 1
    digits = min(max(seen, 0), max(wide - whole_digits, 0))
    if scale is not None:
        digits = min(digits, max(scale, 0))
    if base_type == "money":
        digits = 2
    greatest = 10 ** (precision - (scale or 0) + digits) - 1 if precision else LIMIT

    def read(text: str) -> int | None:
        value = _decimal(text)
        if value is None or abs(value) >= LIMIT // 10**digits:
            return None
        return int(value.scaleb(digits).to_integral_value())

    def write(numbers: Longs) -> Texts:
        if base_type == "money":  # knows no exponent
            return texts([f"{number / 100:.2f}" for number in numbers.tolist()])
        ending = f"e-{digits}" if digits else ""
        return texts([f"{number}{ending}" for number in numbers.tolist()])

    greatest = min(greatest, LIMIT)
    return Line(read, write, 1, -greatest, greatest)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.replace("$", "").replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _fitted(line: Line, known: Sequence[str]) -> Line:
    """Take the coarsest step of time that all known values are multiples of."""
    numbers = [number for number in map(line.read, known) if number is not None]
    shared = math.gcd(*numbers) if numbers else _SECOND_US
    step = next((step for step in _STEPS_US if shared % step == 0), 1)
    return Line(line.read, line.write, step, line.least, line.greatest)


def _read_date(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal() - _FIRST_DAY
    except ValueError:
        return None


def _write_dates(numbers: Longs) -> Texts:
    return np.datetime_as_string(numbers.astype("datetime64[D]")).astype(object)


def _read_timestamp(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since.days * _DAY_US + since.seconds * _SECOND_US + since.microseconds


def _write_timestamps(numbers: Longs) -> Texts:
    if numbers.size and not np.any(numbers % _SECOND_US):
        return np.datetime_as_string((numbers // _SECOND_US).astype("datetime64[s]")).astype(object)
    return np.datetime_as_string(numbers.astype("datetime64[us]")).astype(object)


def _read_time(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    return _clock_us(match) if match else None


def _clock_us(match: re.Match[str]) -> int:
    seconds = Decimal(match["seconds"]) + 60 * int(match["minutes"]) + 3600 * int(match["hours"])
    return int(seconds * _SECOND_US)


def _write_times(numbers: Longs) -> Texts:
    return texts([text[11:] for text in np.datetime_as_string(numbers.astype("datetime64[us]")).tolist()])


def _read_interval(text: str) -> int | None:
    """Count a month as 30 days and a year as 12 months, as the server does when it sorts intervals.

    **Source**: PostgreSQL 18, timestamp.c, ``interval_cmp_value``.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None or not text:
        return None
    days = 30 * (12 * int(match["years"] or 0) + int(match["months"] or 0)) + int(match["days"] or 0)
    clock = _clock_us(match) if match["hours"] else 0
    number = days * _DAY_US + (-clock if match["sign"] == "-" else clock)
    return number if abs(number) < LIMIT else None


def _write_intervals(numbers: Longs) -> Texts:
    days, rest = np.divmod(numbers, _DAY_US)
    pairs = zip(days.tolist(), _write_times(rest).tolist(), strict=True)
    return texts([f"{day} days {clock}" for day, clock in pairs])


def _read_address(text: str) -> int | None:
    try:
        return int(IPv4Address(text.removesuffix("/32")))
    except AddressValueError:
        return None


def _write_addresses(numbers: Longs) -> Texts:
    return texts([f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in numbers.tolist()])


def _read_mac(text: str) -> int | None:
    digits = text.replace(":", "")
    try:
        return int(digits, 16) if len(digits) == 12 else None
    except ValueError:
        return None


def _write_mac(numbers: Longs) -> Texts:
    return texts([":".join(re.findall("..", f"{number:012x}")) for number in numbers.tolist()])
