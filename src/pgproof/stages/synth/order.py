"""Sorts text forms about as the server does; only the neighbourhood of made-up values depends on it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from pgproof.model.synthesis import SourceColumn


def sort_key(column: SourceColumn) -> Callable[[str], Any]:
    """Return what a column's text forms are sorted by.

    By code point under the collations that do so; under others letters and digits count first, whatever
    their case and accents, then the rest. Labels of an enumeration have their own order.
    """
    if column.kind == "e":
        places = {label: place for place, label in enumerate(column.labels)}
        return lambda value: places.get(value, len(places))
    if column.category != "S" or column.code_point_order:
        return lambda value: value
    return _linguistic


def _linguistic(value: str) -> tuple[str, str]:
    letters = unicodedata.normalize("NFKD", value).casefold()
    return "".join(filter(str.isalnum, letters)), value.swapcase()
