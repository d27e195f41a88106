"""Foreign key without an index on the referencing side."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof import changes
from pgproof.model.change import CreateIndex
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import Constraint, ConstraintKind, IndexKey, Table
from pgproof.sqltext.names import index_name
from pgproof.stages.diagnose.check import Check, Subject, megabytes, severity_of_share


def find_foreign_keys_without_index(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each foreign key whose columns no full index leads with.

    Guards: small referencing tables; partial and invalid indexes don't count as support; without joins or
    deletes of referenced rows it is a low finding only.
    """
    for constraint in subject.catalog.constraints:
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.references is None:
            continue
        table = subject.catalog.find_table(constraint.table.name, constraint.table.schema)
        if table is None or table.parent is not None or subject.is_small(table):
            continue
        if not _is_supported(subject, constraint):
            yield _finding(subject, table, constraint)


def _is_supported(subject: Subject, constraint: Constraint) -> bool:
    wanted = set(constraint.columns)
    return any(
        index.valid and not index.predicate and {key.column for key in index.keys[: len(wanted)]} == wanted
        for index in subject.catalog.indexes_of(constraint.table)
    )


def _joining(subject: Subject, table: Table, constraint: Constraint) -> list[str]:
    """Return the statements that join by a column of the foreign key."""
    names = []
    for statement in subject.statements():
        for shape in subject.shapes.get(statement.name, ()):
            aliases = {r.alias for r in shape.relations if subject.table_of(r) is table}
            sides = [side for join in shape.joins for side in (join.left, join.right)]
            if any(side.relation in aliases and side.column in constraint.columns for side in sides):
                names.append(statement.name)
                break
    return names


def _finding(subject: Subject, table: Table, constraint: Constraint) -> Finding:
    joining = _joining(subject, table, constraint)
    parent = constraint.references
    referenced = subject.catalog.find_table(parent.name, parent.schema) if parent else None
    changed = referenced.activity.deletes if referenced and referenced.activity else 0
    share = subject.time_share_frac(joining) if joining else None
    listed = ", ".join(constraint.columns)
    change = CreateIndex(
        table=table.relation,
        name=index_name(table.relation.name, constraint.columns),
        keys=tuple(IndexKey(column=column) for column in constraint.columns),
    )
    return Finding(
        check=FOREIGN_KEY_WITHOUT_INDEX.name,
        severity=severity_of_share(share) if joining or changed else Severity.LOW,
        title=f"foreign key {constraint.name} of {table.relation} ({listed}) has no index",
        explanation=f"Deleting or re-keying a row of {parent} reads all of {table.relation}, "
        "and so does a join in that direction.",
        evidence=(
            Evidence("rows deleted from the referenced table", f"{changed:,}", "pg_stat_all_tables"),
            Evidence("statements that join by it", ", ".join(joining) or "none in the workload", "workload"),
            megabytes(table.size_bytes),
        ),
        remedy="Index the referencing columns, or let an index that the workload needs lead with them.",
        remedy_sql=tuple(step.sql for step in changes.apply_steps(change, subject.catalog)),
        relation=table.relation,
        columns=constraint.columns,
        statements=tuple(joining),
        time_share_frac=share,
        refuted_by="referenced rows that are never deleted, and no join from the referenced side",
        lineage="no valid full index leads with the foreign key's columns",
    )


FOREIGN_KEY_WITHOUT_INDEX = Check("foreign-key-without-index", find_foreign_keys_without_index)
