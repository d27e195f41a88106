"""Leading-wildcard search: LIKE '%x%' that no B-tree can serve."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof import changes
from pgproof.model.change import Change, CreateExtension, CreateIndex
from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import IndexKey, RelationKind, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.names import index_name
from pgproof.sqltext.shape import Predicate, PredicateKind, QueryShape
from pgproof.stages.diagnose.check import Check, Subject, megabytes, severity_of_share

_TEXT_TYPES = ("text", "varchar", "bpchar", "citext", "name")


def find_leading_wildcards(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each column that statements search with a pattern that starts with a wildcard.

    Guards: known parameter values decide (a LIKE without values is no finding); small tables; columns that
    have a trigram index already.
    """
    found: dict[tuple[str, str], tuple[Table, str, list[str]]] = {}
    for statement in subject.statements():
        for shape in subject.shapes.get(statement.name, ()):
            for predicate in shape.predicates:
                table = _searched_table(subject, shape, predicate)
                column = predicate.operand.column
                if table is None or column is None or not _starts_with_wildcard(statement, predicate):
                    continue
                if subject.is_small(table) or _has_trigram_index(subject, table, column):
                    continue
                names = found.setdefault((str(table.relation), column), (table, column, []))[2]
                if statement.name not in names:
                    names.append(statement.name)
    yield from (_finding(subject, *case) for case in found.values())


def _searched_table(subject: Subject, shape: QueryShape, predicate: Predicate) -> Table | None:
    relation = shape.relation(predicate.operand.relation)
    table = subject.table_of(relation) if relation else None
    if table is None or table.kind in (RelationKind.VIEW, RelationKind.FOREIGN):
        return None
    column = table.column(predicate.operand.column or "")
    return table if column and column.base_type in _TEXT_TYPES else None


def _starts_with_wildcard(statement: WorkloadStatement, predicate: Predicate) -> bool:
    if predicate.negated:
        return False
    if predicate.kind is PredicateKind.LIKE_CONTAINS:
        return True
    if predicate.kind not in (PredicateKind.LIKE, PredicateKind.ILIKE) or len(predicate.parameters) != 1:
        return predicate.kind is PredicateKind.ILIKE and (predicate.constant or "").startswith(("'%", "'_"))
    if "||" in (predicate.constant or ""):
        return (predicate.constant or "").lstrip("(").startswith("'%")
    position = predicate.parameters[0] - 1
    texts = [s.values[position] for s in statement.parameter_sets if position < len(s.values)]
    return any(text is not None and text[:1] in ("%", "_") for text in texts)


def _has_trigram_index(subject: Subject, table: Table, column: str) -> bool:
    return any(
        index.valid and any(key.column == column and key.opclass.endswith("_trgm_ops") for key in index.keys)
        for index in subject.catalog.indexes_of(table.relation)
    )


def _finding(subject: Subject, table: Table, column: str, statements: list[str]) -> Finding:
    share = subject.time_share_frac(statements)
    return Finding(
        check=LEADING_WILDCARD.name,
        severity=severity_of_share(share),
        title=f"{table.relation} is searched for a text anywhere in {column}",
        explanation="A pattern that starts with a wildcard can't use a B-tree, so every row is compared.",
        evidence=(
            Evidence("statements", ", ".join(statements), "workload"),
            megabytes(table.size_bytes),
        ),
        remedy="A trigram index (pg_trgm, GIN) serves it from three letters on, at a price for writes.",
        remedy_sql=_remedy(subject, table, column),
        relation=table.relation,
        columns=(column,),
        statements=tuple(statements),
        time_share_frac=share,
        refuted_by="searches of one or two letters only, which trigrams don't serve",
        lineage="the values in the workload start with % or _",
    )


def _remedy(subject: Subject, table: Table, column: str) -> tuple[str, ...]:
    extension = subject.catalog.extension("pg_trgm")
    if extension is None:
        return ()
    index = CreateIndex(
        table=table.relation,
        name=index_name(table.relation.name, (column,), "trgm_idx"),
        keys=(IndexKey(column=column, opclass="gin_trgm_ops"),),
        method="gin",
    )
    needed: tuple[Change, ...] = (CreateExtension("pg_trgm"), index)
    wanted = changes.effective_changes(needed, subject.catalog)
    return tuple(step.sql for change in wanted for step in changes.apply_steps(change, subject.catalog))


LEADING_WILDCARD = Check("leading-wildcard", find_leading_wildcards, needs_workload=True)
