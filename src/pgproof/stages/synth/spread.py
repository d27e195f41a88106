"""How rows are spread over the values of a column: the inverse of its cumulative distribution.

Values are known by their place in the sorted list of all, from 0: the *code*. A spread is a line of pieces in
the order of codes; within a piece all values are equally frequent. A most common value is a piece by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgproof.stages.synth.chance import Longs, Reals

_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution over codes.

    Args:
        first: First code of each piece, ascending; shape (pieces,).
        count: Values of each piece, >= 1; same shape.
        edges: Cumulative share of the rows where each piece begins, and 1 at the end; shape (pieces + 1,).
    """

    first: Longs
    count: Longs
    edges: Reals

    @property
    def values(self) -> int:
        """How many different values there are."""
        return int(self.count.sum())

    @property
    def largest_frac(self) -> float:
        """Share of the rows that hold the most frequent value."""
        return float((np.diff(self.edges) / self.count).max())

    @property
    def squared_fracs(self) -> float:
        """Sum of the squares of all values' shares: the chance that two rows are equal."""
        return float((np.diff(self.edges) ** 2 / self.count).sum())

    def codes(self, at: Reals) -> Longs:
        """Return the code at each place of the cumulative distribution.

        Args:
            at: From 0 to below 1.
        """
        piece = np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(self.first) - 1)
        inside = (at - self.edges[piece]) / np.maximum(np.diff(self.edges)[piece], 1e-300)
        step = np.minimum((inside * self.count[piece]).astype(np.int64), self.count[piece] - 1)
        return self.first[piece] + np.maximum(step, 0)

    def intervals(self, codes: Longs) -> tuple[Reals, Reals]:
        """Return where each code's part of the cumulative distribution begins and ends."""
        piece = np.clip(np.searchsorted(self.first, codes, side="right") - 1, 0, len(self.first) - 1)
        width = np.diff(self.edges)[piece] / self.count[piece]
        begins = self.edges[piece] + (codes - self.first[piece]) * width
        return begins, begins + width

    def capped(self, largest_frac: float) -> Spread:
        """Take from values that are too frequent, and give to the others in proportion.

        Args:
            largest_frac: That no value may exceed; with too few values all become equally frequent.
        """
        if self.largest_frac <= largest_frac:
            return self
        count = self.count.astype(np.float64)
        mass = np.diff(self.edges)
        room = count * max(largest_frac, 1.0 / count.sum())
        for _ in range(_ROUNDS):
            excess = float(np.maximum(mass - room, 0).sum())
            mass = np.minimum(mass, room)
            free = np.where(mass < room, np.maximum(mass, room * 1e-6), 0.0)
            if excess < 1e-12 or free.sum() <= 0:
                break
            mass += free * (excess / free.sum())
        return spread_of(self.first, self.count, mass)

    def allotted(self, rows: int) -> Allotment:
        """Give each piece its whole number of rows; together they are ``rows``."""
        edges = np.rint(self.edges * rows).astype(np.int64)
        edges[0], edges[-1] = 0, rows
        return Allotment(self.first, self.count, edges)


@dataclass(frozen=True, slots=True)
class Allotment:
    """A spread in whole rows, sorted by code: exact, so that groups of equal codes can be counted.

    Args:
        first: As of the spread.
        count: As of the spread.
        edges: Number of the row where each piece begins, and of all rows at the end.
    """

    first: Longs
    count: Longs
    edges: Longs

    @property
    def largest(self) -> int:
        """Rows of the largest group of equal codes."""
        return int((-(-np.diff(self.edges) // self.count)).max())

    def groups(self, ranks: Longs) -> tuple[Longs, Longs, Longs]:
        """Return each row's code, its place among the rows of that code, and how many those are.

        Args:
            ranks: Numbers of rows in the order of codes.
        """
        piece = np.clip(np.searchsorted(self.edges, ranks, side="right") - 1, 0, len(self.first) - 1)
        rows = np.diff(self.edges)[piece]
        count, inside = self.count[piece], ranks - self.edges[piece]
        step = inside * count // rows
        begins = -(-step * rows // count)
        ends = -(-(step + 1) * rows // count)
        return self.first[piece] + step, inside - begins, ends - begins


def spread_of(
    first: Sequence[int] | Longs, count: Sequence[int] | Longs, mass: Sequence[float] | Reals
) -> Spread:
    """Make a spread from pieces in the order of codes.

    Args:
        first: First code of each.
        count: Values of each; pieces without a value or without mass are left out.
        mass: Weight of each, >= 0; not normalised. All zero counts as all equal.
    """
    firsts, counts = np.asarray(first, np.int64), np.asarray(count, np.int64)
    masses = np.asarray(mass, np.float64)
    if masses.sum() <= 0:
        masses = counts.astype(np.float64)
    kept = (counts > 0) & (masses > 0)
    edges = np.concatenate(([0.0], np.cumsum(masses[kept])))
    return Spread(firsts[kept], counts[kept], edges / edges[-1])


def even_spread(size: int) -> Spread:
    """Return the spread of ``size`` values that are all equally frequent."""
    return spread_of([0], [max(size, 1)], [1.0])
