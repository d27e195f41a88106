"""Chance as a function of the row's number: any row can be made at any time, in any order, again the same."""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
_Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ROUNDS = 4
"""**Source**: Luby and Rackoff 1988, "How to construct pseudorandom permutations": four rounds suffice."""
_PERIOD = 128
_SORTED = 0.995
"""Correlation from which a column counts as sorted. **Source**: judgement."""


def seed_of(seed: int, *names: str) -> int:
    """Return a seed for one use, from the user's own and what it is for."""
    found = seed & 0xFFFFFFFF
    for name in names:
        found = zlib.crc32(name.encode(), found) ^ (found << 11 & 0xFFFFFFFFFFFF)
    return found


def mixed(numbers: npt.NDArray[np.generic], seed: int) -> _Words:
    """Return 64 random bits for each whole number.

    **Source**: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators" (SplitMix64).
    """
    start = np.uint64((seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF)
    with np.errstate(over="ignore"):
        found = numbers.astype(np.uint64) * _GOLDEN
        found += start
        found ^= found >> np.uint64(30)
        found *= _FIRST
        found ^= found >> np.uint64(27)
        found *= _SECOND
        found ^= found >> np.uint64(31)
    return found


def uniform(numbers: npt.NDArray[np.generic], seed: int) -> Reals:
    """Return a random number from 0 to below 1 for each whole number."""
    return (mixed(numbers, seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permuted(numbers: Longs, size: int, seed: int) -> Longs:
    """Shuffle the whole numbers below ``size``: each comes back as another one, none twice.

    Args:
        numbers: From 0 to below ``size``.
        size: At least 1.
        seed: Which shuffle.
    """
    left = math.isqrt(max(size - 1, 0)) + 1
    right = -(-size // left)
    found = _shuffled(numbers.astype(np.uint64), left, right, seed)
    outside = np.flatnonzero(found >= size)
    while outside.size:  # the rectangle is a little larger than the range: walk on until back inside
        found[outside] = _shuffled(found[outside], left, right, seed)
        outside = outside[found[outside] >= size]
    return found.astype(np.int64)


def _shuffled(numbers: _Words, left: int, right: int, seed: int) -> _Words:
    wide, high = np.uint64(left), np.uint64(right)
    one, other = numbers % wide, numbers // wide
    for turn in range(_ROUNDS):
        one = (one + (mixed(other, seed + 2 * turn) >> np.uint64(8))) % wide
        other = (other + (mixed(one, seed + 2 * turn + 1) >> np.uint64(8))) % high
    return other * wide + one


def ordered(numbers: Longs, size: int, correlation: float, seed: int) -> Longs:
    """Shuffle the whole numbers below ``size`` so that old and new order correlate as wanted.

    As many as ``correlation`` stay where they are, the others are shuffled among themselves.

    Args:
        numbers: From 0 to below ``size``.
        size: At least 1.
        correlation: -1 (reversed) to 1 (as it is).
        seed: Which shuffle.
    """
    strength = abs(correlation)
    if strength >= _SORTED:
        found = numbers
    elif round(strength * _PERIOD) == 0 or size < 2 * _PERIOD:
        found = permuted(numbers, size, seed) if size >= 2 * _PERIOD or strength < 0.5 else numbers
    else:
        found = _partly_shuffled(numbers, size, round(strength * _PERIOD), seed)
    return size - 1 - found if correlation < 0 else found


def _partly_shuffled(numbers: Longs, size: int, kept: int, seed: int) -> Longs:
    """Keep that many places of every 128, and shuffle all others; a last part of a period stays."""
    places = np.arange(_PERIOD, dtype=np.int64)
    stays = (places + 1) * kept // _PERIOD != places * kept // _PERIOD
    others = np.flatnonzero(~stays)
    among_others = np.cumsum(~stays) - 1
    periods, place = np.divmod(numbers, _PERIOD)
    moving = ~stays[place] & (periods < size // _PERIOD)
    found = numbers.copy()
    number = periods[moving] * len(others) + among_others[place[moving]]
    shuffled = permuted(number, size // _PERIOD * len(others), seed)
    found[moving] = shuffled // len(others) * _PERIOD + others[shuffled % len(others)]
    return found
