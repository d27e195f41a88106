"""Correlated subquery executed once per row (a SubPlan that is not hashed)."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.figures import percent
from pgproof.model.finding import Evidence, Finding
from pgproof.model.plan import Plan, PlanNode
from pgproof.stages.diagnose.check import Check, Subject, weight_evidence
from pgproof.stages.diagnose.scans import PlacedNode, place_nodes

MANY_ROWS = 20
"""Fewer executions than that are a page of results. Source: judgement."""

COST_SHARE_FRAC = 0.30
"""Source: judgement."""


def find_per_row_subqueries(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each statement in which a correlated subquery takes a good part of the cost.

    Guards: hashed subplans and InitPlans run once; few outer rows, a LIMIT that stops early, or a small
    share of the statement's cost are no finding. Works through views, since the plan is looked at.

    Evidence: EXPLAIN: estimated executions, share of the statement's cost, the scan inside.

    Refuted by: EXPLAIN ANALYZE that shows few loops, for example because a LIMIT stops early.
    """
    for statement in subject.statements():
        found = [worst for plan in subject.plans.get(statement.name, ()) if (worst := _worst(subject, plan))]
        if found:
            yield _finding(subject, statement.name, *max(found, key=lambda pair: pair[1]))


def _worst(subject: Subject, plan: Plan) -> tuple[PlacedNode, float] | None:
    worst = None
    for placed in place_nodes(plan, subject.catalog):
        node = placed.node
        if node.parent_relationship != "SubPlan" or _is_hashed(placed) or placed.executions < MANY_ROWS:
            continue
        share = min(1.0, placed.total_cost / plan.cost.value) if plan.cost.value else 0.0
        if share >= COST_SHARE_FRAC and (worst is None or share > worst[1]):
            worst = (placed, share)
    return worst


def _is_hashed(placed: PlacedNode) -> bool:
    """Whether the subplan is run once into a hash table; or may be (PostgreSQL 13 decides late)."""
    if placed.parent is None or not placed.node.subplan:
        return False
    texts = [placed.parent.filter, *map(str, placed.parent.extra.values())]
    name = placed.node.subplan
    return any(f"hashed {name}" in text or f"{name} or hashed" in text for text in texts)


def _finding(subject: Subject, statement: str, placed: PlacedNode, share: float) -> Finding:
    severity, time_share, weight = weight_evidence(subject, [statement])
    scan = _main_scan(placed.node)
    inner = f"{scan.node_type} on {scan.relation}" if scan else placed.node.node_type
    table = subject.catalog.find_table(scan.relation, scan.schema or None) if scan else None
    return Finding(
        check=PER_ROW_SUBQUERY.name,
        severity=severity,
        title=f"{statement} runs a subquery for each of about {placed.executions:,.0f} rows",
        explanation=f"A correlated subquery ({inner}) is executed again for every row around it.",
        evidence=(
            Evidence("executions", f"about {placed.executions:,.0f}", "EXPLAIN"),
            Evidence("share of the statement's planner cost", percent(share), "EXPLAIN"),
            Evidence("inner scan", inner, "EXPLAIN"),
            *weight,
        ),
        remedy=_remedy(scan),
        relation=subject.root_of(table).relation if table else None,
        statements=(statement,),
        time_share_frac=time_share,
        refuted_by="EXPLAIN ANALYZE that shows few loops, for example because a LIMIT stops early",
        lineage=f">= {MANY_ROWS} outer rows and >= {percent(COST_SHARE_FRAC)} of cost (judgement)",
    )


def _main_scan(node: PlanNode) -> PlanNode | None:
    """Return the costliest scan of a table in a subquery: what one execution mostly does."""
    scans = [below for below in node.walk() if below.relation]
    return max(scans, key=lambda scan: scan.cost.value, default=None)


def _remedy(scan: PlanNode | None) -> str:
    if scan is not None and scan.node_type == "Seq Scan":
        return "Index the column by which the subquery is tied to the row around it."
    return (
        "Where most of the outer rows are needed, join one aggregate over all rows instead (GROUP BY the "
        "column that ties them). Measure both: for few outer rows the join loses."
    )


PER_ROW_SUBQUERY = Check("per-row-subquery", find_per_row_subqueries, needs_workload=True, needs_plans=True)
