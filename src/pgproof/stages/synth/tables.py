"""A table's rows: made in pieces, written as COPY wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pgproof.model.relation import RelationName
from pgproof.stages.synth.chance import Longs
from pgproof.stages.synth.checks import Comparison
from pgproof.stages.synth.ladder import JoinedLadder, Ladder, NumberLadder
from pgproof.stages.synth.members import NULL, Unit
from pgproof.stages.synth.numbers import Texts

PIECE_BYTES = 8 * 1024 * 1024
"""Room that a piece's text may take. **Source**: judgement; some ten times as much is needed to make it."""
PIECE_ROWS = 1 << 15
_NULL_TEXT = "\\N"


@dataclass(frozen=True)  # without slots: which unit makes a column is kept in the instance
class TablePlan:
    """How to make a table's rows.

    Args:
        relation: Where they go: the table itself, or the partitioned one that deals them out.
        source_rows: That the source's statistics tell of.
        rows: To be made.
        units: What makes them; no column is in two.
        ladders: Values of each column that is made, by name in the table's order.
        row_bytes: About how wide a row's text is.
        comparisons: Pairs of columns that have to be in order.
    """

    relation: RelationName
    source_rows: float
    rows: int
    units: tuple[Unit, ...]
    ladders: Mapping[str, Ladder]
    row_bytes: int
    comparisons: tuple[Comparison, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are made, in the table's order."""
        return tuple(self.ladders)

    def codes(self, names: Sequence[str], rows: Longs) -> list[Longs]:
        """Return the codes of some columns in some rows, -1 for NULL."""
        made: dict[str, Longs] = {}
        for name in names:
            if name not in made:
                unit = self._unit_of[name]
                made |= zip(unit.names, unit.codes(rows), strict=True)
        return [made[name] for name in names]

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield the rows in order as text for COPY, each time with their number."""
        at_once = max(min(PIECE_BYTES // max(self.row_bytes, 1), PIECE_ROWS), 1)
        for start in range(0, self.rows, at_once):
            stop = min(start + at_once, self.rows)
            yield stop - start, self.piece(start, stop)

    def piece(self, start: int, stop: int) -> bytes:
        """Return the rows from one number to below another as text for COPY."""
        rows = np.arange(start, stop, dtype=np.int64)
        if not self.columns:
            return b"\n" * len(rows)
        codes = dict(zip(self.columns, self.codes(self.columns, rows), strict=True))
        cells = {name: _texts(self.ladders[name], codes[name]) for name in self.columns}
        for comparison in self.comparisons:
            self._keep_order(comparison, codes, cells)
        lines = map("\t".join, zip(*(cells[name].tolist() for name in self.columns), strict=True))
        return ("\n".join(lines) + "\n").encode()

    def _keep_order(self, wanted: Comparison, codes: Mapping[str, Longs], cells: dict[str, Texts]) -> None:
        """Exchange two columns' values where a CHECK wants them the other way round."""
        low, high = self.ladders.get(wanted.low), self.ladders.get(wanted.high)
        if not isinstance(low, NumberLadder) or not isinstance(high, NumberLadder):
            return
        both = (codes[wanted.low] >= 0) & (codes[wanted.high] >= 0)
        low_numbers = low.numbers_of(np.maximum(codes[wanted.low], 0))
        high_numbers = high.numbers_of(np.maximum(codes[wanted.high], 0))
        wrong = both & (low_numbers > high_numbers)
        one, other = cells[wanted.low].copy(), cells[wanted.high].copy()
        one[wrong], other[wrong] = cells[wanted.high][wrong], cells[wanted.low][wrong]
        equal = both & (low_numbers == high_numbers)
        if wanted.strict and equal.any():
            other[equal] = high.line.write(high_numbers[equal] + high.line.step)
        cells[wanted.low], cells[wanted.high] = one, other

    @cached_property
    def _unit_of(self) -> Mapping[str, Unit]:
        return {name: unit for unit in self.units for name in unit.names}


@dataclass(frozen=True)  # without slots: where the parts begin is kept in the instance
class JoinedRows:
    """The rows of a partitioned table: those of its partitions, one behind the other.

    Args:
        parts: How each partition's are made.
    """

    parts: Sequence[TablePlan]

    @cached_property
    def starts(self) -> Longs:
        """Number of each part's first row, and of all rows at the end."""
        return np.concatenate(([0], np.cumsum([part.rows for part in self.parts]))).astype(np.int64)

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.starts[-1])

    def ladder(self, name: str) -> JoinedLadder:
        """Return the values of a column, as its codes mean them here."""
        return JoinedLadder([part.ladders[name] for part in self.parts])

    def codes(self, names: Sequence[str], rows: Longs) -> list[Longs]:
        """Return the codes of some columns in some rows, -1 for NULL."""
        found = [np.full(len(rows), NULL, dtype=np.int64) for _ in names]
        number = np.searchsorted(self.starts, rows, side="right") - 1
        for place, part in enumerate(self.parts):
            here = number == place
            if not here.any():
                continue
            made = part.codes(names, rows[here] - self.starts[place])
            for name, into, codes in zip(names, found, made, strict=True):
                start = self.ladder(name).starts[place]
                into[here] = np.where(codes >= 0, codes + start, NULL)
        return found


def _texts(ladder: Ladder, codes: Longs) -> Texts:
    empty = codes < 0
    if not empty.any():
        return ladder.texts(codes)
    found = np.full(len(codes), _NULL_TEXT, dtype=object)
    found[~empty] = ladder.texts(codes[~empty])
    return found
