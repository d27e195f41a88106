"""How far a plan's row estimates were from what came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgproof.model.plan import Plan, PlanNode

_READS_ALL = ("Sort", "Hash")
"""Nodes that read their input to its end in any case; an incremental sort may stop between groups."""

_READS_ALL_AS = ("Plain", "Hashed", "Mixed")
"""Ways to aggregate that do the same; one over sorted rows stops between groups."""

_MAY_STOP = ("Limit", "Merge Join")
"""Nodes below which an input may be left half read."""


@dataclass(frozen=True, slots=True)
class Misestimate:
    """A node of an executed plan with its error.

    Args:
        node: The node.
        estimated_rows: Of one loop.
        actual_rows: Of one loop.
    """

    node: PlanNode
    estimated_rows: float
    actual_rows: float

    @property
    def factor(self) -> float:
        """How many times too high or too low, >= 1; less than a row counts as a row.

        **Source**: the q-error of Moerkotte, Neumann and Steidl, "Preventing Bad Plans by Bounding the
        Impact of Cardinality Estimation Errors", VLDB 2009, section 2.
        """
        estimated, actual = max(self.estimated_rows, 1.0), max(self.actual_rows, 1.0)
        return max(estimated / actual, actual / estimated)

    @property
    def too_low(self) -> bool:
        """Whether more rows came than expected."""
        return self.actual_rows > self.estimated_rows


def find_misestimates(plan: Plan) -> tuple[Misestimate, ...]:
    """Return every node whose estimate can be judged, depth first, whatever its error.

    Left out: nodes that never ran, and those that gave too few rows because somebody above them stopped early
    (LIMIT, a merge join that was through, EXISTS).

    Args:
        plan: An executed one; for any other the result is empty.
    """
    return tuple(_walk(plan.root, stopped=False))


def _walk(node: PlanNode, *, stopped: bool) -> Iterator[Misestimate]:
    if node.actual_rows is not None and node.loops:
        found = Misestimate(node, node.plan_rows, node.actual_rows)
        if found.too_low or not stopped:
            yield found
    for child in node.children:
        yield from _walk(child, stopped=_may_be_stopped(node, child, stopped))


def _may_be_stopped(node: PlanNode, child: PlanNode, stopped: bool) -> bool:
    if child.parent_relationship in ("InitPlan", "SubPlan"):
        return True  # EXISTS asks for one row
    if node.node_type in _READS_ALL or node.extra.get("Strategy") in _READS_ALL_AS:
        return False
    if node.node_type in _MAY_STOP:
        return True
    # A semi or anti join, or one on a unique key, leaves the inner side at the first match.
    inner = child.parent_relationship == "Inner"
    first_match = node.extra.get("Join Type") in ("Semi", "Anti") or bool(node.extra.get("Inner Unique"))
    return stopped or (node.node_type == "Nested Loop" and inner and first_match)
