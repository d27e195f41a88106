"""How the rows of an index fall into groups of equal keys."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pgproof.model.relation import Column
from pgproof.stages.estimate.sizes.duplicates import Keys, TableSample, rate_given_met, uncommon_keys
from pgproof.stages.estimate.sizes.heavy_tail import rank_frequencies

_FREQUENCY_STEP_LN = math.log(3.0)
"""Logarithm of 3: keys whose frequencies lie within this factor are taken together. **Source**: judgement."""

_MANY_ROWS = 20.0  # of a key: chance hardly changes their number any more
_UNIQUE_WITHIN = 1e-4


@dataclass(frozen=True, slots=True)
class KeyClass:
    """Keys that are about equally frequent.

    Args:
        keys: How many there may be.
        share: Of the rows whose key is not NULL, in each of them.
        certain: Each has its rows for sure; otherwise they are drawn at random, and a key may get none.
    """

    keys: float
    share: float
    certain: bool = False


@lru_cache(maxsize=4096)
def key_classes(column: Column, sample: TableSample) -> tuple[KeyClass, ...]:
    """Return a column's keys by frequency, NULL left out; without statistics the planner's guess of 200 keys.

    Args:
        column: The column.
        sample: Where its statistics come from.

    Returns:
        Classes whose shares add up to 1; empty where every row is NULL.
    """
    statistics = column.statistics
    if statistics is None:
        return (KeyClass(200.0, 1 / 200.0),)
    present = 1.0 - statistics.null_frac
    ranks = rank_frequencies(statistics, sample)
    others = uncommon_keys(statistics, sample)
    if ranks:
        found = [KeyClass(keys, share) for keys, share in ranks]
        left = present - sum(each.keys * each.share for each in found)
        found.append(KeyClass(sample.rows * left, 1.0 / sample.rows, certain=True))
    else:
        found = [KeyClass(1.0, share, certain=True) for share in statistics.most_common_freqs if share > 0]
        if others is not None:
            left = present - sum(each.share for each in found)
            found.append(_drawn(others, left, sample.rows))
    total = sum(each.keys * each.share for each in found)
    if total <= 0:
        return (KeyClass(1.0, 1.0, certain=True),) if present > 0 else ()
    return tuple(replace(each, share=each.share / total) for each in found)


def _drawn(others: Keys, share: float, rows: float) -> KeyClass:
    if rows * share / others.distinct >= _MANY_ROWS:
        return KeyClass(others.distinct, share / others.distinct, certain=True)
    if math.isinf(others.possible):
        return KeyClass(rows * share, 1.0 / rows, certain=True)
    return KeyClass(others.possible, share / others.possible)


def equal_groups(keys: float, rows: float) -> KeyClass:
    """Return the class of so many keys, which all rows fell to at random and none of which stayed empty."""
    each = rows / keys
    if each >= _MANY_ROWS:
        return KeyClass(keys, 1.0 / keys, certain=True)
    if each <= 1.0 + _UNIQUE_WITHIN:
        return KeyClass(rows, 1.0 / rows, certain=True)
    possible = keys / -math.expm1(-rate_given_met(each))
    return KeyClass(possible, 1.0 / possible)


def joint_classes(
    columns: Sequence[tuple[KeyClass, ...]], rows: float, known_distinct: float | None = None
) -> tuple[KeyClass, ...]:
    """Return the keys of several columns together, taken to be independent of each other.

    Args:
        columns: Each column's keys as `coarse_key_classes` gives them, at least two columns.
        rows: Rows of the index.
        known_distinct: How many combinations there are, where something tells.
    """
    joined = columns[0]
    for place, other in enumerate(columns[1:]):
        joined = _crossed(_gathered(joined) if place else joined, other)
    least = max(distinct_keys(column, rows) for column in columns)
    most = max(rows, 1.0)
    found = distinct_keys(joined, rows)
    wanted = min(max(known_distinct if known_distinct is not None else found, least), most)
    if known_distinct is None and found >= least * 1.001:
        return joined
    return (equal_groups(wanted, most),)


def distinct_keys(classes: Sequence[KeyClass], rows: float) -> float:
    """Return how many different keys so many rows are expected to have."""
    return sum(each.keys if each.certain else each.keys * -math.expm1(-each.share * rows) for each in classes)


@lru_cache(maxsize=4096)
def coarse_key_classes(column: Column, sample: TableSample) -> tuple[KeyClass, ...]:
    """Return a column's keys, those of similar frequency taken together, since crossing multiplies them.

    Args:
        column: The column.
        sample: Where its statistics come from.
    """
    return _gathered(key_classes(column, sample))


def _gathered(classes: Sequence[KeyClass]) -> tuple[KeyClass, ...]:
    steps: defaultdict[tuple[int, bool], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for each in classes:
        step = steps[round(math.log(max(each.share, 1e-15)) / _FREQUENCY_STEP_LN), each.certain]
        step[0] += each.keys
        step[1] += each.keys * each.share
    return tuple(
        KeyClass(keys, total / keys, certain) for (_, certain), (keys, total) in sorted(steps.items())
    )


def _crossed(left: Sequence[KeyClass], right: Sequence[KeyClass]) -> tuple[KeyClass, ...]:
    return tuple(KeyClass(a.keys * b.keys, a.share * b.share) for a in left for b in right)
