"""An index on the drawing board: not named yet, not compared with those that exist."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pgproof.changes.index_cover import backwards
from pgproof.model.change import CreateExtension
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.shape import Nulls, Operand, SortKey


@dataclass(frozen=True, slots=True)
class Draft:
    """An index that one access of one statement asks for.

    Args:
        table: Its table.
        keys: Key columns in order.
        asks: Why, in words that name columns only ("= status, ordered by createdAt").
        rank: 0 for the index made for the access, growing as it fits it less.
        free: How many of the leading keys are compared for equality, so that their order is free.
        ordered: The order of the keys behind those matters.
        frac: Share of the table the index leads to, 0 to 1; 1 where only its order is used.
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
    ordered: bool = False
    frac: float = 1.0
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str = ""
    where_columns: tuple[str, ...] = ()
    requires: tuple[CreateExtension, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two drafts the same index."""
        return (self.table.relation, self.method, self.keys, self.include, self.where)


def key_of(operand: Operand, opclass: str = "") -> IndexKey:
    """Return the ascending key over a column or an expression."""
    if operand.column is not None:
        return IndexKey(column=operand.column, opclass=opclass)
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
