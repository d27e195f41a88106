"""Reads pg_stat_statements: cumulative snapshots, taken here; what happened between two of them: `deltas`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgproof.errors import CapabilityMissing
from pgproof.postgres.deltas import (
    StatementDelta,
    StatementSnapshot,
    StatementTotals,
    StatementWindow,
    diff_snapshots,
)
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import quote_identifier, quote_literal

__all__ = [
    "StatementDelta",
    "StatementSnapshot",
    "StatementTotals",
    "StatementWindow",
    "diff_snapshots",
    "read_statement_snapshot",
]

EXTENSION_MAJORS = ((1, 12, 18), (1, 11, 17), (1, 10, 15), (1, 9, 14), (1, 8, 13))
"""Extension version and the PostgreSQL major that brought it, newest first: after pg_upgrade an extension
stays as old as it was until somebody updates it, so its own version decides which columns there are.

**Source**: contrib/pg_stat_statements of PostgreSQL 13 to 18."""


def read_statement_snapshot(session: Session, *, with_texts: bool = True) -> StatementSnapshot:
    """Read the cumulative counters of this database's statements; those of pgproof itself are left out.

    Args:
        session: On the database in question.
        with_texts: Read the texts as well. Without, every text is None, our own statements can't be told from
            others, and the server need not read its file of texts.

    Returns:
        The snapshot, entries with the most execution time first.

    Raises:
        CapabilityMissing: The library is not loaded, the extension is missing or too old, or all statements
            are other users' and hidden; the hint says what to do.
        Unreachable, ServerError: As the server says.
    """
    found = session.query("statement_capability")[0]
    _require_extension(session, found)
    schema = {"schema": found.schema_name}
    major = min(session.major, _major_of(found.extension_version))
    rows = session.query("statement_totals", {"with_texts": with_texts}, identifiers=schema, major=major)
    notes = _hidden_notes(session, found, len(rows))
    info = session.query("statement_info", identifiers=schema, major=major)[0]
    return StatementSnapshot(
        taken_at=info.taken_at,
        database=session.database,
        entries=tuple(_totals(row) for row in rows if row.queryid is not None),
        stats_reset_at=info.stats_reset_at,
        deallocations=info.deallocations,
        notes=tuple(notes),
    )


def _totals(row: Any) -> StatementTotals:
    return StatementTotals(
        user=row.user_name or "",
        queryid=row.queryid,
        toplevel=row.is_toplevel,
        text=row.query,
        calls=row.calls,
        total_ms=row.total_exec_ms,
        plan_ms=row.total_plan_ms,
        stddev_ms=row.stddev_exec_ms,
        rows=row.rows,
        shared_blks_hit=row.shared_blks_hit,
        shared_blks_read=row.shared_blks_read,
        temp_blks_written=row.temp_blks_written,
        wal_bytes=row.wal_bytes,
        since_at=row.since_at,
    )


def _require_extension(session: Session, found: Any) -> None:
    """Say everything that is missing at once, each with its recipe."""
    recipe: list[str] = []
    if not found.is_available:
        recipe.append("Install PostgreSQL's contrib package on the server (postgresql-contrib).")
    if not found.is_loaded:
        recipe += _preload_recipe(found.preload_libraries)
    if found.extension_version is None:
        recipe.append(
            f"CREATE EXTENSION pg_stat_statements; -- in database {quote_identifier(session.database)}"
        )
    elif not _major_of(found.extension_version):
        recipe.append("ALTER EXTENSION pg_stat_statements UPDATE;")
    if not recipe:
        return
    if not found.reads_all:
        recipe.append(_grant(session))
    lacking = "is not loaded" if not found.is_loaded else "is not installed in this database"
    if found.is_loaded and found.extension_version is not None:
        lacking = f"is of version {found.extension_version}, older than 1.8"
    raise CapabilityMissing(
        f"The workload can't be read from {session.address}: pg_stat_statements {lacking}.",
        hint="\n".join(recipe),
        context={"extension_version": found.extension_version or "", "is_loaded": found.is_loaded},
    )


def _preload_recipe(current: str | None) -> Sequence[str]:
    others = [name.strip() for name in (current or "").split(",") if name.strip()]
    if "pg_stat_statements" in others:
        return ("Restart the server: pg_stat_statements is in shared_preload_libraries, but not loaded.",)
    libraries = ", ".join(quote_literal(name) for name in (*others, "pg_stat_statements"))
    warning = "" if current is not None else " -- and what SHOW shared_preload_libraries lists already"
    return (
        f"ALTER SYSTEM SET shared_preload_libraries = {libraries};{warning}",
        "Then restart the server (a reload won't do). On a managed service, set it in the parameter group.",
    )


def _hidden_notes(session: Session, found: Any, visible: int) -> list[str]:
    if found.reads_all:
        return []
    hidden = session.query("hidden_statements", identifiers={"schema": found.schema_name})[0].hidden_count
    if hidden and not visible:
        raise CapabilityMissing(
            f"All {hidden} statements of {session.address} are other users', and the server hides them.",
            hint=_grant(session),
        )
    return [f"{hidden} statements of other users are hidden. {_grant(session)}"] if hidden else []


def _grant(session: Session) -> str:
    return f"GRANT pg_read_all_stats TO {quote_identifier(session.user)};"


def _major_of(version: str) -> int:
    """Return the PostgreSQL major whose columns an extension version has, 0 for one that is too old."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return next((pg for a, b, pg in EXTENSION_MAJORS if (major, minor) >= (a, b)), 0)
