"""Reads EXPLAIN (FORMAT JSON) of PostgreSQL 13 to 18."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pgproof.errors import ParseError
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.units import PlannerCost

_NODE_FIELDS = frozenset(
    {
        "Node Type",
        "Total Cost",
        "Startup Cost",
        "Plan Rows",
        "Plan Width",
        "Schema",
        "Relation Name",
        "Alias",
        "Index Name",
        "Filter",
        "Index Cond",
        "Recheck Cond",
        "Sort Key",
        "Actual Loops",
        "Actual Rows",
        "Actual Total Time",
        "Rows Removed by Filter",
        "Parent Relationship",
        "Subplan Name",
        "Plans",
    }
)
_TOP_FIELDS = frozenset({"Plan", "Planning Time", "Execution Time", "Settings"})


def parse_plan(document: str | list[Any] | Mapping[str, Any]) -> Plan:
    """Read one statement's plan.

    Args:
        document: The server's answer: its text, or what the driver made of it (a list of one object).

    Returns:
        The plan. Fields of the document as a whole ("Triggers", "JIT", "Planning", "Serialization") stand in
        the root node's ``extra``, beside the node's own.

    Raises:
        ParseError: It is no such document, or a rule rewrote the statement to none or to several.
    """
    top = _only_statement(_decode(document))
    if not isinstance(top, Mapping) or not isinstance(top.get("Plan"), Mapping):
        raise _not_a_plan("it holds no plan")
    try:
        whole = {name: value for name, value in top.items() if name not in _TOP_FIELDS}
        root = _parse_node(top["Plan"], whole)
        return Plan(
            root=root,
            planning_ms=_number(top.get("Planning Time")),
            execution_ms=_number(top.get("Execution Time")),
            settings={name: str(value) for name, value in (top.get("Settings") or {}).items()},
            analyzed=root.loops is not None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _not_a_plan(
            f"a field is missing or of a wrong type ({type(error).__name__}: {error})"
        ) from error


def _decode(document: str | list[Any] | Mapping[str, Any]) -> Any:
    if not isinstance(document, str):
        return document
    try:
        return json.loads(document)
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The plan is no JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from error


def _only_statement(document: Any) -> Any:
    if not isinstance(document, list):
        return document
    if len(document) != 1:
        raise _not_a_plan(f"a rule rewrites the statement to {len(document)} statements")
    return document[0]


def _parse_node(node: Mapping[str, Any], whole: Mapping[str, Any] | None = None) -> PlanNode:
    removed = _number(node.get("Rows Removed by Filter")) or 0
    rechecked = _number(node.get("Rows Removed by Index Recheck")) or 0
    return PlanNode(
        node_type=node["Node Type"],
        cost=PlannerCost(float(node.get("Total Cost", 0.0))),
        startup_cost=PlannerCost(float(node.get("Startup Cost", 0.0))),
        plan_rows=float(node.get("Plan Rows", 0)),
        plan_width_bytes=int(node.get("Plan Width", 0)),
        schema=node.get("Schema", ""),
        relation=node.get("Relation Name", ""),
        alias=node.get("Alias", ""),
        index=node.get("Index Name", ""),
        filter=node.get("Filter", ""),
        index_cond=node.get("Index Cond") or node.get("Recheck Cond", ""),
        sort_key=tuple(node.get("Sort Key", ())),
        loops=_number(node.get("Actual Loops")),
        actual_rows=_number(node.get("Actual Rows")),
        actual_ms=_number(node.get("Actual Total Time")),
        rows_removed=removed + rechecked,
        shared_blks=_shared_blks(node),
        parent_relationship=node.get("Parent Relationship", ""),
        subplan=node.get("Subplan Name", ""),
        children=tuple(_parse_node(child) for child in node.get("Plans", ())),
        extra={**{name: value for name, value in node.items() if name not in _NODE_FIELDS}, **(whole or {})},
    )


def _shared_blks(node: Mapping[str, Any]) -> int | None:
    if "Shared Hit Blocks" not in node:
        return None
    return int(node["Shared Hit Blocks"]) + int(node.get("Shared Read Blocks", 0))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _not_a_plan(why: str) -> ParseError:
    return ParseError(f"This is no plan of one statement: {why}.", line=1, column=1)
