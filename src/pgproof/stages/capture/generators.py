"""Parameter generators: a few words in a workload file that stand for many values, hot ones and cold ones.

Every generator draws a wanted number of rows (one value for each placeholder it feeds). Draws are
stratified: the range, or the weights, are cut into as many equal parts as rows are wanted, and each part
gives one. So twenty rows of a skewed column hold the hottest value and the coldest ones, every time.
"""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_right
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw of a generator.

    Args:
        values: One for each placeholder it feeds, in text form.
        weight: Share it stands for, > 0; 1 on average.
    """

    values: Values
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A few values, each with a share.

    Args:
        values: In text form; None is NULL.
        weights: Shares, > 0, same order.
    """

    values: tuple[str | None, ...]
    weights: tuple[float, ...]

    def draw(self, count: int, _: random.Random) -> list[Drawn]:
        """Draw ``count`` rows; each value comes up at least once where ``count`` allows it."""
        copies = _shares_of(count, self.weights)
        total = sum(self.weights)
        return [
            Drawn((value,), weight / total * count / copy)
            for value, weight, copy in zip(self.values, self.weights, copies, strict=True)
            for _ in range(copy)
        ]


@dataclass(frozen=True, slots=True)
class Integers:
    """Whole numbers of a range, evenly spread.

    Args:
        low: Smallest.
        high: Largest, >= low.
    """

    low: int
    high: int

    def draw(self, count: int, rng: random.Random) -> list[Drawn]:
        """Draw one number from each of ``count`` equal parts of the range."""
        size = self.high - self.low + 1
        return [Drawn((str(self.low + int((i + rng.random()) / count * size)),)) for i in range(count)]


@dataclass(frozen=True, slots=True)
class Zipf:
    """Whole numbers of a range, the first the hottest: the k-th has a share of 1 / k ** exponent.

    Args:
        low: The hottest.
        high: The coldest, >= low.
        exponent: How skewed, > 0; 1 is the classic law.
    """

    low: int
    high: int
    exponent: float = 1.0

    def draw(self, count: int, rng: random.Random) -> list[Drawn]:
        """Draw at ``count`` even steps of the cumulative share."""
        size = self.high - self.low + 1
        return [Drawn((str(self.low + self._rank((i + rng.random()) / count, size)),)) for i in range(count)]

    def _rank(self, share: float, size: int) -> int:
        """Invert the integral of the law, which stands for its sum: 0 for the hottest."""
        if math.isclose(self.exponent, 1.0):
            rank = math.exp(share * math.log(size + 1)) - 1
        else:
            power = 1.0 - self.exponent
            rank = (1 + share * ((size + 1) ** power - 1)) ** (1 / power) - 1
        return min(int(rank), size - 1)


@dataclass(frozen=True, slots=True)
class Dates:
    """Moments of a range, evenly spread.

    Args:
        start: First.
        end: Last, >= start.
        whole_days: Give dates without a time.
    """

    start: datetime
    end: datetime
    whole_days: bool = False

    def draw(self, count: int, rng: random.Random) -> list[Drawn]:
        """Draw one moment from each of ``count`` equal parts of the range, to the second."""
        seconds = (self.end - self.start).total_seconds()
        moments = (
            self.start + timedelta(seconds=int((i + rng.random()) / count * seconds)) for i in range(count)
        )
        return [Drawn((str(m.date()) if self.whole_days else m.isoformat(sep=" "),)) for m in moments]


_PATTERN_PIECE = re.compile(r"\[([^\]]+)\](?:\{(\d+)\})?|\\(.)|([^\[\\])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """Random text after a pattern: literal characters, ``[A-F0-9]`` classes, ``{n}`` behind a class.

    Args:
        pattern: ``"CMD-[0-9]{6}"``; a backslash makes the next character literal.
    """

    pattern: str

    def draw(self, count: int, rng: random.Random) -> list[Drawn]:
        """Draw ``count`` texts."""
        return [Drawn(("".join(self._pieces(rng)),)) for _ in range(count)]

    def _pieces(self, rng: random.Random) -> list[str]:
        return [
            "".join(rng.choice(_characters(kind)) for _ in range(int(times or 1)))
            if kind
            else escaped or plain
            for kind, times, escaped, plain in _PATTERN_PIECE.findall(self.pattern)
        ]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Numbers that count up: a fresh key for each set.

    Args:
        start: First.
        step: Difference, not 0.
    """

    start: int = 1
    step: int = 1

    def draw(self, count: int, _: random.Random) -> list[Drawn]:
        """Give the first ``count`` numbers."""
        return [Drawn((str(self.start + i * self.step),)) for i in range(count)]


@dataclass(frozen=True, slots=True)
class FromQuery:
    """Values from the database: each row of a query gives one value for each placeholder.

    Args:
        sql: A query that only reads; a last column named ``weight`` says how often the row is asked for.
    """

    sql: str


PureGenerator = Choice | Integers | Zipf | Dates | Text | Sequence
Generator = PureGenerator | FromQuery


def draw_rows(rows: SequenceOf[Values], weights: SequenceOf[float] | None, count: int) -> list[Drawn]:
    """Choose rows at even steps of the cumulative weight: popular ones often, the others represented.

    Args:
        rows: Candidates in an order that means something (most frequent first, oldest first); not empty.
        weights: How often each is asked for, >= 0; None means equally often.
        count: Rows wanted.
    """
    bounds = list(accumulate(weights or [1.0] * len(rows)))
    if bounds[-1] <= 0:
        return draw_rows(rows, None, count)
    steps = ((i + 0.5) / count * bounds[-1] for i in range(count))
    return [Drawn(rows[min(bisect_right(bounds, step), len(rows) - 1)]) for step in steps]


def _shares_of(count: int, weights: tuple[float, ...]) -> list[int]:
    """Split ``count`` over weights, at least 1 each where there is room (largest remainder method)."""
    floor = 1 if count >= len(weights) else 0
    exact = [weight / sum(weights) * (count - floor * len(weights)) for weight in weights]
    copies = [int(share) + floor for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (int(exact[i]) - exact[i], i))
    for i in by_remainder[: count - sum(copies)]:
        copies[i] += 1
    return copies


def _characters(kind: str) -> str:
    """Write out a character class: ``A-C1`` -> ``ABC1``."""
    spans = re.findall(r"(.)-(.)|(.)", kind, re.DOTALL)
    return "".join(
        "".join(map(chr, range(ord(low), ord(high) + 1))) if low else single for low, high, single in spans
    )
