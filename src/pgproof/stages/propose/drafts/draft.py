"""An index on the drawing board: not named yet, not compared with those that exist."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pgproof.changes.index_cover import backwards
from pgproof.model.change import CreateExtension
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.shape import Nulls, Operand, SortKey
from pgproof.sqltext.term import TermKind, read_term


@dataclass(frozen=True, slots=True)
class Draft:
    """An index that one access of one statement asks for.

    Args:
        table: Its table.
        keys: Key columns in order.
        asks: Why, in words that name columns only ("= status, ordered by createdAt").
        rank: 0 for the index made for the access, growing as it fits it less.
        free: How many of the leading keys are compared for equality, so that their order is free.
        frac: Share of the table the index leads to, 0 to 1; 1 where only its order is used.
        fracs: Of the leading ``free`` keys, each by itself.
        pays_whole: It pays even where it leads to all of the table: it gives a wanted order, or holds all
            that is read.
        holds_all: It holds all that is read, so that the table itself need not be visited.
        method: Access method.
        include: Payload columns.
        where: Predicate.
        where_columns: Columns it speaks of, in its order; empty without one.
        requires: Extensions that must be there first.
    """

    table: Table
    keys: tuple[IndexKey, ...]
    asks: str
    rank: int
    free: int = 0
    frac: float = 1.0
    fracs: tuple[float, ...] = ()
    pays_whole: bool = False
    holds_all: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str = ""
    where_columns: tuple[str, ...] = ()
    requires: tuple[CreateExtension, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two drafts the same index."""
        return (self.table.relation, self.method, self.keys, self.include, self.where)

    @property
    def held(self) -> frozenset[str]:
        """Columns whose values the index gives back."""
        return frozenset((*(key.column for key in self.keys if key.column), *self.include))


def key_of(operand: Operand, opclass: str = "") -> IndexKey:
    """Return the ascending key over a column, a column under a collation, or an expression."""
    if operand.column is not None:
        return IndexKey(column=operand.column, opclass=opclass)
    if " COLLATE " in operand.expression:
        term = read_term(operand.expression)
        if term is not None and term.kind is TermKind.COLLATE and term.args[0].kind is TermKind.COLUMN:
            return IndexKey(column=term.args[0].name, opclass=opclass, collation=term.name)
    return IndexKey(expression=operand.expression, opclass=opclass)


def sort_keys(order: tuple[SortKey, ...], table: Table) -> tuple[IndexKey, ...]:
    """Return the keys that give an order, the first one ascending where scanning backwards serves as well.

    Where NULLs go is left at its default for columns without any.
    """
    keys = []
    for sort in order:
        assert sort.operand is not None
        key = key_of(sort.operand)
        column = table.column(key.column) if key.column else None
        descending = not sort.ascending
        first = descending if sort.nulls is Nulls.DEFAULT else sort.nulls is Nulls.FIRST
        if column is not None and column.not_null:
            first = descending
        keys.append(replace(key, descending=descending, nulls_first=first))
    return backwards(tuple(keys)) if keys and keys[0].descending else tuple(keys)


def new_keys(leading: tuple[IndexKey, ...], rest: tuple[IndexKey, ...]) -> tuple[IndexKey, ...]:
    """Leave out keys that came before: compared for equality or sorted by already, they add nothing."""
    seen = {(key.column, key.expression) for key in leading}
    kept = []
    for key in rest:
        if (key.column, key.expression) not in seen:
            seen.add((key.column, key.expression))
            kept.append(key)
    return tuple(kept)


def key_words(keys: tuple[IndexKey, ...]) -> str:
    """Write keys as a reason names them: ``customer, created DESC``."""
    return ", ".join(
        (quote_identifier(key.column) if key.column else key.expression) + (" DESC" if key.descending else "")
        for key in keys
    )
