"""Samples, schedule, comparison, gates and manifest, on made-up measurements."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pgproof.errors import TrialFailed, UsageError
from pgproof.model.blueprint import Blueprint, Limits, LoadProfile, Weights
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import Setting
from pgproof.model.trial import ArmRole, CloneInfo, Comparison, Equality, Verdict
from pgproof.model.units import Interval
from pgproof.model.variant import CANARY, CONTROL, Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.stages.compete.arms import BuiltArm
from pgproof.stages.compete.clone_settings import split_accepted
from pgproof.stages.compete.clones import check_disk
from pgproof.stages.compete.comparison import Rules, compare_arms
from pgproof.stages.compete.competition import Held, conclude
from pgproof.stages.compete.gates import (
    judge_errors,
    judge_regressions,
    judge_results,
    judge_storage,
    judge_writes,
    may_regress,
    may_slow_writes,
)
from pgproof.stages.compete.load import count_turns
from pgproof.stages.compete.load_log import LoadLog, judge_health, summarise_load
from pgproof.stages.compete.manifest import digest_of, manifest, reanalyse
from pgproof.stages.compete.measure import why_not_executable
from pgproof.stages.compete.observe import Observed
from pgproof.stages.compete.race import RaceOutcome, find_hopeless
from pgproof.stages.compete.result import Record
from pgproof.stages.compete.samples import Sample, Samples
from pgproof.stages.compete.schedule import Schedule, fitting_timeout_ms
from pgproof.stages.compete.shortage import describe_shortage

RULES = Rules(alpha=0.01, min_rounds=10, confidence=0.95)


def statement(name: str, calls: float = 1.0, kind: StatementKind = StatementKind.SELECT) -> WorkloadStatement:
    return WorkloadStatement(name, Query("0" * 16, "SELECT 1", kind, not kind.writes), calls)


def measured(
    ratios: dict[str, dict[str, float]], rounds: int = 30, noise: float = 0.02, seed: int = 1
) -> Samples:
    """Samples of arms: ``ratios[arm][statement]`` times 10 ms, with noise; the control is added."""
    rng = np.random.default_rng(seed)
    samples = Samples()
    names = {name for found in ratios.values() for name in found}
    for arm, found in {CONTROL.name: dict.fromkeys(names, 1.0), **ratios}.items():
        for name, ratio in found.items():
            for number in range(rounds):
                wall = 10.0 * ratio * float(np.exp(rng.normal(0, noise)))
                samples.add(Sample(arm, name, number, (wall,), cpu_ms=wall * 0.9))
    return samples


def comparison_of(arm: str, ratio: float, verdict: Verdict, width: float = 0.05) -> Comparison:
    return Comparison(arm, "x", ratio, Interval(ratio * (1 - width), ratio * (1 + width)), verdict, 20)


def test_only_rounds_that_both_arms_finished_are_paired() -> None:
    samples = Samples()
    samples.add(Sample("a", "s", 0, (1.0,)))
    samples.add(Sample("a", "s", 1, (), errors=1))
    samples.add(Sample("b", "s", 0, (2.0, 4.0)))
    samples.add(Sample("b", "s", 1, (2.0,)))
    samples.add(Sample("b", "s", 2, (2.0,)))
    stratum = samples.stratum("a", "b", "s", 1.0)
    assert stratum is not None
    assert (stratum.arm.tolist(), stratum.against.tolist()) == ([1.0], [3.0])
    assert samples.stratum("a", "b", "s", 1.0, cpu=True) is None


def test_no_verdict_before_the_minimum_of_rounds() -> None:
    samples, statements = measured({"v": {"s": 0.1}}, rounds=9), [statement("s")]
    early = compare_arms(samples, statements, "v", CONTROL.name, rounds=9, rules=RULES, blocks={})
    assert early.verdict is Verdict.INCONCLUSIVE
    assert early.interval.high < 0.5  # it is clear already, and still nothing is said


def test_every_statement_must_have_pairs() -> None:
    samples, statements = measured({"v": {"s": 0.1}}), [statement("s"), statement("never run")]
    found = compare_arms(samples, statements, "v", CONTROL.name, rounds=30, rules=RULES, blocks={})
    assert found.verdict is Verdict.INCONCLUSIVE


def test_three_kinds_of_evidence_and_their_disagreement() -> None:
    samples, statements = measured({"v": {"s": 0.5}}), [statement("s")]
    blocks = {"v": {"s": 300.0}, CONTROL.name: {"s": 100.0}}
    found = compare_arms(samples, statements, "v", CONTROL.name, rounds=30, rules=RULES, blocks=blocks)
    assert found.verdict is Verdict.BETTER
    assert found.cpu_ratio == pytest.approx(0.5, abs=0.03)
    assert found.blks_ratio == 3.0
    assert (
        found.note == "faster, but touches 300 % of the control's buffers: slower where they are not cached"
    )


def test_noisy_wall_time_may_be_called_same_by_cpu_and_buffers_together() -> None:
    rng = np.random.default_rng(3)
    samples = Samples()
    for arm in ("v", CONTROL.name):
        for number in range(40):
            cpu = 10.0 * float(np.exp(rng.normal(0, 0.005)))
            samples.add(Sample(arm, "s", number, (cpu * float(np.exp(rng.normal(0.5, 0.3))),), cpu_ms=cpu))
    same = {"v": {"s": 100.0}, CONTROL.name: {"s": 100.0}}
    found = compare_arms(samples, [statement("s")], "v", CONTROL.name, rounds=40, rules=RULES, blocks=same)
    assert (found.verdict, found.interval.within(0.97, 1.03)) == (Verdict.SAME, False)
    more = {"v": {"s": 200.0}, CONTROL.name: {"s": 100.0}}
    found = compare_arms(samples, [statement("s")], "v", CONTROL.name, rounds=40, rules=RULES, blocks=more)
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("ratio", "stopped_on", "verdict"),
    [
        (0.1, CONTROL.name, Verdict.BETTER),  # the control is even slower than it seems
        (0.1, "v", Verdict.INCONCLUSIVE),  # the arm may be slower than it seems
        (1.0, "v", Verdict.INCONCLUSIVE),
        (1.0, CONTROL.name, Verdict.INCONCLUSIVE),
        (9.0, "v", Verdict.WORSE),
        (9.0, CONTROL.name, Verdict.INCONCLUSIVE),
    ],
)
def test_stopped_executions_are_lower_bounds(ratio: float, stopped_on: str, verdict: Verdict) -> None:
    samples = measured({"v": {"s": ratio, "t": ratio}}, noise=0.005)
    for sample in samples.of(stopped_on, "t"):
        samples.add(replace(sample, timed_out=1))
    statements = [statement("s"), statement("t")]
    found = compare_arms(samples, statements, "v", CONTROL.name, rounds=30, rules=RULES, blocks={})
    assert found.verdict is verdict
    assert ("stopped by the timeout: t" in found.note) == (verdict is Verdict.INCONCLUSIVE)


def test_a_round_holds_all_statements_when_they_fit() -> None:
    statements = [statement("a"), statement("b")]
    schedule = Schedule(statements, {"a": 5.0, "b": 5.0}, arms=4, round_ms=100, seed=1)
    for _ in range(5):
        assert sorted(item.statement.name for item in schedule.next_round()) == ["a", "b"]


def test_a_slow_statement_does_not_eat_the_time_of_the_others() -> None:
    statements = [statement("fast"), statement("slow")]
    schedule = Schedule(statements, {"fast": 5.0, "slow": 1000.0}, arms=2, round_ms=100, seed=1)
    seen = Counter(item.statement.name for _ in range(60) for item in schedule.next_round())
    assert seen["fast"] == 60
    assert seen["slow"] == 5  # the pairs wanted, on credit; 60 rounds of savings don't pay for more


def test_fast_statements_repeat_within_a_round() -> None:
    schedule = Schedule([statement("s")], {"s": 0.2}, arms=1, round_ms=50, seed=1)
    assert len(schedule.next_round()[0].sets) == 10


def test_values_are_drawn_by_weight_and_seed() -> None:
    sets = (ParameterSet(("often",), weight=9.0), ParameterSet(("seldom",), weight=1.0))
    weighted = replace(statement("s"), parameter_sets=sets)

    def draw(seed: int) -> list[str | None]:
        schedule = Schedule([weighted], {"s": 0.2}, arms=1, round_ms=50, seed=seed)
        return [one.values[0] for _ in range(20) for item in schedule.next_round() for one in item.sets]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert Counter(draw(1))["seldom"] in range(18, 23)


def test_a_restarted_schedule_gives_everybody_the_first_rounds_again() -> None:
    schedule = Schedule([statement("a"), statement("b")], {"a": 50.0, "b": 60.0}, arms=1, round_ms=60, seed=1)
    for _ in range(20):
        schedule.next_round()
    schedule.restart()
    seen = Counter(item.statement.name for _ in range(6) for item in schedule.next_round())
    assert seen == {"a": 3, "b": 3}


def test_slow_statements_take_turns_with_what_is_saved() -> None:
    costs = {"fast": 1.0, "slow": 200.0, "slower": 400.0}
    schedule = Schedule([statement(name) for name in costs], costs, arms=1, round_ms=100, seed=1)
    seen = Counter(item.statement.name for _ in range(300) for item in schedule.next_round())
    assert seen["fast"] == 300
    assert 60 <= seen["slow"] <= 85
    assert 30 <= seen["slower"] <= 42


def test_timeout_is_cut_only_where_the_race_would_not_fit() -> None:
    assert fitting_timeout_ms([100.0] * 4, budget_ms=10_000, ceiling_ms=60_000) == 60_000
    cut = fitting_timeout_ms([30_000.0, 30_000.0, 100.0], budget_ms=20_500, ceiling_ms=60_000)
    assert cut == pytest.approx(2_000, rel=0.01)
    unknown = fitting_timeout_ms([math.inf, 100.0], budget_ms=10_500, ceiling_ms=60_000)
    assert unknown == pytest.approx(2_000, rel=0.01)
    assert fitting_timeout_ms([30_000.0] * 9, budget_ms=1, ceiling_ms=60_000) == 500


def test_an_arm_is_dropped_only_when_simplicity_can_not_save_it() -> None:
    blueprint = Blueprint("b", "g", Workload((), "file"), (), weights=Weights(50, 30, 20))
    by_control = {
        "lead": comparison_of("lead", 0.1, Verdict.BETTER),
        "near": comparison_of("near", 0.2, Verdict.BETTER),
        "far": comparison_of("far", 0.9, Verdict.BETTER),
        "awful": comparison_of("awful", 9.0, Verdict.WORSE),
    }
    by_leader = {
        "near": comparison_of("near", 2.0, Verdict.WORSE),
        "far": comparison_of("far", 9.0, Verdict.WORSE),
        "awful": comparison_of("awful", 90.0, Verdict.WORSE),
    }
    assert sorted(find_hopeless(by_control, by_leader, "lead", blueprint)) == ["awful", "far"]


def test_a_regression_needs_both_an_interval_and_a_real_difference() -> None:
    limits, statements = Limits(), [statement("s"), statement("t")]
    slower = measured({"v": {"s": 2.0, "t": 1.0}})
    gate = judge_regressions(slower, statements, "v", limits, 0.01)
    assert (gate.passed, "s takes" in gate.evidence, "t takes" in gate.evidence) == (False, True, False)
    assert judge_regressions(measured({"v": {"s": 1.1, "t": 1.0}}), statements, "v", limits, 0.01).passed
    noisy = measured({"v": {"s": 1.3}}, rounds=10, noise=0.5)
    assert judge_regressions(noisy, statements, "v", limits, 0.01).passed
    tiny = Samples()
    for sample in slower:
        tiny.add(replace(sample, walls_ms=tuple(wall / 1000 for wall in sample.walls_ms)))
    assert judge_regressions(tiny, statements, "v", limits, 0.01).passed


def test_on_cpu_time_settles_a_regression_that_wall_time_is_too_noisy_for() -> None:
    rng = np.random.default_rng(5)
    samples, statements = Samples(), [statement("s")]
    for arm, ratio in ((CONTROL.name, 1.0), ("slower", 1.8), ("same", 1.0)):
        for number in range(12):
            wall = 10.0 * (1.5 if arm == "same" else ratio) * float(np.exp(rng.normal(0, 0.5)))
            cpu = 9.0 * ratio * float(np.exp(rng.normal(0, 0.02)))
            samples.add(Sample(arm, "s", number, (wall,), cpu_ms=cpu))
    failed = judge_regressions(samples, statements, "slower", Limits(), 0.01)
    assert not failed.passed
    assert "of its on-CPU time" in failed.evidence
    open_one = judge_regressions(samples, statements, "same", Limits(), 0.01)
    assert open_one.passed
    assert "leaves it open" in open_one.evidence


def test_a_suspected_regression_keeps_the_race_going() -> None:
    assert may_regress(measured({"v": {"s": 1.4}}, rounds=12, noise=0.3), statement("s"), "v", 0.2, 0.01)
    assert not may_regress(measured({"v": {"s": 0.9}}), statement("s"), "v", 0.2, 0.01)


def test_suspected_slow_writes_keep_the_race_going() -> None:
    writes = [statement("w", kind=StatementKind.UPDATE)]
    assert may_slow_writes(measured({"v": {"w": 1.7}}, rounds=12, noise=0.3), writes, "v", 0.5, 0.01)
    assert not may_slow_writes(measured({"v": {"w": 1.2}}), writes, "v", 0.5, 0.01)
    assert not may_slow_writes(measured({"v": {"w": 9.0}}), [statement("s")], "v", 0.5, 0.01)


def test_writes_fail_only_beyond_the_limit_and_beyond_doubt() -> None:
    writes = [statement("w", kind=StatementKind.UPDATE)]
    wal = {"v": {"w": 300.0}, CONTROL.name: {"w": 200.0}}
    gate = judge_writes(measured({"v": {"w": 1.8}}), writes, "v", Limits(), 0.01, wal)
    assert not gate.passed
    assert "300 bytes of WAL a write, 200 on the control" in gate.evidence
    assert judge_writes(measured({"v": {"w": 1.4}}), writes, "v", Limits(), 0.01, {}).passed
    assert (
        judge_writes(measured({}), [statement("s")], "v", Limits(), 0.01, {}).evidence
        == "no writes in the workload"
    )


def test_results_gate_names_what_could_not_be_compared() -> None:
    found = [Equality("a", True, 3), Equality("b", None, 0, "not comparable: LIMIT"), Equality("c", True, 1)]
    gate = judge_results(found)
    assert gate.passed
    assert gate.evidence == "2 of 3 statements equal; not compared: b: not comparable: LIMIT"
    assert not judge_results([*found, Equality("d", False, 1, "other rows")]).passed


def test_storage_has_a_limit_only_if_one_is_set() -> None:
    arm = BuiltArm("v", ArmRole.VARIANT, Variant("v", "", ()), "", "", index_bytes=2_000_000)
    assert judge_storage(arm, Limits()).passed
    assert not judge_storage(arm, Limits(index_bytes=1_000_000)).passed
    assert judge_storage(arm, Limits(index_bytes=2_000_000)).passed


def test_errors_beyond_the_control_fail() -> None:
    samples = measured({"v": {"s": 1.0}})
    samples.add(Sample("v", "s", 99, (), errors=1))
    assert not judge_errors(samples, [statement("s")], "v", Limits(), {}).passed
    assert judge_errors(samples, [statement("s")], "v", Limits(error_frac=0.1), {}).passed
    alike = measured({"v": {"s": 1.0}})
    logs = {"v": LoadLog(finished=900, errors=100), CONTROL.name: LoadLog(finished=1000)}
    assert not judge_errors(alike, [statement("s")], "v", Limits(), logs).passed
    # 22 % against 20 % of a hundred: chance
    logs = {"v": LoadLog(finished=78, errors=22), CONTROL.name: LoadLog(finished=80, errors=20)}
    assert judge_errors(alike, [statement("s")], "v", Limits(), logs).passed


def test_statements_without_values_are_left_out_with_the_reason() -> None:
    query = Query("0" * 16, "SELECT $1::int", StatementKind.SELECT, True)
    assert why_not_executable(WorkloadStatement("s", query, 1)) == "no values are known for its parameters"
    given = WorkloadStatement("s", query, 1, (ParameterSet(()),))
    assert why_not_executable(given) == "a parameter set has fewer than 1 values"
    vacuum = Query("0" * 16, "VACUUM", StatementKind.UTILITY, False)
    assert why_not_executable(WorkloadStatement("s", vacuum, 1)).startswith("a utility statement")


def test_settings_a_version_does_not_take_are_named() -> None:
    known = [
        _Known("work_mem", "integer", "64", "2147483647", None),
        _Known("jit", "bool", None, None, None),
        _Known("constraint_exclusion", "enum", None, None, ["partition", "on", "off"]),
    ]
    wanted = (
        Setting("work_mem", "32"),
        Setting("jit", "off"),
        Setting("constraint_exclusion", "on"),
        Setting("force_parallel_mode", "off"),
    )
    assert split_accepted(wanted, known) == (
        {"jit": "off", "constraint_exclusion": "on"},
        ("work_mem", "force_parallel_mode"),
    )


class _Known:
    def __init__(
        self, name: str, vartype: str, low: str | None, high: str | None, enum: list[str] | None
    ) -> None:
        self.name, self.vartype, self.min_val, self.max_val, self.enumvals = name, vartype, low, high, enum


def test_a_full_disk_is_refused_before_anything_is_made(tmp_path: object) -> None:
    from pathlib import Path

    with pytest.raises(TrialFailed, match="would fill up: 5 copies"):
        check_disk(Path(str(tmp_path)), 10**15, 5)
    check_disk(Path(str(tmp_path)), 1, 5)


def test_turns_are_short_unless_connecting_takes_long() -> None:
    assert count_turns(LoadProfile(clients=2, slice_s=1.0, slices=3)) == 12
    assert count_turns(LoadProfile(clients=2, slice_s=0.1, slices=3)) == 3
    assert count_turns(LoadProfile(clients=1000, slice_s=1.0, slices=3)) == 3


def test_load_without_enough_samples_has_no_interval() -> None:
    log = LoadLog(finished=10, clients=2, duration_s=1.0)
    log.latencies_ms.extend(float(i) for i in range(10))
    log.turns.append(10)
    result = summarise_load(log, seed=1, confidence=0.95)
    assert (result.p95_interval_ms, result.samples, result.throughput_qps) == (None, 10, 10.0)
    assert len(result.quantiles_ms) == 101
    assert summarise_load(LoadLog(), 1, 0.95).quantiles_ms == ()


def test_load_with_enough_turns_has_an_interval_around_its_p95() -> None:
    log = LoadLog(finished=400, clients=2, duration_s=1.0)
    for turn in range(4):
        log.latencies_ms.extend(np.random.default_rng(turn).exponential(10, 100))
        log.turns.append(100 * (turn + 1))
    result = summarise_load(log, seed=1, confidence=0.95)
    assert result.p95_interval_ms is not None
    assert result.p95_interval_ms.low <= result.p95_ms <= result.p95_interval_ms.high


def test_a_generator_that_could_not_keep_up_says_so() -> None:
    assert judge_health(0.3, [0.1, 0.2], 2.0, 8.0).ill == ""
    assert judge_health(0.99, [0.1], 2.0, 8.0).ill == (
        "the load generator used 99 % of a core: throughput under load may be understated"
    )
    rare = [0.1] * 97 + [50.0] * 3
    assert judge_health(0.3, rare, 2.0, 8.0).ill == "", "neither p50 nor p95 is touched"
    often = [0.2] * 90 + [12.0] * 10
    assert judge_health(0.3, often, 2.0, 8.0).ill == (
        "latencies under load may be overstated, on all arms alike: p50 by up to 0.2 ms and p95 by up to"
        " 8.0 ms (the fastest arm's are 2.0 ms and 8.0 ms), because the load generator woke up late on"
        " this busy machine; the arms look closer to each other than they are"
    )
    assert judge_health(0.3, often, 20.0, 80.0).ill == "", "12 ms of 80 are no news"


def record_of(ratios: dict[str, float]) -> Record:
    """A finished race of variants with the given time ratios; nobody was built for real."""
    variants = tuple(Variant(name, f"variant {name}", ()) for name in ratios)
    arms = (
        BuiltArm("control", ArmRole.CONTROL, CONTROL, "", ""),
        BuiltArm("canary", ArmRole.CANARY, CANARY, "", ""),
        *(BuiltArm(v.name, ArmRole.VARIANT, v, "", "") for v in variants),
    )
    samples = measured({"canary": {"s": 1.0}, **{name: {"s": ratio} for name, ratio in ratios.items()}})
    statements = (statement("s"),)
    return Record(
        blueprint=Blueprint("b", "g", Workload(statements, "file"), variants),
        arms=arms,
        statements=statements,
        equalities={name: (Equality("s", True, 1),) for name in ("canary", *ratios)},
        seen=Observed(),
        race=RaceOutcome(samples, 30, {}, "time was up", 60_000),
        logs={},
        rules=RULES,
    )


def held(record: Record) -> Held:
    from datetime import UTC, datetime

    clone = CloneInfo("made up", "for a test", "18.0", "18.0", 0.0)
    return Held(conclude(record, clone, datetime(2026, 1, 1, tzinfo=UTC), 1.0), record)


def test_a_record_is_judged_and_its_arms_are_ordered() -> None:
    competition = held(record_of({"same": 1.0, "good": 0.2})).competition
    assert competition.winner == "good"
    assert [arm.name for arm in competition.arms] == ["control", "good", "same", "canary"]
    assert competition.interval is not None
    assert competition.interval.high < 0.25
    assert 0 < competition.detectable_effect_frac < 0.05


def test_without_a_proposal_the_decision_says_why() -> None:
    record = record_of({})
    assert held(record).competition.decision == "Nothing wins: no variant was proposed."
    told = replace(record, blueprint=replace(record.blueprint, notes=("no index is worth it", "and so on")))
    competition = held(told).competition
    assert competition.decision == "Nothing wins: no variant was proposed: no index is worth it."
    assert competition.notes[0] == "and so on"


def test_a_canary_that_differs_voids_the_competition() -> None:
    record = record_of({"good": 0.2})
    shifted = measured({"canary": {"s": 1.5}, "good": {"s": 0.2}})
    record = replace(record, race=replace(record.race, samples=shifted), comparisons={})
    competition = held(record).competition
    assert (competition.void, competition.winner) == (True, None)
    assert competition.decision.startswith("The competition is void: two identical clones differ")


def test_a_canary_with_other_answers_voids_the_competition() -> None:
    record = record_of({"good": 0.2})
    wrong = {**record.equalities, "canary": (Equality("s", False, 1, "other rows"),)}
    competition = held(replace(record, equalities=wrong, comparisons={})).competition
    assert (competition.void, competition.winner) == (True, None)


def test_different_results_disqualify_the_fastest() -> None:
    record = record_of({"wrong": 0.01, "good": 0.5})
    equalities = {**record.equalities, "wrong": (Equality("s", False, 1, "other rows"),)}
    competition = held(replace(record, equalities=equalities, comparisons={})).competition
    assert competition.winner == "good"
    assert competition.arm("wrong").score is None
    assert [arm.name for arm in competition.arms] == ["control", "good", "wrong", "canary"]


def test_what_was_not_measured_is_said_with_the_verdict() -> None:
    record = record_of({"good": 0.2})
    lost = (replace(statement("lost"), calls=2.0), replace(statement("other"), calls=1.0))
    whole = replace(record.blueprint.workload, statements=(replace(statement("s"), calls=97.0), *lost))
    reasons = {"lost": "no values", "other": "no values"}
    part = replace(
        record,
        blueprint=replace(record.blueprint, workload=whole),
        seen=replace(record.seen, skipped=reasons),
        comparisons={},
    )
    competition = held(part).competition
    assert competition.decision.endswith("all gates passed. 3 % of the calls were not measured.")
    assert competition.notes[0] == "3 % of the calls were not measured: nothing is said about lost, other"
    assert "not measured" not in held(record).competition.decision


def test_too_little_time_is_said_with_the_time_that_would_do() -> None:
    record = record_of({"good": 0.2})
    rare = measured({"canary": {"s": 1.0, "rare": 1.0}, "good": {"s": 0.2, "rare": 0.2}}, rounds=2)
    race = replace(record.race, samples=rare, shortage=2.4)
    short = replace(record, race=race, statements=(*record.statements, statement("rare")), comparisons={})
    assert describe_shortage(short) == [
        "2 of 2 statements had fewer than 3 turns on each arm, too few for a verdict: s, rare; "
        "try --time-limit 240"
    ]
    assert describe_shortage(record) == []


def test_stopped_executions_are_named_with_what_is_known_of_them() -> None:
    record = record_of({"good": 0.2})
    for sample in list(record.race.samples):
        record.race.samples.add(replace(sample, round=99, timed_out=int(sample.arm == CONTROL.name)))
    stopped = replace(record.race, timeout_ms=500)
    known = replace(record.seen, cost_ms={CONTROL.name: {"s": 15_230.0}})
    assert describe_shortage(replace(record, race=stopped, seen=known, comparisons={})) == [
        "slow executions were stopped, from 0.5 s on, so that the race fits its time limit; such a time is a "
        "lower bound, on the control: s (15.2 s in full)"
    ]


def test_a_schedule_knows_the_time_it_wants() -> None:
    schedule = Schedule(
        [statement("a"), statement("b")], {"a": 10.0, "b": 400.0}, arms=3, round_ms=50, seed=1
    )
    assert schedule.wanted_ms() == 5 * 3 * 410.0


def test_a_manifest_gives_the_same_verdicts_again() -> None:
    finished = held(record_of({"good": 0.2, "same": 1.0}))
    document = json.loads(json.dumps(manifest(finished)))
    again = {comparison.arm: comparison for comparison in reanalyse(document)}
    for arm in ("good", "same", "canary"):
        before = finished.record.comparisons[arm]
        assert again[arm].verdict is before.verdict
        assert again[arm].interval.low == pytest.approx(before.interval.low, rel=1e-4)


def test_a_manifest_from_before_predictions_is_still_read() -> None:
    document = manifest(held(record_of({"good": 0.2})))
    older = {key: value for key, value in document.items() if key not in ("expected", "digest")}
    assert reanalyse({**older, "digest": digest_of(older)}) == reanalyse(document)


def test_a_manifest_that_was_changed_is_refused() -> None:
    document = manifest(held(record_of({"good": 0.2})))
    document["samples_ns"][0][3][0] += 1
    with pytest.raises(UsageError, match="was changed after it was written"):
        reanalyse(document)
