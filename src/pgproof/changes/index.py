"""Build an index, remove an index: without blocking writes wherever PostgreSQL can."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes.index_drop_guard import refuse_drop
from pgproof.changes.index_guard import refuse_create
from pgproof.changes.index_match import same_definition, verify_sql
from pgproof.changes.index_text import concurrent_definition, create_index_sql
from pgproof.changes.kind import Kind
from pgproof.changes.statistics import analyze_step
from pgproof.errors import UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex, DropIndex, LockMode, Step
from pgproof.model.relation import RelationKind, RelationName, Table
from pgproof.sqltext.quote import qualify, quote_literal, truncate_identifier


def drop_index_step(index: RelationName, *, partitioned: bool = False) -> Step:
    """Return the step that removes an index.

    Args:
        index: Its name.
        partitioned: It is the index of a partitioned table. CONCURRENTLY is not allowed there, so reads and
            writes of the table and all its partitions wait for the moment it takes; attached indexes of
            partitions go with it.
    """
    if partitioned:
        return Step(
            sql=f"DROP INDEX {qualify(index.schema, index.name)}",
            lock_mode=LockMode.ACCESS_EXCLUSIVE,
            transactional=True,
            purpose=f"drop partitioned index {index} (blocks reads and writes for a moment)",
            drops=index,
        )
    return Step(
        sql=f"DROP INDEX CONCURRENTLY {qualify(index.schema, index.name)}",
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=False,
        purpose=f"drop index {index}",
        drops=index,
    )


def partition_index_name(name: str, partition: RelationName) -> str:
    """Name a partition's own index after the partitioned one; at most 63 bytes, and always the same."""
    return truncate_identifier(f"{name}_{partition.name}")


def planned_indexes(
    change: CreateIndex, catalog: Catalog | None
) -> tuple[tuple[RelationName, RelationName], ...]:
    """Return ``(index, table)`` for each index the change builds: its own first, then the partitions'."""
    own = RelationName(change.table.schema, change.name)
    table = _table_of(change.table, catalog)
    below = _partitions_below(table, catalog) if table and catalog else ()
    return (
        (own, change.table),
        *(
            (RelationName(p.relation.schema, partition_index_name(change.name, p.relation)), p.relation)
            for p in below
        ),
    )


def _apply_create(change: CreateIndex, catalog: Catalog | None) -> tuple[Step, ...]:
    table = _table_of(change.table, catalog)
    own = RelationName(change.table.schema, change.name)
    if catalog is not None and table is not None and table.kind is RelationKind.PARTITIONED:
        steps = tuple(_build_tree(change, table, own, catalog))
    else:
        steps = (_build_step(change, change.table, own, catalog),)
    # An index on an expression has statistics of its own, and none before the table is analysed.
    if any(key.expression for key in change.keys):
        steps += (analyze_step(change.table),)
    return steps


def _build_tree(change: CreateIndex, table: Table, own: RelationName, catalog: Catalog) -> Iterator[Step]:
    """Yield the steps for a table and all below it: an empty parent index, each child's, then attach it."""
    if table.kind is RelationKind.FOREIGN:
        raise UsageError(
            f"{table.relation} is a foreign table, so an index over all partitions can't be complete",
            hint="Build the index on each local partition instead.",
        )
    if table.kind is not RelationKind.PARTITIONED:
        yield _build_step(change, table.relation, own, catalog)
        return
    yield Step(
        sql=create_index_sql(
            change, table=table.relation, name=own.name, concurrently=False, only=True, catalog=catalog
        ),
        lock_mode=LockMode.SHARE,
        transactional=True,
        purpose=f"declare index {own} on partitioned table {table.relation} (blocks writes for a moment)",
        creates=own,
    )
    for child in catalog.partitions_of(table.relation):
        index = RelationName(child.relation.schema, partition_index_name(change.name, child.relation))
        yield from _build_tree(change, child, index, catalog)
        yield _attach_step(own, index)


def _build_step(
    change: CreateIndex, table: RelationName, index: RelationName, catalog: Catalog | None
) -> Step:
    return Step(
        sql=create_index_sql(change, table=table, name=index.name, catalog=catalog),
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=False,
        purpose=f"build index {index} on {table}",
        creates=index,
    )


