"""Stale statistics: the planner works with a picture of the table that is no longer true, or with none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import RelationKind, Table
from pgproof.model.statistics import TableActivity
from pgproof.stages.diagnose.check import SMALL_TABLE_ROWS, Check, Subject
from pgproof.stages.diagnose.remedy import render_remedy

TIMES_THE_BAR = 2.0
"""Changes beyond autovacuum's own bar by this factor: it does not keep up. Source: judgement."""

SETTLED = timedelta(minutes=1)
"""Counters of a table analysed more recently may still repeat changes that the ANALYZE saw. Source: sessions
report them up to 10 s late (PGSTAT_IDLE_INTERVAL in pgstat.c), with room to spare."""

_THRESHOLD = ("autovacuum_analyze_threshold", 50.0)
_SCALE = ("autovacuum_analyze_scale_factor", 0.1)


def find_stale_statistics(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each table whose rows changed much since ANALYZE, or that never was analysed.

    Guards: small and empty tables; changes below twice the bar at which autovacuum acts by itself, by the
    table's own settings; tables that nobody reads yet; tables analysed within the last minute; statistics
    that the role may not see count as there.

    Evidence: pg_stat_all_tables: rows changed since ANALYZE, and its date; whether autovacuum is on.

    Refuted by: row estimates in EXPLAIN that are close to the real row counts.
    """
    for table in subject.catalog.tables:
        if table.kind is RelationKind.PARTITIONED:
            if _lacks_own_statistics(subject, table):
                yield _unseen_parent(subject, table)
        elif table.kind in (RelationKind.TABLE, RelationKind.MATVIEW) and table.activity is not None:
            yield from _of_table(subject, table, table.activity)


def _of_table(subject: Subject, table: Table, activity: TableActivity) -> Iterator[Finding]:
    rows = max(activity.live_rows, int(table.rows), 0)
    if rows < SMALL_TABLE_ROWS or activity.seq_scans + activity.idx_scans == 0:
        return
    if activity.last_analyze_at is None and table.rows < 0:
        yield _never_analysed(subject, table, rows)
    elif activity.mods_since_analyze > TIMES_THE_BAR * _bar_rows(subject.catalog, table, rows):
        last = activity.last_analyze_at
        if last is None or subject.catalog.read_at - last > SETTLED:
            yield _changed(subject, table, activity, rows)


def _bar_rows(catalog: Catalog, table: Table, rows: int) -> float:
    """Return the changed rows from which autovacuum analyses the table (documentation 24.1.6)."""
    threshold, scale = (_option(catalog, table, *which) for which in (_THRESHOLD, _SCALE))
    return threshold + scale * rows


def _option(catalog: Catalog, table: Table, name: str, default: float) -> float:
    own = next((o.partition("=")[2] for o in table.options if o.startswith(f"{name}=")), None)
    return float(own or catalog.setting(name) or default)


def _autovacuum_is_off(catalog: Catalog, table: Table) -> bool:
    own = next((o.partition("=")[2] for o in table.options if o.startswith("autovacuum_enabled=")), "true")
    return catalog.setting("autovacuum") == "off" or own.lower() in ("false", "off", "no", "0")


def _lacks_own_statistics(subject: Subject, table: Table) -> bool:
    """Whether a partitioned table has rows but no statistics of its own, as far as the role may see them."""
    if table.rows < SMALL_TABLE_ROWS or any(column.statistics for column in table.columns):
        return False
    parts = [t for t in subject.catalog.tables if subject.root_of(t) is subject.root_of(table)]
    return any(column.statistics for part in parts for column in part.columns)


def _never_analysed(subject: Subject, table: Table, rows: int) -> Finding:
    off = _autovacuum_is_off(subject.catalog, table)
    why = (
        "autovacuum is off for it" if off else "autovacuum should do so within minutes, unless it is held up"
    )
    return _finding(
        subject,
        table,
        Severity.HIGH if off else Severity.MEDIUM,
        f"{table.relation} was never analysed",
        f"The planner knows nothing of its {rows:,} rows and guesses; {why}.",
        (Evidence("last ANALYZE", "never", "pg_stat_all_tables"),),
        "ANALYZE it" + (", and turn autovacuum on again." if off else "."),
    )


def _changed(subject: Subject, table: Table, activity: TableActivity, rows: int) -> Finding:
    last = activity.last_analyze_at
    off = _autovacuum_is_off(subject.catalog, table)
    advice = (
        "turn autovacuum on for it."
        if off
        else "if that recurs, autovacuum does not keep up: look for what holds it back."
    )
    changed = f"{activity.mods_since_analyze:,} changes to {rows:,} rows"
    return _finding(
        subject,
        table,
        Severity.MEDIUM,
        f"statistics of {table.relation} are stale",
        f"The planner guesses row counts from statistics, and there were {changed} since they were taken.",
        (
            Evidence("rows changed since ANALYZE", f"{activity.mods_since_analyze:,}", "pg_stat_all_tables"),
            Evidence(
                "last ANALYZE",
                last.isoformat(timespec="seconds") if last else "none since the counters began",
                "pg_stat_all_tables",
            ),
            Evidence("autovacuum", "off for this table" if off else "on", "pg_settings, pg_class"),
        ),
        f"ANALYZE it; {advice}",
    )


def _unseen_parent(subject: Subject, table: Table) -> Finding:
    return _finding(
        subject,
        table,
        Severity.MEDIUM,
        f"partitioned table {table.relation} was never analysed",
        "Autovacuum analyses partitions, never the table above them; for queries over several partitions the "
        "planner then guesses how many distinct values there are and how joins turn out.",
        (
            Evidence("statistics of the whole table", "none", "pg_stats"),
            Evidence("rows in its partitions", f"{table.rows:,.0f}", "pg_class"),
        ),
        "ANALYZE it, and again (from cron, say) after its contents changed much.",
    )


def _finding(
    subject: Subject,
    table: Table,
    severity: Severity,
    title: str,
    explanation: str,
    evidence: tuple[Evidence, ...],
    remedy: str,
) -> Finding:
    return Finding(
        check=STALE_STATISTICS.name,
        severity=severity,
        title=title,
        explanation=explanation,
        evidence=evidence,
        remedy=remedy,
        remedy_sql=render_remedy(subject, AnalyzeTable(table.relation)),
        relation=table.relation,
        refuted_by="row estimates in EXPLAIN that are close to the real row counts",
        lineage=f"{TIMES_THE_BAR:g} times the bar at which autovacuum analyses, by its settings (judgement)",
    )


STALE_STATISTICS = Check("stale-statistics", find_stale_statistics)
