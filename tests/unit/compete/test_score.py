"""Points, winners and the sentence that explains them."""

import numpy as np
import pytest

from pgproof.model.blueprint import Weights
from pgproof.model.change import CreateExtension, CreateIndex, DropIndex, LockMode, Step
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.trial import Comparison, Verdict
from pgproof.model.units import Interval
from pgproof.model.variant import Variant
from pgproof.stages.compete.score import (
    Entry,
    choose_winner,
    explain_decision,
    p95_points,
    rate_simplicity,
    score_entries,
)

TABLE = RelationName("public", "t")
STEP = Step("SELECT 1", LockMode.NONE, True, "nothing")


def entry(
    name: str,
    ratio: float,
    verdict: Verdict = Verdict.BETTER,
    simplicity: float = 70.0,
    passed: bool = True,
    noise: float = 0.01,
) -> Entry:
    interval = Interval(ratio * 0.9, ratio * 1.1)
    draws = ratio * np.exp(np.random.default_rng([len(name), *name.encode()]).normal(0, noise, 400))
    comparison = Comparison(name, "control", ratio, interval, verdict, 30)
    return Entry(name, passed, comparison, ratio, draws, simplicity)


def decide(*entries: Entry, weights: Weights | None = None) -> str | None:
    return choose_winner(entries, score_entries(entries, weights or Weights()))


def test_the_fastest_wins_among_equally_simple_ones() -> None:
    assert decide(entry("a", 0.5), entry("b", 0.1)) == "b"


def test_a_failed_gate_can_not_win_however_fast() -> None:
    entries = (entry("fast", 0.001, passed=False), entry("slow", 0.9))
    assert decide(*entries) == "slow"
    assert "fast" not in score_entries(entries, Weights())


def test_simplicity_can_outweigh_a_small_lead() -> None:
    assert decide(entry("many", 0.10, simplicity=20), entry("one", 0.12, simplicity=80)) == "one"
    assert decide(entry("many", 0.10, simplicity=20), entry("one", 0.50, simplicity=80)) == "many"


def test_what_can_not_be_told_apart_ties_and_the_simpler_one_wins() -> None:
    noisy = (entry("a", 0.50, simplicity=60, noise=0.3), entry("b", 0.55, simplicity=61, noise=0.3))
    scores = score_entries(noisy, Weights())
    assert scores["a"].p95 == scores["b"].p95 == 100.0
    assert choose_winner(noisy, scores) == "b"


@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.INCONCLUSIVE, Verdict.WORSE])
def test_nobody_wins_who_is_not_better_than_the_control(verdict: Verdict) -> None:
    assert decide(entry("a", 0.9, verdict)) is None


def test_p95_points_are_in_proportion() -> None:
    sharp = [np.full(10, 10.0), np.full(10, 20.0)]
    assert p95_points([10.0, 20.0], sharp) == [100.0, 50.0]
    assert p95_points([10.0, 20.0], [np.zeros(0), np.zeros(0)]) == [100.0, 50.0]


def test_wins_are_shares_of_all_draws() -> None:
    scores = score_entries((entry("a", 0.5, noise=0.2), entry("b", 0.5, noise=0.2)), Weights())
    assert scores["a"].wins_frac + scores["b"].wins_frac == pytest.approx(1.0)
    assert 0.1 < scores["a"].wins_frac < 0.9


def test_total_weighs_the_parts() -> None:
    (score,) = score_entries((entry("a", 0.5, simplicity=40),), Weights(50, 30, 20)).values()
    assert score.total == pytest.approx(0.5 * 100 + 0.3 * 100 + 0.2 * 40)


def test_simplicity_of_nothing_is_full() -> None:
    assert rate_simplicity(Variant("v", "", ()), (), 0, 1000) == 100.0


def test_simplicity_counts_what_must_be_looked_after() -> None:
    plain = CreateIndex(TABLE, "i", (IndexKey("a"),))
    partial = CreateIndex(TABLE, "i", (IndexKey("a"),), where="a > 0")
    drop = DropIndex(RelationName("public", "j"), TABLE, "CREATE INDEX j ON t (a)")

    def points(*changes: CreateIndex | DropIndex | CreateExtension, grown: int = 0) -> float:
        return rate_simplicity(Variant("v", "", changes), (STEP,) * len(changes), grown, 1000)

    assert points(plain) == pytest.approx(100 * 10 / 13)
    assert points(plain, grown=100) == pytest.approx(100 * 10 / 14)
    assert points(partial) < points(plain)
    assert points(plain, drop) > points(plain)
    assert points(CreateExtension("pg_trgm"), plain) < points(plain, plain)
    assert points(drop, grown=-500) == 100.0


def test_decisions_in_words() -> None:
    fast, slow = entry("a", 0.5), entry("b", 1.0, Verdict.INCONCLUSIVE)
    same = entry("c", 1.0, Verdict.SAME)
    failed = entry("d", 0.1, passed=False)

    def words(*entries: Entry, void: str = "") -> str:
        scores = score_entries(entries, Weights())
        return explain_decision(entries, scores, choose_winner(entries, scores), void)

    assert words(fast, slow) == (
        "a wins: the workload takes 50 % of the control's time (between 45 % and 55 %), all gates passed."
    )
    assert words(entry("a", 0.5, noise=0.3), entry("bb", 0.5, noise=0.3, simplicity=69)).endswith(
        "all gates passed; bb is as good within the noise (93.8 points against 94.0, "
        "first in 47 % of the draws against 53 %)."
    )
    sharp = (entry("a", 0.5, noise=1e-4), entry("bb", 0.49, noise=1e-4, simplicity=66))
    assert words(*sharp).endswith(
        "all gates passed; bb is close behind (93.2 points against 93.4, first in 0 % of the draws against "
        "100 %); bb took even less time but scored fewer points in all."
    )
    assert words(same) == "Nothing is better than what you have."
    assert words(slow).startswith("Undecided: no variant was shown to be faster")
    assert words(failed) == "Nothing wins: d is faster than what you have, but failed a gate."
    assert words() == "Nothing wins: no variant could be applied."
    assert (
        words(fast, void="two identical clones differ")
        == "The competition is void: two identical clones differ."
    )
