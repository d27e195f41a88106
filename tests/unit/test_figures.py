"""Numbers as people read them."""

import math

import pytest

from pgproof.frontends.report.figures import (
    change,
    change_interval,
    ms,
    percent,
    points,
    points_off,
    ratio_interval,
    size,
    times,
    yes_no,
)
from pgproof.model.units import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0.000 ms"),
        (0.1234, "0.123 ms"),
        (1.234, "1.23 ms"),
        (12.34, "12.3 ms"),
        (123.4, "123 ms"),
        (1234.0, "1.23 s"),
        (1_234_567.0, "1,234.57 s"),
    ],
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert ms(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1,023 B"),
        (2048, "2 kB"),
        (21_400 * 1024, "20.9 MB"),
        (-3 * 1024**2, "-3.0 MB"),
        (5 * 1024**3, "5.0 GB"),
        (7 * 1024**4, "7.0 TB"),
    ],
)
def test_bytes(value: int | None, text: str) -> None:
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.5, "0.50x"), (1.0, "1.00x"), (12.34, "12.3x"), (1234.0, "1,234x")]
)
def test_times_faster(value: float | None, text: str) -> None:
    assert times(value) == text


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (None, "-"),
        (Interval(0.1, math.inf), "-"),
        (Interval(0.00571, 0.00786), "0.571..0.786 %"),
        (Interval(0.9, 1.1), "90..110 %"),
    ],
)
def test_interval_of_a_ratio(interval: Interval | None, text: str) -> None:
    assert ratio_interval(interval) == text


def test_shares_points_and_answers() -> None:
    assert [percent(0.123), percent(1.0, 0), percent(None)] == ["12.3 %", "100 %", "-"]
    assert [points(83.94), points(None)] == ["83.9", "-"]
    assert [yes_no(True), yes_no(False), yes_no(None)] == ["yes", "NO", "-"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (-0.654, "-65 %"),
        (0.123, "+12 %"),
        (-0.004, "0 %"),
        (0.0, "0 %"),
        (-0.9961, "-99.6 %"),
        (-0.99999, "-99.9 %"),
        (-1.0, "-100 %"),
        (31.2, "+3,120 %"),
    ],
)
def test_a_change_has_its_sign_and_what_is_left_is_not_nothing(value: float | None, text: str) -> None:
    assert change(value) == text


def test_the_interval_of_a_change() -> None:
    assert change_interval(Interval(-0.55, 0.1)) == "-55 to +10 %"
    assert [change_interval(one) for one in (None, Interval(-1.0, math.inf))] == ["-", "-"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0 points"), (0.0101, "1 point"), (0.174, "17 points"), (15.0, "1,500 points")],
)
def test_how_far_shares_are_apart(value: float | None, text: str) -> None:
    assert points_off(value) == text
