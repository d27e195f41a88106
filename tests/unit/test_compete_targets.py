"""The owners' targets: met, missed, and what they do to the points."""

from __future__ import annotations

from pgproof.model.blueprint import Target
from pgproof.model.query import StatementKind
from pgproof.model.trial import StatementTiming
from pgproof.stages.compete.targets import judge_targets, share_met


def timing(name: str, median_ms: float, p95_ms: float | None = None, timed_out: int = 0) -> StatementTiming:
    p95_ms = median_ms if p95_ms is None else p95_ms
    return StatementTiming(
        name, StatementKind.SELECT, 1, 20, median_ms, p95_ms, median_ms, timed_out=timed_out
    )


SEARCH = Target("search", ("byName", "byPhone"), limit_ms=100, faster_frac=0.8)


def test_a_target_is_met_by_all_of_its_statements():
    control = (timing("byName", 100), timing("byPhone", 50))
    (result,) = judge_targets((SEARCH,), control, (timing("byName", 19), timing("byPhone", 10)))
    assert result.met
    assert result.evidence == "byName 81 % faster, p95 19.0 ms; byPhone 80 % faster, p95 10.0 ms"


def test_one_slow_statement_misses_it_and_is_named():
    control = (timing("byName", 100), timing("byPhone", 50))
    (result,) = judge_targets((SEARCH,), control, (timing("byName", 19), timing("byPhone", 11)))
    assert not result.met
    assert result.evidence == "byPhone 78 % faster, p95 11.0 ms; wanted 80 % faster"


def test_the_95th_percentile_counts_for_the_limit():
    control = (timing("byName", 1000), timing("byPhone", 1000))
    arm = (timing("byName", 50, p95_ms=120), timing("byPhone", 50))
    (result,) = judge_targets((SEARCH,), control, arm)
    assert not result.met
    assert result.evidence == "byName 95 % faster, p95 120.0 ms; wanted p95 within 100 ms"


def test_a_stopped_statement_misses_its_limit_whatever_the_clock_says():
    only_limit = Target("page", ("byName",), limit_ms=100)
    (result,) = judge_targets((only_limit,), (timing("byName", 90),), (timing("byName", 90, timed_out=1),))
    assert not result.met


def test_what_was_not_measured_misses_its_target():
    (result,) = judge_targets((SEARCH,), (timing("byName", 100),), (timing("byName", 1),))
    assert not result.met
    assert result.evidence == "byPhone was not measured"


def test_the_share_of_met_targets():
    control, arm = (
        (timing("byName", 100), timing("byPhone", 50)),
        (timing("byName", 50), timing("byPhone", 1)),
    )
    loose = Target("loose", ("byPhone",), faster_frac=0.5)
    assert share_met(judge_targets((SEARCH, loose), control, arm)) == 0.5
    assert share_met(()) == 1.0
