"""The pages of a GIN index built in one go: a tree of keys, and for frequent keys trees of row places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pgproof.model.estimate import GinPages
from pgproof.stages.estimate.sizes.layout import (
    ENTRY_HEADER_BYTES,
    LINE_POINTER_BYTES,
    PAGE_BYTES,
    align,
)
from pgproof.stages.estimate.sizes.spectrum import ElementClass

LARGEST_ENTRY_BYTES = 2704
"""A key with a longer list of rows gets a tree for them. **Source**: GinMaxItemSize, PostgreSQL 13 to 18."""

_ROOM = PAGE_BYTES - 24 - 8
_LIST_HEADER_BYTES = 8
_SEGMENT_BYTES = 317
"""After this much, a list in a tree of row places starts anew. **Source**: measured as below."""

_HALF_FULL = _ROOM / 2
_ENTRY_OVERSHOOT = 0.87
"""Keys come in order, and a full page is split in the middle: so half a page stays, and most of an entry.

**Source**: measured on PostgreSQL 15.20 and 18.6 with entries of 28 to 1,930 bytes.
"""

_DATA_BYTES = 8013
"""What a page of row places holds of them; all but the last are full (measured on TPC-H's part)."""

_DATA_FANOUT = 800
_OWN = 1.001  # rows of a key that belongs to one row, and is no matter of chance


@dataclass(frozen=True, slots=True)
class GinIndex:
    """A built GIN index.

    Args:
        pages: All pages with the metapage.
        shape: What the metapage says.
        tuples: Pairs of key and row, which reltuples counts.
    """

    pages: int
    shape: GinPages
    tuples: float


def count_gin_pages(columns: Sequence[Sequence[ElementClass]], rows: float, rows_a_page: float) -> GinIndex:
    """Put keys on pages.

    Args:
        columns: The keys of each column.
        rows: Rows of the index.
        rows_a_page: Of the table: how far apart the places of rows lie.
    """
    several = len(columns) > 1  # every key then says which column it belongs to
    entries = entry_bytes = data_pages = tuples = 0.0
    for classes in columns:
        for each in classes:
            present = _keys_present(each, rows)
            if present <= 0 or rows < 1:
                continue
            mean = each.keys * each.share * rows / present
            posting = max(mean - 1.0, 0.0) * place_bytes(each.share, rows_a_page)  # the first stands in whole
            key = align(ENTRY_HEADER_BYTES + (2 if several else 0) + each.width_bytes)
            size = align(key + _LIST_HEADER_BYTES + posting)
            if size > LARGEST_ENTRY_BYTES:
                data_pages += present * _tree_pages(posting)
                size = key
            entries += present
            entry_bytes += present * (size + LINE_POINTER_BYTES)
            tuples += present * mean
    entry_pages = _entry_pages(entries, entry_bytes)
    shape = GinPages(entry_pages, round(data_pages), round(entries))
    return GinIndex(1 + entry_pages + round(data_pages), shape, tuples)


def _keys_present(each: ElementClass, rows: float) -> float:
    """Return how many keys at least one row has."""
    expected = each.share * rows
    return each.keys if expected <= _OWN else each.keys * -math.expm1(-expected)


def place_bytes(share: float, rows_a_page: float) -> float:
    """Return the mean bytes of a row's place in a list: the distance from the place before, 7 bits a byte.

    Places on the same page are less than 128 apart; a page counts 2048. **Source**: ginpostinglist.c, 18.

    Args:
        share: Of the rows that are in the list.
        rows_a_page: Of the table.
    """
    expected = max(share * rows_a_page, 1e-9)  # entries from one page
    elsewhere = -math.expm1(-expected) / expected
    return 1.0 + elsewhere + sum(math.exp(-expected * pages) for pages in (8, 1024, 131072))


def _tree_pages(posting_bytes: float) -> float:
    """Return the pages of a tree of row places."""
    stored = posting_bytes * (1 + _LIST_HEADER_BYTES / _SEGMENT_BYTES)
    if stored <= _DATA_BYTES:
        return 1.0
    leaves = 0.5 + stored / _DATA_BYTES  # keys of a class differ, so no rounding
    return leaves + math.ceil(leaves / _DATA_FANOUT)


def _entry_pages(entries: float, entry_bytes: float) -> int:
    if entries < 1:
        return 1
    mean = entry_bytes / entries
    if entry_bytes <= _ROOM:
        return 1
    width = math.ceil(entry_bytes / (_HALF_FULL + _ENTRY_OVERSHOOT * mean))
    pages, inner = width, min(mean, 40.0)
    while width > 1:
        width = math.ceil(width * inner / _HALF_FULL)
        pages += width
    return pages
