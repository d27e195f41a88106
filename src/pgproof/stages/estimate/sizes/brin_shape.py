"""A BRIN index's shape: one summary for each range of pages, and a map to find it."""

from __future__ import annotations

import math

from pgproof.model.estimate import Confidence, IndexShape
from pgproof.model.relation import Column, IndexKey
from pgproof.stages.estimate.sizes.known import KnownIndex
from pgproof.stages.estimate.sizes.layout import LINE_POINTER_BYTES, PAGE_BYTES, align, layout_of

PAGES_A_RANGE = 128
"""Default of ``pages_per_range`` (PostgreSQL 13 to 18)."""

RANGES_A_MAP_PAGE = 1360
"""Entries of a page of the map. **Source**: REVMAP_PAGE_MAXITEMS, PostgreSQL 18."""

_SUMMARY_HEADER_BYTES = 8
_ROOM = PAGE_BYTES - 24 - 8
_MULTI_VALUES = 16
"""Values of a summary of several intervals: half of ``values_per_range``, where a full one is cut down to."""

_BLOOM_BYTES = 7600.0
"""Of a Bloom filter over 128 pages. **Source**: measured on 15.20 and 18.6, a page for each range."""


def brin_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a BRIN index: hardly ever more than a few pages."""
    ranges = max(math.ceil(known.table_sample.pages / PAGES_A_RANGE), 1)
    revmap = math.ceil(ranges / RANGES_A_MAP_PAGE)
    pairs = zip(known.change.keys, known.key_columns, strict=True)
    summary = align(_SUMMARY_HEADER_BYTES + sum(_column_bytes(key, column) for key, column in pairs))
    each_page = max(int(_ROOM / (summary + LINE_POINTER_BYTES)), 1)
    analysed = known.table.rows >= 0
    return IndexShape(
        pages=1 + revmap + math.ceil(ranges / each_page),
        tuples=float(ranges),
        tree_level=0,
        confidence=Confidence.HIGH if analysed else Confidence.LOW,
        reason=f"{ranges} ranges of {PAGES_A_RANGE} pages" if analysed else "; ".join(known.guesses),
        revmap_pages=revmap,
    )


def _column_bytes(key: IndexKey, column: Column) -> float:
    """Return what a summary keeps of a column: least and greatest value, or what the class says."""
    average = column.statistics.avg_width_bytes if column.statistics else 0
    layout = layout_of(column.base_type, average)
    width = float(layout.length_bytes or average or 32)
    if "bloom" in key.opclass:
        return _BLOOM_BYTES
    if "multi" in key.opclass:
        return _MULTI_VALUES * width
    return 2 * align(width, layout.alignment_bytes if layout.length_bytes else 1)
