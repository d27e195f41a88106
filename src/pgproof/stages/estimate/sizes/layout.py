"""How PostgreSQL lays values and entries out on pages.

**Source**: PostgreSQL 18 documentation, 66.6 "Database Page Layout"; catalogs pg_type and pg_amproc of 15.20
and 18.6 for lengths, alignments and which operator classes deduplicate.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE_BYTES = 8192
PAGE_HEADER_BYTES = 24
LINE_POINTER_BYTES = 4
MAXALIGN = 8

ENTRY_HEADER_BYTES = 8
"""IndexTupleData; the values begin right behind it."""

ENTRY_HEADER_WITH_NULLS_BYTES = 16
"""With the bitmap that an entry has as soon as one of its values is NULL, aligned."""

SHORT_VARLENA_MAX_BYTES = 127
"""A value that fits in this, its one-byte header included, is stored without padding before it."""

COMPRESSED_FROM_BYTES = 510
"""Larger values of an index are compressed. **Source**: TOAST_INDEX_TARGET, PostgreSQL 18."""

COMPRESSED_FRAC = 0.6
"""What compression leaves of prose. **Source**: judgement, pglz on English text and jsonb."""


@dataclass(frozen=True, slots=True)
class TypeLayout:
    """How values of a type are stored.

    Args:
        length_bytes: Of every value; 0 where they vary.
        alignment_bytes: Where a value may begin; of a long one where lengths vary.
        deduplicates: The default B-tree operator class can tell equal values by their bytes.
    """

    length_bytes: int
    alignment_bytes: int
    deduplicates: bool


_VARYING = TypeLayout(0, 4, deduplicates=False)
_VARYING_DEDUPLICATED = TypeLayout(0, 4, deduplicates=True)
_LAYOUTS = {
    "bool": TypeLayout(1, 1, deduplicates=True),
    "char": TypeLayout(1, 1, deduplicates=True),
    "int2": TypeLayout(2, 2, deduplicates=True),
    "int4": TypeLayout(4, 4, deduplicates=True),
    "oid": TypeLayout(4, 4, deduplicates=True),
    "date": TypeLayout(4, 4, deduplicates=True),
    "float4": TypeLayout(4, 4, deduplicates=False),
    "macaddr": TypeLayout(6, 4, deduplicates=True),
    "macaddr8": TypeLayout(8, 4, deduplicates=True),
    "int8": TypeLayout(8, 8, deduplicates=True),
    "float8": TypeLayout(8, 8, deduplicates=False),
    "money": TypeLayout(8, 8, deduplicates=True),
    "time": TypeLayout(8, 8, deduplicates=True),
    "timestamp": TypeLayout(8, 8, deduplicates=True),
    "timestamptz": TypeLayout(8, 8, deduplicates=True),
    "pg_lsn": TypeLayout(8, 8, deduplicates=True),
    "xid8": TypeLayout(8, 8, deduplicates=True),
    "timetz": TypeLayout(12, 8, deduplicates=True),
    "interval": TypeLayout(16, 8, deduplicates=False),
    "uuid": TypeLayout(16, 1, deduplicates=True),
    "point": TypeLayout(16, 8, deduplicates=False),
    "lseg": TypeLayout(32, 8, deduplicates=False),
    "box": TypeLayout(32, 8, deduplicates=False),
    "circle": TypeLayout(24, 8, deduplicates=False),
    "name": TypeLayout(64, 1, deduplicates=True),
    "text": _VARYING_DEDUPLICATED,
    "varchar": _VARYING_DEDUPLICATED,
    "bpchar": _VARYING_DEDUPLICATED,
    "bytea": _VARYING_DEDUPLICATED,
    "bit": _VARYING_DEDUPLICATED,
    "varbit": _VARYING_DEDUPLICATED,
    "inet": _VARYING_DEDUPLICATED,
    "cidr": _VARYING_DEDUPLICATED,
}
_ENUM = TypeLayout(4, 4, deduplicates=True)
_ENUM_WIDTH_BYTES = 4


def layout_of(base_type: str, width_bytes: int) -> TypeLayout:
    """Return how values of a type are stored.

    Args:
        base_type: ``pg_type.typname``, domains resolved.
        width_bytes: Average width: tells an enum among types the catalog snapshot says nothing about.
    """
    known = _LAYOUTS.get(base_type)
    if known is not None:
        return known
    if width_bytes == _ENUM_WIDTH_BYTES and not base_type.startswith("_") and base_type != "numeric":
        return _ENUM
    return _VARYING


def align(size_bytes: float, alignment_bytes: int = MAXALIGN) -> int:
    """Round a size up to where the next value may begin."""
    return int(-(-size_bytes // alignment_bytes) * alignment_bytes)
