"""Which value each row gets: by itself, as part of a key that never repeats, or together with other columns.

Every function here goes from numbers of rows to codes, so that rows can be made in pieces of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pgproof.stages.synth.chance import Longs, Reals, mixed, ordered, uniform
from pgproof.stages.synth.columns import Domain
from pgproof.stages.synth.spread import Spread, even_spread

NULL = -1
"""The code of NULL."""

_SORTED = 0.995
_ROUNDING = 1e-9


class RowSource(Protocol):
    """A table whose rows others refer to."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    def codes(self, names: Sequence[str], rows: Longs) -> list[Longs]:
        """Return the codes of some columns in some rows, `NULL` where there is none."""
        ...


class Member(Protocol):
    """One column, or several that refer to a row together."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        ...

    @property
    def spread(self) -> Spread:
        """How rows are spread over its values, NULL left out."""
        ...

    @property
    def null_frac(self) -> float:
        """Share of the rows without a value."""
        ...

    @property
    def correlation(self) -> float:
        """Physical against logical order."""
        ...

    def expand(self, codes: Longs) -> list[Longs]:
        """Return each column's codes."""
        ...


@dataclass(frozen=True, slots=True)
class ColumnMember:
    """A column.

    Args:
        name: Its name.
        domain: Its values.
        spread: How rows are spread over them; of the domain unless a key demands otherwise.
    """

    name: str
    domain: Domain
    spread: Spread

    @property
    def names(self) -> tuple[str, ...]:
        """The column."""
        return (self.name,)

    @property
    def null_frac(self) -> float:
        """Of the domain."""
        return self.domain.null_frac

    @property
    def correlation(self) -> float:
        """Of the domain."""
        return self.domain.correlation

    def expand(self, codes: Longs) -> list[Longs]:
        """Return the codes as they are."""
        return [codes]


@dataclass(frozen=True, slots=True)
class ReferenceMember:
    """Columns that hold the key of a row of another table, which they take evenly.

    Args:
        names: The columns.
        target: The other table.
        target_names: Its key, in the same order.
        null_frac: Share of the rows that refer to nothing.
        correlation: Of the first column.
    """

    names: tuple[str, ...]
    target: RowSource
    target_names: tuple[str, ...]
    null_frac: float = 0.0
    correlation: float = 0.0

    @property
    def spread(self) -> Spread:
        """All rows of the other table alike."""
        return even_spread(self.target.rows)

    def expand(self, codes: Longs) -> list[Longs]:
        """Look the key up in the other table."""
        return self.target.codes(self.target_names, codes)


