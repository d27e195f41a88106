"""How many different keys many rows hold, and how frequent they are, from the keys of a few rows.

For access methods that take a value apart: trigrams of a text, keys of a document, elements of an array.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_FREQUENCY_STEP = 1.5
_SMOOTHED_UP_TO = 8
_ENOUGH_KEYS = 5  # met equally often, to say how often chance meets them


@dataclass(frozen=True, slots=True)
class ElementClass:
    """Keys inside values that are about equally frequent.

    Args:
        keys: How many there are.
        share: Of the rows that hold each of them, 0 to 1.
        width_bytes: Mean width of a key as it is stored.
    """

    keys: float
    share: float
    width_bytes: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """The keys in one value.

    Args:
        share: Of the rows that have this value, or that it stands for.
        keys: Each with its width in bytes.
        common: It stands for itself: all rows that have it are counted in ``share``.
    """

    share: float
    keys: Mapping[str, int]
    common: bool = False


def spectrum(values: Sequence[Weighted], rows: float) -> list[ElementClass]:
    """Estimate which keys all rows hold.

    Args:
        values: A sample; the shares of the values add up to that of the rows with any value.
        rows: Rows of the table.

    Returns:
        Keys met in many values as seen; those met seldom less frequent than seen, since chance made them show
        up; last those that no value showed.

    **Source**: frequencies of keys met seldom by Good and Turing (1953); the number of keys not met is Chao's
    lower bound (1984), f1^2 / 2 f2; where no key was met twice, every row is taken to have keys of its own.
    """
    shares: defaultdict[str, float] = defaultdict(float)
    widths: dict[str, int] = {}
    seen: Counter[str] = Counter()
    fixed: set[str] = set()
    for value in values:
        for key, width in value.keys.items():
            shares[key] += value.share
            widths[key] = width
            if value.common:
                fixed.add(key)
            else:
                seen[key] += 1
    met = Counter(count for key, count in seen.items() if key not in fixed)
    factors = _chance_factors(met)
    smoothed = {key: 1.0 if key in fixed else factors.get(seen[key], 1.0) for key in shares}
    found = _gathered((share * smoothed[key], widths[key]) for key, share in shares.items())
    left = sum(share * (1.0 - smoothed[key]) for key, share in shares.items())
    once = [widths[key] for key, count in seen.items() if count == 1 and key not in fixed]
    if once and left > 0:
        own = rows * left
        unseen = len(once) ** 2 / (2 * met[2]) if met[2] else own
        unseen = max(min(unseen, own), 1.0)
        found.append(ElementClass(unseen, left / unseen, sum(once) / len(once)))
    return found


def _chance_factors(met: Counter[int]) -> dict[int, float]:
    """Return by how much keys met so many times are less frequent than they seem."""
    if not met[2]:
        return {1: 0.0} if met[1] > 1 else {}
    factors, last = {}, 0.0
    for count in range(1, _SMOOTHED_UP_TO + 1):
        if met[count] < _ENOUGH_KEYS:
            break
        expected = (count + 1) * met[count + 1] / met[count]
        last = min(max(expected, last), float(count))
        factors[count] = last / count
    return factors


def _gathered(pairs: Iterable[tuple[float, int]]) -> list[ElementClass]:
    """Take keys of similar frequency together."""
    steps: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for share, width in pairs:
        if share <= 0:
            continue
        step = steps[round(math.log(share, _FREQUENCY_STEP))]
        step[0] += 1
        step[1] += share
        step[2] += width
    return [
        ElementClass(count, min(total / count, 1.0), width / count)
        for _, (count, total, width) in sorted(steps.items(), reverse=True)
    ]
