"""Walk plans with what a node needs to know of those above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.model.catalog import Catalog
from pgproof.model.plan import Plan, PlanNode

_BLOCKING = ("Sort", "Incremental Sort", "Aggregate", "Hash", "WindowAgg", "Materialize", "Unique", "Group")
"""Nodes that read all their input before they give a row, so that a LIMIT above saves nothing below."""

_GATHERING = ("Gather", "Gather Merge", "Append", "Merge Append")
"""Nodes that only bring together rows of workers or of partitions."""

_JOINS = ("Nested Loop", "Hash Join", "Merge Join")
_HOLDING = (*_GATHERING, "Hash", "Materialize", "Memoize", "Sort", "Incremental Sort")
"""Nodes that may stand between a join and the scan that it reads, without changing which rows there are."""

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
        sort_above: The Sort above it with nothing but gathering between.
        sort_limit_rows: Rows a LIMIT asks of that Sort; None when all are needed.
        join_above: The join above it with nothing between that changes the rows.
        partner_rows: Estimated rows of that join's other side.
        executions: Estimated times it runs: more than once below a nested loop or as a SubPlan.
    """

    node: PlanNode
    parent: PlanNode | None = None
    rows: float = 0.0
    limit_rows: float | None = None
    sort_above: PlanNode | None = None
    sort_limit_rows: float | None = None
    join_above: PlanNode | None = None
    partner_rows: float = 0.0
    executions: float = 1.0

    @property
    def read_frac(self) -> float:
        """Share of its input that it reads before a LIMIT above is content, 0 to 1."""
        return min(1.0, self.limit_rows / max(self.rows, 1.0)) if self.limit_rows is not None else 1.0

    @property
    def total_cost(self) -> float:
        """Estimated cost over all executions, without what a LIMIT spares."""
        return self.node.cost.value * self.executions * self.read_frac


def place_nodes(plan: Plan, catalog: Catalog | None = None) -> Iterator[PlacedNode]:
    """Yield every node of a plan, depth first.

    Args:
        plan: The plan.
        catalog: Tells how many rows a scan's filter sees, and so how often a subquery in it runs; without it,
            the rows that pass are taken.
    """
    yield from _place(PlacedNode(plan.root), 1.0, catalog)


def _place(here: PlacedNode, divisor: float, catalog: Catalog | None) -> Iterator[PlacedNode]:
    node = here.node
    here = replace(here, rows=node.plan_rows * (divisor if node.extra.get("Parallel Aware") else 1.0))
    yield here
    if node.node_type in ("Gather", "Gather Merge"):
        divisor = _parallel_divisor(float(node.extra.get("Workers Planned", 0)))
    for position, child in enumerate(node.children):
        if child.parent_relationship in ("SubPlan", "InitPlan"):
            below = PlacedNode(child, node, executions=_subquery_runs(here, child, catalog))
        else:
            below = _below(here, child, position)
        yield from _place(below, divisor, catalog)


def _below(here: PlacedNode, child: PlanNode, position: int) -> PlacedNode:
    node = here.node
    limit = here.limit_rows
    if node.node_type == "Limit":
        limit = node.plan_rows
    below = PlacedNode(
        child,
        node,
        limit_rows=None if node.node_type in _BLOCKING else limit,
        executions=here.executions,
    )
    if node.node_type in ("Sort", "Incremental Sort"):
        below = replace(below, sort_above=node, sort_limit_rows=limit)
    elif node.node_type in _GATHERING:
        below = replace(below, sort_above=here.sort_above, sort_limit_rows=here.sort_limit_rows)
    if node.node_type in _JOINS and len(node.children) > 1:
        partner = node.children[0 if position else 1]
        below = replace(below, join_above=node, partner_rows=partner.plan_rows)
        if node.node_type == "Nested Loop" and child.parent_relationship == "Inner":
            below = replace(below, executions=here.executions * max(partner.plan_rows, 1.0))
    elif node.node_type in _HOLDING:
        below = replace(below, join_above=here.join_above, partner_rows=here.partner_rows)
    if node.node_type == "Materialize":  # filled once, then read from memory
        below = replace(below, executions=_outer_runs(here))
    return below


def _outer_runs(here: PlacedNode) -> float:
    is_inner = here.parent is not None and here.parent.node_type == "Nested Loop"
    if not is_inner or here.node.parent_relationship != "Inner":
        return here.executions
    return here.executions / max(here.partner_rows, 1.0)


def _subquery_runs(here: PlacedNode, child: PlanNode, catalog: Catalog | None) -> float:
    """Return how often a subquery runs: an InitPlan once, a filter's for every row that the filter sees."""
    if child.parent_relationship == "InitPlan":
        return here.executions
    rows = here.rows if here.limit_rows is None else min(here.rows, here.limit_rows)
    if child.subplan and child.subplan in here.node.filter and here.limit_rows is None:
        rows = max(rows, _filtered_rows(here.node, catalog))
    return here.executions * max(rows, 1.0)


def _filtered_rows(node: PlanNode, catalog: Catalog | None) -> float:
    if node.node_type == "Seq Scan" and catalog is not None:
        table = catalog.find_table(node.relation, node.schema or None)
        return table.rows if table else 0.0
    inputs = [child.plan_rows for child in node.children if child.parent_relationship == "Outer"]
    return max(inputs, default=0.0)


def _parallel_divisor(workers: float) -> float:
    return workers + max(0.0, 1.0 - _LEADER_SHARE * workers)