class Unit(Protocol):
    """Columns of a table that are made together."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        ...

    def codes(self, rows: Longs) -> list[Longs]:
        """Return each column's codes in some rows, `NULL` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Unique:
    """A column of which no two rows hold the same value.

    Args:
        member: The column; each of its values is taken once.
        rows: Of the table.
        seed: Of all chance.
    """

    member: Member
    rows: int
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """The column."""
        return self.member.names

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a shuffle of all codes, NULL for the rows that are left over."""
        place = ordered(rows, self.rows, self.member.correlation, self.seed)
        size = self.member.spread.values
        filled = place < size if self.member.null_frac > 0 else np.ones(len(rows), dtype=np.bool_)
        return [np.where(filled, codes, NULL) for codes in self.member.expand(place % size)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Values drawn for each row by itself.

    Args:
        member: What is drawn.
        rows: Of the table.
        seed: Of all chance.
        exactly: Give each value its whole number of rows; else as chance has it, which is faster.
    """

    member: Member
    rows: int
    seed: int
    exactly: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self.member.names

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a code for each row."""
        member = self.member
        wanted = between_values(member.correlation, member.spread)
        if self.exactly:
            place = ordered(rows, self.rows, wanted, self.seed)
            codes = member.spread.allotted(self.rows).groups(place)[0]
        else:
            codes = member.spread.codes(self._places(rows, wanted))
        return _without(member.expand(codes), rows, member.null_frac, self.seed)

    def _places(self, rows: Longs, correlation: float) -> Reals:
        """Let as many rows as the correlation says stand in order, and the others anywhere."""
        place = (rows + 0.5) / self.rows
        if correlation < 0:
            place = 1.0 - place
        if abs(correlation) >= _SORTED:
            return place
        free = uniform(rows, self.seed)
        if abs(correlation) < 1 / 256:
            return free
        return np.where(uniform(rows, self.seed + 1) < abs(correlation), place, free)


@dataclass(frozen=True, slots=True)
class Key:
    """Columns of which no two rows hold the same combination.

    Rows are grouped by the first member; in a group of n rows the next one's values are taken at n equally
    distant places of its distribution. So none comes twice as long as none is more frequent than 1 in n, and
    each comes as often as it should.

    **Source**: systematic sampling, Madow and Madow 1944, "On the theory of systematic sampling, I".

    Args:
        members: The one that groups comes first.
        rows: Of the table.
        seed: Of all chance.
    """

    members: tuple[Member, ...]
    rows: int
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(name for member in self.members for name in member.names)

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a combination for each row."""
        first = self.members[0]
        ranks = ordered(rows, self.rows, first.correlation, self.seed)
        codes, place, size = first.spread.allotted(self.rows).groups(ranks)
        found = _without(first.expand(codes), rows, first.null_frac, self.seed)
        group = mixed(codes, self.seed)
        for number, member in enumerate(self.members[1:], start=1):
            offset = uniform(group, self.seed + number)
            codes = member.spread.codes((place + offset) / size)
            found += _without(member.expand(codes), rows, member.null_frac, self.seed + number)
            begins, ends = member.spread.intervals(codes)
            start = np.ceil(begins * size - offset - _ROUNDING).astype(np.int64)
            end = np.ceil(ends * size - offset - _ROUNDING).astype(np.int64)
            place, size = np.maximum(place - start, 0), np.maximum(end - start, 1)
            group = group ^ mixed(codes, self.seed + number)
        return found


@dataclass(frozen=True, slots=True)
class Joint:
    """Columns whose common combinations, or whose dependence on the first one, are known.

    Args:
        members: The columns; the first one is drawn, the others follow it.
        combinations: Codes of common combinations; shape (combinations, columns).
        edges: Cumulative shares of those, from 0; shape (combinations + 1,).
        follows: For each further column the share of rows in which the first one determines it.
        rows: Of the table.
        seed: Of all chance.
    """

    members: tuple[ColumnMember, ...]
    combinations: Longs
    edges: Reals
    follows: tuple[float, ...]
    rows: int
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(member.name for member in self.members)

    def codes(self, rows: Longs) -> list[Longs]:
        """Return a combination for each row."""
        first = self.members[0]
        found = Drawn(first, self.rows, self.seed).codes(rows)
        begins, ends = first.spread.intervals(np.maximum(found[0], 0))
        for number, (member, share) in enumerate(zip(self.members[1:], self.follows, strict=True), start=1):
            seed = self.seed + 7 * number
            alone = uniform(rows, seed)
            place = np.where(uniform(rows, seed + 1) < share, (begins + ends) / 2, alone)
            found += _without(
                [member.spread.codes(np.minimum(place, 1 - 2**-53))], rows, member.null_frac, seed
            )
        if len(self.combinations):
            drawn = uniform(rows, self.seed + 3)
            common = drawn < self.edges[-1]
            which = np.searchsorted(self.edges, drawn[common], side="right") - 1
            for column, codes in enumerate(found):
                codes[common] = self.combinations[which, column]
        return found


def between_values(correlation: float, spread: Spread) -> float:
    """Return the correlation of values that gives the wanted one of rows.

    ANALYZE ranks equal values by their physical order. Rows in random order hence correlate as much as the
    chance that two are equal, and only what goes beyond comes from the order of values.

    **Source**: PostgreSQL 18, analyze.c, ``compute_scalar_stats``; worked out for independent rows.
    """
    equal = spread.squared_fracs
    if equal >= 1.0 or abs(correlation) >= _SORTED:
        return correlation
    found = (correlation - equal) / (1.0 - equal)
    return min(max(found, -1.0), 1.0) if correlation > 0 else min(max(correlation, -1.0), 0.0)


def _without(columns: list[Longs], rows: Longs, null_frac: float, seed: int) -> list[Longs]:
    if null_frac <= 0:
        return columns
    empty = uniform(rows, seed + 0x5EED) < null_frac
    return [np.where(empty, NULL, codes) for codes in columns]
