"""Missing index: the plan reads a whole table to keep few rows of it, or sorts it to return the first few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproof import changes
from pgproof.model.change import CreateIndex
from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.names import index_name
from pgproof.sqltext.shape import PredicateKind, QueryShape
from pgproof.stages.diagnose.check import Check, Subject, megabytes, severity_of_share
from pgproof.stages.diagnose.scans import PlacedNode, place_nodes

KEPT_FRAC = 0.10
"""A filter that keeps more is served no better by an index. Source: peer default (the usual 5 to 10 %)."""

COST_SHARE_FRAC = 0.20
"""The scan must be a good part of its statement. Source: judgement."""

TOP_N_FACTOR = 20
"""Rows sorted for one row returned. Source: judgement."""

MAX_KEYS = 4

_EQUALITY = (PredicateKind.EQUALITY, PredicateKind.IN, PredicateKind.IS_NULL)
_RANGE = (PredicateKind.RANGE, PredicateKind.ROW_RANGE, PredicateKind.LIKE_PREFIX)
_NOT_FOR_BTREE = (
    PredicateKind.LIKE,
    PredicateKind.ILIKE,
    PredicateKind.LIKE_CONTAINS,
    PredicateKind.REGEX,
    PredicateKind.SIMILARITY,
)


@dataclass(slots=True)
class _Case:
    """One table and the columns that statements look for, collected over statements."""

    table: Table
    columns: tuple[str, ...]
    why: str
    statements: list[str] = field(default_factory=list)
    kept_rows: float = 0.0
    worst_share: float = 0.0


def find_missing_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each table and set of columns that plans search without an index.

    Guards: small tables, filters that keep more than a tenth, scans that are a small part of their
    statement, LIKE patterns (another check), columns that a valid index leads with already.
    """
    cases: dict[tuple[str, tuple[str, ...]], _Case] = {}
    for statement in subject.statements():
        for plan in subject.plans.get(statement.name, ()):
            for placed in place_nodes(plan):
                case = _case(subject, statement.name, placed, plan.cost.value)
                if case is None:
                    continue
                kept = cases.setdefault((str(case.table.relation), case.columns), case)
                kept.worst_share = max(kept.worst_share, case.worst_share)
                kept.kept_rows = max(kept.kept_rows, case.kept_rows)
                if statement.name not in kept.statements:
                    kept.statements.append(statement.name)
    yield from (_finding(subject, case) for case in _merge_prefixes(list(cases.values())))


def _merge_prefixes(cases: list[_Case]) -> list[_Case]:
    """Fold a case into the one whose columns begin with its own: one index serves both."""
    merged: list[_Case] = []
    for case in sorted(cases, key=lambda c: -len(c.columns)):
        keeper = next(
            (k for k in merged if k.table is case.table and k.columns[: len(case.columns)] == case.columns),
            None,
        )
        if keeper is None:
            merged.append(case)
        else:
            keeper.statements += [name for name in case.statements if name not in keeper.statements]
            keeper.worst_share = max(keeper.worst_share, case.worst_share)
    return merged


def _case(subject: Subject, statement: str, placed: PlacedNode, plan_cost: float) -> _Case | None:
    node = placed.node
    if node.node_type != "Seq Scan" or not node.relation:
        return None
    scanned = subject.catalog.find_table(node.relation, node.schema or None)
    if scanned is None or subject.is_small(scanned):
        return None
    table = (
        subject.catalog.find_table(scanned.parent.name, scanned.parent.schema) if scanned.parent else None
    ) or scanned
    share = min(1.0, placed.total_cost / plan_cost) if plan_cost else 0.0
    if share < COST_SHARE_FRAC:
        return None
    equal, ranged, sorted_by = _wanted_columns(subject.shapes.get(statement, ()), table, subject)
    rows = max(scanned.rows, 1.0)
    top_n = _is_top_n(placed)
    if node.filter and placed.rows / rows <= KEPT_FRAC and (equal or ranged):
        columns = (*equal, *(sorted_by if top_n and sorted_by else ranged))
        why = f"keeps about {placed.rows:,.0f} of {rows:,.0f} rows"
    elif top_n and sorted_by:
        columns = (*equal, *sorted_by)
        why = f"sorts about {placed.rows:,.0f} rows to return the first few"
    else:
        return None
    columns = tuple(dict.fromkeys(columns))[:MAX_KEYS]
    if _is_served(subject, table, columns):
        return None
    return _Case(table, columns, why, [], placed.rows, share)


