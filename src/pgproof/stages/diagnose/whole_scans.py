"""The tables that a plan reads whole, those of one table's partitions together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.model.plan import Plan
from pgproof.model.relation import Table
from pgproof.sqltext.plan_conditions import (
    NOTHING,
    Conditions,
    bare_alias,
    find_aliases,
    read_conditions,
)
from pgproof.sqltext.shape import Comparand, Operand, Predicate
from pgproof.stages.diagnose.check import Subject
from pgproof.stages.diagnose.scans import PlacedNode, place_nodes

KEPT_FRAC = 0.10
"""A filter that keeps more is served no better by an index. Source: peer default (the usual 5 to 10 %)."""

COST_SHARE_FRAC = 0.20
"""The scan must be a good part of its statement. Source: judgement."""


_WHOLE = ("Seq Scan", "Index Scan", "Index Only Scan")
"""Scans that read every row where they have no Index Cond; an index is then walked for its order alone."""


@dataclass(frozen=True, slots=True)
class WholeScan:
    """One scan without a search condition, or those of all partitions of one table together.

    Args:
        table: What is read; for a partition, the outermost partitioned table.
        placed: The (first) node with its surroundings.
        plan: It is in.
        aliases: By which conditions of the plan call the table.
        rows_read: Rows of the table, or of the partitions that are read.
        rows_kept: Rows that pass the filter.
        cost: Planner cost of all executions.
        filter: What the filter says.
    """

    table: Table
    placed: PlacedNode
    plan: Plan
    aliases: frozenset[str]
    rows_read: float
    rows_kept: float
    cost: float
    filter: Conditions = NOTHING

    @property
    def keeps_few(self) -> bool:
        """Whether the filter leaves so little that an index would spare much."""
        return bool(self.placed.node.filter) and self.rows_kept <= KEPT_FRAC * self.rows_read

    def own(self, operand: Operand) -> bool:
        """Whether an operand of a condition is of this table."""
        return operand.relation in self.aliases

    def restricting(self) -> list[Predicate]:
        """Return the conditions with a value that each row must meet, in text order."""
        return [
            predicate
            for predicate in self.filter.predicates
            if self.own(predicate.operand)
            and not (predicate.negated or predicate.in_or)
            and predicate.comparand is not Comparand.COLUMN
        ]

    def share_frac(self, cost: float) -> float:
        """Return the share of the plan's cost that some cost is, 0 to 1."""
        return min(1.0, cost / self.plan.cost.value) if self.plan.cost.value else 0.0

    def conditions(self, subject: Subject, text: str, keys: tuple[str, ...] = ()) -> Conditions:
        """Read another condition or sort keys of the same plan."""
        return read_conditions(subject.catalog.column_names, find_aliases(self.plan), text, keys)


def find_whole_scans(subject: Subject, plan: Plan) -> Iterator[WholeScan]:
    """Yield what a plan reads whole, in plan order.

    Small tables are left out, and scans that a LIMIT stops before a tenth.
    """
    for scan in _scans(subject, plan):
        if subject.is_small(scan.table) or scan.placed.read_frac <= KEPT_FRAC:
            continue
        text = scan.placed.node.filter
        yield replace(scan, filter=scan.conditions(subject, text)) if text else scan


def _scans(subject: Subject, plan: Plan) -> Iterator[WholeScan]:
    found: dict[tuple[str, str, int], WholeScan] = {}
    for placed in place_nodes(plan, subject.catalog):
        node = placed.node
        table = subject.catalog.find_table(node.relation, node.schema or None) if node.relation else None
        if node.node_type not in _WHOLE or node.index_cond or table is None:
            continue
        root = subject.root_of(table)
        is_part = root is not table
        alias = bare_alias(node.alias) if is_part else node.alias
        one = WholeScan(
            table=root,
            placed=placed,
            plan=plan,
            aliases=frozenset((node.alias, alias)),
            rows_read=max(table.rows, placed.rows, 1.0),
            rows_kept=min(placed.rows, max(table.rows, 1.0)) if table.rows >= 0 else placed.rows,
            cost=placed.total_cost,
        )
        key = (str(root.relation), alias, id(placed.parent) if is_part else id(node))
        found[key] = _together(found[key], one) if key in found else one
    yield from found.values()


def _together(left: WholeScan, right: WholeScan) -> WholeScan:
    return replace(
        left,
        aliases=left.aliases | right.aliases,
        rows_read=left.rows_read + right.rows_read,
        rows_kept=left.rows_kept + right.rows_kept,
        cost=left.cost + right.cost,
    )
