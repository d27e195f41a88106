"""A hash index's shape: buckets for all rows of the table, overflow pages where one gets too many."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pgproof.model.estimate import Confidence, IndexShape
from pgproof.stages.estimate.sizes.groups import KeyClass, key_classes
from pgproof.stages.estimate.sizes.known import KnownIndex

ENTRIES_A_BUCKET = 307
"""Entries a bucket is planned for: 20 bytes each, three quarters of a page (``_hash_init``, 18)."""

ENTRIES_A_PAGE = 407
_FEWEST_BUCKETS = 2
_GROUPS_OF_ONE_PHASE = 10
_PHASES = 4
_FREQUENT_ROWS = 20.0  # of a key: its rows fill a page noticeably, and all of them fall into one bucket


def hash_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a hash index. NULLs are not in it; the key's width plays no part."""
    column = known.key_columns[0]
    classes = key_classes(column, known.sample_of(column))
    buckets = count_buckets(known.table_sample.rows)
    rows = known.rows * (1.0 - (column.statistics.null_frac if column.statistics else 0.0))
    overflow = _overflow_pages(classes, rows, buckets) if rows > 0 else 0.0
    pages = 1 + buckets + math.ceil(overflow) + 1
    confidence = Confidence.LOW if known.guesses else Confidence.HIGH
    reason = "; ".join(known.guesses) or "buckets by the rows of the table, overflow by its frequent keys"
    return IndexShape(pages, rows, 0, confidence, reason)


def count_buckets(rows: float) -> int:
    """Return the buckets that a build makes for a table.

    Up to 512 they double, after that they grow by quarters. **Source**: ``_hash_spareindex`` and
    ``_hash_get_totalbuckets``, PostgreSQL 10 to 18.
    """
    wanted = int(rows / ENTRIES_A_BUCKET)
    if wanted <= _FEWEST_BUCKETS:
        return _FEWEST_BUCKETS
    group = (wanted - 1).bit_length()
    if group < _GROUPS_OF_ONE_PHASE:
        return 1 << group
    half = 1 << (group - 1)
    quarters = ((wanted - 1) >> (group - 3)) % _PHASES + 1
    return half + half // _PHASES * quarters


def _overflow_pages(classes: Sequence[KeyClass], rows: float, buckets: int) -> float:
    """Return the pages besides the first ones of all buckets.

    Between powers of two, the buckets not yet split get twice the rows of the others.
    """
    full = 1 << (buckets - 1).bit_length()
    unsplit = full - buckets
    pages = 0.0
    for number, share in ((unsplit, 2.0 / full), (buckets - unsplit, 1.0 / full)):
        if number:
            pages += number * _overflow_of_one(classes, rows, share)
    return pages


def _overflow_of_one(classes: Sequence[KeyClass], rows: float, share: float) -> float:
    """Return the overflow pages of a bucket that each key falls into with a chance of ``share``."""
    rare = [each for each in classes if each.share * rows < _FREQUENT_ROWS]
    load = sum(each.keys * each.share for each in rare) * rows * share
    spread = sum(each.keys * (each.share * rows) ** 2 for each in rare) * share + load
    pages = _beyond(load, spread)
    for each in classes:
        mean = each.share * rows
        if mean < _FREQUENT_ROWS:
            continue
        expected = each.keys * share
        chance, alone = math.exp(-expected), _beyond(load, spread)
        for keys in range(1, int(expected + 6 * math.sqrt(expected)) + 4):
            chance *= expected / keys
            pages += chance * max(_beyond(load + keys * mean, spread) - alone, 0.0)
    return pages


def _beyond(load: float, variance: float) -> float:
    """Return the pages besides the first that a load needs, which scatters normally around its mean."""
    deviation = math.sqrt(max(variance, 1e-9))
    whole = int(load / ENTRIES_A_PAGE)
    return sum(
        0.5 * math.erfc((page * ENTRIES_A_PAGE - load) / deviation / math.sqrt(2))
        for page in range(max(whole - 2, 1), whole + 4)
    ) + max(whole - 3, 0)