def _is_top_n(placed: PlacedNode) -> bool:
    sort, parent = placed.sort_above, placed.parent
    limit = parent is not None and sort is not None and sort.plan_rows >= TOP_N_FACTOR
    return limit and placed.limit_rows is None and bool(sort and sort.sort_key)


def _wanted_columns(
    shapes: tuple[QueryShape, ...], table: Table, subject: Subject
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the columns of a table that are compared by equality, by range, and sorted by for a LIMIT."""
    equal, ranged, sorted_by = [], [], []
    for shape in shapes:
        aliases = {r.alias for r in shape.relations if subject.table_of(r) is table}
        if shape.target and subject.table_of(shape.target) is table:
            aliases.add(shape.target.alias)
        for predicate in shape.predicates:
            column = predicate.operand.column
            if (
                predicate.operand.relation not in aliases
                or not column
                or predicate.negated
                or predicate.in_or
            ):
                continue
            if predicate.kind in _EQUALITY:
                equal.append(column)
            elif predicate.kind in _RANGE:
                ranged.append(column)
        for join in shape.joins:
            for side in (join.left, join.right):
                if side.relation in aliases and side.column and shape.correlated and not side.is_outer:
                    equal.append(side.column)
        if shape.limit and all(key.operand and key.operand.relation in aliases for key in shape.order_by):
            sorted_by += [key.operand.column for key in shape.order_by if key.operand and key.operand.column]
    return tuple(dict.fromkeys(equal)), tuple(dict.fromkeys(ranged))[:1], tuple(dict.fromkeys(sorted_by))


def _is_served(subject: Subject, table: Table, columns: tuple[str, ...]) -> bool:
    """Whether a valid full index already leads with these columns: then the planner had its reasons."""
    for index in subject.catalog.indexes_of(table.relation):
        led = tuple(key.column for key in index.keys[: len(columns)])
        if index.valid and not index.predicate and index.method == "btree" and set(led) == set(columns):
            return True
    return False


def _finding(subject: Subject, case: _Case) -> Finding:
    share = subject.time_share_frac(case.statements)
    listed = ", ".join(case.columns)
    return Finding(
        check=MISSING_INDEX.name,
        severity=severity_of_share(share),
        title=f"{case.table.relation} is read whole to find rows by ({listed})",
        explanation=f"No index leads with these columns, so each execution reads the table and {case.why}.",
        evidence=(
            Evidence(
                "plan", f"Seq Scan, {case.worst_share:.0%} of the statement's cost; {case.why}", "EXPLAIN"
            ),
            Evidence("statements", ", ".join(case.statements), "workload"),
            megabytes(case.table.size_bytes),
        ),
        remedy="An index may help; let pgproof advise price several and compete prove one on a clone.",
        remedy_sql=_remedy(subject, case),
        relation=case.table.relation,
        columns=case.columns,
        statements=tuple(case.statements),
        time_share_frac=share,
        refuted_by="a competition in which the statement is no faster with the index",
        lineage=f"keeps < {KEPT_FRAC:.0%} (peer default), > {COST_SHARE_FRAC:.0%} of cost (judgement)",
    )


def _remedy(subject: Subject, case: _Case) -> tuple[str, ...]:
    change = CreateIndex(
        table=case.table.relation,
        name=index_name(case.table.relation.name, case.columns),
        keys=tuple(IndexKey(column=column) for column in case.columns),
    )
    return tuple(step.sql for step in changes.apply_steps(change, subject.catalog))


MISSING_INDEX = Check("missing-index", find_missing_indexes, needs_workload=True, needs_plans=True)
