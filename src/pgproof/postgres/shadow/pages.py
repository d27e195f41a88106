"""Writes the few pages of an index that the planner looks into. Pure.

The planner charges a B-tree's descent by the height in its metapage, and a GIN's or BRIN's by the counts in
theirs. An index that was made on a table of two rows says so there. So its metapage is written anew, and a
B-tree gets a trunk besides, one page for each level, because the planner may descend to look for the greatest
key.

**Source**: PostgreSQL 18, src/include/storage/bufpage.h, access/nbtree.h, access/ginblock.h,
access/brin_page.h; read by ``_bt_getrootheight``, ``get_actual_variable_range``, ``ginGetStats`` and
``brinGetStats``.
"""

from __future__ import annotations

import math
import struct

PAGE_BYTES = 8192
HEADER_BYTES = 24
_PAGE_VERSION = 4
_BTREE_SPECIAL_BYTES = 16
_BTP_LEAF, _BTP_ROOT = 1, 2
_INDEX_ALT_TID_MASK = 0x2000
_NO_PAGE = 0
_INVALID_BLOCK = 0xFFFFFFFF
_TUPLE_BYTES = 8
_LP_NORMAL = 1
_REVMAP_ITEMS = 1360  # brin_page.h, REVMAP_PAGE_MAXITEMS: (8192 - 24 - 8) / 6
# nbtree.h, BTREE_NONLEAF_FILLFACTOR: how full a build leaves the pages above the leaves, in per cent.
_NONLEAF_FILL_PERCENT = 70
_ITEM_ID_BYTES = 4


def btree_pages(metapage: bytes, leaf: bytes, level: int) -> bytes:
    """Return the first pages of a B-tree whose root stands at a level, with one leaf at the end of its trunk.

    Args:
        metapage: As CREATE INDEX made it on a table of no more than one page of entries.
        leaf: The page behind it; empty for a tree without entries.
        level: Of the root; 0 means that the leaf is the root.
    """
    leaf_block = 1
    root = leaf_block if level == 0 else leaf_block + 1
    facts = struct.pack("<IIII", root, level, root, level)
    start = HEADER_BYTES + 8  # behind btm_magic and btm_version
    head = metapage[:start] + facts + metapage[start + len(facts) :]
    flags = _BTP_LEAF | (_BTP_ROOT if level == 0 else 0)
    lowest = _with_flags(leaf, flags) if leaf else _btree_page(0, child=_NO_PAGE, flags=flags)
    # From the root downwards, and from the lowest of these back to the leaf.
    trunk = [
        _btree_page(
            depth,
            child=level - depth + root + 1 if depth > 1 else leaf_block,
            flags=_BTP_ROOT if depth == level else 0,
        )
        for depth in range(level, 0, -1)
    ]
    return head + lowest + b"".join(trunk)


def _btree_page(level: int, *, child: int, flags: int) -> bytes:
    """Return a page alone on its level: one downlink to ``child``, or none where it is a leaf."""
    special = struct.pack("<IIIHH", _NO_PAGE, _NO_PAGE, level, flags, 0)
    upper = special_at = PAGE_BYTES - _BTREE_SPECIAL_BYTES
    items = tuples = b""
    if level > 0:
        # The first key of a level is minus infinity: no key at all, only the block below.
        upper -= _TUPLE_BYTES
        tuples = struct.pack("<HHHH", child >> 16, child & 0xFFFF, 0, _TUPLE_BYTES | _INDEX_ALT_TID_MASK)
        items = struct.pack("<I", upper | _LP_NORMAL << 15 | _TUPLE_BYTES << 17)
    lower = HEADER_BYTES + len(items)
    header = struct.pack("<QHHHHHHI", 0, 0, 0, lower, upper, special_at, PAGE_BYTES | _PAGE_VERSION, 0)
    return header + items + bytes(upper - lower) + tuples + special


def _with_flags(page: bytes, flags: int) -> bytes:
    """Return a B-tree page with other flags."""
    place = PAGE_BYTES - _BTREE_SPECIAL_BYTES + 12  # behind btpo_prev, btpo_next, btpo_level
    return page[:place] + struct.pack("<H", flags) + page[place + 2 :]


def btree_level(pages: int, key_bytes: float, *, grew: bool = False) -> int:
    """Return the level at which the root of a B-tree of so many pages stands.

    Args:
        pages: Of the whole index.
        key_bytes: Mean width of its key columns, INCLUDE left out.
        grew: It filled row by row, as that of a primary key mostly does: no page above the leaves is left
            before it is full.

    **Source**: nbtsort.c, where a build fills the pages above the leaves to 70 %; an entry there is a header,
    the key and a line pointer.
    """
    width = 8 * math.ceil((key_bytes + _TUPLE_BYTES) / 8) + _ITEM_ID_BYTES
    full_percent = 100 if grew else _NONLEAF_FILL_PERCENT
    fanout = max((PAGE_BYTES - HEADER_BYTES - _BTREE_SPECIAL_BYTES) * full_percent / 100 / width, 2.0)
    level, on_level = 0, float(max(pages - 1, 1))
    while on_level > 1:
        on_level = math.ceil(on_level / fanout)
        level += 1
    return level


def gin_metapage(metapage: bytes, total_pages: int, entry_pages: int, data_pages: int, entries: int) -> bytes:
    """Return a GIN metapage with other counts, no entry pending."""
    nothing_pending = struct.pack("<IIIIq", _INVALID_BLOCK, _INVALID_BLOCK, 0, 0, 0)
    facts = nothing_pending + struct.pack("<IIIxxxxq", total_pages, entry_pages, data_pages, entries)
    return metapage[:HEADER_BYTES] + facts + metapage[HEADER_BYTES + len(facts) : PAGE_BYTES]


def brin_metapage(metapage: bytes, revmap_pages: int) -> bytes:
    """Return a BRIN metapage that knows so many pages of its range map."""
    start = HEADER_BYTES + 12  # behind brinMagic, brinVersion, pagesPerRange
    return metapage[:start] + struct.pack("<I", revmap_pages) + metapage[start + 4 : PAGE_BYTES]


def brin_revmap_pages(metapage: bytes, heap_pages: int) -> int:
    """Return how many pages a BRIN index needs to find the summaries of a table.

    Args:
        metapage: Of the index; it knows the pages a range has.
        heap_pages: Of the table.
    """
    range_pages = int(struct.unpack_from("<I", metapage, HEADER_BYTES + 8)[0])
    return max(math.ceil(math.ceil(heap_pages / max(range_pages, 1)) / _REVMAP_ITEMS), 1)
