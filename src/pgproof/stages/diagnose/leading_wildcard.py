"""Leading-wildcard search: LIKE '%x%' that no B-tree can serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproof.model.change import CreateExtension, CreateIndex
from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import IndexKey, RelationKind, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.names import index_name
from pgproof.sqltext.shape import Predicate, PredicateKind
from pgproof.stages.diagnose.check import Check, Subject, megabytes, used_values, weight_evidence
from pgproof.stages.diagnose.remedy import free_name, render_remedy
from pgproof.stages.diagnose.wanted import bare_column
from pgproof.stages.diagnose.whole_scans import find_whole_scans

_PATTERNS = (PredicateKind.LIKE, PredicateKind.ILIKE, PredicateKind.LIKE_CONTAINS)
_TEXT_TYPES = ("text", "varchar", "bpchar", "citext")


@dataclass(slots=True)
class _Case:
    table: Table
    column: str
    statements: list[str] = field(default_factory=list)


def find_leading_wildcards(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each column that statements search with a pattern that starts with a wildcard.

    Guards: known parameter values decide (a LIKE without values is no finding); small tables; statements
    whose plans find the table's rows by another condition; columns that have a trigram index already. Works
    through views, since the filters in plans are read too.

    Evidence: the statements, by their values in the workload or their filters in EXPLAIN; size of the table.

    Refuted by: searches of one or two letters only, which trigrams don't serve.
    """
    cases: dict[tuple[str, str], _Case] = {}
    for statement in subject.statements():
        for table, column in _searched(subject, statement):
            if subject.is_small(table) or _has_trigram_index(subject, table, column):
                continue
            case = cases.setdefault((str(table.relation), column), _Case(table, column))
            if statement.name not in case.statements:
                case.statements.append(statement.name)
    yield from (_finding(subject, case) for case in cases.values())


def _searched(subject: Subject, statement: WorkloadStatement) -> Iterator[tuple[Table, str]]:
    """Yield the columns a statement searches so: by its plans, and by its text where it may read all rows."""
    plans = subject.plans.get(statement.name, ())
    scans = [scan for plan in plans for scan in find_whole_scans(subject, plan)]
    for scan in scans:
        for predicate in scan.filter.predicates:
            column = _text_column(scan.table, predicate) if scan.own(predicate.operand) else None
            if column and not predicate.negated and _is_wild(predicate.constant or ""):
                yield scan.table, column
    read_whole = {scan.table.relation for scan in scans}
    for shape in subject.shapes.get(statement.name, ()):
        for predicate in shape.predicates:
            relation = shape.relation(predicate.operand.relation)
            table = subject.table_of(relation) if relation else None
            if table is None or table.kind in (RelationKind.VIEW, RelationKind.FOREIGN):
                continue
            column = _text_column(table, predicate)
            if (not plans or table.relation in read_whole) and column and _starts_wild(statement, predicate):
                yield table, column


def _text_column(table: Table, predicate: Predicate) -> str | None:
    """Return the column of text that a pattern is matched against; None for anything else."""
    if predicate.kind not in _PATTERNS:
        return None
    column = table.column(bare_column(table, predicate.operand) or "")
    return column.name if column and column.base_type in _TEXT_TYPES else None


def _starts_wild(statement: WorkloadStatement, predicate: Predicate) -> bool:
    constant = predicate.constant or ""
    if predicate.negated or predicate.kind is PredicateKind.LIKE_CONTAINS:
        return not predicate.negated
    if not predicate.parameters or "||" in constant:
        return _is_wild(constant.lstrip("("))
    return any(
        text is not None and text[:1] in ("%", "_")
        for text, _ in used_values(statement, predicate.parameters[0])
    )


def _is_wild(constant: str) -> bool:
    return constant.startswith(("'%", "'_"))


def _has_trigram_index(subject: Subject, table: Table, column: str) -> bool:
    return any(
        index.valid and any(key.column == column and key.opclass.endswith("_trgm_ops") for key in index.keys)
        for index in subject.catalog.indexes_of(table.relation)
    )


def _finding(subject: Subject, case: _Case) -> Finding:
    severity, share, weight = weight_evidence(subject, case.statements)
    sql = _remedy(subject, case)
    lacking = "" if sql else " pg_trgm is not available on this server: install its package first."
    return Finding(
        check=LEADING_WILDCARD.name,
        severity=severity,
        title=f"{case.table.relation} is searched for a text anywhere in {case.column}",
        explanation="A pattern that starts with a wildcard can't use a B-tree, so every row is compared.",
        evidence=(
            Evidence("statements", ", ".join(case.statements), "workload"),
            *weight,
            megabytes(case.table.size_bytes),
        ),
        remedy="A trigram index (pg_trgm, GIN) serves patterns with three letters in a row, at a price for "
        f"writes.{lacking}",
        remedy_sql=sql,
        relation=case.table.relation,
        columns=(case.column,),
        statements=tuple(case.statements),
        time_share_frac=share,
        refuted_by="searches of one or two letters only, which trigrams don't serve",
        lineage="the values in the workload, or in its plans, start with % or _",
    )


def _remedy(subject: Subject, case: _Case) -> tuple[str, ...]:
    if subject.catalog.extension("pg_trgm") is None:
        return ()
    relation = case.table.relation
    index = CreateIndex(
        table=relation,
        name=free_name(
            subject.catalog, relation.schema, index_name(relation.name, (case.column,), "trgm_idx")
        ),
        keys=(IndexKey(column=case.column, opclass="gin_trgm_ops"),),
        method="gin",
    )
    return render_remedy(subject, CreateExtension("pg_trgm"), index)


LEADING_WILDCARD = Check("leading-wildcard", find_leading_wildcards, needs_workload=True)
