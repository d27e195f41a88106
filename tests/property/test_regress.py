"""Comparing windows: what must hold whatever the counters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgproof.model.query import Query, StatementKind
from pgproof.model.regression import Presence
from pgproof.model.trial import Verdict
from pgproof.model.workload import StatementCounters, Workload, WorkloadStatement
from pgproof.stages.watch.regress import compare_windows

MIRROR = {Verdict.WORSE: Verdict.BETTER, Verdict.BETTER: Verdict.WORSE}

counters = st.builds(
    lambda calls, mean_ms, spread, rows: StatementCounters(
        calls, calls * mean_ms, rows, stddev_ms=None if spread is None else spread * mean_ms
    ),
    st.integers(1, 100_000),
    st.floats(0.001, 1e5),
    st.none() | st.floats(0, 20),
    st.integers(0, 10**6),
)


def workload(measured: dict[int, StatementCounters | None]) -> Workload:
    return Workload(
        tuple(
            WorkloadStatement(
                f"q{key}", Query(f"{key:016x}", f"SELECT {key}", StatementKind.SELECT, True), 1, counters=one
            )
            for key, one in measured.items()
        ),
        "pg_stat_statements",
    )


windows = st.dictionaries(st.integers(0, 5), st.none() | counters, max_size=5).map(workload)


@given(windows, windows)
def test_exchanging_the_windows_mirrors_everything(before: Workload, after: Workload) -> None:
    forth = {s.fingerprint: s for s in compare_windows(before, after).shifts}
    back = {s.fingerprint: s for s in compare_windows(after, before).shifts}
    assert forth.keys() == back.keys()
    for key, one in forth.items():
        other = back[key]
        assert other.verdict is MIRROR.get(one.verdict, one.verdict)
        assert (other.share_frac, other.heavy) == (one.share_frac, one.heavy)
        assert (one.presence is Presence.NEW) == (other.presence is Presence.VANISHED)
        assert (one.difference_ms is None) == (other.difference_ms is None)


@given(windows)
def test_a_window_is_never_better_or_worse_than_itself(one: Workload) -> None:
    result = compare_windows(one, one)
    assert {s.verdict for s in result.shifts} <= {Verdict.SAME, Verdict.INCONCLUSIVE}
    assert all(s.presence is Presence.BOTH and s.added_ms == 0 for s in result.shifts)


@given(windows, windows)
def test_every_shape_stands_once_and_a_verdict_has_its_interval(before: Workload, after: Workload) -> None:
    result = compare_windows(before, after)
    shapes = {s.query.fingerprint for w in (before, after) for s in w.statements}
    assert sorted(s.fingerprint for s in result.shifts) == sorted(shapes)
    for one in result.shifts:
        if one.verdict is not Verdict.INCONCLUSIVE:
            assert one.before and one.after and one.difference_ms
            assert min(one.before.calls, one.after.calls) >= 50
        assert 0 <= one.share_frac <= 1.0000001
    assert set(result.regressions) <= {s for s in result.shifts if s.verdict is Verdict.WORSE}


@given(counters, st.floats(1.5, 50))
def test_worse_never_turns_back_when_it_gets_worse_still(one: StatementCounters, factor: float) -> None:
    def verdict(times: float) -> Verdict:
        slower = StatementCounters(one.calls, one.total_ms * times, one.rows, stddev_ms=one.stddev_ms)
        return compare_windows(workload({1: one}), workload({1: slower})).shifts[0].verdict

    if verdict(factor) is Verdict.WORSE:
        assert verdict(factor * 2) is Verdict.WORSE
