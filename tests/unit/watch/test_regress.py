"""Two windows of a workload: the verdicts, and what keeps a false alarm away."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pgproof.model.query import Query, StatementKind
from pgproof.model.regression import Presence, StatementShift
from pgproof.model.trial import Verdict
from pgproof.model.workload import StatementCounters, Workload, WorkloadStatement
from pgproof.stages.watch.regress import ShiftLimits, compare_windows
from pgproof.stages.watch.welch import student_quantile, welch_interval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def counted(mean_ms: float, *, calls: float = 400, stddev_ms: float | None = 0.5) -> StatementCounters:
    return StatementCounters(
        calls, mean_ms * calls, rows=calls, stddev_ms=stddev_ms, shared_blks_hit=calls * 4
    )


def statement(name: str, counters: StatementCounters | None) -> WorkloadStatement:
    query = Query(f"{name:0>16}", f"SELECT '{name}'", StatementKind.SELECT, read_only=True)
    return WorkloadStatement(name, query, counters.calls if counters else 1, counters=counters)


def window(**counters: StatementCounters | None) -> Workload:
    return Workload(
        tuple(statement(n, c) for n, c in counters.items()), "pg_stat_statements", captured_at=NOON
    )


def shift(before: StatementCounters | None, after: StatementCounters | None) -> StatementShift:
    (one,) = compare_windows(window(q=before), window(q=after)).shifts
    return one


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "verdict"),
    [
        (10, 20, Verdict.WORSE),
        (20, 10, Verdict.BETTER),
        (10, 10.1, Verdict.SAME),
        (10, 11.9, Verdict.SAME),  # faster machines differ by this much from hour to hour
        (10, 12.05, Verdict.INCONCLUSIVE),  # the interval straddles the margin
        (0.010, 0.060, Verdict.SAME),  # six times as slow, and nobody can tell
    ],
)
def test_verdict(before_ms: float, after_ms: float, verdict: Verdict) -> None:
    spread = 0.5 if before_ms > 1 else 0.01
    one = shift(counted(before_ms, stddev_ms=spread), counted(after_ms, stddev_ms=spread))
    assert one.verdict is verdict
    assert one.difference_ms is not None
    assert one.difference_ms.low < after_ms - before_ms < one.difference_ms.high


def test_a_wide_spread_leaves_the_verdict_open() -> None:
    assert shift(counted(10, stddev_ms=200), counted(20, stddev_ms=200)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        (counted(1, calls=49), counted(90), "49 calls in one window; fewer than 50 say too little"),
        (counted(1), counted(90, calls=3), "3 calls in one window; fewer than 50 say too little"),
        (counted(1, stddev_ms=None), counted(90), "the spread of its times is unknown"),
        (None, counted(90), "not measured in both windows"),
    ],
)
def test_what_can_not_be_judged_says_why(
    before: StatementCounters | None, after: StatementCounters, note: str
) -> None:
    one = shift(before, after)
    assert (one.verdict, one.presence, one.notes[0]) == (Verdict.INCONCLUSIVE, Presence.BOTH, note)


def test_new_and_vanished_are_told_apart_and_most_added_time_comes_first() -> None:
    before = window(steady=counted(5), gone=counted(7), slower=counted(10))
    after = window(steady=counted(5), fresh=counted(30), slower=counted(40))
    result = compare_windows(before, after)
    assert [(s.name, s.presence) for s in result.shifts] == [
        ("fresh", Presence.NEW),
        ("slower", Presence.BOTH),
        ("steady", Presence.BOTH),
        ("gone", Presence.VANISHED),
    ]
    assert [s.added_ms for s in result.shifts] == [12_000, 12_000, 0, -2_800]
    assert [s.name for s in result.seen(Presence.VANISHED)] == ["gone"]
    assert [s.name for s in result.regressions] == ["slower"]
    assert "earlier window" in result.shifts[0].notes[0]


def test_a_statement_without_weight_is_worse_but_no_regression() -> None:
    before, after = window(heavy=counted(900), light=counted(1)), window(heavy=counted(900), light=counted(8))
    result = compare_windows(before, after)
    light = next(s for s in result.shifts if s.name == "light")
    assert (light.verdict, light.heavy) == (Verdict.WORSE, False)
    assert light.share_frac == pytest.approx(8 / 908)
    assert result.regressions == ()


def test_more_work_a_call_is_told_beside_the_verdict() -> None:
    grown = replace(counted(20), rows=400 * 30, shared_blks_hit=400 * 5)
    assert shift(counted(10), grown).notes == ("rows a call: 1.0 before, 30.0 after",)
    assert shift(counted(10), replace(counted(20), shared_blks_read=4_000)).notes == (
        "buffers a call: 4.0 before, 14.0 after",
    )


def test_many_statements_share_one_chance_of_error() -> None:
    several = {f"q{n}": counted(10) for n in range(40)}
    alone = shift(counted(10), counted(10)).difference_ms
    among = compare_windows(window(**several), window(**several)).shifts[0].difference_ms
    assert alone and among
    assert among.confidence == pytest.approx(1 - 0.05 / 40)
    assert among.high > alone.high


def test_a_shape_named_twice_is_compared_once() -> None:
    one, other = statement("a", counted(10)), statement("b", counted(10))
    twice = Workload((one, replace(other, query=one.query)), "file")
    assert [s.name for s in compare_windows(twice, twice).shifts] == ["a"]


def test_what_limits_the_comparison_is_told() -> None:
    before = replace(window(q=counted(1)), database="shop", server_version="15.20", notes=("was reset",))
    after = replace(
        before, database="mall", server_version="18.0", captured_at=NOON - timedelta(hours=1), notes=()
    )
    assert compare_windows(before, after).notes == (
        "the windows are of different databases: shop and mall",
        "the server changed from PostgreSQL 15.20 to 18.0",
        "the later window does not end after the earlier one",
        "earlier window: was reset",
    )


def test_limits_below_what_the_formula_bears_are_refused() -> None:
    with pytest.raises(ValueError, match="min_calls is 19; intervals need at least 20 calls"):
        ShiftLimits(min_calls=19)


def test_empty_windows_have_no_shifts() -> None:
    assert compare_windows(window(), window()).shifts == ()


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.975, 20, 2.08596), (0.975, 60, 2.00030), (0.995, 60, 2.66028), (0.9995, 120, 3.37345)],
)
def test_student_quantiles_are_those_of_the_tables(
    probability: float, freedom: float, expected: float
) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(expected, rel=1e-3)


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    chance = random.Random(7)

    def measure(shape: float, calls: int) -> StatementCounters:
        times = [chance.gammavariate(shape, 1.0) for _ in range(calls)]
        return StatementCounters(calls, sum(times), 0, stddev_ms=statistics.pstdev(times))

    trials = 600
    intervals = [welch_interval(measure(4, 60), measure(6, 90), 0.05) for _ in range(trials)]
    covered = sum(one is not None and not one.excludes(2.0) for one in intervals)
    assert 0.93 <= covered / trials <= 0.97
