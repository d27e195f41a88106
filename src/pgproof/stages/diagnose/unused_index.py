"""Unused index: written to, never read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pgproof import changes
from pgproof.model.change import DropIndex
from pgproof.model.finding import Evidence, Finding, Severity, Skipped
from pgproof.model.relation import ConstraintKind, Index
from pgproof.stages.diagnose.check import SMALL_TABLE_BYTES, Check, Subject, megabytes

ENOUGH = timedelta(days=35)
"""A full month of jobs. Source: peer default (pganalyze: 35 days)."""

TOO_YOUNG = timedelta(days=7)
"""Below a week nothing can be said. Source: judgement."""


def find_unused_indexes(subject: Subject) -> Iterator[Finding | Skipped]:
    """Yield one finding for each index with no scan since the statistics began.

    Guards: indexes that enforce something, support a foreign key, or are small; statistics younger than a
    week say nothing, younger than 35 days only a little; standbys count for themselves.
    """
    catalog = subject.catalog
    age = catalog.read_at - catalog.stats_reset_at if catalog.stats_reset_at else None
    if age is not None and age < TOO_YOUNG:
        yield Skipped(
            UNUSED_INDEX.name,
            f"the statistics are only {_days(age)} old; an unused index shows after a month",
            "Run the check again later; don't reset the statistics meanwhile.",
        )
        return
    for index in catalog.indexes:
        if index.scans == 0 and index.size_bytes >= SMALL_TABLE_BYTES and not _is_needed(subject, index):
            yield _finding(subject, index, age)


def _is_needed(subject: Subject, index: Index) -> bool:
    if index.unique or index.constraint or index.replica_identity or index.clustered or index.parent:
        return True
    if not index.valid:
        return True  # another check's business
    leading = tuple(key.column for key in index.keys)
    return any(
        constraint.kind is ConstraintKind.FOREIGN_KEY
        and set(constraint.columns) == set(leading[: len(constraint.columns)])
        for constraint in subject.catalog.constraints_of(index.table)
    )


def _finding(subject: Subject, index: Index, age: timedelta | None) -> Finding:
    drop = DropIndex(index.relation, index.table, index.definition)
    observed = f"over {_days(age)}" if age else "since the statistics began (never reset; age unknown)"
    return Finding(
        check=UNUSED_INDEX.name,
        severity=Severity.LOW if age and age >= ENOUGH else Severity.INFO,
        title=f"index {index.relation} has not been read",
        explanation=f"Writes to {index.table} maintain it, and no plan on this server used it {observed}.",
        evidence=(
            Evidence("scans", f"0 {observed}", "pg_stat_all_indexes"),
            Evidence("definition", index.definition, "pg_get_indexdef"),
            megabytes(index.size_bytes),
        ),
        remedy="Look at every standby and at monthly jobs first; then drop it, with its definition kept.",
        remedy_sql=tuple(step.sql for step in changes.apply_steps(drop, subject.catalog)),
        relation=index.relation,
        columns=tuple(key.column for key in index.keys if key.column),
        refuted_by="a scan on a standby, or a job that runs less often than the statistics are old",
        lineage="35 days (peer default: pganalyze)",
    )


def _days(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.total_seconds() / 3600:.1f} hours"


UNUSED_INDEX = Check("unused-index", find_unused_indexes)
