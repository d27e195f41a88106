"""How wide the values of a column are inside an index, as a distribution: padding depends on each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pgproof.model.relation import Column
from pgproof.model.statistics import ColumnStatistics
from pgproof.stages.estimate.sizes.layout import (
    COMPRESSED_FRAC,
    COMPRESSED_FROM_BYTES,
    ENTRY_HEADER_BYTES,
    ENTRY_HEADER_WITH_NULLS_BYTES,
    MAXALIGN,
    SHORT_VARLENA_MAX_BYTES,
    layout_of,
)

UNKNOWN_WIDTH_BYTES = 32
"""Of a column of varying width without statistics. **Source**: the planner's guess, get_typavgwidth."""

_TEXTS = ("text", "varchar", "bpchar", "citext")
_LONG_HEADER_BYTES = 4
_NUMERIC_HEADER_BYTES = 3  # one byte of length, two of sign, scale and weight
_IPV4_BYTES, _IPV6_BYTES = 7, 19  # one byte of length, family, bits, address
_DIGITS_A_GROUP = 4
_BYTES_A_GROUP = 2


@dataclass(frozen=True, slots=True)
class WidthClass:
    """Values of a column that are padded alike.

    Args:
        share: Of the values that are not NULL; those of a column add up to 1.
        mean_bytes: Mean width, header included.
        residue: What is left of each width when divided by 8.
        alignment_bytes: Where they may begin.
    """

    share: float
    mean_bytes: float
    residue: int
    alignment_bytes: int


@lru_cache(maxsize=4096)
def widths_of(column: Column) -> tuple[WidthClass, ...]:
    """Return the widths of a column's values in an index, by residue.

    Values seen in the statistics stand for all: their spread is taken from them, their mean from the
    column's average width. A column without statistics gets what its type says, else 32 bytes.
    """
    statistics = column.statistics
    average = statistics.avg_width_bytes if statistics else 0
    layout = layout_of(column.base_type, average)
    if layout.length_bytes:
        length = layout.length_bytes
        return (WidthClass(1.0, length, length % MAXALIGN, layout.alignment_bytes),)
    if statistics is None:
        return _spread(declared_width(column) or UNKNOWN_WIDTH_BYTES)
    seen = _seen_widths(column.base_type, statistics)
    if not seen:
        return _spread(average)
    return _classes(_moved_to_mean(seen, average))


def declared_width(column: Column) -> int:
    """Return the bytes of a value that fills what ``character(n)`` declares; 0 for other types."""
    _, opened, rest = column.type_name.partition("character(")
    digits = rest.partition(")")[0]
    return int(digits) + 1 if opened and digits.isdigit() and column.base_type == "bpchar" else 0


def value_width(base_type: str, text: str) -> int | None:
    """Return how many bytes a value takes, None where its text form doesn't tell.

    Args:
        base_type: ``pg_type.typname``.
        text: The value's text form.
    """
    if base_type in _TEXTS:
        length = len(text.encode())
        return length + (1 if length < SHORT_VARLENA_MAX_BYTES else _LONG_HEADER_BYTES)
    if base_type == "numeric":
        return _numeric_width(text)
    if base_type in ("inet", "cidr"):
        return _IPV6_BYTES if ":" in text else _IPV4_BYTES
    if base_type == "bytea" and text.startswith("\\x"):
        length = (len(text) - 2) // 2
        return length + (1 if length < SHORT_VARLENA_MAX_BYTES else _LONG_HEADER_BYTES)
    return None


def entry_bytes(columns: Iterable[tuple[tuple[WidthClass, ...], float]], *, has_null: bool = False) -> float:
    """Return the mean size of entries with these values, without a line pointer.

    Args:
        columns: Of each value its widths and the share of NULLs, in index order.
        has_null: Every entry has a NULL besides.
    """
    parts = tuple(columns)
    if has_null:
        return _padded_mean(ENTRY_HEADER_WITH_NULLS_BYTES, parts)
    without = 1.0
    for _, null_frac in parts:
        without *= 1.0 - null_frac
    whole = _padded_mean(ENTRY_HEADER_BYTES, ((widths, 0.0) for widths, _ in parts))
    if without >= 1.0:
        return whole
    absent = [(widths, min(null_frac / (1.0 - without), 1.0)) for widths, null_frac in parts]
    return whole * without + _padded_mean(ENTRY_HEADER_WITH_NULLS_BYTES, absent) * (1.0 - without)


