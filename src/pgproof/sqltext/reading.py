"""Where the walk stands, and how it reads an expression there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pgproof.sqltext.level import OpenLevel, note_node
from pgproof.sqltext.predicates import Surroundings, find_conditions
from pgproof.sqltext.scope import Scope
from pgproof.sqltext.shape import Clause, ColumnLookup, Level
from pgproof.sqltext.tree import Message, children, kind_of, unwrap
from pgproof.sqltext.uses import note_uses

Columns: TypeAlias = tuple[str, ...] | None
"""Names of the columns a relation gives, ``None`` where they are not known."""

Ctes: TypeAlias = dict[str, Columns]
"""The common table expressions that are visible, by name."""


class QueryReader(Protocol):
    """How the walk enters a query inside another; `pgproof.sqltext.walk.read_query` is the one there is."""

    def __call__(
        self,
        message: Message,
        reading: Reading,
        parent: Scope | None,
        ctes: Ctes,
        place: Level,
        name: str,
        depth: int,
    ) -> Columns:
        """Read a query as a level of its own and return the columns it gives."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What stays the same while one statement is read.

    Args:
        columns_of: The caller's lookup.
        read_query: Reads a query inside another.
        levels: Every level opened so far, enclosing ones first.
    """

    columns_of: ColumnLookup
    read_query: QueryReader
    levels: list[OpenLevel]


@dataclass(frozen=True, slots=True)
class Here:
    """Where the walk stands.

    Args:
        level: The level being read.
        reading: The statement's.
        ctes: What WITH clauses made visible here.
    """

    level: OpenLevel
    reading: Reading
    ctes: Ctes

    def enter(self, message: Message, parent: Scope | None, place: Level, name: str = "") -> Columns:
        """Read a query inside this level; return the columns it gives.

        Args:
            message: The query.
            parent: The relations it may read: this level's own scope, or only what is around this level.
            place: Where it stands.
            name: Of a CTE or an aliased subquery.
        """
        first = len(self.reading.levels)
        columns = self.reading.read_query(
            message, self.reading, parent, self.ctes, place, name, self.level.depth + 1
        )
        inside = self.reading.levels[first:]
        if parent is not self.level.scope and inside and inside[0].scope.is_correlated:
            self.level.scope.is_correlated = True  # what it reads around itself lies around this level too
        return columns


def read_expression(node: Message, here: Here) -> None:
    """Note the columns and calls of an expression, and read the subqueries in it as levels of their own."""
    node = unwrap(node)
    if kind_of(node) == "SelectStmt":
        here.enter(node, here.level.scope, Level.EXPRESSION)
        return
    note_node(node, here.level)
    note_uses(node, here.level.scope, here.level.uses)
    for _, child in children(node):
        read_expression(child, here)


def read_condition(node: Message, clause: Clause, here: Here) -> None:
    """Read a WHERE, ON or HAVING expression: as any other, and for the conditions in it."""
    read_expression(node, here)
    here.level.conditions.extend(find_conditions(node, Surroundings(here.level.scope, clause)))
