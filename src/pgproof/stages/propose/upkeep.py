"""What keeping an existing index up to date costs the workload.

**Source**: heap-only tuples, src/backend/access/heap/README.HOT: an UPDATE that changes no indexed column
writes to no index; since PostgreSQL 16, summarizing indexes (BRIN) don't count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgproof.model.catalog import Catalog
from pgproof.model.drop import IndexUpkeep
from pgproof.model.relation import Index, RelationKind, RelationName, Table
from pgproof.sqltext.mentions import mentions
from pgproof.stages.propose.reading import ReadStatement, table_of

_SUMMARIZING_SPARED_SINCE = 16


@dataclass(frozen=True, slots=True)
class TableWrite:
    """Rows that a statement of the workload writes to a table.

    Args:
        statement: Its name.
        table: Where.
        rows: In the workload's window.
        columns: Columns an UPDATE sets; empty for what concerns every index.
    """

    statement: str
    table: RelationName
    rows: float
    columns: frozenset[str]


def read_writes(catalog: Catalog, statements: Iterable[ReadStatement]) -> tuple[TableWrite, ...]:
    """Return the rows that statements insert and update, in their order.

    Deletes are left out: an entry of a deleted row is removed by VACUUM.
    """
    return tuple(write for read in statements for write in _writes_of(read, catalog))


def _writes_of(read: ReadStatement, catalog: Catalog) -> Iterator[TableWrite]:
    counters = read.statement.counters
    rows = read.statement.calls * (max(counters.rows_a_call, 1.0) if counters else 1.0)
    for shape in read.levels:
        if shape.target is None or shape.command not in ("insert", "update", "merge"):
            continue
        table = table_of(shape, shape.target.alias, catalog)
        if table is not None:
            columns = frozenset(shape.columns_written) if shape.command == "update" else frozenset[str]()
            yield TableWrite(read.statement.name, table.relation, rows, columns)


def upkeep_of(index: Index, catalog: Catalog, writes: Iterable[TableWrite]) -> IndexUpkeep:
    """Return what an index costs those who write to its table, or to one that this one is part of."""
    table = catalog.find_table(index.table.name, index.table.schema)
    if table is None:
        return IndexUpkeep()
    family = {index.table, *catalog.ancestors_of(table)}
    columns = columns_of_index(index, table)
    others = [
        columns_of_index(other, table)
        for other in catalog.indexes_of(index.table)
        if other != index and _prevents_hot(other, catalog)
    ]
    into = [w for w in writes if w.table in family and (not w.columns or w.columns & columns)]
    alone = [w for w in into if w.columns and not any(w.columns & other for other in others)]
    return IndexUpkeep(
        statements=_names(into),
        rows=sum(write.rows for write in into),
        counted_rows=_counted_rows(table),
        hot_prevented=_names(alone) if _prevents_hot(index, catalog) else (),
    )


def columns_of_index(index: Index, table: Table) -> frozenset[str]:
    """Return the columns an index depends on: keys, payload, those in its expressions and its predicate."""
    texts = [index.predicate, *(key.expression for key in index.keys)]
    stored = {key.column for key in index.keys} | set(index.include)
    return frozenset(
        column.name
        for column in table.columns
        if column.name in stored or any(mentions(text, column.name) for text in texts if text)
    )


def _prevents_hot(index: Index, catalog: Catalog) -> bool:
    return index.method != "brin" or catalog.major < _SUMMARIZING_SPARED_SINCE


def _counted_rows(table: Table) -> int | None:
    """Return entries written into each index of a table; a partitioned table has no counters of its own."""
    activity = table.activity
    if activity is None or table.kind is RelationKind.PARTITIONED:
        return None
    return activity.inserts + max(activity.updates - activity.hot_updates, 0)


def _names(writes: Iterable[TableWrite]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(write.statement for write in writes))
