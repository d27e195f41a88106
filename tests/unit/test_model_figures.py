"""Numbers in messages: percent everywhere, bytes as PostgreSQL counts them, no figure that says nothing."""

import math

import pytest

from pgproof.model.figures import percent, ratio, size, span
from pgproof.model.units import Interval


@pytest.mark.parametrize(
    ("frac", "digits", "text"),
    [
        (0.0, 0, "0 %"),
        (0.004, 0, "< 1 %"),
        (0.01, 0, "1 %"),
        (0.0004, 1, "< 0.1 %"),
        (0.454, 1, "45.4 %"),
        (-0.03, 0, "-3 %"),
        (-0.0001, 1, "0.0 %"),
        (12.5, 0, "1,250 %"),
    ],
)
def test_a_share_too_small_to_show_is_not_nothing(frac: float, digits: int, text: str) -> None:
    assert percent(frac, digits) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.174, "17 %"), (1.5, "150 %"), (0.0941, "9.4 %"), (0.0002, "< 0.1 %")]
)
def test_a_ratio(value: float, text: str) -> None:
    assert ratio(value) == text


def test_an_interval_of_a_ratio() -> None:
    assert span(Interval(0.12, 0.264)) == "12 to 26 %"
    assert span(Interval(0.0, math.inf)) == "0.0 % or more"


def test_a_megabyte_is_1024_kilobytes() -> None:
    assert [size(512 * 1024**2), size(1_000_000), size(-(2**21))] == ["512 MB", "977 kB", "-2.0 MB"]
