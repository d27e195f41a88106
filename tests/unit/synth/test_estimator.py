"""As many values are made as ANALYZE has to find for its estimate."""

import pytest

from pgproof.stages.synth.estimator import values_for_estimate


def test_without_frequent_values_the_estimate_is_right() -> None:
    assert values_for_estimate(20_000, 600_000, 0, 0.0) == pytest.approx(20_000, rel=0.02)
    assert values_for_estimate(200, 600_000, 0, 0.0) == 200


def test_beside_frequent_values_more_are_needed() -> None:
    found = values_for_estimate(35_000, 60_000, 100, 0.2)
    assert 38_000 < found <= 48_100


def test_no_more_than_there_are_rows() -> None:
    assert values_for_estimate(5_000_000, 10_000_000, 100, 0.5) <= 5_000_100


def test_small_tables_are_counted_whole() -> None:
    assert values_for_estimate(700, 20_000, 10, 0.9) == 700
