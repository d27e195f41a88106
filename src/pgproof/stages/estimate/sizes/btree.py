"""The pages of a B-tree built in one go, to the byte where the statistics allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pgproof.stages.estimate.sizes.filling import TID_BYTES, LeafLevel
from pgproof.stages.estimate.sizes.layout import (
    ENTRY_HEADER_BYTES,
    LINE_POINTER_BYTES,
    PAGE_BYTES,
    PAGE_HEADER_BYTES,
    align,
)

_INNER_ROOM = PAGE_BYTES - PAGE_HEADER_BYTES - 16 - 2 * LINE_POINTER_BYTES
_INNER_SPARE = PAGE_BYTES * 30 // 100
"""What a build leaves free on an inner page. **Source**: BTREE_NONLEAF_FILLFACTOR 70, PostgreSQL 13 to 18."""


@dataclass(frozen=True, slots=True)
class BtreePages:
    """A built B-tree.

    Args:
        pages: All pages with the metapage.
        level: Of the root; 0 where it is a leaf.
    """

    pages: int
    level: int


def count_pages(leaves: LeafLevel, separator_bytes: float, rows: float) -> BtreePages:
    """Put inner pages and the metapage on top of leaves.

    Args:
        leaves: The lowest level.
        separator_bytes: Mean size of the keys in inner pages.
        rows: Rows of the index; without any there is the metapage alone.
    """
    if rows < 0.5:
        return BtreePages(1, 0)
    width = max(math.ceil(leaves.pages - 0.01), 1)
    pages, level = width + 1, 0
    fanout = _children_a_page(separator_bytes)
    while width > 1:
        width = -(-width // fanout)
        pages, level = pages + width, level + 1
    return BtreePages(pages, level)


def _children_a_page(separator_bytes: float) -> int:
    """Return the children of an inner page; the first one has no key."""
    first = ENTRY_HEADER_BYTES + LINE_POINTER_BYTES
    return max(int((_INNER_ROOM - _INNER_SPARE - first) / (separator_bytes + LINE_POINTER_BYTES)) + 1, 2)


def separator_bytes(prefix_bytes: Sequence[float], prefix_distinct: Sequence[float], entries: float) -> float:
    """Return the mean size of an inner page's keys: cut behind the column that tells neighbours apart.

    Args:
        prefix_bytes: Mean size of an entry cut behind each column, in key order.
        prefix_distinct: Different values of each prefix, in the same order.
        entries: Entries on the leaves: neighbours differ in a prefix as often as it has values among them.
    """
    left, mean = 1.0, 0.0
    for size, distinct in zip(prefix_bytes, prefix_distinct, strict=True):
        told_apart = min(distinct / max(entries, 1.0), 1.0)
        share = max(left - (1.0 - told_apart), 0.0)
        mean += share * size
        left -= share
    return mean + left * (prefix_bytes[-1] + align(TID_BYTES))  # equal keys are told apart by the row's place
