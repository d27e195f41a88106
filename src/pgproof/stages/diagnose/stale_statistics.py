"""Stale statistics: the planner works with a picture of the table that is no longer true."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof import changes
from pgproof.model.change import AnalyzeTable
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import RelationKind, Table, TableActivity
from pgproof.stages.diagnose.check import SMALL_TABLE_ROWS, Check, Subject

CHANGED_FRAC = 0.20
"""Twice autovacuum's own bar. Source: autovacuum_analyze_scale_factor, 0.1 by default (13 to 18)."""


def find_stale_statistics(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each table whose rows changed much since ANALYZE, or that never was analysed.

    Guards: small and empty tables; changes below twice the bar at which autovacuum acts by itself.
    """
    for table in subject.catalog.tables:
        activity = table.activity
        if table.kind is not RelationKind.TABLE or activity is None:
            continue
        rows = max(activity.live_rows, int(table.rows), 0)
        if rows < SMALL_TABLE_ROWS:
            continue
        if table.rows < 0 or all(column.statistics is None for column in table.columns):
            if activity.last_analyze_at is None:
                yield _finding(subject, table, activity, "it was never analysed", Severity.HIGH)
        elif activity.mods_since_analyze > CHANGED_FRAC * rows + SMALL_TABLE_ROWS:
            changed = f"{activity.mods_since_analyze:,} of {rows:,} rows changed since the last ANALYZE"
            yield _finding(subject, table, activity, changed, Severity.MEDIUM)


def _finding(
    subject: Subject, table: Table, activity: TableActivity, what: str, severity: Severity
) -> Finding:
    last = activity.last_analyze_at
    return Finding(
        check=STALE_STATISTICS.name,
        severity=severity,
        title=f"statistics of {table.relation} are stale",
        explanation=f"The planner guesses row counts from statistics, and {what}; it may choose bad plans.",
        evidence=(
            Evidence("changed rows", f"{activity.mods_since_analyze:,}", "pg_stat_all_tables"),
            Evidence(
                "last ANALYZE", last.isoformat(timespec="seconds") if last else "never", "pg_stat_all_tables"
            ),
        ),
        remedy="ANALYZE it; if that recurs, lower autovacuum_analyze_scale_factor for this table.",
        remedy_sql=tuple(s.sql for s in changes.apply_steps(AnalyzeTable(table.relation), subject.catalog)),
        relation=table.relation,
        refuted_by="row estimates in EXPLAIN that are close to the real row counts",
        lineage=f"more than {CHANGED_FRAC:.0%} changed: twice autovacuum's default bar",
    )


STALE_STATISTICS = Check("stale-statistics", find_stale_statistics)
