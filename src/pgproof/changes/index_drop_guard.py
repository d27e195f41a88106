"""Dangers of removing an index."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes.index_cover import leads_with
from pgproof.changes.index_text import concurrent_definition
from pgproof.changes.table_guard import refuse_server, refuse_table
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, DropIndex, Refusal
from pgproof.model.relation import Constraint, ConstraintKind, Index, IndexKey, RelationKind, RelationName
from pgproof.sqltext.quote import qualify


def refuse_drop(change: DropIndex, catalog: Catalog, earlier: tuple[Change, ...]) -> tuple[Refusal, ...]:
    """Say why an index must not be removed, worst first.

    Args:
        change: The removal.
        catalog: Of the target.
        earlier: Changes before it, which may bring an index that takes over.
    """
    kinds = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW)
    refusals = [
        *refuse_server(catalog),
        *refuse_table(change.table, (), catalog, "drop an index of", kinds),
    ]
    index = catalog.find_index(change.index)
    if index is not None:
        refusals += _refuse_role(index)
        refusals += _refuse_partitioning(index, catalog)
        refusals += _refuse_definition(change, index)
        refusals += _refuse_foreign_key(change, index, catalog, earlier)
    return tuple(refusals)


def _refuse_role(index: Index) -> Iterator[Refusal]:
    if index.primary or index.constraint:
        kind = "the primary key" if index.primary else f"constraint {index.constraint}"
        yield Refusal(
            f"Index {index.relation} enforces {kind} of {index.table}: without it, wrong rows could be"
            " stored.",
            "Keep it. Drop the constraint by hand if the rule itself is no longer wanted.",
        )
    elif index.unique:
        yield Refusal(
            f"Index {index.relation} is unique: without it, duplicate rows could be stored in {index.table}.",
            "Keep it, even when no query reads it.",
        )
    if index.replica_identity:
        yield Refusal(
            f"Index {index.relation} is the replica identity of {index.table}: without it, UPDATE and DELETE"
            " of a published table fail.",
            f"Choose another identity first:\n  ALTER TABLE {qualify(index.table.schema, index.table.name)}"
            " REPLICA IDENTITY USING INDEX ...;",
        )
    if index.clustered:
        yield Refusal(
            f"Table {index.table} is clustered on index {index.relation}: CLUSTER would no longer know its"
            " order.",
            f"If that is no longer wanted:\n  ALTER TABLE {qualify(index.table.schema, index.table.name)}"
            " SET WITHOUT CLUSTER;",
        )


def _refuse_partitioning(index: Index, catalog: Catalog) -> Iterator[Refusal]:
    table = catalog.find_table(index.table.name, index.table.schema)
    if index.parent is not None:
        yield Refusal(
            f"Index {index.relation} is a part of partitioned index {index.parent}: the server will not drop"
            " it alone.",
            "Leave it, or drop the partitioned index by hand at a quiet hour.",
        )
    elif table is not None and table.kind is RelationKind.PARTITIONED:
        yield Refusal(
            f"Index {index.relation} is on a partitioned table: dropping it blocks reads and writes of all"
            " partitions, and taking that back means to build it again on each of them.",
            "Drop it by hand at a quiet hour, after the competition has shown that nobody misses it.",
        )


def _refuse_definition(change: DropIndex, index: Index) -> Iterator[Refusal]:
    if index.table != change.table:
        yield Refusal(
            f"Index {change.index} is on {index.table}, not on {change.table} as planned.",
            "The schema changed since the proposal: capture and advise again.",
        )
    elif index.definition and index.definition != change.definition:
        yield Refusal(
            f"Index {change.index} is no longer the one that was judged: its definition changed.",
            "The schema changed since the proposal: capture and advise again.",
        )
    try:
        concurrent_definition(change.definition)
    except (ParseError, UsageError) as error:
        yield Refusal(f"Index {change.index} could not be rebuilt: {error.message}.", error.hint)


def _refuse_foreign_key(
    change: DropIndex, index: Index, catalog: Catalog, earlier: tuple[Change, ...]
) -> Iterator[Refusal]:
    keys = [] if index.predicate else [index.keys]
    gone = {change.index, *(other.index for other in earlier if isinstance(other, DropIndex))}
    others = [
        other.keys
        for other in catalog.indexes_of(change.table)
        if other.relation not in gone and other.valid and not other.predicate and other.method == "btree"
    ] + _coming_keys(change.table, earlier)
    for constraint in catalog.constraints_of(change.table):
        if not _serves(constraint, keys) or _serves(constraint, others):
            continue
        yield Refusal(
            f"Index {index.relation} is the last one that supports foreign key {constraint.name}: without it,"
            f" each DELETE or key UPDATE in {constraint.references} scans all of {change.table}.",
            "Keep it, even when no query reads it: such scans are not counted as index scans by a query.",
        )


def _coming_keys(table: RelationName, earlier: tuple[Change, ...]) -> list[tuple[IndexKey, ...]]:
    return [
        change.keys
        for change in earlier
        if isinstance(change, CreateIndex)
        and change.table == table
        and change.method == "btree"
        and not change.where
    ]


def _serves(constraint: Constraint, indexes: list[tuple[IndexKey, ...]]) -> bool:
    """Tell whether any of some indexes, given by their keys, supports a foreign key."""
    return constraint.kind is ConstraintKind.FOREIGN_KEY and any(
        leads_with(keys, constraint.columns) for keys in indexes
    )
