"""Changes larger than an index: what they would be, what the planner says of them, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.change import CreateMaterializedView
from pgproof.model.estimate import Confidence
from pgproof.model.partitioning import PartitionTable
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost
from pgproof.model.workload import WorkloadStatement


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a materialised view that sums up.

    Args:
        name: In the view.
        is_key: The view has one row for each combination of its keys.
        table: Where it is a plain column of a table; None for an expression and for an aggregate.
        column: That column's name, else empty.
    """

    name: str
    is_key: bool
    table: RelationName | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class ViewCandidate:
    """A materialised view that might serve statements of a workload.

    Args:
        change: The view with its indexes.
        columns: Of the view, in order.
        readers: The statements as they would read it, by their names in the workload, their parameters
            numbered anew; at least one.
        reason: Why it is worth a question.
        cautions: What a reader must know of it, staleness first.
        confidence: How far the planner's number of its rows is to be believed.
        confidence_reason: What that rests on.
    """

    change: CreateMaterializedView
    columns: tuple[ViewColumn, ...]
    readers: tuple[WorkloadStatement, ...]
    reason: str
    cautions: tuple[str, ...]
    confidence: Confidence = Confidence.MEDIUM
    confidence_reason: str = ""


@dataclass(frozen=True, slots=True)
class PartitionCandidate:
    """A partitioning that might let statements pass over most of a table.

    Args:
        scheme: The partitions.
        statements: Names of the statements that read or write the table, in workload order.
        reason: Why it is worth a question.
        cautions: What would have to change with it.
    """

    scheme: PartitionTable
    statements: tuple[str, ...]
    reason: str
    cautions: tuple[str, ...] = ()


class LargerKind(StrEnum):
    """What a larger change is."""

    MATERIALIZED_VIEW = "materialized_view"
    PARTITIONING = "partitioning"


@dataclass(frozen=True, slots=True)
class StatementPrice:
    """What a larger change does to one statement. Cost, never time.

    Args:
        statement: Its name in the workload.
        before: Cost now, mean over its parameter sets.
        after: Cost with the change.
        with_indexes: Cost with the largest set of indexes proposed instead; None where none was.
        sql: The statement as it would have to be written; empty where it stays as it is.
    """

    statement: str
    before: PlannerCost
    after: PlannerCost
    with_indexes: PlannerCost | None = None
    sql: str = ""


@dataclass(frozen=True, slots=True)
class LargerChange:
    """A larger change, priced. Advice: no set of indexes and no variant holds it.

    Args:
        kind: What it is.
        name: Of the view, or of the table that would be partitioned.
        title: One line.
        recommended: The figures speak for it.
        verdict: Why, or why not.
        statements: Those concerned, in workload order.
        saved_frac: Of the whole workload's cost; below 0 where it gets dearer.
        size_bytes: Of the view with its indexes; of the largest partition.
        rows: Of the view; of the largest partition.
        refresh_cost: Of the view, once; None for a partitioning.
        pays_from_calls: Calls between two refreshes from which on it pays; None where it never does, and for
            a partitioning.
        confidence: How far to believe size and costs.
        confidence_reason: What that rests on.
        reason: Why it was looked at.
        cautions: What a reader must know of it.
        sql: What makes it; empty for a partitioning, which pgproof does not ship.
        refresh_sql: What brings it up to date; empty for a partitioning.
        scheme: Of a partitioning, else None.
    """

    kind: LargerKind
    name: RelationName
    title: str
    recommended: bool
    verdict: str
    statements: tuple[StatementPrice, ...]
    saved_frac: float
    size_bytes: int
    rows: float
    refresh_cost: PlannerCost | None
    pays_from_calls: float | None
    confidence: Confidence
    confidence_reason: str
    reason: str
    cautions: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    refresh_sql: str = ""
    scheme: PartitionTable | None = None


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A larger change that was thought of and not priced.

    Args:
        what: A statement or a table.
        kind: What was thought of.
        reason: Why not.
    """

    what: str
    kind: LargerKind
    reason: str


@dataclass(frozen=True, slots=True)
class LargerReview:
    """What came of looking for larger changes.

    Args:
        changes: Priced, those that save most first; recommended ones before the others.
        dismissed: Not priced, each with the reason.
        notes: What limits trust in all of it.
    """

    changes: tuple[LargerChange, ...] = ()
    dismissed: tuple[Dismissed, ...] = ()
    notes: tuple[str, ...] = ()
