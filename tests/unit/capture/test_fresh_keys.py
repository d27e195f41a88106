"""Keys for new rows, made after the largest one there is."""

import pytest

from pgproof.stages.capture.fresh_keys import days_after, numbers_after


@pytest.mark.parametrize(
    ("top", "made"),
    [
        ("0", ["1", "2"]),
        ("41", ["42", "43"]),
        ("10.5", ["11", "12"]),
        ("1234567890123456789", ["1234567890123456790", "1234567890123456791"]),
        ("99999999999999999999999999", ["100000000000000000000000000", "100000000000000000000000001"]),
    ],
)
def test_numbers_go_on_exactly_however_large(top: str, made: list[str]) -> None:
    number = numbers_after(top)
    assert number is not None
    assert [number(i, None) for i in range(2)] == made


@pytest.mark.parametrize("top", [None, "NaN", "Infinity", "$12.00"])
def test_behind_some_numbers_there_is_none(top: str | None) -> None:
    assert numbers_after(top) is None


def test_days_go_on_and_stay_within_the_calendar() -> None:
    day = days_after("2026-12-31")
    assert day is not None
    assert [day(i, None) for i in range(2)] == ["2027-01-01", "2027-01-02"]
    last = days_after("9999-12-30")
    assert last is not None
    assert {last(i, None) for i in range(1000)} == {"9999-12-31"}


@pytest.mark.parametrize("top", [None, "9999-12-31", "infinity", "0044-03-15 BC", "20.11.2026"])
def test_behind_some_days_there_is_none(top: str | None) -> None:
    assert days_after(top) is None
