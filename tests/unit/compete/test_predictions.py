"""Predicted beside measured: shares, totals, and what can't be compared, on made-up samples."""

import json

import numpy as np
import pytest

from pgproof.ledger.codec import from_json, to_json
from pgproof.model.prediction import Exactness, Predictions, StatementPrediction
from pgproof.model.query import Query, StatementKind
from pgproof.model.trial import ArmResult, ArmRole
from pgproof.model.units import Interval
from pgproof.model.variant import CONTROL, ExpectedStatement, Variant
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.comparison import Rules, compare_arms
from pgproof.stages.compete.predictions import compare_predictions
from pgproof.stages.compete.samples import Sample, Samples

ROUNDS = 12
ALPHA = 0.05


def statement(name: str, calls: float = 1.0) -> WorkloadStatement:
    return WorkloadStatement(name, Query("0" * 16, "SELECT 1", StatementKind.SELECT, True), calls)


def expecting(**costs: float) -> Variant:
    return Variant("v", "", (), expected=tuple(ExpectedStatement(*pair) for pair in costs.items()))


def measured(**times_ms: tuple[float, float]) -> Samples:
    """Samples of statements: time on the control, time on the arm v."""
    samples = Samples()
    for name, pair in times_ms.items():
        for arm, wall in zip((CONTROL.name, "v"), pair, strict=True):
            for number in range(ROUNDS):
                drift = 1.0 + number / 100  # of the machine: both arms alike
                samples.add(Sample(arm, name, number, (wall * drift,)))
    return samples


def compared(
    samples: Samples, variant: Variant, *statements: WorkloadStatement
) -> tuple[Predictions, dict[str, StatementPrediction]]:
    found = compare_predictions(samples, statements, variant, ALPHA)
    assert found is not None
    return found, {row.statement: row for row in found.statements}


def test_each_statement_has_both_figures_heaviest_first() -> None:
    samples = measured(rare=(10, 1), often=(10, 5), same=(1, 1))
    variant = expecting(rare=0.05, often=0.4, same=1.0)
    found, rows = compared(samples, variant, statement("rare"), statement("often", 8), statement("same", 10))
    assert list(rows) == ["often", "rare", "same"]
    assert rows["often"].weight_frac == pytest.approx(0.8)
    assert rows["often"].cost_change_frac == pytest.approx(-0.6)
    assert rows["often"].time_change_frac == pytest.approx(-0.5)
    assert rows["rare"].error_frac == pytest.approx(0.05)
    assert (found.compared, found.worst) == (3, "often")
    assert rows["often"].interval == Interval(pytest.approx(-0.5), pytest.approx(-0.5), 0.95)
    assert found.median_error_frac == pytest.approx(0.05)


def test_noise_is_not_called_a_wrong_prediction() -> None:
    samples, rng = measured(clear=(10, 5)), np.random.default_rng(1)
    for number in range(ROUNDS):
        for arm, times in ((CONTROL.name, 1.0), ("v", 1.5)):
            samples.add(Sample(arm, "noisy", number, (float(times * np.exp(rng.normal(0, 1.5))),)))
    variant = expecting(clear=0.4, noisy=1.0)
    found, rows = compared(samples, variant, statement("clear"), statement("noisy"))
    assert (rows["noisy"].is_off, rows["clear"].is_off) == (False, True)
    assert rows["noisy"].error_frac > rows["clear"].error_frac
    assert found.worst == "clear"
    found, _ = compared(samples, variant, statement("noisy"))
    assert (found.compared, found.worst) == (1, "")


def test_totals_weigh_by_time_and_agree_with_the_verdict() -> None:
    samples = measured(a=(30, 3), b=(10, 12))
    statements = [statement("a", 2), statement("b", 4)]
    found, _ = compared(samples, expecting(a=0.2, b=1.0), *statements)
    assert found.cost_change_frac == pytest.approx(0.6 * -0.8)
    verdict = compare_arms(
        samples, statements, "v", CONTROL.name, rounds=ROUNDS, rules=Rules(0.05, 10, 0.95), blocks={}
    )
    assert found.time_change_frac == pytest.approx(verdict.ratio - 1)


def test_a_statement_that_nobody_priced_counts_in_no_total() -> None:
    samples = measured(priced=(10, 5), other=(90, 9))
    found, rows = compared(samples, expecting(priced=0.5), statement("priced"), statement("other"))
    assert list(rows) == ["other", "priced"]
    assert (rows["other"].cost_change_frac, rows["other"].error_frac) == (None, None)
    assert rows["other"].time_change_frac == pytest.approx(-0.9)
    assert found.compared == 1
    assert found.time_change_frac == pytest.approx(-0.5)


def test_a_statement_without_a_pair_comes_last_and_one_outside_the_race_not_at_all() -> None:
    samples = measured(one=(10, 5))
    samples.add(Sample(CONTROL.name, "failed", 0, (), errors=1))
    samples.add(Sample("v", "failed", 0, (500.0,)))
    variant = expecting(failed=0.1, one=0.5, gone=0.1)
    found, rows = compared(samples, variant, statement("failed"), statement("one"))
    assert list(rows) == ["one", "failed"]
    assert rows["failed"] == StatementPrediction("failed", None, pytest.approx(-0.9), None)
    assert (rows["one"].weight_frac, found.compared) == (1.0, 1)


@pytest.mark.parametrize(
    ("stopped", "exactness", "change"),
    [
        (("v",), Exactness.AT_LEAST, -0.5),
        ((CONTROL.name,), Exactness.AT_MOST, -0.5),
        ((CONTROL.name, "v"), Exactness.EXACT, None),
    ],
)
def test_a_stopped_execution_only_bounds_the_change(
    stopped: tuple[str, ...], exactness: Exactness, change: float | None
) -> None:
    samples = measured(slow=(100, 50), fast=(1, 1))
    for arm in stopped:
        wall = 100.0 if arm == CONTROL.name else 50.0
        samples.add(Sample(arm, "slow", 0, (wall,), timed_out=1))
    found, rows = compared(samples, expecting(slow=0.1, fast=0.9), statement("slow"), statement("fast"))
    assert rows["slow"].time_change_frac == (change if change is None else pytest.approx(change))
    assert (rows["slow"].exactness, rows["slow"].error_frac) == (exactness, None)
    assert (found.compared, found.worst) == (1, "fast")
    assert found.cost_change_frac == pytest.approx(-0.1)


def test_nothing_predicted_and_nothing_compared_are_two_things() -> None:
    assert compare_predictions(measured(s=(1, 1)), [statement("s")], Variant("v", "", ()), ALPHA) is None
    found = compare_predictions(Samples(), [statement("s")], expecting(s=0.5), ALPHA)
    assert found == Predictions((StatementPrediction("s", None, -0.5, None),), compared=0)


def test_an_arm_of_an_older_ledger_has_none_and_a_new_one_keeps_them() -> None:
    found = compare_predictions(measured(s=(10, 5)), [statement("s")], expecting(s=0.4), ALPHA)
    arm = ArmResult("v", ArmRole.VARIANT, "", predictions=found)
    assert from_json(ArmResult, to_json(arm)) == arm
    older = {key: value for key, value in json.loads(to_json(arm)).items() if key != "predictions"}
    assert from_json(ArmResult, older).predictions is None
    assert from_json(Variant, {"name": "v", "title": "", "changes": []}).expected == ()
