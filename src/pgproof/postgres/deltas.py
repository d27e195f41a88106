"""Cumulative counters and the difference between two readings: two types, so that nobody mixes them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pgproof.model.workload import StatementCounters

Key = tuple[str, int, bool]


@dataclass(frozen=True, slots=True)
class StatementTotals:
    """One entry of pg_stat_statements, cumulative.

    Args:
        user: Who ran it; empty for a role that is gone.
        queryid: The server's id of the shape.
        toplevel: Sent by a client, not run inside a function (13 can't tell and says True).
        text: Normalised text; None where not asked for, or where the server lost it.
        calls: Executions.
        total_ms: Execution time.
        plan_ms: Planning time; 0 unless pg_stat_statements.track_planning is on.
        stddev_ms: Population standard deviation of the execution time.
        rows: Rows returned or changed.
        shared_blks_hit: Buffers found in cache.
        shared_blks_read: Buffers read.
        temp_blks_written: Temporary blocks written.
        wal_bytes: WAL written.
        since_at: When this entry began to count (17 and later), else None.
    """

    user: str
    queryid: int
    toplevel: bool
    text: str | None
    calls: int
    total_ms: float
    plan_ms: float
    stddev_ms: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    temp_blks_written: int
    wal_bytes: float
    since_at: datetime | None = None

    @property
    def key(self) -> Key:
        """What makes an entry the same in two snapshots."""
        return (self.user, self.queryid, self.toplevel)


@dataclass(frozen=True, slots=True)
class StatementSnapshot:
    """All entries of a database at one moment.

    Args:
        taken_at: Server clock, aware.
        database: Its name.
        entries: Most execution time first.
        stats_reset_at: Since when the server counts; None before PostgreSQL 14.
        deallocations: How often entries were thrown out since then; None before 14.
        notes: What could not be seen, may be empty.
    """

    taken_at: datetime
    database: str
    entries: tuple[StatementTotals, ...]
    stats_reset_at: datetime | None = None
    deallocations: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementWindow:
    """What one statement did between two snapshots.

    Args:
        user: Who ran it.
        queryid: The server's id of the shape.
        toplevel: Sent by a client, not run inside a function.
        text: Normalised text, None where unknown.
        counters: Of the window; at least one call.
    """

    user: str
    queryid: int
    toplevel: bool
    text: str | None
    counters: StatementCounters


@dataclass(frozen=True, slots=True)
class StatementDelta:
    """What a database's statements did between two snapshots.

    Args:
        from_at: Beginning of the window.
        to_at: Its end.
        statements: Those called in the window, most execution time first.
        notes: Resets and evictions that limit trust, may be empty.
    """

    from_at: datetime
    to_at: datetime
    statements: tuple[StatementWindow, ...]
    notes: tuple[str, ...] = ()

    @property
    def window_s(self) -> float:
        """Length of the window in seconds."""
        return (self.to_at - self.from_at).total_seconds()


def diff_snapshots(before: StatementSnapshot, after: StatementSnapshot) -> StatementDelta:
    """Return what was counted between two snapshots of one database.

    An entry that began anew in between (a reset, or thrown out and back again) counts from zero: what it had
    done before its restart is lost, so that its figures are a lower bound. Each such case is noted.

    Args:
        before: The earlier snapshot.
        after: The later one.
    """
    reset = after.stats_reset_at != before.stats_reset_at
    earlier = {} if reset else {entry.key: entry for entry in before.entries}
    windows: list[StatementWindow] = []
    restarted = 0
    for entry in after.entries:
        base = earlier.get(entry.key)
        if base is not None and _began_anew(base, entry):
            base, restarted = None, restarted + 1
        if entry.calls > (base.calls if base else 0):
            counters = _subtract(entry, base)
            windows.append(StatementWindow(entry.user, entry.queryid, entry.toplevel, entry.text, counters))
    windows.sort(key=lambda window: (-window.counters.total_ms, window.queryid, window.user))
    gone = len(earlier.keys() - {entry.key for entry in after.entries})
    notes = _notes(before, after, reset=reset, restarted=restarted, gone=gone)
    return StatementDelta(
        from_at=before.taken_at,
        to_at=after.taken_at,
        statements=tuple(windows),
        notes=tuple(dict.fromkeys((*before.notes, *after.notes, *notes))),
    )


def _began_anew(base: StatementTotals, entry: StatementTotals) -> bool:
    if base.since_at is not None and entry.since_at is not None:
        return base.since_at != entry.since_at
    return entry.calls < base.calls or entry.total_ms < base.total_ms


def _subtract(entry: StatementTotals, base: StatementTotals | None) -> StatementCounters:
    return StatementCounters(
        calls=entry.calls - (base.calls if base else 0),
        total_ms=entry.total_ms - (base.total_ms if base else 0.0),
        rows=entry.rows - (base.rows if base else 0),
        shared_blks_hit=entry.shared_blks_hit - (base.shared_blks_hit if base else 0),
        shared_blks_read=entry.shared_blks_read - (base.shared_blks_read if base else 0),
        temp_blks_written=entry.temp_blks_written - (base.temp_blks_written if base else 0),
        wal_bytes=entry.wal_bytes - (base.wal_bytes if base else 0.0),
        stddev_ms=_window_stddev_ms(entry, base),
    )


def _window_stddev_ms(entry: StatementTotals, base: StatementTotals | None) -> float:
    """Recover the standard deviation inside the window from the two cumulative ones.

    **Source**: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances" (1979), equation 2.1, solved for the second part.
    """
    if base is None or not base.calls:
        return entry.stddev_ms
    calls = entry.calls - base.calls
    shift = (entry.total_ms - base.total_ms) / calls - base.total_ms / base.calls
    squares = entry.stddev_ms**2 * entry.calls - base.stddev_ms**2 * base.calls
    squares -= shift**2 * base.calls * calls / entry.calls
    return math.sqrt(max(squares, 0.0) / calls)  # rounding may leave a little less than nothing


def _notes(
    before: StatementSnapshot, after: StatementSnapshot, *, reset: bool, restarted: int, gone: int
) -> Iterable[str]:
    if reset:
        yield (
            "pg_stat_statements was reset inside the window: the figures count from the reset only. "
            "Capture again, without a reset in between."
        )
    if restarted:
        yield f"{restarted} statements began to count anew in the window: their figures are a lower bound."
    evictions = (after.deallocations or 0) - (before.deallocations or 0)
    if not reset and evictions > 0:
        yield (
            f"pg_stat_statements threw out rare statements {evictions} times in the window. "
            "They are missing; raise pg_stat_statements.max (needs a restart)."
        )
    elif gone:
        yield f"{gone} statements vanished from pg_stat_statements inside the window: what they did is lost."
