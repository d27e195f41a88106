"""Unused index: written to, never read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pgproof.changes.index_cover import leads_with
from pgproof.model.catalog import Catalog
from pgproof.model.finding import Evidence, Finding, Severity, Skipped
from pgproof.model.relation import ConstraintKind, Index
from pgproof.stages.diagnose.check import SMALL_TABLE_BYTES, Check, Subject, megabytes
from pgproof.stages.diagnose.remedy import is_on_partitioned, render_drop

ENOUGH = timedelta(days=35)
"""A full month of jobs. Source: peer default (pganalyze: 35 days)."""

TOO_YOUNG = timedelta(days=7)
"""Below a week nothing can be said. Source: judgement."""


def find_unused_indexes(subject: Subject) -> Iterator[Finding | Skipped]:
    """Yield one finding for each index with no scan since the counters began.

    Guards: indexes that enforce something, support a foreign key, or are small; partitions' indexes count
    with their parent; counters younger than a week, or of unknown age, say nothing, younger than 35 days
    only a little, and so on a table that nobody writes to; standbys count for themselves.

    Evidence: pg_stat_all_indexes: no scan since the counters began, and since when; rows written meanwhile.

    Refuted by: a scan on a standby, a job that runs less often than the counters are old, or an index that
    was built only lately.
    """
    age = subject.catalog.counters_age
    if age is None or age < TOO_YOUNG:
        told = "of unknown age" if age is None else f"only {_days(age)} old"
        yield Skipped(
            UNUSED_INDEX.name,
            f"the server's counters are {told}; an unused index shows after a month",
            "Run the check again later; don't reset the statistics meanwhile.",
        )
        return
    for index in subject.catalog.indexes:
        if index.size_bytes < SMALL_TABLE_BYTES or _is_needed(subject, index):
            continue
        if subject.catalog.scans_of(index) == 0:
            yield _finding(subject, index, age)


def _is_needed(subject: Subject, index: Index) -> bool:
    if index.unique or index.constraint or index.replica_identity or index.clustered or index.parent:
        return True
    if not index.valid:
        return True  # another check's business
    return any(
        constraint.kind is ConstraintKind.FOREIGN_KEY and leads_with(index.keys, constraint.columns)
        for constraint in subject.catalog.constraints_of(index.table)
    )


def _finding(subject: Subject, index: Index, age: timedelta) -> Finding:
    writes = _writes(subject.catalog, index)
    is_sure = age >= ENOUGH and writes != 0
    cost = "Nobody writes to the table, so it costs disk space only" if writes == 0 else "Writes maintain it"
    return Finding(
        check=UNUSED_INDEX.name,
        severity=Severity.LOW if is_sure else Severity.INFO,
        title=f"index {index.relation} has not been read for {_days(age)}",
        explanation=f"{cost}, and no plan on this server used it in that time.",
        evidence=(
            Evidence("scans", f"0 in {_days(age)}", "pg_stat_all_indexes"),
            Evidence(
                f"rows written to {index.table}",
                "unknown" if writes is None else f"{writes:,}",
                "pg_stat_all_tables",
            ),
            Evidence("definition", index.definition, "pg_get_indexdef"),
            megabytes(index.size_bytes),
        ),
        remedy=_remedy(subject.catalog, index),
        remedy_sql=render_drop(subject, index),
        relation=index.relation,
        columns=tuple(key.column for key in index.keys if key.column),
        refuted_by="a scan on a standby, a job that runs less often than that, or an index that was built "
        "only lately (the server does not say when)"
        + ("; the planner may also use the statistics of its expression" if _has_expression(index) else ""),
        lineage=f"{ENOUGH.days} days (peer default: pganalyze)",
    )


def _writes(catalog: Catalog, index: Index) -> int | None:
    table = catalog.find_table(index.table.name, index.table.schema)
    if table is None or table.activity is None or is_on_partitioned(catalog, index):
        return None
    return table.activity.inserts + table.activity.updates + table.activity.deletes


def _remedy(catalog: Catalog, index: Index) -> str:
    text = "Look at every standby and at monthly jobs first; then drop it, with its definition kept."
    if is_on_partitioned(catalog, index):
        text += " On a partitioned table that blocks reads and writes for a moment."
    return text


def _has_expression(index: Index) -> bool:
    return any(key.expression for key in index.keys)


def _days(age: timedelta) -> str:
    if age.days:
        return "1 day" if age.days == 1 else f"{age.days} days"
    minutes = age.total_seconds() / 60
    if minutes >= 60:
        return f"{minutes / 60:.1f} hours"
    return f"{minutes:.0f} minutes" if minutes >= 1 else "some seconds"


UNUSED_INDEX = Check("unused-index", find_unused_indexes)
