"""Statements read against a catalog: levels whose relations are real tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.relation import RelationKind, Table
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import Level, QueryShape, SourceKind
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.propose.derived import pull_up

_MAX_VIEW_DEPTH = 16


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A workload statement and its levels.

    Args:
        statement: As captured.
        levels: The statement itself first, every level before those inside it; views, subqueries and CTEs
            replaced by what they read. Empty where it does not parse.
    """

    statement: WorkloadStatement
    levels: tuple[QueryShape, ...]


def read_workload(catalog: Catalog, workload: Workload) -> tuple[ReadStatement, ...]:
    """Read each statement of a workload; those the parser does not understand get no levels."""
    return tuple(
        ReadStatement(statement, shapes_of(statement.query.sql, catalog)) for statement in workload.statements
    )


def shapes_of(sql: str, catalog: Catalog, views: int = _MAX_VIEW_DEPTH) -> tuple[QueryShape, ...]:
    """Return the levels of a statement, derived tables replaced by what they read.

    Args:
        sql: One statement.
        catalog: Of the database.
        views: How many views within views are followed.

    Returns:
        Empty if it does not parse.
    """
    try:
        levels = find_shapes(parse_statement(sql), catalog.column_names)
    except (ParseError, UsageError):
        return ()
    return _Flattening(levels, catalog, views).levels_from(0, 0) if levels else ()


def table_of(shape: QueryShape, alias: str, catalog: Catalog) -> Table | None:
    """Return the table or view an alias of a level stands for; None for a CTE, a subquery, a function."""
    relation = shape.relation(alias)
    if relation is None or relation.kind is not SourceKind.TABLE:
        return None
    return catalog.find_table(relation.name, relation.schema)


class _Flattening:
    """Takes the derived tables out of one statement."""

    def __init__(self, levels: Sequence[QueryShape], catalog: Catalog, views: int) -> None:
        self._levels = levels
        self._catalog = catalog
        self._views = views
        self._derived = _find_derived(levels)

    def levels_from(self, place: int, depth: int) -> tuple[QueryShape, ...]:
        """Return the level at a place and all inside it, every level before those inside it."""
        shape = replace(self._levels[place], depth=depth)
        inner: list[QueryShape] = []
        merged = shape
        for relation in shape.relations:
            names, below = self._below(place, relation.alias, depth)
            if below:
                merged, rest = pull_up(merged, relation.alias, names, below)
                inner.extend(rest)
        used = set(self._derived.values())
        for child in _children(self._levels, place):
            if child not in used:
                inner.extend(self.levels_from(child, depth + 1))
        return (merged, *inner)

    def _below(self, place: int, alias: str, depth: int) -> tuple[Sequence[str], tuple[QueryShape, ...]]:
        """Return the column names and the levels of a derived table; no levels for anything else."""
        if (place, alias) in self._derived:
            return (), self.levels_from(self._derived[(place, alias)], depth + 1)
        view = table_of(self._levels[place], alias, self._catalog)
        if view is None or view.kind is not RelationKind.VIEW or not view.definition or not self._views:
            return (), ()
        levels = shapes_of(view.definition.strip().rstrip(";"), self._catalog, self._views - 1)
        below = tuple(replace(level, depth=level.depth + depth + 1) for level in levels)
        return [column.name for column in view.columns], below


def _find_derived(levels: Sequence[QueryShape]) -> Mapping[tuple[int, str], int]:
    """Return where the query of each subquery and CTE stands, by the place and alias it is read under.

    A CTE counts if it is read once: only then the planner merges it.

    **Source**: documentation 7.8.3.
    """
    readers = Counter(
        relation.name for level in levels for relation in level.relations if relation.kind is SourceKind.CTE
    )
    named = Counter(level.name for level in levels if level.level is Level.CTE)
    ctes = {
        level.name: place
        for place, level in enumerate(levels)
        if level.level is Level.CTE and named[level.name] == readers[level.name] == 1
    }
    found: dict[tuple[int, str], int] = {}
    for place, level in enumerate(levels):
        subqueries = {levels[c].name: c for c in _children(levels, place) if levels[c].level is Level.FROM}
        for relation in level.relations:
            if relation.kind is SourceKind.CTE and not _is_inside(levels, place, ctes.get(relation.name)):
                found[(place, relation.alias)] = ctes[relation.name]
            elif relation.kind is SourceKind.SUBQUERY and relation.alias in subqueries:
                found[(place, relation.alias)] = subqueries[relation.alias]
    return found


def _is_inside(levels: Sequence[QueryShape], place: int, cte: int | None) -> bool:
    """Tell whether a level belongs to the CTE it would be read from (WITH RECURSIVE), or there is none."""
    if cte is None or place == cte:
        return True
    return cte < place and all(level.depth > levels[cte].depth for level in levels[cte + 1 : place + 1])


def _children(levels: Sequence[QueryShape], place: int) -> list[int]:
    found = []
    for below in range(place + 1, len(levels)):
        if levels[below].depth <= levels[place].depth:
            break
        if levels[below].depth == levels[place].depth + 1:
            found.append(below)
    return found
