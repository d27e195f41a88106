"""The statistics of the race: what is claimed of the intervals must hold on simulated noise."""

import math

import numpy as np
import pytest

from pgproof.model.trial import Verdict
from pgproof.model.units import Interval
from pgproof.stages.compete.bootstrap import draw_quantiles, quantile_interval
from pgproof.stages.compete.comparison import make_rules
from pgproof.stages.compete.intervals import (
    Stratum,
    anytime_radius,
    estimate_ratio,
    judge,
    variance_of_mean,
    winsorise,
)

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
LOOKS = range(10, 61, 10)


def simulate(seed: int, arms: int, effect: float = 1.0) -> Floats:
    """Times of arms in 60 rounds, shape (arms, rounds): a shared drift, heavy-tailed noise of each arm.

    Arm 1 takes ``effect`` times as long as the others. Noise and drift are those measured on a shared
    machine: 15 % per execution, drift with a correlation of 0.95 from round to round.
    """
    rng = np.random.default_rng(seed)
    rounds = 60
    drift = np.zeros(rounds)
    for i in range(1, rounds):
        drift[i] = 0.95 * drift[i - 1] + rng.normal(0, 0.1)
    noise = rng.standard_t(4, (arms, rounds)) * 0.15 / math.sqrt(2)
    times: Floats = np.exp(drift + noise)
    times[1] *= effect
    return times


def false_winner(seed: int) -> bool:
    """Whether any of four identical variants, or the canary, is ever called better than the control."""
    times = simulate(seed, arms=6)
    alpha = make_rules(0.95, variants=4, min_rounds=10).alpha
    return any(
        judge(estimate_ratio([Stratum(1.0, times[arm, :n], times[0, :n])], alpha).interval) is Verdict.BETTER
        for n in LOOKS
        for arm in range(1, 6)
    )


def test_identical_arms_hardly_ever_win() -> None:
    wrong = sum(false_winner(seed) for seed in range(200))
    assert wrong <= 10  # 5 % of 200


def test_averaging_blocks_one_after_another_would_fail_the_same_test() -> None:
    # guards the simulation: on this drift, the naive way must go wrong often, or the test above proves
    # nothing
    wrong = 0
    for seed in range(200):
        times = simulate(seed, arms=2)
        wrong += times[0, :30].mean() / times[1, 30:].mean() > 1.1
    assert wrong > 40


def test_a_real_effect_of_a_fifth_is_found() -> None:
    found = 0
    for seed in range(50):
        times = simulate(seed, arms=2, effect=0.8)
        alpha = make_rules(0.95, variants=4, min_rounds=10).alpha
        estimate = estimate_ratio([Stratum(1.0, times[1], times[0])], alpha)
        found += judge(estimate.interval) is Verdict.BETTER
        assert 0.6 < estimate.ratio < 1.0
    assert found >= 45


def test_interval_covers_the_truth_at_every_look() -> None:
    missed = 0
    for seed in range(200):
        times = simulate(seed, arms=2, effect=0.5)
        missed += any(
            estimate_ratio([Stratum(1.0, times[1, :n], times[0, :n])], 0.05).interval.excludes(0.5)
            for n in LOOKS
        )
    assert missed <= 14  # 5 % of 200, plus two standard errors


def test_slow_statements_may_be_measured_less_often_without_tilting_the_ratio() -> None:
    rng = np.random.default_rng(7)
    fast = np.exp(rng.normal(0, 0.05, 60))
    slow = 100 * np.exp(rng.normal(0, 0.05, 5))
    estimate = estimate_ratio(
        [
            Stratum(1.0, fast, fast * np.exp(rng.normal(0, 0.02, 60))),
            Stratum(1.0, 0.1 * slow, slow * np.exp(rng.normal(0, 0.02, 5))),
        ],
        0.05,
    )
    assert estimate.pairs == 5
    assert not estimate.interval.excludes((1 + 10) / (1 + 100))


def test_calls_weigh_statements() -> None:
    ones = np.ones(20)
    strata = [Stratum(9.0, 0.5 * ones, ones), Stratum(1.0, 2.0 * ones, ones)]
    assert estimate_ratio(strata, 0.05).ratio == pytest.approx((9 * 0.5 + 2) / 10)


