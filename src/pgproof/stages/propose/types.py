"""Which columns an access method can take, and which are too wide for it."""

from __future__ import annotations

from functools import lru_cache

from pgproof.changes.index_guard import NOT_ORDERABLE
from pgproof.model.relation import Column
from pgproof.model.statistics import ColumnStatistics

BTREE_KEY_MAX_BYTES = 2704
"""Largest B-tree entry. **Source**: ``BTMaxItemSize`` for 8 KiB pages, src/include/access/nbtree.h."""

KEY_MAX_AVG_BYTES = 200
"""Wider on average, a B-tree over it is nearly a copy of the table. **Source**: judgement."""

INCLUDE_MAX_AVG_BYTES = 32
"""Of one payload column; wider ones cost more than the heap visit they spare. **Source**: judgement."""

INCLUDE_MAX_TOTAL_BYTES = 96
"""Of all payload columns together. **Source**: judgement; an 8 KiB page still holds some eighty entries."""

_NO_USE = frozenset(
    {"jsonb", "tsvector", "tsquery", "hstore", "vector", "halfvec", "sparsevec", "cube", "ltxtquery"}
)
"""Types with a B-tree class made for sorting whole documents: no condition people write can use it."""

_NO_BTREE = NOT_ORDERABLE | _NO_USE | {"geometry", "geography", "txid_snapshot", "pg_snapshot", "refcursor"}
_CACHED_COLUMNS = 16_384
_TEXT = frozenset({"text", "varchar", "name", "citext"})
_VARIABLE = _TEXT | {"bpchar", "numeric", "inet", "cidr", "varbit"}
_ASSUMED_WIDTH_BYTES = {"text": 32, "varchar": 16, "bpchar": 16, "citext": 32, "numeric": 8, "name": 64}


def is_text(column: Column) -> bool:
    """Tell whether pg_trgm's and the ``text_pattern_ops`` family take the column as it is."""
    return column.base_type in _TEXT - {"name", "citext"}


def is_array(column: Column) -> bool:
    """Tell whether the column is an array."""
    return column.base_type.startswith("_")


def is_range_type(base_type: str) -> bool:
    """Tell whether a type is a range or multirange."""
    return base_type.endswith(("range", "multirange"))


def width_bytes(column: Column) -> int:
    """Return the average width of a column; a guess by type where it was never analysed."""
    if column.statistics is not None:
        return column.statistics.avg_width_bytes
    return _ASSUMED_WIDTH_BYTES.get(column.base_type, 8)


def can_be_btree_key(column: Column) -> bool:
    """Tell whether a B-tree over the column can be built, can be used, and stays small.

    Values seen by ANALYZE that come near the largest entry rule a column out: the build, or a later INSERT,
    would fail.
    """
    if not column.orderable or not sorts(column.base_type) or column.generated == "virtual":
        return False
    return not is_too_wide(column)


def is_too_wide(column: Column) -> bool:
    """Tell whether a B-tree over a column would be nearly a copy of the table, or fail."""
    return width_bytes(column) > KEY_MAX_AVG_BYTES or _longest_seen_bytes(column) > BTREE_KEY_MAX_BYTES // 2


def sorts(base_type: str) -> bool:
    """Tell whether conditions people write can use a B-tree over a type."""
    return base_type not in _NO_BTREE and not base_type.startswith("_") and not is_range_type(base_type)


def can_be_payload(column: Column) -> bool:
    """Tell whether a column is narrow enough for INCLUDE."""
    if column.base_type in _NO_BTREE or is_array(column) or column.generated == "virtual":
        return False
    if column.base_type in _VARIABLE and _longest_seen_bytes(column) > KEY_MAX_AVG_BYTES:
        return False
    return width_bytes(column) <= INCLUDE_MAX_AVG_BYTES


def _longest_seen_bytes(column: Column) -> int:
    return 0 if column.statistics is None else _longest_of(column.statistics)


@lru_cache(maxsize=_CACHED_COLUMNS)
def _longest_of(statistics: ColumnStatistics) -> int:
    values = (*statistics.most_common_vals, *statistics.histogram_bounds)
    return max((len(value.encode(errors="replace")) for value in values), default=0)
