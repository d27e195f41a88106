"""Wrapped column: a cast or a function stands between a column and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproof.model.figures import percent
from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import Column, Table
from pgproof.sqltext.shape import Operand, PredicateKind
from pgproof.stages.diagnose.check import Check, Subject, megabytes, weight_evidence
from pgproof.stages.diagnose.wanted import find_key
from pgproof.stages.diagnose.whole_scans import COST_SHARE_FRAC, KEPT_FRAC, WholeScan, find_whole_scans

_COMPARED = (PredicateKind.EQUALITY, PredicateKind.IN, PredicateKind.RANGE)


@dataclass(slots=True)
class _Case:
    table: Table
    column: Column
    expression: str
    by_value: bool
    rows_read: float
    rows_kept: float
    statements: list[str] = field(default_factory=list)


def find_wrapped_columns(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each expression that keeps plans from using an index on its column.

    Guards: small tables; filters that keep more than a tenth; cheap scans; a filter with another condition
    that an index could serve (that is a missing index); expressions that surely can be indexed themselves
    (likewise).

    Evidence: EXPLAIN: the expression in the filter, rows read and kept; the column's type and its indexes.

    Refuted by: a plan that still reads the whole table when the bare column is compared.
    """
    cases: dict[tuple[str, str], _Case] = {}
    for statement in subject.statements():
        for plan in subject.plans.get(statement.name, ()):
            for scan in find_whole_scans(subject, plan):
                case = _case(subject, statement.name, scan)
                if case is None:
                    continue
                kept = cases.setdefault((str(case.table.relation), case.expression), case)
                if statement.name not in kept.statements:
                    kept.statements.append(statement.name)
    yield from (_finding(subject, case) for case in cases.values())


def _case(subject: Subject, statement: str, scan: WholeScan) -> _Case | None:
    if not scan.keeps_few or scan.share_frac(scan.cost) < COST_SHARE_FRAC:
        return None
    compared = [p.operand for p in scan.restricting() if p.kind in _COMPARED]
    if not compared or any(find_key(scan.table, operand) for operand in compared):
        return None
    operand = next((o for o in compared if len(o.columns) == 1), None)
    column = scan.table.column(operand.columns[0]) if operand else None
    if operand is None or column is None:
        return None
    by_value = _is_bare_in_statement(subject, statement, scan.table, operand)
    return _Case(scan.table, column, operand.expression, by_value, scan.rows_read, scan.rows_kept)


def _is_bare_in_statement(subject: Subject, statement: str, table: Table, operand: Operand) -> bool:
    """Whether the statement's text compares the column itself, so that the type of a value wraps it."""
    return any(
        predicate.operand.column == operand.columns[0]
        and (relation := shape.relation(predicate.operand.relation)) is not None
        and subject.table_of(relation) is table
        for shape in subject.shapes.get(statement, ())
        for predicate in shape.predicates
    )


def _finding(subject: Subject, case: _Case) -> Finding:
    relation, column = case.table.relation, case.column
    severity, share, weight = weight_evidence(subject, case.statements)
    indexed = [i for i in subject.catalog.indexes_of(relation) if i.valid and i.keys[0].column == column.name]
    return Finding(
        check=WRAPPED_COLUMN.name,
        severity=severity,
        title=f"{relation} is read whole because {column.name} is compared as {case.expression}",
        explanation="An index on the column holds the bare column, so it can't serve a comparison of "
        f"{case.expression}: {case.rows_read:,.0f} rows are read to keep about {case.rows_kept:,.0f}.",
        evidence=(
            Evidence("compared in the filter", case.expression, "EXPLAIN"),
            Evidence("type of the column", column.type_name, "pg_attribute"),
            Evidence(
                "indexes on the bare column",
                ", ".join(i.relation.name for i in indexed) or "none",
                "pg_index",
            ),
            Evidence("statements", ", ".join(case.statements), "workload"),
            *weight,
            megabytes(case.table.size_bytes),
        ),
        remedy=_remedy(case),
        relation=relation,
        columns=(column.name,),
        statements=tuple(case.statements),
        time_share_frac=share,
        refuted_by="a plan that still reads the whole table when the bare column is compared",
        lineage=f"keeps <= {percent(KEPT_FRAC)} of the rows (peer default), >= {percent(COST_SHARE_FRAC)} "
        "of the statement's cost (judgement)",
    )


def _remedy(case: _Case) -> str:
    name, type_name = case.column.name, case.column.type_name
    if case.by_value:
        return (
            f"The value is sent with a type that makes the server cast the column. Send it as {type_name} "
            "(set the parameter's type in the driver, or cast the value), with an index on the column."
        )
    if case.expression.endswith("::date"):
        return (
            f"Compare the column with the bounds of the day instead ({name} >= day AND {name} < day + 1), "
            f"with an index on {name}; mind the session's time zone."
        )
    return (
        f"Compare {name} itself where that says the same, with an index on it; or index the expression, "
        "which the server allows if all its functions are IMMUTABLE."
    )


WRAPPED_COLUMN = Check("wrapped-column", find_wrapped_columns, needs_workload=True, needs_plans=True)
