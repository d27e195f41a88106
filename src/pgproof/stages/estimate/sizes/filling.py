"""How many leaf pages a B-tree build fills with groups of equal keys, deduplicated or not.

The build packs what was sorted: a page is closed when it is nine tenths full, equal keys are merged into
posting lists of at most 812 bytes. **Source**: behaviour of nbtsort.c and nbtdedup.c, PostgreSQL 13 to 18;
checked against a byte by byte simulation of it (within 1 %, runs of thousands of duplicates within 3 %) and
against real builds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pgproof.stages.estimate.sizes.groups import KeyClass
from pgproof.stages.estimate.sizes.layout import LINE_POINTER_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, align

TID_BYTES = 6
_SPECIAL_BYTES = 16
_ROOM = PAGE_BYTES - PAGE_HEADER_BYTES - _SPECIAL_BYTES - 2 * LINE_POINTER_BYTES
"""Bytes for entries on a leaf: one line pointer is the high key's, another is always kept free."""

_POSTING_BYTES = 808
"""Largest posting list: a tenth of a page less a line pointer, aligned downwards."""

_EXACT_MEAN = 0.02  # entries whose mean size is this near to a whole are taken to be all of that size
_RUN_LOSS_BYTES = 406.0  # half a posting list: what the end of a run leaves free on its page
_POSTINGS_A_PAGE = 9.0


@dataclass(frozen=True, slots=True)
class LeafLevel:
    """The leaves of a B-tree.

    Args:
        pages: How many, in fractions.
        entries: Entries on them, posting lists counted once.
    """

    pages: float
    entries: float


@dataclass(frozen=True, slots=True)
class _Items:
    """Entries of one kind: their number, bytes with line pointers, and squared bytes."""

    count: float
    total: float
    squares: float


def fill_leaves(
    classes: Sequence[KeyClass],
    rows: float,
    entry_bytes: float,
    *,
    deduplicated: bool,
    fillfactor: int = 90,
) -> LeafLevel:
    """Return the leaves that a build fills.

    Args:
        classes: How the rows fall into equal keys.
        rows: Rows of the index.
        entry_bytes: Mean size of an entry of one row.
        deduplicated: Equal keys are merged.
        fillfactor: Of the index, percent.
    """
    spare = PAGE_BYTES * (100 - fillfactor) // 100
    pages = entries = 0.0
    for each in classes:
        mean = each.share * rows
        if not deduplicated or (each.certain and mean <= 1.0):
            pages += each.keys * mean / _singles_a_page(entry_bytes, spare)
            entries += each.keys * mean
            continue
        rounded = _rounded(mean)
        items = _in_posting_lists(entry_bytes, rounded, each.certain)
        scale = each.keys * mean / rounded
        pages += scale * items.total / _kept_bytes(items, entry_bytes, mean, spare)
        entries += scale * items.count
    return LeafLevel(pages, entries)


def _singles_a_page(entry_bytes: float, spare: int) -> float:
    """Return the entries of one row that stay on a page: the last one moves on when it is closed."""
    item = entry_bytes + LINE_POINTER_BYTES
    limit = min(_ROOM - spare, _ROOM - entry_bytes - align(TID_BYTES))
    if abs(entry_bytes - round(entry_bytes)) < _EXACT_MEAN:
        return max(float(int(limit / round(item))), 1.0)
    return max((limit - item / 2 + LINE_POINTER_BYTES) / item, 1.0)


def _kept_bytes(items: _Items, entry_bytes: float, mean: float, spare: int) -> float:
    """Return the bytes that stay on a page of posting lists, whose last one may overshoot the mark."""
    per_posting = _tids_a_posting(entry_bytes)
    if mean > 4 * per_posting:
        whole = _POSTINGS_A_PAGE * (_POSTING_BYTES + LINE_POINTER_BYTES)
        return whole - _RUN_LOSS_BYTES * -math.expm1(-_POSTINGS_A_PAGE / (mean / per_posting + 1))
    size = items.squares / items.total  # of the entry that a byte taken at random belongs to
    limit = min(_ROOM - spare - LINE_POINTER_BYTES - entry_bytes, _ROOM - LINE_POINTER_BYTES - 2 * size)
    return limit + size / 2


def _tids_a_posting(entry_bytes: float) -> int:
    return max(int((_POSTING_BYTES - align(entry_bytes)) / TID_BYTES), 1)


def _rounded(mean: float) -> float:
    """Round to two digits, so that posting lists of much the same length are computed once."""
    if mean < 20.0:
        return round(mean, 2) or 0.01
    return round(mean, 1 - int(math.log10(mean)))


@lru_cache(maxsize=65536)
def _in_posting_lists(entry_bytes: float, mean: float, certain: bool) -> _Items:
    """Return the entries of a key with ``mean`` rows, a Poisson number of them unless that is certain."""
    per_posting = _tids_a_posting(entry_bytes)
    if certain or mean > per_posting:
        return _items_of(entry_bytes, mean, per_posting)
    count = total = squares = 0.0
    chance = math.exp(-mean)
    for rows in range(1, int(mean + 6 * math.sqrt(mean)) + 10):
        chance *= mean / rows
        one = _items_of(entry_bytes, rows, per_posting)
        count, total = count + chance * one.count, total + chance * one.total
        squares += chance * one.squares
    return _Items(count, total, squares)


def _items_of(entry_bytes: float, rows: float, per_posting: int) -> _Items:
    """Return the entries of one key: full posting lists and what is left."""
    full = int((rows - 1) / per_posting) if rows > per_posting else 0
    left = rows - full * per_posting
    whole = align(align(entry_bytes) + TID_BYTES * per_posting) + LINE_POINTER_BYTES
    rest = entry_bytes + LINE_POINTER_BYTES
    if left > 1:
        exact = entry_bytes + TID_BYTES * left
        rest = (align(exact) if float(exact).is_integer() else exact + 3.5) + LINE_POINTER_BYTES
    return _Items(full + 1.0, full * whole + rest, full * whole**2 + rest**2)
