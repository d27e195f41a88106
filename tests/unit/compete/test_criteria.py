"""The owners' thresholds: which figure counts, who keeps them, and by how much."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from pgproof.frontends.blueprint.criterion_words import parse_threshold
from pgproof.frontends.report.criteria import cell_text, criterion_rows, print_criteria
from pgproof.model.criterion import Bound, Criterion, Metric, criterion_text
from pgproof.model.query import StatementKind
from pgproof.model.trial import LoadResult, StatementTiming, TargetResult
from pgproof.model.units import Interval
from pgproof.stages.compete.criteria import ArmFigures, judge_criteria, judge_criteria_gate
from tests.golden.test_blueprint_markdown import COMPETITION

LOAD = LoadResult(
    clients=8,
    duration_s=3,
    samples=990,
    errors=10,
    throughput_qps=330,
    p50_ms=20,
    p95_ms=80,
    p99_ms=120,
    p95_interval_ms=Interval(75, 85),
    quantiles_ms=(1.0,) * 101,
)
RUSH = replace(LOAD, p95_ms=200, p95_interval_ms=None)


def timing(name: str, median_ms: float, p95_ms: float, timed_out: int = 0) -> StatementTiming:
    return StatementTiming(
        name, StatementKind.SELECT, 1, 20, median_ms, p95_ms, median_ms, timed_out=timed_out
    )


ARM = ArmFigures(
    timings=(timing("list", 4, 9), timing("deep", 30, 60), timing("slow", 5, 5, timed_out=2)),
    loads={"": LOAD, "usual": LOAD, "rush": RUSH},
    index_bytes=150 * 2**20,
    build_ms=2_500,
    build_wal_bytes=2**20,
)


def judged(threshold: str, *statements: str, profile: str = "") -> TargetResult:
    criterion = replace(parse_threshold(threshold), statements=statements, profile=profile)
    (result,) = judge_criteria((criterion,), ARM)
    return result


@pytest.mark.parametrize(
    ("result", "met", "evidence"),
    [
        (judged("p50 < 50 ms"), True, "p50 is 20 ms, 60 % below 50 ms"),
        (judged("p99 < 100 ms"), False, "p99 is 120 ms, 20 % above 100 ms"),
        (judged("p99 < 120 ms"), False, "p99 is 120 ms, exactly 120 ms"),
        (judged("p99 <= 120 ms"), True, "p99 is 120 ms, exactly 120 ms"),
        (
            judged("p95 < 82 ms"),
            True,
            "p95 is 80 ms, 2 % below 82 ms (its interval, 75 ms to 85 ms, holds the limit)",
        ),
        (judged("p95 < 160 ms", profile="rush"), False, "p95 is 200 ms, 25 % above 160 ms"),
        (judged("throughput > 500 /s"), False, "throughput is 330 /s, 34 % below 500 /s"),
        (judged("throughput >= 300 /s"), True, "throughput is 330 /s, 10 % above 300 /s"),
        (judged("errors = 0"), False, "errors is 10, wanted = 0"),
        (judged("error_share <= 1 %"), True, "error_share is 1.0 %, exactly 1.0 %"),
        (
            judged("index_size < 200 MB"),
            True,
            "index_size is 150 MB, 25 % below 200 MB",
        ),
        (
            judged("build_time < 1 s"),
            False,
            "build_time is 2,500 ms, 150 % above 1,000 ms",
        ),
        (judged("build_wal < 2 MB"), True, "build_wal is 1.0 MB, 50 % below 2.0 MB"),
        (
            judged("p50 < 20 ms", "list", "deep"),
            False,
            "p50 of deep is 30 ms, 50 % above 20 ms",
        ),
        (
            judged("mean < 40 ms", "list", "deep"),
            True,
            "mean of deep is 30 ms, 25 % below 40 ms",
        ),
        (
            judged("p95 < 10 ms", "list", "slow"),
            False,
            "p95 of slow is 5 ms, 50 % below 10 ms (2 executions were stopped, so it is more)",
        ),
        (
            judged("p95 < 10 ms", "list", "lost"),
            False,
            "p95 of list is 9 ms, 10 % below 10 ms; lost was not measured",
        ),
    ],
    ids=lambda value: value.title if isinstance(value, TargetResult) else "",
)
def test_what_is_judged(result: TargetResult, met: bool, evidence: str) -> None:
    assert (result.met, result.evidence) == (met, evidence)


def test_an_arm_that_never_came_under_load_misses() -> None:
    bare = replace(ARM, loads={})
    criteria = (Criterion(Metric.P95, Bound.BELOW, 100), Criterion(Metric.INDEX_SIZE, Bound.BELOW, 2**40))
    first, second = judge_criteria(criteria, bare)
    assert not first.met
    assert first.measured is None
    assert first.evidence == "p95 was not measured: the arm finished nothing under load"
    assert second.met, "what no load changes is known all the same"


def test_only_refused_clients_have_errors_but_no_latency() -> None:
    refused = replace(LOAD, samples=0, errors=8, quantiles_ms=(), p95_ms=0.0, throughput_qps=0.0)
    criteria = (Criterion(Metric.P95, Bound.BELOW, 100), Criterion(Metric.ERRORS, Bound.AT_MOST, 9))
    latency, errors = judge_criteria(criteria, replace(ARM, loads={"": refused}))
    assert (latency.met, latency.measured) == (False, None), "0 ms of nobody is not fast"
    assert (errors.met, errors.measured) == (True, 8)


def test_figures_stand_beside_the_words() -> None:
    result = judged("p99 < 100 ms")
    assert (result.measured, result.limit, result.unit) == (120, 100, "ms")
    assert result.over_frac == pytest.approx(0.2)
    assert judged("errors = 0").over_frac is None


def test_the_gate_is_of_gates_alone() -> None:
    gate = Criterion(Metric.P99, Bound.BELOW, 100, gate=True, title="the tail")
    loose = Criterion(Metric.P50, Bound.BELOW, 1)
    assert judge_criteria_gate(judge_criteria((loose,), ARM)) is None
    found = judge_criteria_gate(judge_criteria((loose, gate), ARM))
    assert found is not None
    assert (found.name, found.passed) == ("criteria", False)
    assert found.evidence == "the tail: p99 < 100 ms: p99 is 120 ms, 20 % above 100 ms"
    kept = judge_criteria_gate(judge_criteria((loose, replace(gate, limit=200)), ARM))
    assert kept is not None and kept.passed


def test_a_threshold_in_words() -> None:
    criterion = Criterion(Metric.P95, Bound.AT_MOST, 1_500.5, ("a", "b"))
    assert criterion_text(criterion) == "p95 of a, b <= 1500.5 ms"
    assert criterion_text(Criterion(Metric.P50, Bound.BELOW, 5, profile="rush")) == "p50 < 5 ms under rush"


def test_the_table_holds_every_arm_but_the_canary() -> None:
    text = io.StringIO()
    print_criteria(Console(file=text, width=160), COMPETITION)
    lines = [line.split() for line in text.getvalue().splitlines() if line.strip()]
    assert lines[0] == ["criterion", "control", "A", "B"]
    assert " ".join(lines[2]) == (
        "p95 < 100 ms (gate) 800 ms MISSED (+700 %) 45 ms met (-55 %) 120 ms MISSED (+20 %)"
    )


def test_an_arm_that_was_not_built_has_a_dash() -> None:
    built, unbuilt = COMPETITION.arms[1], replace(COMPETITION.arms[2], targets=())
    rows = criterion_rows((built, unbuilt))
    assert [cell_text(row.cells[1]) for row in rows] == ["-"] * 5
    assert cell_text(TargetResult("p95 < 1 ms", False, "", unit="ms")) == "not measured"