def _attach_step(parent: RelationName, child: RelationName) -> Step:
    # The lock is on the partition's new index; whoever plans a query on the partition takes that lock too.
    return Step(
        sql=f"ALTER INDEX {qualify(parent.schema, parent.name)}"
        f" ATTACH PARTITION {qualify(child.schema, child.name)}",
        lock_mode=LockMode.ACCESS_EXCLUSIVE,
        transactional=True,
        purpose=f"attach {child} to {parent} (blocks reads of the partition for a moment)",
    )


def _revert_create(change: CreateIndex, catalog: Catalog | None) -> tuple[Step, ...]:
    table = _table_of(change.table, catalog)
    partitioned = table is not None and table.kind is RelationKind.PARTITIONED
    return (drop_index_step(RelationName(change.table.schema, change.name), partitioned=partitioned),)


def _verify_create(change: CreateIndex) -> tuple[Step, ...]:
    return (_question(verify_sql(change), f"index {change.name} is valid and as planned"),)


def _simulate_create(change: CreateIndex) -> tuple[Step, ...]:
    return (
        Step(
            sql=create_index_sql(change, concurrently=False),
            lock_mode=LockMode.SHARE,
            transactional=True,
            purpose=f"build index {change.name} on {change.table}",
            creates=RelationName(change.table.schema, change.name),
        ),
    )


def _create_is_so(change: CreateIndex, catalog: Catalog) -> bool:
    return any(
        index.valid and index.ready and same_definition(change, index)
        for index in catalog.indexes_of(change.table)
    )


def _describe_create(change: CreateIndex) -> str:
    keys = ", ".join(
        (key.column or key.expression) + (f" {key.opclass}" if key.opclass else "") for key in change.keys
    )
    unique = "unique " if change.unique else ""
    method = "" if change.method == "btree" else f" using {change.method}"
    include = f" include ({', '.join(change.include)})" if change.include else ""
    where = f" where {change.where}" if change.where else ""
    return f"create {unique}index {change.name} on {change.table}{method} ({keys}){include}{where}"


def _apply_drop(change: DropIndex, _: Catalog | None) -> tuple[Step, ...]:
    return (drop_index_step(change.index),)


def _revert_drop(change: DropIndex, _: Catalog | None) -> tuple[Step, ...]:
    build = Step(
        sql=concurrent_definition(change.definition),
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=False,
        purpose=f"rebuild index {change.index} on {change.table}",
        creates=change.index,
    )
    # Statistics of index expressions went with the index; "((" or "f(" after USING betrays an expression.
    has_expression = "(" in change.definition.partition(" USING ")[2].partition("(")[2]
    return (build, analyze_step(change.table)) if has_expression else (build,)


def _verify_drop(change: DropIndex) -> tuple[Step, ...]:
    name = quote_literal(qualify(change.index.schema, change.index.name))
    return (
        _question(
            f"SELECT /* pgproof */ pg_catalog.to_regclass({name}) IS NULL AS verified",
            f"index {change.index} is gone",
        ),
    )


def _simulate_drop(change: DropIndex) -> tuple[Step, ...]:
    return (
        Step(
            sql=f"DROP INDEX {qualify(change.index.schema, change.index.name)}",
            lock_mode=LockMode.ACCESS_EXCLUSIVE,
            transactional=True,
            purpose=f"drop index {change.index}",
            drops=change.index,
        ),
    )


def _drop_is_so(change: DropIndex, catalog: Catalog) -> bool:
    return catalog.find_index(change.index) is None


def _describe_drop(change: DropIndex) -> str:
    return f"drop index {change.index} on {change.table}"


def _question(sql: str, purpose: str) -> Step:
    return Step(sql=sql, lock_mode=LockMode.NONE, transactional=True, purpose=purpose, verifies=True)


def _table_of(relation: RelationName, catalog: Catalog | None) -> Table | None:
    return catalog.find_table(relation.name, relation.schema) if catalog else None


def _partitions_below(table: Table, catalog: Catalog) -> Iterator[Table]:
    for child in catalog.partitions_of(table.relation):
        yield child
        yield from _partitions_below(child, catalog)


CREATE_INDEX = Kind(
    change=CreateIndex,
    apply=_apply_create,
    revert=_revert_create,
    verify=_verify_create,
    simulate=_simulate_create,
    refuse=refuse_create,
    is_so=_create_is_so,
    describe=_describe_create,
)

DROP_INDEX = Kind(
    change=DropIndex,
    apply=_apply_drop,
    revert=_revert_drop,
    verify=_verify_drop,
    simulate=_simulate_drop,
    refuse=refuse_drop,
    is_so=_drop_is_so,
    describe=_describe_drop,
)
