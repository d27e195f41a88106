"""Statements whose row estimates may rest on the statistics of an index's expressions.

**Source**: ``examine_variable`` in src/backend/utils/adt/selfuncs.c: the planner takes the statistics of an
expression from any index that has it as a key, scanned or not, and else from extended statistics.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Index, Table
from pgproof.sqltext.mentions import mentions
from pgproof.sqltext.shape import QueryShape
from pgproof.stages.propose.reading import ReadStatement, table_of


def readers_of_expressions(
    index: Index, catalog: Catalog, statements: Iterable[ReadStatement]
) -> tuple[str, ...]:
    """Return the names of statements that read all columns of an expression only this index has, in order.

    Returns:
        Empty where the index has no expression, or extended statistics or another index hold the same ones.
    """
    table = catalog.find_table(index.table.name, index.table.schema)
    if table is None:
        return ()
    wanted = [
        frozenset(column.name for column in table.columns if mentions(expression, column.name))
        for expression in _own_expressions(index, catalog)
    ]
    return tuple(
        read.statement.name
        for read in statements
        if any(columns <= _columns_read(level, table, catalog) for columns in wanted for level in read.levels)
    )


def _own_expressions(index: Index, catalog: Catalog) -> list[str]:
    """Return the expressions of an index whose statistics nothing else holds."""
    held = [s.definition for s in catalog.statistics if s.table == index.table]
    others = [other for other in catalog.indexes_of(index.table) if other != index and other.valid]
    expressions = [key.expression for key in index.keys if key.expression]
    return [
        text
        for text in expressions
        if not any(text in definition for definition in held)
        and not any(text == key.expression for other in others for key in other.keys)
    ]


def _columns_read(level: QueryShape, table: Table, catalog: Catalog) -> frozenset[str]:
    found: set[str] = set()
    for read in level.reads:
        if table_of(level, read.relation, catalog) is table:
            found |= {column.name for column in table.columns} if read.has_star else set(read.columns)
    return frozenset(found)
