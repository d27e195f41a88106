"""A B-tree's shape: what is known of its columns put through the model of its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgproof.model.estimate import IndexShape
from pgproof.model.relation import Column
from pgproof.stages.estimate.sizes.btree import count_pages, separator_bytes
from pgproof.stages.estimate.sizes.duplicates import CLUSTERED_FROM
from pgproof.stages.estimate.sizes.filling import LeafLevel, fill_leaves
from pgproof.stages.estimate.sizes.groups import (
    KeyClass,
    coarse_key_classes,
    distinct_keys,
    equal_groups,
    joint_classes,
    key_classes,
)
from pgproof.stages.estimate.sizes.heavy_tail import rank_frequencies
from pgproof.stages.estimate.sizes.joint import (
    combinations_counted,
    is_unique,
    ordered_together,
    rows_referred_to,
)
from pgproof.stages.estimate.sizes.known import KnownIndex
from pgproof.stages.estimate.sizes.layout import layout_of
from pgproof.stages.estimate.sizes.nullness import Kind, kinds_of_rows, nulls_frac
from pgproof.stages.estimate.sizes.trust import judge
from pgproof.stages.estimate.sizes.widths import entry_bytes, widths_of

_NOT_DEDUPLICATED_OPCLASSES = ("record_ops", "record_image_ops")


Classes = tuple[KeyClass, ...]


@dataclass(frozen=True, slots=True)
class _Leaves:
    """The leaves that one kind of rows fills.

    Args:
        likely: Most likely.
        others: As they might be as well.
        separator_bytes: Mean size of a key in an inner page above them.
    """

    likely: LeafLevel
    others: tuple[LeafLevel, ...]
    separator_bytes: float


def btree_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a B-tree."""
    kinds = [_leaves_of(known, kind) for kind in kinds_of_rows(known)]
    entries = sum(kind.likely.entries for kind in kinds)
    separator = sum(kind.separator_bytes * kind.likely.entries for kind in kinds) / max(entries, 1.0)
    whole = LeafLevel(sum(kind.likely.pages for kind in kinds), entries)
    found = count_pages(whole, separator, known.rows)
    other_pages = [whole.pages - kind.likely.pages + other.pages for kind in kinds for other in kind.others]
    sizes = [count_pages(replace(whole, pages=pages), separator, known.rows).pages for pages in other_pages]
    confidence, reason = judge(found.pages, sizes, known.guesses, exact=known.table_sample.complete)
    return IndexShape(found.pages, known.rows, found.level, confidence, reason)


def _leaves_of(known: KnownIndex, kind: Kind) -> _Leaves:
    read = key_classes if len(kind.present) == 1 else coarse_key_classes
    classes = [read(column, known.sample_of(column)) for column in kind.present]
    likely, doubts = _key_groups(known, kind, classes)
    merged = deduplicates(known)
    payload = [(widths_of(c), nulls_frac(c)) for c in known.columns[len(known.key_columns) :]]
    values = [(widths_of(column), 0.0) for column in kind.present]
    size = entry_bytes([*values, *payload], has_null=kind.has_null)
    leaves = fill_leaves(likely, kind.rows, size, deduplicated=merged)
    others = [fill_leaves(other, kind.rows, size, deduplicated=merged) for other in doubts]
    prefixes = [entry_bytes(values[: place + 1], has_null=kind.has_null) for place in range(len(values))]
    distinct, so_far = [], 1.0
    for each in classes[:-1]:
        so_far = min(so_far * distinct_keys(each, kind.rows), max(leaves.entries, 1.0))
        distinct.append(so_far)
    distinct.append(distinct_keys(likely, kind.rows))
    separator = separator_bytes(prefixes or [16.0], distinct, leaves.entries)
    return _Leaves(leaves, tuple(others), separator)


def _key_groups(known: KnownIndex, kind: Kind, classes: Sequence[Classes]) -> tuple[Classes, list[Classes]]:
    """Return how rows fall into equal keys: most likely, and other ways it might be."""
    columns, rows = kind.present, kind.rows
    if not columns:
        return (KeyClass(1.0, 1.0, certain=True),), []
    unique = known.change.unique or is_unique(columns, known.table, known.catalog)
    if unique and not kind.has_null:
        return (KeyClass(rows, 1.0 / rows, certain=True),), []
    if len(columns) == 1:
        return classes[0], _doubts_of_one(known, columns[0], rows, classes[0])
    counted = combinations_counted(columns, known.table, known.catalog)
    if counted is not None:
        return joint_classes(classes, rows, known_distinct=min(counted, rows)), []
    independent = joint_classes(classes, rows)
    allowed = rows_referred_to(columns, known.table, known.catalog)
    if allowed is not None and allowed < distinct_keys(independent, rows):
        return joint_classes(classes, rows, known_distinct=allowed), []
    if ordered_together(columns):
        return joint_classes(classes, rows, known_distinct=sum(distinct_keys(c, rows) for c in classes)), []
    fewest = max(distinct_keys(each, rows) for each in classes)
    return independent, [joint_classes(classes, rows, known_distinct=fewest)]


def _doubts_of_one(known: KnownIndex, column: Column, rows: float, classes: Classes) -> list[Classes]:
    """Return what else a column's keys might be where a sample can't tell."""
    statistics = column.statistics
    if statistics is None or known.table_sample.complete:
        return []
    distinct = distinct_keys(classes, rows)
    clustered = abs(statistics.correlation or 0.0) >= CLUSTERED_FROM
    if rank_frequencies(statistics, known.sample_of(column)):
        others = min(statistics.distinct_rows(known.rows), rows)
    elif clustered or distinct < known.table_sample.size / 10 or distinct > 0.99 * rows:
        return []
    else:
        others = min(distinct * 2, rows)
    return [(equal_groups(others, rows),)]


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
