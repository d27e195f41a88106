"""Per-row subquery: a SubPlan that runs once for each outer row."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.finding import Evidence, Finding
from pgproof.model.plan import Plan
from pgproof.model.relation import RelationName
from pgproof.stages.diagnose.check import Check, Subject, severity_of_share
from pgproof.stages.diagnose.scans import PlacedNode, place_nodes

MANY_ROWS = 10
"""Fewer outer rows are no trouble, whatever their share. Source: judgement."""

COST_SHARE_FRAC = 0.30
"""Source: judgement."""


def find_per_row_subqueries(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each statement in which a correlated subquery takes a good part of the cost.

    Guards: hashed subplans and InitPlans run once; few outer rows, a LIMIT that stops early, or a small
    share of the statement's cost are no finding. Works through views, since the plan is looked at.
    """
    for statement in subject.statements():
        found = [worst for plan in subject.plans.get(statement.name, ()) if (worst := _worst(plan))]
        if found:
            yield _finding(subject, statement.name, *max(found, key=lambda pair: pair[1]))


def _worst(plan: Plan) -> tuple[PlacedNode, float] | None:
    worst = None
    for placed in place_nodes(plan):
        node = placed.node
        if node.parent_relationship != "SubPlan" or _is_hashed(placed) or placed.executions < MANY_ROWS:
            continue
        share = min(1.0, placed.total_cost / plan.cost.value) if plan.cost.value else 0.0
        if share >= COST_SHARE_FRAC and (worst is None or share > worst[1]):
            worst = (placed, share)
    return worst


def _is_hashed(placed: PlacedNode) -> bool:
    parent = placed.parent
    return parent is not None and f"hashed {placed.node.subplan}" in parent.filter


def _finding(subject: Subject, statement: str, placed: PlacedNode, share: float) -> Finding:
    time_share = subject.time_share_frac([statement])
    scan = next((node for node in placed.node.walk() if node.relation), None)
    inner = f"{scan.node_type} on {scan.relation}" if scan else placed.node.node_type
    table = subject.catalog.find_table(scan.relation, scan.schema or None) if scan else None
    return Finding(
        check=PER_ROW_SUBQUERY.name,
        severity=severity_of_share(time_share),
        title=f"{statement} runs a subquery for each of about {placed.executions:,.0f} rows",
        explanation=f"{placed.node.subplan or 'A subquery'} ({inner}) is executed once per outer row.",
        evidence=(
            Evidence("executions", f"about {placed.executions:,.0f}", "EXPLAIN"),
            Evidence("share of the statement's cost", f"{share:.0%}", "EXPLAIN"),
            Evidence("inner scan", inner, "EXPLAIN"),
        ),
        remedy="Index the column by which the subquery is tied to the outer row; where most outer rows are "
        "needed, join one aggregate over all rows instead. Race both: for few outer rows the join loses.",
        relation=table.relation if table else RelationName("", scan.relation) if scan else None,
        statements=(statement,),
        time_share_frac=time_share,
        refuted_by="EXPLAIN ANALYZE that shows few loops, for example because a LIMIT stops early",
        lineage=f">= {MANY_ROWS} outer rows and >= {COST_SHARE_FRAC:.0%} of cost (judgement)",
    )


PER_ROW_SUBQUERY = Check("per-row-subquery", find_per_row_subqueries, needs_workload=True, needs_plans=True)
