"""The shapes of GiST and SP-GiST indexes: the size of an entry, and how full their builds leave pages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from os.path import commonprefix  # of strings, character by character

from pgproof.model.estimate import Confidence, IndexShape
from pgproof.model.relation import Column, IndexKey
from pgproof.stages.estimate.sizes.gin_keys import gin_keys
from pgproof.stages.estimate.sizes.known import KnownIndex
from pgproof.stages.estimate.sizes.layout import (
    ENTRY_HEADER_BYTES,
    LINE_POINTER_BYTES,
    PAGE_BYTES,
    PAGE_HEADER_BYTES,
    align,
    layout_of,
)
from pgproof.stages.estimate.sizes.trust import least

_ROOM = PAGE_BYTES - PAGE_HEADER_BYTES - 16
_SIGNATURE_FROM_BYTES = 500.0
"""Trigrams and lexemes beyond this are kept as a signature instead (pg_trgm and tsvector_ops, 18)."""

_SORTED_FROM = 18
_TEXTS = ("text", "varchar")
_SPGIST_HEADER_BYTES = 16
_RANGES = ("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange")
_SIGNATURES = {"trgm": 12.0, "tsvector": 124.0}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What GiST keeps of a column.

    Args:
        width_bytes: Of a key.
        full_frac: How full a build leaves pages. **Source**: all measured on 15.20 and 18.6, 200,000 rows.
        confidence: How far to believe that.
    """

    width_bytes: float
    full_frac: float
    confidence: Confidence = Confidence.MEDIUM


def gist_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a GiST index."""
    kept = [
        _kept(key, column, known) for key, column in zip(known.change.keys, known.key_columns, strict=True)
    ]
    payload = [_plain_width(column) for column in known.columns[len(kept) :]]
    entry = align(ENTRY_HEADER_BYTES + sum(each.width_bytes for each in kept) + sum(payload))
    weakest = least(kept, key=lambda each: each.confidence)
    full = min(each.full_frac for each in kept)
    return _tree(known, entry + LINE_POINTER_BYTES, full, weakest.confidence)


def spgist_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of an SP-GiST index."""
    column = known.key_columns[0]
    width = sum(_plain_width(each) for each in known.columns) - _shared_prefix_bytes(column)
    entry = align(_SPGIST_HEADER_BYTES + max(width, 1.0)) + LINE_POINTER_BYTES
    if column.base_type in _RANGES:
        return _tree(known, entry, 0.42, Confidence.LOW)
    return _tree(known, entry, 0.79, Confidence.LOW if column.base_type in _TEXTS else Confidence.MEDIUM)


def _kept(key: IndexKey, column: Column, known: KnownIndex) -> _Kept:
    newer = known.catalog.major >= _SORTED_FROM
    if "trgm" in key.opclass or column.base_type == "tsvector":
        return _signed(key, column, known)
    match column.base_type:
        case "point":
            return _Kept(32.0, 0.655)
        case "box" | "polygon" | "circle":
            return _Kept(32.0, 0.48, Confidence.LOW)
        case "inet" | "cidr":
            return _Kept(8.0, 0.64)
        case name if name in _RANGES:
            return _Kept(_plain_width(column), 0.62 if newer else 0.47, Confidence.LOW)
    width = layout_of(column.base_type, 0).length_bytes
    if width:  # btree_gist keeps the least and the greatest value
        return _Kept(2.0 * width, 1.0 if newer else 0.55)
    return _Kept(_plain_width(column) + 4, 1.0 if newer else 0.58)


def _signed(key: IndexKey, column: Column, known: KnownIndex) -> _Kept:
    """Return what is kept of a text or document: its trigrams or words, or a signature of many."""
    is_trigram = "trgm" in key.opclass
    found = gin_keys(column, key.opclass.rpartition(".")[2], key.expression, known.sample_of(column))
    each_row = sum(c.keys * c.share for c in found.classes) if found else 20.0
    listed = 5 + each_row * (3 if is_trigram else 4)
    if listed > _SIGNATURE_FROM_BYTES:
        listed = _SIGNATURES["trgm" if is_trigram else "tsvector"] + 5
    return _Kept(listed, 0.65 if is_trigram else 0.8, Confidence.LOW)


def _shared_prefix_bytes(column: Column) -> float:
    """Return what texts have in common with their neighbours: SP-GiST keeps only what comes behind it."""
    bounds = column.statistics.histogram_bounds if column.statistics else ()
    if column.base_type not in _TEXTS or len(bounds) < 2:
        return 0.0
    return sum(len(commonprefix(pair)) for pair in pairwise(bounds)) / (len(bounds) - 1) + 1  # noqa: RUF071 - characters are meant


def _plain_width(column: Column) -> float:
    average = column.statistics.avg_width_bytes if column.statistics else 0
    return float(layout_of(column.base_type, average).length_bytes or average or 32)


def _tree(known: KnownIndex, item_bytes: float, full: float, confidence: Confidence) -> IndexShape:
    reason = "; ".join(("how full a build leaves pages is a measured average", *known.guesses))
    confidence = Confidence.LOW if known.guesses else confidence
    if known.rows < 0.5:
        return IndexShape(1, 0.0, 0, confidence, reason)
    each = max(int(_ROOM / item_bytes) * full, 2.0)
    width = math.ceil(known.rows / each)
    pages = width + (2 if known.change.method == "spgist" else 0)
    while width > 1:
        width = math.ceil(width / each)
        pages += width
    return IndexShape(pages, known.rows, 0, confidence, reason)