@pytest.mark.parametrize("pairs", [1, 2])
def test_too_few_pairs_say_nothing(pairs: int) -> None:
    values = np.ones(pairs)
    assert estimate_ratio([Stratum(1.0, values, values)], 0.05).interval == Interval(0.0, math.inf, 0.95)


def test_no_statement_says_nothing() -> None:
    estimate = estimate_ratio([], 0.05)
    assert (estimate.ratio, estimate.pairs, judge(estimate.interval)) == (1.0, 0, Verdict.INCONCLUSIVE)


def test_radius_shrinks_with_rounds_and_grows_with_confidence() -> None:
    radii = [anytime_radius(1.0 / math.sqrt(n), n - 1, 0.05) for n in (10, 30, 100, 1000)]
    assert radii == sorted(radii, reverse=True)
    assert anytime_radius(1.0, 29, 0.01) > anytime_radius(1.0, 29, 0.05)
    # wider than the interval of somebody who looks only once: Student's t at 29 degrees of freedom is 2.045
    assert anytime_radius(1.0, 29, 0.05) > 2.045


def test_five_pairs_suffice_for_a_large_effect_of_a_slow_statement() -> None:
    control = np.array([3000.0, 3150.0, 2900.0, 3050.0, 3010.0])
    arm = np.array([30.0, 33.0, 29.0, 31.0, 30.0])
    alpha = make_rules(0.95, variants=3, min_rounds=10).alpha
    assert judge(estimate_ratio([Stratum(1.0, arm, control)], alpha).interval) is Verdict.BETTER


def test_radius_without_freedom_is_unbounded() -> None:
    assert math.isinf(anytime_radius(1.0, 0, 0.05))
    assert math.isinf(anytime_radius(1.0, 1, 0.001))


def test_winsorising_pulls_in_outliers_only() -> None:
    values = np.array([1.0, 1.05, 0.95, 1.04, 0.96, 1.03, 0.97, 1.02, 0.98, 1.0, 50.0])
    pulled = winsorise(values)
    assert pulled[-1] < 1.5
    assert (pulled[:-1] == values[:-1]).all()
    few = np.array([1.0, 1.0, 50.0])
    assert (winsorise(few) == few).all()


def test_alike_neighbours_widen_the_interval() -> None:
    trending = np.repeat([0.0, 1.0, 0.0, 1.0], 10)
    assert variance_of_mean(trending) > 5 * trending.var(ddof=1) / trending.size


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.5, 0.9, Verdict.BETTER),
        (0.5, 0.98, Verdict.INCONCLUSIVE),  # excludes 1, but not by a margin anybody would notice
        (0.98, 1.02, Verdict.SAME),
        (0.96, 1.0, Verdict.INCONCLUSIVE),
        (0.9, 1.2, Verdict.INCONCLUSIVE),
        (1.1, 1.2, Verdict.WORSE),
    ],
)
def test_verdicts(low: float, high: float, verdict: Verdict) -> None:
    assert judge(Interval(low, high)) is verdict


def test_alpha_is_shared_among_all_pairs() -> None:
    # three variants: three against the control, three among each other, one canary
    assert make_rules(0.95, variants=3, min_rounds=10).alpha == pytest.approx(0.05 / 7)


def test_bootstrap_covers_a_p95_in_spite_of_drift_between_turns() -> None:
    truth = math.exp(1.6448536 * math.sqrt(0.3**2 + 0.1**2))
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        turns = [np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.3, 60)) for _ in range(12)]
        interval = quantile_interval(draw_quantiles(turns, 0.95, seed, draws=80), 0.95)
        covered += not interval.excludes(truth)
    assert covered >= 34


def test_bootstrap_draws_repeat_with_their_seed() -> None:
    turns = [np.arange(1.0, 50.0), np.arange(2.0, 60.0)]
    assert (draw_quantiles(turns, 0.95, 3, 10) == draw_quantiles(turns, 0.95, 3, 10)).all()
