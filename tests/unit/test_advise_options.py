"""Sizes, times and shares as people write them behind the options of ``pgproof advise``."""

import pytest

from pgproof.errors import UsageError
from pgproof.frontends.cli.advise_options import read_budget
from pgproof.frontends.cli.options import parse_seconds
from pgproof.model.candidate import IndexBudget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("1.5 min", 90),
        ("2m", 120),
        (" 1h ", 3600),
        ("250ms", 0.25),
        ("10MIN", 600),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 day", "1e9", "nan", "inf", "1h30m", "10 %"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_seconds(text)
    assert str(caught.value) == f"{text!r} is not a time."
    assert caught.value.hint == "Write a number and a unit: 90s, 10min, 1h."


def test_no_option_is_no_limit() -> None:
    assert read_budget(None, None, None, None) is None


def test_zero_is_a_limit() -> None:
    assert read_budget("0", None, None, None) == IndexBudget(size_bytes=0)
    assert read_budget(None, 0, None, None) == IndexBudget(count=0)
    assert read_budget(None, None, "0", None) == IndexBudget(build_s=0)
    assert read_budget(None, None, None, 0) == IndexBudget(write_frac=0)


def test_all_limits_together() -> None:
    assert read_budget("1MB", 3, "10min", 5) == IndexBudget(1024**2, 3, 600.0, 0.05)


@pytest.mark.parametrize(
    ("size", "build", "message"),
    [("much", None, "'much' is not a size."), (None, "soon", "'soon' is not a time.")],
)
def test_what_cannot_be_read_is_named(size: str | None, build: str | None, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_budget(size, None, build, None)
    assert str(caught.value) == message
