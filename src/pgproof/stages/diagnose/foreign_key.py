"""Foreign key without an index on the referencing side."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgproof.changes.index_cover import leads_with
from pgproof.model.change import CreateIndex
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import Constraint, ConstraintKind, Index, IndexKey, Table
from pgproof.sqltext.names import index_name
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.diagnose.check import Check, Subject, megabytes
from pgproof.stages.diagnose.remedy import free_name, render_remedy
from pgproof.stages.diagnose.whole_scans import KEPT_FRAC

FEW_ROWS_FRAC = 0.001
"""An index on some of the columns is support enough if it leaves so few of the rows. Source: judgement."""

_LOOKUP_METHODS = ("btree", "hash")


def find_foreign_keys_without_index(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each foreign key for which no index finds the referencing rows.

    Guards: small referencing tables; key columns with so few values that an index would find a tenth of the
    table; an index on some of the columns that leaves few rows; partial indexes that leave out the NULLs
    only. Other partial indexes and invalid ones don't count. Low unless referenced rows are deleted. A
    partition's share of a foreign key is reported with its parent.

    Evidence: pg_stat_all_tables: rows deleted from the referenced table; size of the referencing one.

    Refuted by: referenced rows that are never deleted and keep their keys.
    """
    for constraint in subject.catalog.constraints:
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.references is None:
            continue
        table = subject.catalog.find_table(constraint.table.name, constraint.table.schema)
        if table is None or subject.is_small(table) or _is_inherited(subject, table, constraint):
            continue
        if not _is_supported(subject, table, constraint) and not _is_too_coarse(table, constraint):
            yield _finding(subject, table, constraint)


def _is_inherited(subject: Subject, table: Table, constraint: Constraint) -> bool:
    return table.parent is not None and any(
        (other.kind, other.columns, other.references)
        == (constraint.kind, constraint.columns, constraint.references)
        for other in subject.catalog.constraints_of(table.parent)
    )


def _is_supported(subject: Subject, table: Table, constraint: Constraint) -> bool:
    return any(_supports(index, table, constraint) for index in subject.catalog.indexes_of(table.relation))


def _supports(index: Index, table: Table, constraint: Constraint) -> bool:
    if not index.valid or index.method not in _LOOKUP_METHODS:
        return False
    if index.predicate and not _leaves_out_nulls_only(index.predicate, constraint):
        return False
    if leads_with(index.keys, constraint.columns):
        return True
    first = index.keys[0].column
    column = table.column(first) if first in constraint.columns else None
    if column is None or column.statistics is None:
        return False
    return 1 / column.statistics.distinct_rows(max(table.rows, 1.0)) <= FEW_ROWS_FRAC


def _leaves_out_nulls_only(predicate: str, constraint: Constraint) -> bool:
    plain = re.sub(r"[()]", "", predicate)
    return plain in {f"{quote_identifier(column)} IS NOT NULL" for column in constraint.columns}


def _is_too_coarse(table: Table, constraint: Constraint) -> bool:
    """Whether each value stands in so many rows that the planner would rather read the whole table."""
    shares = []
    for name in constraint.columns:
        column = table.column(name)
        if column is None or column.statistics is None:
            return False
        known = 1.0 - column.statistics.null_frac
        shares.append(known / column.statistics.distinct_rows(max(table.rows, 1.0)))
    return min(shares, default=0.0) > KEPT_FRAC


def _finding(subject: Subject, table: Table, constraint: Constraint) -> Finding:
    parent = constraint.references
    referenced = subject.catalog.find_table(parent.name, parent.schema) if parent else None
    deleted = referenced.activity.deletes if referenced and referenced.activity else None
    listed = ", ".join(constraint.columns)
    rows = f"a row of {parent}" if parent != table.relation else "one of its rows"
    change = CreateIndex(
        table=table.relation,
        name=free_name(
            subject.catalog, table.relation.schema, index_name(table.relation.name, constraint.columns)
        ),
        keys=tuple(IndexKey(column=column) for column in constraint.columns),
    )
    return Finding(
        check=FOREIGN_KEY_WITHOUT_INDEX.name,
        severity=Severity.MEDIUM if deleted else Severity.LOW,
        title=f"foreign key {constraint.name} of {table.relation} ({listed}) has no index",
        explanation=f"Each time {rows} is deleted, or its key changes, the server reads all of "
        f"{table.relation} to see whether it is referenced.",
        evidence=(
            Evidence(
                f"rows deleted from {parent}",
                "unknown" if deleted is None else f"{deleted:,} since the statistics began",
                "pg_stat_all_tables",
            ),
            megabytes(table.size_bytes),
        ),
        remedy="If such rows are ever deleted: index the referencing columns, or let an index that the "
        "workload needs start with them.",
        remedy_sql=render_remedy(subject, change),
        relation=table.relation,
        columns=constraint.columns,
        refuted_by="referenced rows that are never deleted and keep their keys",
        lineage="no valid index leads with the foreign key's columns",
    )


FOREIGN_KEY_WITHOUT_INDEX = Check("foreign-key-without-index", find_foreign_keys_without_index)
