"""When the benchmark believes that a statement got slower, and which sets it can build side by side."""

import pytest

from bench._contenders import Choice
from bench._real_sets import Compared, Times, _batches
from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateExtension, CreateIndex
from pgproof.model.relation import IndexKey, RelationName


def times(*rounds: float) -> Times:
    return Times({"q": rounds}, frozenset())


@pytest.mark.parametrize(
    ("before", "after", "slower"),
    [
        ((1.0, 1.0, 1.0), (1.5, 1.6, 1.4), {"q": 1.5}),
        ((1.0, 1.0, 1.0), (1.1, 1.1, 1.1), {}),  # within what may be lost
        ((1.0, 1.6, 1.0), (1.5, 1.5, 1.5), {}),  # as slow as that without the set, once
        ((0.01, 0.01, 0.01), (0.02, 0.02, 0.02), {}),  # too little to be believed
        ((1.0, 1.0, 1.0), (0.1, 0.1, 0.1), {}),
    ],
)
def test_slower_is_more_than_noise(
    before: tuple[float, ...], after: tuple[float, ...], slower: dict[str, float]
) -> None:
    assert Compared(times(*before), times(*after)).slower() == slower


def test_total_is_the_sum_of_medians() -> None:
    both = Times({"a": (1.0, 9.0, 2.0), "b": (3.0, 3.0, 4.0)}, frozenset())
    assert both.total_s() == 5.0
    assert both.total_s({"b"}) == 2.0


def test_what_was_stopped_on_both_sides_is_unknown_and_not_equal() -> None:
    without = Times({"a": (60.0,), "b": (60.0,), "c": (3.0,)}, frozenset("ab"))
    found = Compared(without, Times({"a": (60.0,), "b": (1.0,), "c": (60.0,)}, frozenset("ac")))
    assert found.unknown == {"a"}
    assert (found.before_s, found.after_s) == (63.0, 61.0)
    assert found.slower() == {"c": 20.0}
    assert found.suspects() == set(), "what was stopped is not run again"


def test_who_looks_slower_is_run_more_often() -> None:
    assert Compared(times(1.0, 1.0), times(1.1, 1.1)).suspects() == {"q"}
    assert Compared(times(1.0, 1.0), times(1.04, 1.04)).suspects() == set()


def candidate(name: str, *, analyze: bool = False, extension: str = "") -> IndexCandidate:
    change = CreateIndex(RelationName("public", "t"), name, (IndexKey("a"),))
    requires = (CreateExtension(extension),) if extension else ()
    return IndexCandidate(change, ("q",), "", requires, analyze)


def test_sets_that_would_wait_for_each_other_are_built_apart() -> None:
    sets = [
        Choice("plain", 1, (candidate("a"),), 0, 0.0, 0.0),
        Choice("analyzes", 1, (candidate("b"), candidate("c", analyze=True)), 0, 0.0, 0.0),
        Choice("empty", 1, (), 0, 0.0, 0.0),
        Choice("needs", 1, (candidate("d", extension="pg_trgm"),), 0, 0.0, 0.0),
    ]
    assert _batches(sets) == [[0, 2], [1], [3]]
    assert _batches(sets[1:2]) == [[0]]
