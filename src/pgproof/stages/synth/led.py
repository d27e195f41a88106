"""Foreign keys of several columns of which one is given: by the child's statistics, or by another key.

A row of the parent is taken that has the given value there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pgproof.stages.synth.chance import Longs, Reals, uniform
from pgproof.stages.synth.ladder import Ladder, ReferringLadder
from pgproof.stages.synth.members import NULL, ColumnMember, Drawn, RowSource, Unit

Flags = npt.NDArray[np.bool_]

LED_ROWS_MAX = 20_000_000
"""Rows of a parent whose order is kept in memory, 16 bytes each. **Source**: judgement."""


def in_root(ladder: Ladder, codes: Longs) -> tuple[Ladder, Longs]:
    """Follow foreign keys to the column where values come from.

    Args:
        ladder: Of a column.
        codes: In it; none is `NULL`.

    Returns:
        The ladder at the end, and the codes there.
    """
    found = ladder
    while isinstance(found, ReferringLadder):
        codes = found.chosen.numbers_of(codes)
        found = found.target
    return found, codes


def share_values(ladder: Ladder, other: Ladder) -> bool:
    """Tell whether the values of two columns come from the same one, so that their codes can be compared."""
    nothing = np.zeros(0, dtype=np.int64)
    return in_root(ladder, nothing)[0] is in_root(other, nothing)[0]


@dataclass(frozen=True)  # without slots: the order is kept in the instance
class ParentOrder:
    """A parent's rows in the order of one of its key's columns.

    Args:
        target: The parent.
        name: The column.
        ladder: Its values.
    """

    target: RowSource
    name: str
    ladder: Ladder

    def rows_with(self, codes: Longs, chance: Reals) -> tuple[Longs, Flags]:
        """Return a row for each value.

        Args:
            codes: Values, as codes of the column where they come from.
            chance: Which of several rows, from 0 to below 1.

        Returns:
            Numbers of rows, and whether each has the value; any row where none has.
        """
        order, values = self._by_value
        begin, end = np.searchsorted(values, codes, "left"), np.searchsorted(values, codes, "right")
        here = end > begin
        place = np.where(here, begin + chance * (end - begin), chance * len(order)).astype(np.int64)
        return order[np.minimum(place, len(order) - 1)], here

    @cached_property
    def _by_value(self) -> tuple[Longs, Longs]:
        """Rows in the order of the column's values, and those values."""
        every = np.arange(self.target.rows, dtype=np.int64)
        _, values = in_root(self.ladder, np.maximum(self.target.codes((self.name,), every)[0], 0))
        order = np.argsort(values, kind="stable")
        return order, values[order]


@dataclass(frozen=True, slots=True)
class Led:
    """Columns that hold the key of a parent's row; one column's value is drawn, as statistics have it.

    Args:
        names: The columns.
        lead: The one that is drawn.
        order: The parent by the column that the lead refers to.
        target_names: The parent's key, in the order of ``names``.
        rows: Of the child.
        seed: Of all chance.
    """

    names: tuple[str, ...]
    lead: ColumnMember
    order: ParentOrder
    target_names: tuple[str, ...]
    rows: int
    seed: int

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a parent's key for each row."""
        drawn = Drawn(self.lead, self.rows, self.seed).codes(rows)[0]
        _, wanted = in_root(self.lead.domain.ladder, np.maximum(drawn, 0))
        parents, _ = self.order.rows_with(wanted, uniform(rows, self.seed + 2))
        found = self.order.target.codes(self.target_names, parents)
        return [np.where(drawn < 0, NULL, codes) for codes in found]


@dataclass(frozen=True, slots=True)
class Following:
    """What is left of a foreign key one column of which belongs to another one, such as a tenant's number.

    Args:
        names: The columns that are left.
        given_by: Makes the other column.
        given: Its name.
        given_ladder: Its values.
        order: The parent by the column that it refers to.
        target_names: Of the parent, in the order of ``names``.
        null_frac: Share of the rows that refer to nothing.
        nullable: The columns may be NULL, where no parent has the given value.
        seed: Of all chance.
    """

    names: tuple[str, ...]
    given_by: Unit
    given: str
    given_ladder: Ladder
    order: ParentOrder
    target_names: tuple[str, ...]
    null_frac: float
    nullable: bool
    seed: int

    def codes(self, rows: Longs) -> list[Longs]:
        """Return the rest of a parent's key for each row."""
        given = self.given_by.codes(rows)[self.given_by.names.index(self.given)]
        _, wanted = in_root(self.given_ladder, np.maximum(given, 0))
        parents, here = self.order.rows_with(wanted, uniform(rows, self.seed))
        empty = uniform(rows, self.seed + 1) < self.null_frac
        if self.nullable:
            empty |= ~here & (given >= 0)
        return [np.where(empty, NULL, codes) for codes in self.order.target.codes(self.target_names, parents)]
