"""Statements read against a catalog: levels whose relations are real tables."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.errors import ParseError, UsageError
from pgproof.model.relation import Catalog, RelationKind, Table
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import QueryShape, SourceKind
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.propose.views import pull_up_view

_MAX_VIEW_DEPTH = 16


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A workload statement and its levels.

    Args:
        statement: As captured.
        levels: The statement itself first; views replaced by what they read. Empty where it does not parse.
    """

    statement: WorkloadStatement
    levels: tuple[QueryShape, ...]


def read_workload(catalog: Catalog, workload: Workload) -> tuple[ReadStatement, ...]:
    """Read each statement of a workload; those the parser does not understand get no levels."""
    return tuple(
        ReadStatement(statement, shapes_of(statement.query.sql, catalog)) for statement in workload.statements
    )


def shapes_of(sql: str, catalog: Catalog) -> tuple[QueryShape, ...]:
    """Return the levels of a statement, views replaced by what they read; empty if it does not parse."""
    try:
        shapes = find_shapes(parse_statement(sql), catalog.column_names)
    except (ParseError, UsageError):
        return ()
    return _without_views(shapes, catalog, _MAX_VIEW_DEPTH)


def table_of(shape: QueryShape, alias: str, catalog: Catalog) -> Table | None:
    """Return the table or view an alias of a level stands for; None for a CTE, a subquery, a function."""
    relation = shape.relation(alias)
    if relation is None or relation.kind is not SourceKind.TABLE:
        return None
    return catalog.find_table(relation.name, relation.schema)


def _without_views(shapes: tuple[QueryShape, ...], catalog: Catalog, depth: int) -> tuple[QueryShape, ...]:
    levels: list[QueryShape] = []
    for shape in shapes:
        inner: list[QueryShape] = []
        merged = shape
        for relation in shape.relations:
            view = table_of(shape, relation.alias, catalog)
            if view is None or view.kind is not RelationKind.VIEW or not view.definition or depth == 0:
                continue
            below = _shapes_of_view(view, catalog, depth - 1)
            if below:
                merged, rest = pull_up_view(merged, relation.alias, view, below)
                inner.extend(rest)
        levels.extend((merged, *inner))
    return tuple(levels)


def _shapes_of_view(view: Table, catalog: Catalog, depth: int) -> tuple[QueryShape, ...]:
    """Return a view's levels; the first is sorted by all of the view's columns, which tells what they are."""
    definition = view.definition.strip().rstrip(";")
    places = ", ".join(str(place + 1) for place in range(len(view.columns)))
    try:
        shapes = find_shapes(parse_statement(definition), catalog.column_names)
        if shapes and not shapes[0].order_by and shapes[0].limit is None and places:
            shapes = find_shapes(parse_statement(f"{definition} ORDER BY {places}"), catalog.column_names)
    except (ParseError, UsageError):
        return ()
    return _without_views(shapes, catalog, depth)