def _padded_mean(start: int, parts: Iterable[tuple[tuple[WidthClass, ...], float]]) -> float:
    """Follow the end of an entry, value by value, through the eight places it may have within 8 bytes."""
    ends: dict[int, tuple[float, float]] = {start % MAXALIGN: (1.0, float(start))}
    for widths, null_frac in parts:
        after: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for place, (share, mean) in ends.items():
            if null_frac > 0:
                after[place][0] += share * null_frac
                after[place][1] += share * null_frac * mean
            for width in widths:
                padding = -place % width.alignment_bytes
                part = share * (1.0 - null_frac) * width.share
                slot = after[(place + padding + width.residue) % MAXALIGN]
                slot[0] += part
                slot[1] += part * (mean + padding + width.mean_bytes)
        ends = {place: (share, total / share) for place, (share, total) in after.items() if share > 0}
    return sum(share * (mean + -place % MAXALIGN) for place, (share, mean) in ends.items())


def _seen_widths(base_type: str, statistics: ColumnStatistics) -> dict[int, float]:
    """Return the share of each width among the values that the statistics show."""
    shares: defaultdict[int, float] = defaultdict(float)
    for text, frequency in zip(statistics.most_common_vals, statistics.most_common_freqs, strict=False):
        width = value_width(base_type, text)
        if width is None:
            return {}
        shares[width] += frequency
    others = max(1.0 - statistics.null_frac - sum(statistics.most_common_freqs), 0.0)
    bounds = statistics.histogram_bounds
    for text in bounds:
        width = value_width(base_type, text)
        if width is None:
            return {}
        shares[width] += max(others, 1e-6) / len(bounds)
    return dict(shares)


def _moved_to_mean(shares: dict[int, float], average: int) -> dict[int, float]:
    """Move the widths by whole bytes until their mean is the column's, which counts all sampled rows.

    The statistics leave very wide values out, and histograms show each of the frequent ones once.
    """
    total = sum(shares.values())
    if total <= 0:  # every row is NULL
        return {average: 1.0}
    mean = sum(width * share for width, share in shares.items()) / total
    if average - 0.5 <= mean < average + 1.5:  # the server cuts the fraction off
        return {width: share / total for width, share in shares.items()}
    offset = round(average + 0.5 - mean)
    moved: defaultdict[int, float] = defaultdict(float)
    for width, share in shares.items():
        moved[max(width + offset, 1)] += share / total
    return dict(moved)


def _classes(shares: dict[int, float]) -> tuple[WidthClass, ...]:
    sums: defaultdict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for width, share in shares.items():
        stored = stored_width(width)
        alignment = 1 if stored <= SHORT_VARLENA_MAX_BYTES else 4
        slot = sums[stored % MAXALIGN, alignment]
        slot[0] += share
        slot[1] += share * stored
    return tuple(
        WidthClass(share, total / share, residue, alignment)
        for (residue, alignment), (share, total) in sorted(sums.items())
        if share > 0
    )


def stored_width(width: int) -> int:
    """Return what is left in an index of a value of that width: long ones are compressed."""
    return (
        width if width <= COMPRESSED_FROM_BYTES else max(int(width * COMPRESSED_FRAC), COMPRESSED_FROM_BYTES)
    )


def _spread(average: int) -> tuple[WidthClass, ...]:
    """Return widths of which only the mean is known: any padding is as likely as any other."""
    stored = stored_width(average)
    alignment = 1 if stored <= SHORT_VARLENA_MAX_BYTES else 4
    low = max(stored - MAXALIGN // 2 + 1, 1)
    return tuple(
        WidthClass(1 / MAXALIGN, width, width % MAXALIGN, alignment) for width in range(low, low + MAXALIGN)
    )


def _numeric_width(text: str) -> int:
    """Return the bytes of a numeric: groups of four decimal digits on both sides of the point.

    **Source**: struct NumericShort, PostgreSQL 18.
    """
    whole, _, fraction = text.lstrip("-").partition(".")
    if not whole.isdigit():
        return _NUMERIC_HEADER_BYTES
    whole = whole.lstrip("0")
    fraction = fraction.rstrip("0")
    if not whole:  # groups of zeros right behind the point are not stored
        zeros = len(fraction) - len(fraction.lstrip("0"))
        fraction = fraction[zeros // _DIGITS_A_GROUP * _DIGITS_A_GROUP :]
    if not fraction:
        zeros = len(whole) - len(whole.rstrip("0"))
        whole = whole[: len(whole) - zeros // _DIGITS_A_GROUP * _DIGITS_A_GROUP]
    groups = -(-len(whole) // _DIGITS_A_GROUP) + -(-len(fraction) // _DIGITS_A_GROUP)
    return _NUMERIC_HEADER_BYTES + _BYTES_A_GROUP * groups
