"""A query plan: always the planner's tree, never a plan of work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgproof.model.units import PlannerCost


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One node of EXPLAIN (FORMAT JSON).

    Per-loop figures are kept as PostgreSQL gives them; ``actual_rows_total`` and
    ``actual_total_ms`` are already multiplied by loops.

    Args:
        node_type: "Seq Scan", "Index Only Scan"...
        cost: Total cost at this node.
        startup_cost: Cost before the first row.
        plan_rows: Estimated rows of one loop.
        plan_width_bytes: Estimated row width.
        schema: Of the relation scanned (VERBOSE), empty otherwise.
        relation: Name of the relation scanned, empty otherwise.
        alias: Alias in the statement, empty otherwise.
        index: Name of the index used, empty otherwise.
        filter: Filter text, empty otherwise.
        index_cond: Index Cond or Recheck Cond text.
        sort_key: Sort keys in order.
        loops: Actual loops; None without ANALYZE.
        actual_rows: Actual rows of one loop; None without ANALYZE.
        actual_ms: Actual time of one loop including children; None without timing.
        rows_removed: Rows removed by filter or recheck, of one loop.
        shared_blks: Shared buffers hit plus read, children included; None without BUFFERS.
        parent_relationship: "Outer", "Inner", "SubPlan", "InitPlan", "Member", empty at the root.
        subplan: "SubPlan 1", empty otherwise.
        children: In order.
        extra: Every other field as it came, by its JSON name.
    """

    node_type: str
    cost: PlannerCost
    startup_cost: PlannerCost
    plan_rows: float
    plan_width_bytes: int
    schema: str = ""
    relation: str = ""
    alias: str = ""
    index: str = ""
    filter: str = ""
    index_cond: str = ""
    sort_key: tuple[str, ...] = ()
    loops: float | None = None
    actual_rows: float | None = None
    actual_ms: float | None = None
    rows_removed: float = 0
    shared_blks: int | None = None
    parent_relationship: str = ""
    subplan: str = ""
    children: tuple[PlanNode, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def walk(self) -> Iterator[PlanNode]:
        """Yield this node and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def actual_rows_total(self) -> float | None:
        """Rows over all loops; None without ANALYZE."""
        return None if self.actual_rows is None or self.loops is None else self.actual_rows * self.loops


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement's plan.

    Args:
        root: Top node.
        planning_ms: Planning time; None without SUMMARY.
        execution_ms: Execution time; None without ANALYZE.
        settings: Planner settings that differ from the defaults.
        analyzed: The statement was executed.
    """

    root: PlanNode
    planning_ms: float | None = None
    execution_ms: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    analyzed: bool = False

    @property
    def cost(self) -> PlannerCost:
        """Total cost of the whole statement."""
        return self.root.cost

    def indexes_used(self) -> frozenset[str]:
        """Return the names of all indexes the plan reads."""
        return frozenset(node.index for node in self.root.walk() if node.index)
