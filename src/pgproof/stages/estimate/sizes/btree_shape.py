"""A B-tree's shape: what is known of its columns put through the model of its pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgproof.model.estimate import IndexShape
from pgproof.model.relation import Column
from pgproof.stages.estimate.sizes.btree import BtreePages, count_pages, separator_bytes
from pgproof.stages.estimate.sizes.duplicates import CLUSTERED_FROM
from pgproof.stages.estimate.sizes.filling import fill_leaves
from pgproof.stages.estimate.sizes.groups import (
    KeyClass,
    coarse_key_classes,
    distinct_keys,
    equal_groups,
    joint_classes,
    key_classes,
)
from pgproof.stages.estimate.sizes.heavy_tail import rank_frequencies
from pgproof.stages.estimate.sizes.joint import is_unique, ordered_together, rows_referred_to
from pgproof.stages.estimate.sizes.known import KnownIndex
from pgproof.stages.estimate.sizes.layout import layout_of
from pgproof.stages.estimate.sizes.trust import judge
from pgproof.stages.estimate.sizes.widths import WidthClass, entry_bytes, widths_of

_NOT_DEDUPLICATED_OPCLASSES = ("record_ops", "record_image_ops")


Widths = tuple[WidthClass, ...]


@dataclass(frozen=True, slots=True)
class _Entries:
    """The sizes of an index's entries.

    Args:
        whole_bytes: Mean of those without NULLs; of several columns, with them.
        null_bytes: Of one whose only value is NULL.
        prefix_bytes: Mean of entries cut behind each key column.
    """

    whole_bytes: float
    null_bytes: float
    prefix_bytes: tuple[float, ...]


def btree_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a B-tree."""
    columns = known.key_columns
    read = key_classes if len(columns) == 1 else coarse_key_classes
    classes = [read(column, known.sample_of(column)) for column in columns]
    likely, doubts = _key_groups(known, classes)
    entries = _entries(known)
    found = _pages(known, entries, classes, likely)
    spread = [_pages(known, entries, classes, other).pages for other in doubts if deduplicates(known)]
    confidence, reason = judge(found.pages, spread, known.guesses, exact=known.table_sample.complete)
    return IndexShape(found.pages, known.rows, found.level, confidence, reason)


def _key_groups(
    known: KnownIndex, classes: Sequence[tuple[KeyClass, ...]]
) -> tuple[tuple[KeyClass, ...], list[tuple[KeyClass, ...]]]:
    """Return how the rows fall into equal keys: most likely, and other ways it might be."""
    columns, rows = known.key_columns, known.rows
    if rows < 1:
        return (), []
    if known.change.unique or is_unique(columns, known.table, known.catalog):
        return _with_nulls_of_one(classes, rows), []
    if len(columns) == 1:
        return classes[0], _doubts_of_one(known, columns[0], classes[0])
    independent = joint_classes(classes, rows)
    allowed = rows_referred_to(columns, known.table, known.catalog)
    if allowed is not None and allowed < distinct_keys(independent, rows):
        return joint_classes(classes, rows, known_distinct=allowed), []
    fewest = max(distinct_keys(each, rows) for each in classes)
    dependent = joint_classes(classes, rows, known_distinct=fewest)
    if ordered_together(columns):
        return joint_classes(classes, rows, known_distinct=sum(distinct_keys(c, rows) for c in classes)), []
    return independent, [dependent]


def _with_nulls_of_one(classes: Sequence[tuple[KeyClass, ...]], rows: float) -> tuple[KeyClass, ...]:
    """Return the keys of a unique index: each once, except NULLs, which don't count as equal."""
    nulls = tuple(each for each in classes[0] if each.null) if len(classes) == 1 else ()
    left = 1.0 - sum(each.share for each in nulls)
    return (*nulls, KeyClass(rows * left, 1.0 / rows, certain=True)) if left > 0 else nulls


def _doubts_of_one(
    known: KnownIndex, column: Column, classes: tuple[KeyClass, ...]
) -> list[tuple[KeyClass, ...]]:
    """Return what else a column's keys might be where a sample can't tell."""
    statistics = column.statistics
    if statistics is None or known.table_sample.complete:
        return []
    nulls = tuple(each for each in classes if each.null)
    rows = known.rows * (1.0 - sum(each.share for each in nulls))
    distinct = distinct_keys(classes, known.rows) - len(nulls)
    clustered = abs(statistics.correlation or 0.0) >= CLUSTERED_FROM
    if rank_frequencies(statistics, known.sample_of(column)):
        others = min(statistics.distinct_rows(known.rows), rows)
    elif clustered or distinct < known.table_sample.size / 10 or distinct > 0.99 * rows:
        return []
    else:
        others = min(distinct * 2, rows)
    alike = equal_groups(others, rows)
    return [(*nulls, replace(alike, share=alike.share * rows / known.rows))]


def _pages(
    known: KnownIndex,
    entries: _Entries,
    classes: Sequence[tuple[KeyClass, ...]],
    groups: tuple[KeyClass, ...],
) -> BtreePages:
    rows = known.rows
    leaves = fill_leaves(
        groups, rows, entries.whole_bytes, null_bytes=entries.null_bytes, deduplicated=deduplicates(known)
    )
    distinct, so_far = [], 1.0
    for each in classes[:-1]:
        so_far = min(so_far * distinct_keys(each, rows), max(leaves.entries, 1.0))
        distinct.append(so_far)
    distinct.append(distinct_keys(groups, rows))
    return count_pages(leaves, separator_bytes(entries.prefix_bytes, distinct, leaves.entries), rows)


def _entries(known: KnownIndex) -> _Entries:
    values = [(widths_of(column), _nulls_frac(column)) for column in known.columns]
    keys = len(known.key_columns)
    prefixes = tuple(_mixed(values[: place + 1]) for place in range(keys))
    if len(values) == 1:
        whole, with_null = entry_bytes(values)
        return _Entries(whole, with_null, prefixes)
    # Entries with and without NULLs are mixed within each class of keys.
    mean = prefixes[-1] if keys == len(values) else _mixed(values)
    return _Entries(mean, mean, prefixes)


def _mixed(values: Sequence[tuple[Widths, float]]) -> float:
    """Return the mean size of entries with these values, NULLs among them."""
    whole, with_null = entry_bytes(values)
    without = math.prod(1.0 - frac for _, frac in values)
    return whole * without + with_null * (1.0 - without)


def _nulls_frac(column: Column) -> float:
    return column.statistics.null_frac if column.statistics else 0.0


def deduplicates(known: KnownIndex) -> bool:
    """Say whether equal keys are merged: every key's type must tell equal values by their bytes.

    **Source**: PostgreSQL 18 documentation, 65.1.4.3; pg_amproc (support function 4) of 15.20 and 18.6. Also
    ``character(n)`` is deduplicated there, in both versions.
    """
    if known.change.include:
        return False
    return all(
        layout_of(
            column.base_type, column.statistics.avg_width_bytes if column.statistics else 0
        ).deduplicates
        and key.opclass not in _NOT_DEDUPLICATED_OPCLASSES
        for key, column in zip(known.change.keys, known.key_columns, strict=True)
    )
