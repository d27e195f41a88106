"""Chance is a function of the row's number, and a shuffle is one."""

import numpy as np
import pytest

from pgproof.stages.synth.chance import ordered, permuted, seed_of, uniform

SIZES = (1, 2, 3, 10, 97, 1023, 1024, 5_000, 65_537)


@pytest.mark.parametrize("size", SIZES)
def test_a_shuffle_meets_every_number_once(size: int) -> None:
    shuffled = permuted(np.arange(size, dtype=np.int64), size, seed=7)
    assert sorted(shuffled.tolist()) == list(range(size))


def test_a_shuffle_does_not_depend_on_how_it_is_cut() -> None:
    rows = np.arange(10_000, dtype=np.int64)
    whole = ordered(rows, 10_000, 0.4, 3)
    pieces = [ordered(rows[start : start + 1_234], 10_000, 0.4, 3) for start in range(0, 10_000, 1_234)]
    assert np.array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize("correlation", (-1.0, -0.7, -0.2, 0.0, 0.3, 0.5, 0.9, 1.0))
def test_order_correlates_as_wanted(correlation: float) -> None:
    rows = np.arange(50_000, dtype=np.int64)
    found = ordered(rows, 50_000, correlation, seed=11)
    assert sorted(found.tolist()) == rows.tolist()
    assert np.corrcoef(rows, found)[0, 1] == pytest.approx(correlation, abs=0.03)


def test_uniform_numbers_are_uniform_and_differ_by_seed() -> None:
    rows = np.arange(100_000, dtype=np.int64)
    drawn = uniform(rows, seed_of(1, "table", "column"))
    counts = np.histogram(drawn, bins=50, range=(0, 1))[0]
    chi_square = float(((counts - 2_000) ** 2 / 2_000).sum())
    assert chi_square < 90  # 49 degrees of freedom: 85.4 is met once in a thousand, and the seed is fixed
    other = uniform(rows, seed_of(2, "table", "column"))
    assert abs(float(np.corrcoef(drawn, other)[0, 1])) < 0.02
