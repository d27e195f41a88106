"""The candidates of the papers: every order of the columns that a statement names, table by table.

A column counts as named when its name and its table's stand as words anywhere in the statement's text, as in
the public benchmark of index advisors (hyrise/index_selection_evaluation). So columns that are only read are
candidates too: an index-only scan may want them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationKind, RelationName, Table
from pgproof.model.workload import WorkloadStatement

MAX_WIDTH = 2
"""Columns of an index. **Source**: measured with the public benchmark: on TPC-H, 3 changed nothing."""

Columns = tuple[RelationName, tuple[str, ...]]
"""A table and columns of it, in the order of an index's keys."""

_WORD = re.compile(r"\w+")
_INDEXABLE = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW)


def permutations(
    catalog: Catalog, statements: Sequence[WorkloadStatement], *, max_width: int = MAX_WIDTH
) -> list[IndexCandidate]:
    """Return a candidate for each order of at most ``max_width`` columns that one statement names of a table.

    Returns:
        Plain B-trees, by table and columns; their names are theirs alone in the catalog.
    """
    asking: dict[Columns, list[str]] = {}
    for statement in statements:
        for table, columns in named_columns(catalog, statement).items():
            for width in range(1, max_width + 1):
                for order in itertools.permutations(columns, width):
                    asking.setdefault((table, order), []).append(statement.name)
    return [
        IndexCandidate(
            CreateIndex(table, f"reference_{number}", tuple(IndexKey(column) for column in columns)),
            tuple(asking[table, columns]),
            "its columns are named",
        )
        for number, (table, columns) in enumerate(sorted(asking))
    ]


def relevance(
    catalog: Catalog, statements: Sequence[WorkloadStatement], candidates: Sequence[IndexCandidate]
) -> dict[str, frozenset[str]]:
    """Return the candidates that could matter to each statement: with a column that it names.

    More than those made for it: an index whose first column it names may serve it though it has another one.
    """
    found = {}
    for statement in statements:
        tables = named_columns(catalog, statement)
        found[statement.name] = frozenset(
            candidate.name
            for candidate in candidates
            if any(key.column in tables.get(candidate.change.table, ()) for key in candidate.change.keys)
        )
    return found


def named_columns(catalog: Catalog, statement: WorkloadStatement) -> Mapping[RelationName, tuple[str, ...]]:
    """Return the columns that a statement, or a view in it, names, by table; both sorted."""
    words = _words(statement.query.sql)
    unread = [table for table in catalog.tables if table.kind is RelationKind.VIEW]
    while here := [view for view in unread if view.relation.name.lower() in words]:
        unread = [view for view in unread if view not in here]
        words.update(*(_words(view.definition) for view in here))
    found = {
        table.relation: _named(table, words)
        for table in sorted(catalog.tables, key=lambda t: t.relation)
        if table.kind in _INDEXABLE and table.parent is None and table.relation.name.lower() in words
    }
    return {table: columns for table, columns in found.items() if columns}


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _named(table: Table, words: set[str]) -> tuple[str, ...]:
    return tuple(sorted(c.name for c in table.columns if c.orderable and c.name.lower() in words))
