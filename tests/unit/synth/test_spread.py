"""Spreads give values their shares; allotments give them whole rows."""

import numpy as np
import pytest

from pgproof.stages.synth.ladder import Rungs
from pgproof.stages.synth.layout import fill_gaps, spread_rows
from pgproof.stages.synth.spread import even_spread, spread_of


def test_every_value_gets_its_share() -> None:
    spread = spread_of([0, 1, 11], [1, 10, 1], [0.5, 0.4, 0.1])
    at = (np.arange(100_000) + 0.5) / 100_000
    counts = np.bincount(spread.codes(at), minlength=12) / 100_000
    assert counts == pytest.approx([0.5, *[0.04] * 10, 0.1], abs=1e-4)
    assert spread.values == 12
    assert spread.largest_frac == 0.5
    assert spread.squared_fracs == pytest.approx(0.25 + 10 * 0.04**2 + 0.01)


def test_intervals_are_where_the_codes_are() -> None:
    spread = spread_of([0, 3, 10], [3, 7, 2], [1, 5, 2])
    codes = np.arange(12, dtype=np.int64)
    begins, ends = spread.intervals(codes)
    assert np.array_equal(spread.codes((begins + ends) / 2), codes)
    assert begins[1:] == pytest.approx(ends[:-1])


@pytest.mark.parametrize("rows", (12, 100, 101, 999))
def test_an_allotment_counts_its_groups_exactly(rows: int) -> None:
    allotment = spread_of([0, 1, 11], [1, 10, 1], [0.3, 0.6, 0.1]).allotted(rows)
    codes, place, size = allotment.groups(np.arange(rows, dtype=np.int64))
    assert np.all(np.diff(codes) >= 0)
    for code in set(codes.tolist()):
        here = codes == code
        assert place[here].tolist() == list(range(int(here.sum())))
        assert set(size[here].tolist()) == {int(here.sum())}


def test_a_cap_moves_what_is_too_much_to_the_others() -> None:
    capped = spread_of([0, 1], [1, 9], [0.9, 0.1]).capped(0.2)
    assert capped.largest_frac == pytest.approx(0.2)
    assert capped.values == 10
    assert capped.edges[-1] == pytest.approx(1.0)


def test_a_cap_that_cannot_be_held_makes_all_equal() -> None:
    assert spread_of([0, 1], [1, 3], [0.9, 0.1]).capped(0.1).largest_frac == pytest.approx(0.25)


def test_gaps_hold_what_they_can_and_the_rest_goes_elsewhere() -> None:
    gaps = fill_gaps(10, np.array([2, 100, 0]), np.array([1.0, 1.0, 1.0]))
    assert gaps.tolist() == [2, 8, 0]
    assert fill_gaps(10, np.array([2, 1, 0]), np.ones(3)).sum() == 3
    assert fill_gaps(10, np.array([2, 1, 0]), np.ones(3), endless=True).tolist() == [2, 1, 7]


def test_rows_follow_frequent_values_and_histogram() -> None:
    # Known values 0, 10, 20, 30, each with nine made-up ones behind it; 10 is frequent, the rest a histogram.
    rungs = Rungs(np.array([9, 9, 9, 0]))
    spread = spread_rows(rungs, {1: 0.4}, [(0, 2), (2, 3)], frac_of_frequent=0.4, behind=31)
    at = (np.arange(10_000) + 0.5) / 10_000
    counts = np.bincount(spread.codes(at), minlength=31) / 10_000
    assert counts[10] == pytest.approx(0.4, abs=1e-3)
    assert counts[:20].sum() - counts[10] == pytest.approx(0.3, abs=1e-3)
    assert counts[20:].sum() == pytest.approx(0.3, abs=1e-3)


def test_an_even_spread_has_a_value_at_least() -> None:
    assert even_spread(0).values == 1
