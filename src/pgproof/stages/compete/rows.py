"""Comparing small results value by value, where digests differ: floating point, and ties at a boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

FLOAT_TOLERANCE_FRAC = 1e-9
"""Floating-point sums depend on the order of adding; what differs by less than this is called equal.

Source: n additions of doubles err by at most about n x 1.1e-16 relative to the sum of magnitudes: Higham
(1993), "The accuracy of floating point summation", SIAM J. Sci. Comput. 14, 783; 1e-9 covers ten million
rows.
"""

MAX_ROWS = 20_000
"""Larger results are not fetched to be compared."""

Rows = Sequence[Sequence[Any]]


def rows_match(ours: Rows, theirs: Rows, *, in_order: bool) -> bool:
    """Tell whether two results hold the same rows, floating-point values within ``FLOAT_TOLERANCE_FRAC``.

    Args:
        ours: Rows of values as the driver gives them.
        theirs: Likewise.
        in_order: Their order must be the same, too.
    """
    if len(ours) != len(theirs):
        return False
    if not in_order:
        ours, theirs = sorted(ours, key=_sorting_key), sorted(theirs, key=_sorting_key)
    return all(_row_matches(a, b) for a, b in zip(ours, theirs, strict=True))


def ties_match(ours: Rows, theirs: Rows, keys: int, *, has_offset: bool) -> bool:
    """Tell whether two cut-off sorted results may both be right: they differ only among equals at the cut.

    Args:
        ours: Rows whose last ``keys`` values are what they were sorted by.
        theirs: Likewise.
        keys: How many, >= 1.
        has_offset: The result was cut off at its start, too.

    Returns:
        True when both hold the same sequence of sort keys, and the same rows wherever the key is neither the
        last one (nor, with an offset, the first one). Among equal keys any order is right.
    """
    our_keys = [tuple(row[-keys:]) for row in ours]
    their_keys = [tuple(row[-keys:]) for row in theirs]
    if not rows_match(our_keys, their_keys, in_order=True):
        return False
    if not ours:
        return True
    edges = [our_keys[-1], *([our_keys[0]] if has_offset else [])]
    inner = [row for row, key in zip(ours, our_keys, strict=True) if not _in(key, edges)]
    their_inner = [row for row, key in zip(theirs, their_keys, strict=True) if not _in(key, edges)]
    return rows_match(inner, their_inner, in_order=False)


def _in(key: Sequence[Any], edges: Sequence[Sequence[Any]]) -> bool:
    return any(_row_matches(key, edge) for edge in edges)


def _row_matches(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    return len(ours) == len(theirs) and all(_value_matches(a, b) for a, b in zip(ours, theirs, strict=True))


def _value_matches(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=FLOAT_TOLERANCE_FRAC, abs_tol=0.0)
    return bool(ours == theirs)


def _sorting_key(row: Sequence[Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Order rows by all exact values first, so that floats that differ in the last digit still pair up."""
    exact = tuple("" if isinstance(value, float) else repr(value) for value in row)
    floats = tuple(float("-inf") if math.isnan(v) else v for v in row if isinstance(v, float))
    return exact, floats
