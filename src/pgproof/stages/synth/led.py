"""A foreign key of several columns, one of which the child's statistics know to be unlike the parent's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pgproof.stages.synth.chance import Longs, uniform
from pgproof.stages.synth.ladder import ReferringLadder
from pgproof.stages.synth.members import NULL, ColumnMember, Drawn, RowSource

LED_ROWS_MAX = 20_000_000
"""Rows of a parent whose order is kept in memory, 16 bytes each. **Source**: judgement."""


@dataclass(frozen=True)  # without slots: the parent's order is kept in the instance
class Led:
    """Columns that hold the key of a parent's row; one column's value is drawn, then a row that has it.

    Args:
        names: The columns.
        lead: The one that is drawn; its values are some of the parent's.
        lead_target: The parent's column that it refers to.
        target: The parent.
        target_names: Its key, in the order of ``names``.
        rows: Of the child.
        seed: Of all chance.
    """

    names: tuple[str, ...]
    lead: ColumnMember
    lead_target: str
    target: RowSource
    target_names: tuple[str, ...]
    rows: int
    seed: int

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a parent's key for each row."""
        drawn = Drawn(self.lead, self.rows, self.seed).codes(rows)[0]
        ladder = self.lead.domain.ladder
        wanted = np.maximum(drawn, 0)
        if isinstance(ladder, ReferringLadder):
            wanted = ladder.chosen.numbers_of(wanted)
        order, values = self._by_value
        begin, end = np.searchsorted(values, wanted, "left"), np.searchsorted(values, wanted, "right")
        chance = uniform(rows, self.seed + 2)
        here = end > begin
        place = np.where(here, begin + chance * (end - begin), chance * len(order)).astype(np.int64)
        found = self.target.codes(self.target_names, order[np.minimum(place, len(order) - 1)])
        return [np.where(drawn < 0, NULL, codes) for codes in found]

    @cached_property
    def _by_value(self) -> tuple[Longs, Longs]:
        """Rows of the parent in the order of the lead's values, and those values."""
        every = np.arange(self.target.rows, dtype=np.int64)
        values = self.target.codes((self.lead_target,), every)[0]
        order = np.argsort(values, kind="stable")
        return order, values[order]
