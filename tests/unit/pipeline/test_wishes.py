"""Wishes that no set of indexes could fulfil are refused, each with its recipe."""

import pytest

from pgproof.errors import UsageError
from pgproof.model.candidate import IndexBudget
from pgproof.pipeline.wishes import Wishes, demand_sense

NO_LIMIT = "Leave it out for no limit."


def contradiction(zero: str, other: str) -> tuple[str, str]:
    return (
        f"The limits contradict each other. {zero} is zero, which admits no index at all; {other} is not.",
        "Leave out the limit that is zero, or the others.",
    )


@pytest.mark.parametrize(
    ("wishes", "message", "hint"),
    [
        (Wishes(IndexBudget(-1)), "The size budget can't be less than zero.", NO_LIMIT),
        (Wishes(IndexBudget(count=-1)), "The number of indexes can't be less than zero.", NO_LIMIT),
        (Wishes(IndexBudget(build_s=-0.5)), "The build time can't be less than zero.", NO_LIMIT),
        (Wishes(IndexBudget(write_frac=-0.1)), "The write overhead can't be less than zero.", NO_LIMIT),
        (
            Wishes(IndexBudget(write_frac=float("nan"))),
            "The write overhead can't be less than zero.",
            NO_LIMIT,
        ),
        (Wishes(time_limit_s=-1), "The time limit can't be less than zero.", NO_LIMIT),
        (
            Wishes(time_limit_s=0),
            "A time limit of zero leaves no time to look.",
            "Give at least a second.",
        ),
        (Wishes(IndexBudget(0, count=3)), *contradiction("The size budget", "the number of indexes")),
        (Wishes(IndexBudget(10**9, count=0)), *contradiction("The number of indexes", "the size budget")),
        (Wishes(IndexBudget(count=5, build_s=0)), *contradiction("The build time", "the number of indexes")),
    ],
)
def test_what_makes_no_sense_is_refused(wishes: Wishes, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        demand_sense(wishes)
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "budget",
    [
        None,
        IndexBudget(),
        IndexBudget(0),
        IndexBudget(0, count=0, build_s=0),
        IndexBudget(10**9, count=3, build_s=60, write_frac=0),  # indexes that no write touches
        IndexBudget(0, write_frac=0.5),
    ],
)
def test_what_can_be_kept_is_let_through(budget: IndexBudget | None) -> None:
    demand_sense(Wishes(budget))
