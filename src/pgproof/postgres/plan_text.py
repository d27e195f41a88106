"""Writes a plan as text, close to what psql shows."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.plan import Plan, PlanNode

_LINE_MAX_CHARS = 200
_AGGREGATES = {
    "Plain": "Aggregate",
    "Sorted": "GroupAggregate",
    "Hashed": "HashAggregate",
    "Mixed": "MixedAggregate",
}
_JOINS = {"Hash Join": "Hash", "Merge Join": "Merge", "Nested Loop": "Nested Loop"}
_CONDITIONS = ("Hash Cond", "Merge Cond", "TID Cond", "Join Filter", "One-Time Filter", "Order By")
_COUNTS = (
    "Rows Removed by Join Filter",
    "Rows Removed by Index Recheck",
    "Heap Fetches",
    "Index Searches",
    "Subplans Removed",
    "Workers Planned",
    "Workers Launched",
)


def render_plan(plan: Plan) -> str:
    """Write a plan as indented text: one line a node, below it its conditions and what ANALYZE found.

    Conditions hold the statement's own values. Long ones are cut at 200 characters.
    """
    lines = list(_node_lines(plan.root, 0, arrow=""))
    if plan.settings:
        lines.append(
            "Settings: " + ", ".join(f"{name} = {value}" for name, value in sorted(plan.settings.items()))
        )
    if plan.planning_ms is not None:
        lines.append(f"Planning Time: {plan.planning_ms:.3f} ms")
    if plan.execution_ms is not None:
        lines.append(f"Execution Time: {plan.execution_ms:.3f} ms")
    return "\n".join(lines)


def _node_lines(node: PlanNode, margin: int, arrow: str = "->  ") -> Iterator[str]:
    if node.subplan:
        yield " " * margin + node.subplan
        margin += 2
    yield f"{' ' * margin}{arrow}{_title(node)}  {_estimates(node)}{_actuals(node)}"
    margin += len(arrow) + 2
    yield from (" " * margin + _cut(line) for line in _detail_lines(node))
    for child in node.children:
        yield from _node_lines(child, margin)


def _title(node: PlanNode) -> str:
    title = _operation(node)
    if node.extra.get("Parallel Aware"):
        title = f"Parallel {title}"
    if node.extra.get("Scan Direction") == "Backward":
        title += " Backward"
    if node.index:
        title += f" on {node.index}" if node.node_type == "Bitmap Index Scan" else f" using {node.index}"
    target = _target(node)
    return f"{title} on {target}" if target else title


def _operation(node: PlanNode) -> str:
    if node.node_type == "Aggregate":
        mode = node.extra.get("Partial Mode", "Simple")
        name = _AGGREGATES.get(node.extra.get("Strategy", "Plain"), "Aggregate")
        return name if mode == "Simple" else f"{mode} {name}"
    if node.node_type in _JOINS:
        kind = node.extra.get("Join Type", "Inner")
        if node.node_type == "Nested Loop":
            return "Nested Loop" if kind == "Inner" else f"Nested Loop {kind} Join"
        return node.node_type if kind == "Inner" else f"{_JOINS[node.node_type]} {kind} Join"
    if node.node_type == "SetOp":
        name = "HashSetOp" if node.extra.get("Strategy") == "Hashed" else "SetOp"
        return f"{name} {node.extra.get('Command', '')}".strip()
    if node.node_type == "ModifyTable":
        return str(node.extra.get("Operation", node.node_type))
    return node.node_type


def _target(node: PlanNode) -> str:
    extra = node.extra
    name = (
        node.relation
        or extra.get("CTE Name")
        or extra.get("Function Name")
        or extra.get("Table Function Name")
    )
    if not name:
        return node.alias if node.node_type in ("Subquery Scan", "Values Scan") else ""
    if node.schema:
        name = f"{node.schema}.{name}"
    return f"{name} {node.alias}" if node.alias and node.alias != name.rpartition(".")[2] else str(name)


def _estimates(node: PlanNode) -> str:
    return (
        f"(cost={node.startup_cost.value:.2f}..{node.cost.value:.2f} rows={node.plan_rows:.0f} "
        f"width={node.plan_width_bytes})"
    )


def _actuals(node: PlanNode) -> str:
    if node.loops is None:
        return ""
    if node.loops == 0:
        return " (never executed)"
    time = ""
    if node.actual_ms is not None:
        time = f"time={node.extra.get('Actual Startup Time', 0.0):.3f}..{node.actual_ms:.3f} "
    return f" (actual {time}rows={_plain(node.actual_rows or 0)} loops={node.loops:.0f})"


def _detail_lines(node: PlanNode) -> Iterator[str]:
    extra = node.extra
    if node.sort_key:
        yield "Sort Key: " + ", ".join(node.sort_key)
    if extra.get("Group Key"):
        yield "Group Key: " + ", ".join(extra["Group Key"])
    if node.index_cond:
        yield f"{'Recheck' if node.node_type == 'Bitmap Heap Scan' else 'Index'} Cond: {node.index_cond}"
    yield from (f"{name}: {_text(extra[name])}" for name in _CONDITIONS if extra.get(name))
    if node.filter:
        yield f"Filter: {node.filter}"
    removed = node.rows_removed - float(extra.get("Rows Removed by Index Recheck", 0))
    if removed:
        yield f"Rows Removed by Filter: {_plain(removed)}"
    yield from (f"{name}: {_plain(extra[name])}" for name in _COUNTS if extra.get(name))
    yield from _memory_lines(node)
    if buffers := _buffers(node):
        yield f"Buffers: {buffers}"


def _memory_lines(node: PlanNode) -> Iterator[str]:
    extra = node.extra
    if extra.get("Sort Method"):
        where = extra.get("Sort Space Type", "")
        yield f"Sort Method: {extra['Sort Method']}  {where}: {extra.get('Sort Space Used')}kB"
    if extra.get("Hash Batches"):
        size = f"Batches: {extra['Hash Batches']}  Memory Usage: {extra.get('Peak Memory Usage')}kB"
        yield f"Buckets: {extra.get('Hash Buckets')}  {size}"
    if extra.get("HashAgg Batches"):
        disk = f"  Disk Usage: {extra['Disk Usage']}kB" if extra.get("Disk Usage") else ""
        yield f"Batches: {extra['HashAgg Batches']}  Memory Usage: {extra.get('Peak Memory Usage')}kB{disk}"
    if extra.get("Exact Heap Blocks") or extra.get("Lossy Heap Blocks"):
        exact, lossy = extra.get("Exact Heap Blocks", 0), extra.get("Lossy Heap Blocks", 0)
        yield f"Heap Blocks: exact={exact} lossy={lossy}"


def _buffers(node: PlanNode) -> str:
    groups = []
    for where in ("Shared", "Local", "Temp"):
        counts = [
            f"{what.lower()}={node.extra[f'{where} {what} Blocks']}"
            for what in ("Hit", "Read", "Dirtied", "Written")
            if node.extra.get(f"{where} {what} Blocks")
        ]
        if counts:
            groups.append(f"{where.lower()} {' '.join(counts)}")
    return ", ".join(groups)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain(number: float) -> str:
    """Write a count without a needless fraction (PostgreSQL 18 has fractional rows)."""
    return f"{number:.0f}" if float(number).is_integer() else f"{number:.2f}"


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_MAX_CHARS else line[: _LINE_MAX_CHARS - 1] + "…"
