"""Dangers of keeping the answer of a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pgproof.changes.table_guard import refuse_server
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, CreateMaterializedView, Refusal
from pgproof.model.relation import RelationName
from pgproof.sqltext.quote import IDENTIFIER_MAX_BYTES
from pgproof.sqltext.view_query import ViewQuery, read_view_query


def refuse_view(
    change: CreateMaterializedView, catalog: Catalog, earlier: tuple[Change, ...]
) -> tuple[Refusal, ...]:
    """Say why a materialised view must not be made, worst first.

    Args:
        change: The view.
        catalog: Of the target.
        earlier: Changes before it in its variant.
    """
    refusals = [*refuse_server(catalog), *_refuse_names(change, catalog, earlier)]
    try:
        query = read_view_query(change.query)
    except (ParseError, UsageError) as error:
        return (
            *refusals,
            Refusal(f"The query of {change.view} is not valid SQL: {error.message}.", error.hint),
        )
    return (*refusals, *_refuse_query(change, query, catalog), *_refuse_indexes(change, query))


def _refuse_names(
    change: CreateMaterializedView, catalog: Catalog, earlier: tuple[Change, ...]
) -> Iterator[Refusal]:
    before = {other.view for other in earlier if isinstance(other, CreateMaterializedView)}
    before |= {RelationName(o.table.schema, o.name) for o in earlier if isinstance(o, CreateIndex)}
    own = [change.view.name, *(index.name for index in change.indexes)]
    taken = catalog.relation_names(change.view.schema)
    for name, times in Counter(own).items():
        relation = RelationName(change.view.schema, name)
        if len(name.encode()) > IDENTIFIER_MAX_BYTES:
            yield Refusal(
                f"The name {name} is longer than {IDENTIFIER_MAX_BYTES} bytes: the server would cut it, and"
                " pgproof would not find it again.",
                "Choose a shorter name.",
            )
        if name in taken or relation in before or times > 1:
            yield Refusal(f"The name {relation} is taken.", "Choose another name.")


def _refuse_query(change: CreateMaterializedView, query: ViewQuery, catalog: Catalog) -> Iterator[Refusal]:
    if not query.is_select or query.parameters:
        yield Refusal(
            f"The query of {change.view} is not a SELECT without parameters that writes nothing.",
            "Write the values into the query.",
        )
    twice = sorted(name for name, times in Counter(query.columns).items() if times > 1)
    if twice:
        yield Refusal(
            f"The query of {change.view} gives the column {twice[0]} more than once.",
            "Give each column a name of its own (AS ...).",
        )
    for schema, name in query.relations:
        table = catalog.find_table(name, schema)
        if table is not None and table.row_security:
            yield Refusal(
                f"{table.relation} has row-level security: {change.view} would keep the rows that its owner"
                " sees, and show them to everybody who may read the view.",
                "Leave the query as it is, or keep the view where only its owner may read it, by hand.",
            )


def _refuse_indexes(change: CreateMaterializedView, query: ViewQuery) -> Iterator[Refusal]:
    for index in change.indexes:
        if index.table != change.view:
            yield Refusal(
                f"Index {index.name} of {change.view} is on {index.table}.",
                "List it as a change of its own.",
            )
        wanted = [key.column for key in index.keys if key.column] + list(index.include)
        missing = [name for name in wanted if query.columns and name not in query.columns]
        if missing:
            yield Refusal(
                f"The query of {change.view} gives no column {missing[0]}, which index {index.name} is on.",
                "Name the columns as the query does.",
            )
