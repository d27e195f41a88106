"""How many made-up values go between known ones, and how the rows are spread over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pgproof.stages.synth.chance import Longs, Reals
from pgproof.stages.synth.ladder import Rungs
from pgproof.stages.synth.spread import Spread, spread_of

_ENDLESS = 2**53


def fill_gaps(wanted: int, capacity: Longs, weights: Reals, *, endless: bool = False) -> Longs:
    """Decide how many values lie in each gap.

    Args:
        wanted: Values in all.
        capacity: That each gap can hold.
        weights: Share each is to have where there is room, >= 0.
        endless: What has no room goes into the last gap all the same.

    Returns:
        One number a gap; their sum is ``wanted``, less only where there is no room.
    """
    filled = np.zeros(len(capacity), dtype=np.int64)
    left, share = max(wanted, 0), weights.astype(np.float64)
    while left > 0:
        room = np.minimum(capacity - filled, _ENDLESS)
        share = np.where(room > 0, share, 0.0)
        if share.sum() <= 0:
            share = room.astype(np.float64)
            if share.sum() <= 0:
                break
        edges = np.rint(np.cumsum(share) / share.sum() * left).astype(np.int64)
        added = np.minimum(np.diff(edges, prepend=0), room)
        if not added.any():
            added[np.argmax(room)] = 1
        filled += added
        left -= int(added.sum())
    if endless:
        filled[-1] += left
    return filled


def gap_weights(known: int, buckets: Sequence[tuple[int, int]], widths: Reals) -> Reals:
    """Let every bucket of a histogram have equally many values, since it has equally many rows.

    Args:
        known: Number of known values; a gap is behind each.
        buckets: Of the histogram: its ends as numbers of known values.
        widths: Of the gaps, >= 0, which share a bucket's values.

    Returns:
        One weight a gap; by width alone where there is no histogram.
    """
    if not buckets:
        return widths.astype(np.float64)
    weights = np.zeros(known, dtype=np.float64)
    for begin, end in buckets:
        inside = widths[begin:end]
        total = float(inside.sum())
        if total > 0:
            weights[begin:end] += inside / total
    return weights


def spread_rows(
    rungs: Rungs,
    frequent: Mapping[int, float],
    buckets: Sequence[tuple[int, int]],
    *,
    frac_of_frequent: float,
    behind: int,
) -> Spread:
    """Spread rows over values as statistics have it.

    Args:
        rungs: The values.
        frequent: Weights of most common values, by the number of the known value.
        buckets: Of the histogram: its ends as numbers of known values.
        behind: First code that no histogram knows of, because the table has grown; these are as frequent as
            the others. The number of codes where there is none.
        frac_of_frequent: Share of the rows, NULLs left out, that hold a most common value.
    """
    codes, size = rungs.codes, rungs.size
    common = np.array(sorted(int(codes[number]) for number in frequent), dtype=np.int64)
    if len(common) >= size:
        frac_of_frequent = 1.0
    ends = [int(codes[end]) for _, end in buckets]
    segments = [
        (int(codes[begin]), max(end, int(codes[begin]) + 1))
        for (begin, _), end in zip(buckets, ends, strict=True)
    ]
    if segments:
        segments[-1] = (segments[-1][0], max(segments[-1][1], ends[-1] + 1))
    else:
        segments = [(0, size)]
    shares = [1.0 / len(segments)] * len(segments)
    if behind < size:
        shares = [share * behind / size for share in shares]
        segments.append((behind, size))
        shares.append((size - behind) / size)
    marks = np.unique(
        np.concatenate(([0, size], common, common + 1, np.array(segments, dtype=np.int64).ravel()))
    )
    first, count = marks[:-1], np.diff(marks)
    plain = count * ~np.isin(first, common)
    mass = np.zeros(len(first), dtype=np.float64)
    rest = max(1.0 - frac_of_frequent, 0.0)
    for (begin, end), share in zip(segments, shares, strict=True):
        left, right = np.searchsorted(first, (begin, end))
        inside = plain[left:right]
        if inside.sum() > 0:
            mass[left:right] += rest * share * inside / inside.sum()
    total = sum(frequent.values())
    for number, weight in frequent.items():
        mass[np.searchsorted(first, codes[number])] += frac_of_frequent * weight / total
    return spread_of(first, count, mass)
