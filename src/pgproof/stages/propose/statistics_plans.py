"""Where plans were wrong about rows, and which statistics would have told the planner better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.catalog import Catalog
from pgproof.model.misestimate import Misestimate, find_misestimates
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.relation import Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.plan_conditions import bare_alias, find_aliases, read_conditions
from pgproof.sqltext.shape import Comparand, Operand, Predicate, PredicateKind

ERROR_FACTOR = 10.0
"""An estimate this many times off is looked at. **Source**: issue 3 of the project; below that, Leis et al.,
"How Good Are Query Optimizers, Really?", VLDB 2015, section 4, see few plans harmed."""

MIN_CALLS = 10
"""Calls from which a mean of rows says something. **Source**: judgement."""

_EQUALITIES = (PredicateKind.EQUALITY, PredicateKind.IN)
_RANGES = (PredicateKind.RANGE, PredicateKind.IS_NULL, PredicateKind.IS_NOT_NULL)
_KNOWN = (Comparand.CONSTANT, Comparand.PARAMETER, Comparand.NOTHING)
_PASSING_ON = ("Gather", "Gather Merge", "Sort", "Incremental Sort", "Subquery Scan", "Result", "Materialize")
_GROUPING = ("Aggregate", "Group")


@dataclass(frozen=True, slots=True)
class Clue:
    """A wrong estimate, and what it was an estimate of.

    Args:
        statement: Whose plan.
        table: What was read.
        equal: Columns and expressions compared for equality, each once; or grouped by.
        ranged: Columns compared otherwise.
        grouped: The estimate is of groups, not of rows.
        estimated_rows: What the planner thought.
        actual_rows: What came.
        seen: Where the truth was seen ("EXPLAIN ANALYZE", "pg_stat_statements").
    """

    statement: WorkloadStatement
    table: Table
    equal: tuple[Operand, ...]
    ranged: tuple[Operand, ...]
    grouped: bool
    estimated_rows: float
    actual_rows: float
    seen: str

    @property
    def factor(self) -> float:
        """How many times too high or too low, >= 1."""
        low, high = sorted((max(self.estimated_rows, 1.0), max(self.actual_rows, 1.0)))
        return high / low


def find_clues(
    catalog: Catalog, statements: Sequence[WorkloadStatement], plans: Mapping[str, Sequence[Plan]]
) -> Iterator[Clue]:
    """Yield each estimate that was off by `ERROR_FACTOR` or more, statement by statement.

    Args:
        catalog: Of the database.
        statements: Of the workload.
        plans: By statement name. An executed one tells its own errors; of any other only the whole result is
            judged, by the rows a call that the server counted.
    """
    for statement in statements:
        for plan in plans.get(statement.name, ()):
            found = _of_executed(plan) if plan.analyzed else _of_counted(statement, plan)
            for error, seen in found:
                clue = _clue(catalog, statement, plan, error, seen)
                if clue is not None:
                    yield clue


def _of_executed(plan: Plan) -> Iterator[tuple[Misestimate, str]]:
    for error in find_misestimates(plan):
        if error.factor >= ERROR_FACTOR:
            yield error, "EXPLAIN ANALYZE"


def _of_counted(statement: WorkloadStatement, plan: Plan) -> Iterator[tuple[Misestimate, str]]:
    """Yield the error of a plan that hands on what a single node finds, by the server's own count of rows."""
    counters = statement.counters
    if counters is None or counters.calls < MIN_CALLS:
        return
    node = plan.root
    while node.node_type in _PASSING_ON and len(node.children) == 1:
        node = node.children[0]
    error = Misestimate(node, plan.root.plan_rows, counters.rows_a_call)
    if error.factor >= ERROR_FACTOR:
        yield error, "pg_stat_statements"


def _clue(
    catalog: Catalog, statement: WorkloadStatement, plan: Plan, error: Misestimate, seen: str
) -> Clue | None:
    if error.node.relation:
        return _of_scan(catalog, statement, plan, error, seen)
    if error.node.node_type in _GROUPING and not error.node.filter:
        return _of_groups(catalog, statement, plan, error, seen)
    return None


def _of_scan(
    catalog: Catalog, statement: WorkloadStatement, plan: Plan, error: Misestimate, seen: str
) -> Clue | None:
    node = error.node
    table = catalog.find_table(node.relation, node.schema or None)
    text = " AND ".join(f"({part})" for part in (node.index_cond, node.filter) if part)
    if table is None or not text:
        return None
    said = read_conditions(catalog.column_names, find_aliases(plan), text).predicates
    own = [p for p in said if p.operand.relation == node.alias and _is_known(p)]
    return Clue(
        statement,
        table,
        _distinct(p.operand for p in own if p.kind in _EQUALITIES),
        _distinct(p.operand for p in own if p.kind in _RANGES),
        False,
        error.estimated_rows,
        error.actual_rows,
        seen,
    )


def _is_known(predicate: Predicate) -> bool:
    """Whether a condition compares with a value that the planner sees, and alone restricts the rows."""
    is_value = predicate.comparand in _KNOWN and predicate.constant != "NULL"
    return is_value and not predicate.in_or and not predicate.negated


def _of_groups(
    catalog: Catalog, statement: WorkloadStatement, plan: Plan, error: Misestimate, seen: str
) -> Clue | None:
    """Read what an aggregate groups by; None where its keys come from several tables."""
    node = error.node
    keys = tuple(node.extra.get("Group Key", ()))
    if not keys or node.extra.get("Partial Mode", "Simple") == "Partial":
        return None
    said = read_conditions(catalog.column_names, find_aliases(plan), "", keys).order
    operands = [key.operand for key in said if key.operand is not None]
    relations = {bare_alias(operand.relation) for operand in operands}
    if len(operands) < len(keys) or len(relations) != 1:
        return None
    scanned = _scan_of(plan.root, relations.pop())
    table = catalog.find_table(scanned.relation, scanned.schema or None) if scanned else None
    if table is None:
        return None
    if table.parent is not None and scanned is not None and scanned.alias != operands[0].relation:
        table = catalog.find_table(table.parent.name, table.parent.schema) or table
    return Clue(
        statement, table, _distinct(operands), (), True, error.estimated_rows, error.actual_rows, seen
    )


def _scan_of(root: PlanNode, alias: str) -> PlanNode | None:
    return next((node for node in root.walk() if node.relation and bare_alias(node.alias) == alias), None)


def _distinct(operands: Iterator[Operand] | Sequence[Operand]) -> tuple[Operand, ...]:
    """Return operands without repeats; of expressions, the text decides."""
    return tuple({(operand.column, operand.expression): operand for operand in operands}.values())
