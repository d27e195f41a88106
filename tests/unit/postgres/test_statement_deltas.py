"""Cumulative counters and what happened between two readings."""

import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pgproof.postgres.deltas import StatementSnapshot, StatementTotals, diff_snapshots

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def totals(queryid: int = 1, times: list[float] | None = None, **changed: object) -> StatementTotals:
    """What pg_stat_statements would say after executions of these lengths."""
    times = [2.0, 4.0] if times is None else times
    made = StatementTotals(
        user="app",
        queryid=queryid,
        toplevel=True,
        text=f"SELECT {queryid}",
        calls=len(times),
        total_ms=sum(times),
        plan_ms=0.0,
        stddev_ms=statistics.pstdev(times),
        rows=10 * len(times),
        shared_blks_hit=100 * len(times),
        shared_blks_read=3 * len(times),
        temp_blks_written=0,
        wal_bytes=7.0 * len(times),
    )
    return replace(made, **changed)  # type: ignore[arg-type] # field by field in the tests


def snapshot(*entries: StatementTotals, after_s: float = 0, **changed: object) -> StatementSnapshot:
    made = StatementSnapshot(
        START + timedelta(seconds=after_s), "shop", entries, stats_reset_at=START, deallocations=0
    )
    return replace(made, **changed)  # type: ignore[arg-type] # field by field in the tests


def test_only_what_happened_in_the_window_counts() -> None:
    first, later = [2.0, 4.0, 9.0], [1.0, 5.0]
    delta = diff_snapshots(
        snapshot(totals(1, first), totals(2)), snapshot(totals(1, first + later), totals(2), after_s=60)
    )
    (window,) = delta.statements
    assert (window.queryid, window.user, window.text) == (1, "app", "SELECT 1")
    assert window.counters.calls == 2
    assert window.counters.total_ms == pytest.approx(6.0)
    assert (window.counters.rows, window.counters.shared_blks_hit, window.counters.wal_bytes) == (20, 200, 14)
    assert window.counters.stddev_ms == pytest.approx(statistics.pstdev(later))
    assert (delta.window_s, delta.notes) == (60.0, ())


def test_a_statement_first_seen_in_the_window_counts_whole() -> None:
    (window,) = diff_snapshots(snapshot(), snapshot(totals())).statements
    assert (window.counters.calls, window.counters.stddev_ms) == (2, 1.0)


def test_the_same_query_of_two_users_stays_apart() -> None:
    before = snapshot(totals(user="a"), totals(user="b"))
    after = snapshot(totals(user="a", times=[2.0, 4.0, 1.0]), totals(user="b", times=[2.0] * 7))
    assert {w.user: w.counters.calls for w in diff_snapshots(before, after).statements} == {"a": 1, "b": 5}


def test_the_heaviest_comes_first() -> None:
    after = snapshot(totals(1, [1.0]), totals(2, [9.0]), totals(3, [5.0]))
    assert [w.queryid for w in diff_snapshots(snapshot(), after).statements] == [2, 3, 1]


def test_a_reset_is_noted_and_earlier_counters_are_forgotten() -> None:
    before = snapshot(totals(1, [1.0] * 5))
    after = snapshot(totals(1, [1.0] * 6), stats_reset_at=START + timedelta(seconds=5))
    delta = diff_snapshots(before, after)
    assert [w.counters.calls for w in delta.statements] == [6]
    assert delta.notes == (
        "pg_stat_statements was reset inside the window: the figures count from the reset only. "
        "Capture again, without a reset in between.",
    )


def test_a_counter_that_went_down_counts_from_zero() -> None:
    """Before 14 a reset leaves no trace but this."""
    delta = diff_snapshots(
        snapshot(totals(1, [1.0] * 5), stats_reset_at=None),
        snapshot(totals(1, [1.0] * 2), stats_reset_at=None),
    )
    assert [w.counters.calls for w in delta.statements] == [2]
    assert delta.notes == (
        "1 statements began to count anew in the window: their figures are a lower bound.",
    )


def test_an_entry_that_came_back_counts_from_zero_even_if_it_grew() -> None:
    """Since 17 each entry says when it began."""
    before = snapshot(totals(1, [1.0] * 2, since_at=START))
    after = snapshot(totals(1, [1.0] * 5, since_at=START + timedelta(seconds=9)))
    assert [w.counters.calls for w in diff_snapshots(before, after).statements] == [5]


def test_evictions_are_noted() -> None:
    delta = diff_snapshots(snapshot(totals(1), totals(2)), snapshot(totals(1), deallocations=3))
    assert delta.statements == ()
    assert len(delta.notes) == 1
    assert "threw out rare statements 3 times" in delta.notes[0]
    assert "pg_stat_statements.max" in delta.notes[0]


def test_entries_that_vanished_are_noted_where_the_server_does_not_count_evictions() -> None:
    before = snapshot(totals(1), totals(2), stats_reset_at=None, deallocations=None)
    after = snapshot(totals(1), stats_reset_at=None, deallocations=None)
    assert diff_snapshots(before, after).notes == (
        "1 statements vanished from pg_stat_statements inside the window: what they did is lost.",
    )


def test_what_the_snapshots_could_not_see_is_said_once() -> None:
    assert diff_snapshots(snapshot(notes=("hidden",)), snapshot(notes=("hidden",))).notes == ("hidden",)
