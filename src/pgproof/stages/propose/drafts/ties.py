"""Columns that other relations look up: joins, correlated subqueries, and ``IN (SELECT ..)``, both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgproof.sqltext.shape import Comparand, Level, Operand, Predicate, PredicateKind, QueryShape


@dataclass(frozen=True, slots=True)
class Tie:
    """A column or expression equal to one of another relation.

    Args:
        operand: It.
        other: Which relation: unique among the relations of the statement.
        from_outside: The other one belongs to an enclosing level: one look-up for each of its rows.
    """

    operand: Operand
    other: tuple[int, str]
    from_outside: bool = False


Ties = Mapping[tuple[int, str], tuple[Tie, ...]]
"""By the place of a level and an alias in it."""


def find_ties(levels: Sequence[QueryShape]) -> Ties:
    """Find what is tied to what in a statement.

    Args:
        levels: Of the statement, every level before those inside it.

    Returns:
        For each relation its ties in text order, no operand twice for the same other relation; relations
        without any are missing.
    """
    found: defaultdict[tuple[int, str], dict[tuple[str, tuple[int, str]], Tie]] = defaultdict(dict)
    for place, alias, tie in _all_ties(levels):
        found[(place, alias)].setdefault((tie.operand.expression, tie.other), tie)
    return {where: tuple(ties.values()) for where, ties in found.items()}


def _all_ties(levels: Sequence[QueryShape]) -> Iterator[tuple[int, str, Tie]]:
    for place, shape in enumerate(levels):
        for join in shape.joins:
            if join.operator != "=":
                continue  # in an OR it counts: the server takes out what all arms have, or looks up by each
            left, right = join.left, join.right
            if not right.is_outer:
                yield place, left.relation, Tie(left, (place, right.relation))
                yield place, right.relation, Tie(right, (place, left.relation))
                continue
            owner = _owner(levels, place, right.relation)
            yield place, left.relation, Tie(left, (owner, right.relation), from_outside=True)
            if owner >= 0:  # a semijoin may as well start inside
                yield owner, right.relation, Tie(right, (place, left.relation))
        yield from _semijoins(levels, place)


def _owner(levels: Sequence[QueryShape], place: int, alias: str) -> int:
    """Return the place of the level around another that has an alias, -1 where there is none."""
    depth = levels[place].depth
    for above in range(place - 1, -1, -1):
        if levels[above].depth < depth:
            depth = levels[above].depth
            if levels[above].relation(alias) is not None:
                return above
    return -1


def _semijoins(levels: Sequence[QueryShape], place: int) -> Iterator[tuple[int, str, Tie]]:
    """Yield both sides of ``x IN (SELECT y ..)``.

    Which subquery belongs to which IN the shapes don't tell, so every one of the level that gives one
    column of a relation counts.
    """
    outer = [predicate for predicate in levels[place].predicates if _is_in_subquery(predicate)]
    if not outer:
        return
    for below in _children(levels, place):
        shape = levels[below]
        inner = shape.outputs[0].operand if len(shape.outputs) == 1 else None
        if shape.level is not Level.EXPRESSION or inner is None or inner.is_outer:
            continue
        other = (place, outer[0].operand.relation)
        yield below, inner.relation, Tie(inner, other, from_outside=not shape.group_by)
    for predicate in outer:
        yield place, predicate.operand.relation, Tie(predicate.operand, (place, ""))


def _is_in_subquery(predicate: Predicate) -> bool:
    return predicate.kind is PredicateKind.IN and predicate.comparand is Comparand.SUBQUERY


def _children(levels: Sequence[QueryShape], place: int) -> Iterator[int]:
    for below in range(place + 1, len(levels)):
        if levels[below].depth <= levels[place].depth:
            return
        if levels[below].depth == levels[place].depth + 1:
            yield below
