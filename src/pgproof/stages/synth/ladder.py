"""All values of a column in order, none of them stored: known ones are rungs, between two are made-up ones.

A value is known by its place, the *code*. The rungs are values that the statistics name (and, in a key,
values that referring columns name); how many lie between two of them is decided by whoever builds the ladder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from pgproof.stages.synth.chance import Longs
from pgproof.stages.synth.numbers import Line, Texts, texts

PREPARED_MAX = 1 << 16
"""Values of a ladder that are written once and then looked up. **Source**: judgement; a few megabytes."""


class Ladder(Protocol):
    """The values of a column."""

    @property
    def size(self) -> int:
        """How many values there are."""
        ...

    def texts(self, codes: Longs) -> Texts:
        """Return text forms ready for COPY; codes are from 0 to below ``size``."""
        ...

    def code_of(self, value: str) -> int | None:
        """Return the code of a rung; None for every other value."""
        ...


@dataclass(frozen=True)  # without slots: the offsets are kept in the instance
class Rungs:
    """Where the known values stand.

    Args:
        gaps: Made-up values behind each known one, >= 0; shape (known values,).
    """

    gaps: Longs

    @cached_property
    def codes(self) -> Longs:
        """Code of each known value."""
        return np.concatenate(([0], np.cumsum(self.gaps + 1)[:-1])).astype(np.int64)

    @cached_property
    def size(self) -> int:
        """Values in all."""
        return int((self.gaps + 1).sum())

    def split(self, codes: Longs) -> tuple[Longs, Longs]:
        """Return each code's last known value (its number), and how far behind that it is."""
        rung = np.searchsorted(self.codes, codes, side="right") - 1
        return rung, codes - self.codes[rung]


@dataclass(frozen=True)  # without slots: prepared texts are kept in the instance
class NumberLadder:
    """Values on a line of whole numbers, evenly spaced between known ones.

    Args:
        rungs: Where the known values stand.
        numbers: Of the known values, ascending; shape as ``rungs.gaps``.
        line: How they are written.
        beyond: Distance from value to value behind the last known one.
        exact: Text forms of known values by code, where they have no place on the line.
        known: Codes by text form.
    """

    rungs: Rungs
    numbers: Longs
    line: Line
    beyond: int
    exact: Mapping[int, str] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.rungs.size

    def numbers_of(self, codes: Longs) -> Longs:
        """Return each code's number."""
        rung, offset = self.rungs.split(codes)
        last = rung == len(self.numbers) - 1
        upper = self.numbers[np.minimum(rung + 1, len(self.numbers) - 1)]
        step = self.line.step
        width, parts = (upper - self.numbers[rung]) // step, self.rungs.gaps[rung] + 1
        # In whole numbers throughout: a float would give two neighbours the same number.
        inside = offset * (width // parts) + offset * (width % parts) // parts
        return self.numbers[rung] + np.where(last, offset * self.beyond, inside * step)

    def texts(self, codes: Longs) -> Texts:
        """Return text forms ready for COPY."""
        if self.size <= PREPARED_MAX:
            return self._prepared[codes]
        return self._written(codes)

    def code_of(self, value: str) -> int | None:
        """Return the code of a known value."""
        return self.known.get(value)

    @cached_property
    def _prepared(self) -> Texts:
        return self._written(np.arange(self.size, dtype=np.int64))

    def _written(self, codes: Longs) -> Texts:
        found = self.line.write(self.numbers_of(codes))
        if self.exact:
            order, kept = self._kept
            place = np.minimum(np.searchsorted(order, codes), len(order) - 1)
            here = order[place] == codes
            found[here] = kept[place[here]]
        return found

    @cached_property
    def _kept(self) -> tuple[Longs, Texts]:
        """Codes of the values that are kept as text, ascending, and their texts."""
        order = sorted(self.exact)
        return np.array(order, dtype=np.int64), texts([self.exact[code] for code in order])


@dataclass(frozen=True, slots=True)
class ReferringLadder:
    """Some of another ladder's values: those that a foreign key's column holds.

    Args:
        chosen: Codes in the other ladder, evenly spaced between known ones.
        target: The other one.
    """

    chosen: NumberLadder
    target: Ladder

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.chosen.size

    def texts(self, codes: Longs) -> Texts:
        """Return text forms ready for COPY."""
        return self.target.texts(self.chosen.numbers_of(codes))

    def code_of(self, value: str) -> int | None:
        """Return the code of a known value."""
        return self.chosen.code_of(value)


@dataclass(frozen=True)  # without slots: the offsets are kept in the instance
class JoinedLadder:
    """The ladders of a partitioned table's partitions, one behind the other.

    Args:
        parts: Theirs.
    """

    parts: Sequence[Ladder]

    @cached_property
    def starts(self) -> Longs:
        """Code of each part's first value, and the size at the end."""
        return np.concatenate(([0], np.cumsum([part.size for part in self.parts]))).astype(np.int64)

    @property
    def size(self) -> int:
        """How many values there are."""
        return int(self.starts[-1])

    def texts(self, codes: Longs) -> Texts:
        """Return text forms ready for COPY."""
        found = np.empty(len(codes), dtype=object)
        number = np.searchsorted(self.starts, codes, side="right") - 1
        for place, part in enumerate(self.parts):
            here = number == place
            if here.any():
                found[here] = part.texts(codes[here] - self.starts[place])
        return found

    def code_of(self, value: str) -> int | None:
        """Return the code of a known value, in the first part that knows it."""
        for start, part in zip(self.starts.tolist(), self.parts, strict=False):
            code = part.code_of(value)
            if code is not None:
                return int(start) + code
        return None
