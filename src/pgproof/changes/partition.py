"""What a partitioned table would be made of, for a database without rows. Nothing here moves any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pgproof.changes.index_text import create_index_sql
from pgproof.errors import UsageError
from pgproof.model.change import CreateIndex
from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.relation import RelationName
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal


def hypothetical_partitions_sql(
    scheme: PartitionTable, whole: RelationName, indexes: Sequence[CreateIndex] = ()
) -> tuple[str, ...]:
    """Render the statements that put an empty partitioned table in a table's place.

    The table itself stays, with its rows and under another name: this is for a shadow, where there are none.

    Args:
        scheme: The partitions.
        whole: Name that the table gets, in its own schema.
        indexes: To make on the partitioned table; a unique one without the key in it is made as one that is
            not (`can_stay_unique`).

    Returns:
        One statement each, in order.

    Raises:
        UsageError: There is no partition, or an index is more than an index.
        ParseError: An expression of an index does not parse.
    """
    if not scheme.partitions:
        raise UsageError(f"There is no partition for {scheme.table}", hint="Name at least one.")
    table = qualify(scheme.table.schema, scheme.table.name)
    key = quote_identifier(scheme.column)
    return (
        f"ALTER TABLE {table} RENAME TO {quote_identifier(whole.name)}",
        f"CREATE TABLE {table} (LIKE {qualify(whole.schema, whole.name)} INCLUDING DEFAULTS"
        f" INCLUDING GENERATED INCLUDING CONSTRAINTS) PARTITION BY {scheme.method.value.upper()} ({key})",
        *_partitions(scheme, table),
        *(
            create_index_sql(replace(index, unique=can_stay_unique(index, scheme.column)), concurrently=False)
            for index in indexes
        ),
    )


def can_stay_unique(index: CreateIndex, column: str) -> bool:
    """Tell whether an index could be unique on a table partitioned by a column.

    **Source**: documentation 5.12.2.3: the key must be among the index's columns.
    """
    return index.unique and any(key.column == column for key in index.keys)


def _partitions(scheme: PartitionTable, table: str) -> Iterator[str]:
    for partition in scheme.partitions:
        name = qualify(scheme.table.schema, partition.name)
        yield f"CREATE TABLE {name} PARTITION OF {table} {_bound(partition, scheme)}"


def _bound(partition: Partition, scheme: PartitionTable) -> str:
    if partition.default:
        return "DEFAULT"
    if scheme.method is PartitionMethod.RANGE:
        lower = quote_literal(partition.lower) if partition.lower else "MINVALUE"
        upper = quote_literal(partition.upper) if partition.upper else "MAXVALUE"
        return f"FOR VALUES FROM ({lower}) TO ({upper})"
    if scheme.method is PartitionMethod.LIST:
        return f"FOR VALUES IN ({', '.join(map(quote_literal, partition.values))})"
    return f"FOR VALUES WITH (MODULUS {len(scheme.partitions)}, REMAINDER {partition.remainder})"
