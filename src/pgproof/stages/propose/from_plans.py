"""Whatever a plan asks for: conditions of nodes that throw rows away, join, or sort.

A plan says more than the text: views, functions and row security are unfolded, and joins that follow from
others are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.catalog import Catalog
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.plan_conditions import bare_alias, find_aliases, read_conditions
from pgproof.sqltext.shape import Bound, ColumnsRead, JoinType, Level, QueryShape, Relation, SourceKind
from pgproof.stages.propose.reading import ReadStatement

MAX_KEPT_FRAC = 0.5
"""Of the rows read, that a filter may leave so that it is worth an index. **Source**: judgement."""

MIN_SORTED = 1000
"""Rows sorted for the sake of the first few, that are worth an index. **Source**: judgement."""

_SORTS = ("Sort", "Incremental Sort")
_JOIN_CONDITIONS = ("Hash Cond", "Merge Cond", "Join Filter")


def read_plan(statement: WorkloadStatement, plan: Plan, catalog: Catalog) -> ReadStatement:
    """Read what a statement's plan asks of its tables, as if it were one level of a statement.

    Args:
        statement: Whose plan it is.
        plan: Made with VERBOSE, so that columns come with their aliases; what doesn't is left out.
        catalog: Of the database.

    Returns:
        No levels where nothing in it could use an index. Only conditions and sort keys count: which columns
        an index would have to hold, the plan doesn't say.
    """
    aliases = find_aliases(plan)
    found = [
        read_conditions(catalog.column_names, aliases, condition)
        for condition in _conditions(plan.root, catalog)
    ]
    keys = next(_sorted_for_limit(plan.root), ())
    predicates = tuple(predicate for one in found for predicate in one.predicates)
    joins = tuple(join for one in found for join in one.joins)
    order = read_conditions(catalog.column_names, aliases, "", keys).order if keys else ()
    if not predicates and not joins and not order:
        return ReadStatement(statement, ())
    relations = tuple(_relations(plan, catalog))
    level = QueryShape(
        "select",
        Level.STATEMENT,
        "",
        0,
        correlated=False,
        relations=relations,
        predicates=predicates,
        joins=joins,
        order_by=order,
        limit=Bound(None, None, "") if order else None,
        reads=tuple(ColumnsRead(relation.alias, (), has_star=True) for relation in relations),
    )
    return ReadStatement(statement, (level,))


def _relations(plan: Plan, catalog: Catalog) -> Iterator[Relation]:
    """Yield the tables of a plan; for a partition the table it is a part of."""
    seen: set[str] = set()
    for node in plan.root.walk():
        table = catalog.find_table(node.relation, node.schema or None) if node.relation else None
        while table is not None and table.parent is not None:
            table = catalog.find_table(table.parent.name, table.parent.schema)
        if table is None:
            continue
        for alias in dict.fromkeys((node.alias, bare_alias(node.alias))):
            if alias not in seen:
                seen.add(alias)
                name = table.relation
                yield Relation(alias, name.schema, name.name, SourceKind.TABLE, JoinType.INNER)


def _conditions(root: PlanNode, catalog: Catalog) -> Iterator[str]:
    """Yield the conditions of nodes that an index could spare work."""
    for node in root.walk():
        if node.filter and node.relation and _throws_away(node, catalog):
            yield node.filter
        for name in _JOIN_CONDITIONS:
            if text := str(node.extra.get(name) or ""):
                yield text
        if node.index_cond:
            yield node.index_cond


def _sorted_for_limit(node: PlanNode) -> Iterator[tuple[str, ...]]:
    """Yield the keys of each sort of many rows of which only the first are wanted."""
    for child in node.children:
        is_sort = child.node_type in _SORTS and sum(below.plan_rows for below in child.children) >= MIN_SORTED
        if node.node_type == "Limit" and is_sort:
            yield child.sort_key
        yield from _sorted_for_limit(child)


def _throws_away(node: PlanNode, catalog: Catalog) -> bool:
    if node.rows_removed and node.actual_rows is not None:
        return node.actual_rows <= MAX_KEPT_FRAC * (node.actual_rows + node.rows_removed)
    table = catalog.find_table(node.relation, node.schema or None)
    return table is None or table.rows < 0 or node.plan_rows <= MAX_KEPT_FRAC * table.rows
