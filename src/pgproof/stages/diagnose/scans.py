"""Walk plans with what a node needs to know of those above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgproof.model.plan import Plan, PlanNode

_BLOCKING = ("Sort", "Incremental Sort", "Aggregate", "Hash", "WindowAgg", "Materialize", "Unique", "Group")
"""Nodes that read all their input before they give a row, so that a LIMIT above saves nothing below."""

_LEADER_SHARE = 0.3
"""Source: get_parallel_divisor in src/backend/optimizer/path/costsize.c: the leader loses 30 % a worker."""


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node with its surroundings.

    Args:
        node: The node.
        parent: The node above; None at the root.
        rows: Estimated rows it gives over all parallel workers.
        limit_rows: Rows a LIMIT above asks of it; None when all are needed.
        sort_above: The nearest Sort above it with nothing but gathering between.
        executions: Estimated times it runs: more than once below a nested loop or as a SubPlan.
    """

    node: PlanNode
    parent: PlanNode | None
    rows: float
    limit_rows: float | None
    sort_above: PlanNode | None
    executions: float

    @property
    def total_cost(self) -> float:
        """Estimated cost over all executions."""
        return self.node.cost.value * self.executions


def place_nodes(plan: Plan) -> Iterator[PlacedNode]:
    """Yield every node of a plan, depth first."""
    yield from _place(plan.root, None, 1.0, None, None, 1.0)


def _place(
    node: PlanNode,
    parent: PlanNode | None,
    divisor: float,
    limit: float | None,
    sort: PlanNode | None,
    executions: float,
) -> Iterator[PlacedNode]:
    factor = divisor if node.extra.get("Parallel Aware") else 1.0
    placed = PlacedNode(node, parent, node.plan_rows * factor, limit, sort, executions)
    yield placed
    if node.node_type in ("Gather", "Gather Merge"):
        divisor = _parallel_divisor(float(node.extra.get("Workers Planned", 0)))
    elif node.node_type == "Limit":
        limit = node.plan_rows
    elif node.node_type in _BLOCKING:
        limit = None
    if node.node_type in ("Sort", "Incremental Sort"):
        sort = node
    elif node.node_type not in ("Gather", "Gather Merge"):
        sort = None
    given = placed.rows if limit is None else min(placed.rows, limit)
    for child in node.children:
        below_limit, times = limit, executions
        if child.parent_relationship in ("SubPlan", "InitPlan"):
            below_limit = None
            times = executions * max(given, 1.0) if child.parent_relationship == "SubPlan" else executions
        elif node.node_type == "Nested Loop" and child.parent_relationship == "Inner":
            times = executions * max(node.children[0].plan_rows, 1.0)
        yield from _place(child, node, divisor, below_limit, sort, times)


def _parallel_divisor(workers: float) -> float:
    return workers + max(0.0, 1.0 - _LEADER_SHARE * workers)
