"""A table thought of as partitioned. Priced only: nothing of pgproof moves rows into partitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pgproof.model.relation import RelationName

WHAT_IF_ONLY = (
    "Partitioning a table is priced by pgproof, not shipped: its rows would have to be moved, its primary key"
    " and the foreign keys to it would change."
)
"""Said wherever somebody wants a partitioning to be made."""


class PartitionMethod(StrEnum):
    """How rows find their partition (documentation, 5.12.2)."""

    RANGE = "range"
    LIST = "list"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition and the rows that belong into it.

    Args:
        name: Without schema; it goes to the table's.
        lower: Of a range, included, in the column's text form; empty for no limit.
        upper: Of a range, left out; empty for no limit.
        values: Of a list, in text form.
        remainder: Of a hash; the modulus is the number of partitions.
        default: It takes what belongs into no other, NULLs of a range among it.
    """

    name: str
    lower: str = ""
    upper: str = ""
    values: tuple[str, ...] = ()
    remainder: int = 0
    default: bool = False


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """A table cut into partitions by one column. A value for what-if: it is no `Change`.

    Args:
        table: An ordinary table today.
        column: The key.
        method: How rows find their partition.
        partitions: In order; at least one.
        step: What one partition spans, in words ("1 month"); empty where that can't be said.
    """

    table: RelationName
    column: str
    method: PartitionMethod
    partitions: tuple[Partition, ...]
    step: str = ""
    kind: Literal["partition_table"] = "partition_table"
