"""What candidates cost a question: its own charges, and equal parts of what nobody pays yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproof.stages.estimate.bits import places
from pgproof.stages.estimate.prices import Charges, Prices
from pgproof.stages.estimate.program import Limit, Program, Way, relax

ITEMS = 6
EVERYTHING = (1 << ITEMS) - 1


def test_what_nobody_pays_is_shared_by_those_who_could_use_it() -> None:
    prices = Prices(Charges([{0b01: 0.3}, {}], {0: 0.2, 1: 0.6}), [0b11, 0b10])
    assert prices.price(0, 0) == pytest.approx(0.5), "its own, and a spare that only it could use"
    assert prices.price(0, 1) == prices.price(1, 1) == pytest.approx(0.3)
    assert prices.of(0, 0b11) == pytest.approx(0.8)


def test_a_group_is_paid_for_by_each_of_it() -> None:
    prices = Prices(Charges([{0b11: 0.3, 0b01: 0.1}], {0: 0.0, 1: 0.0}), [0b11])
    assert (prices.price(0, 0), prices.price(0, 1)) == (pytest.approx(0.4), pytest.approx(0.3))


def test_prices_are_mixed() -> None:
    one, other = Charges([{1: 0.4}], {1: 0.2}), Charges([{1: 0.2, 2: 0.2}], {1: 0.6})
    mixed = one.mixed(other, 0.5)
    assert mixed.groups[0] == {1: pytest.approx(0.3), 2: pytest.approx(0.1)}
    assert mixed.spare == {1: pytest.approx(0.4)}
    assert one.mixed(other, 0.0).spare == one.spare


@given(
    st.dictionaries(st.integers(1, EVERYTHING), st.floats(0, 1), max_size=4),
    st.dictionaries(st.integers(0, ITEMS - 1), st.floats(0, 1)),
    st.integers(1, EVERYTHING),
    st.integers(0, EVERYTHING),
    st.floats(0, 1),
)
def test_the_quick_ways_agree_with_single_prices(
    groups: dict[int, float], spare: dict[int, float], group: int, free: int, threshold: float
) -> None:
    prices = Prices(Charges([groups], spare), [EVERYTHING], free)
    single = {item: prices.price(0, item) for item in range(ITEMS)}
    assert prices.least(0, group) == min(single[item] for item in places(group))
    assert all(not price for item, price in single.items() if free >> item & 1)
    dear = {item for item, price in single.items() if price >= threshold}
    if threshold > 0:
        assert set(places(prices.at_least(0, threshold))) == dear


def test_a_relaxed_program_says_what_absent_candidates_would_cost() -> None:
    """One byte is to be had: the first saves 60 a byte, the second 50 for two."""
    ways = [[Way(0, 0, 100.0), Way(0b01, 0, 40.0), Way(0b10, 0, 50.0)]]
    found = relax(Program(ways, {0: 0.0, 1: 0.0}, [Limit({0: 1.0, 1: 2.0}, 1.0)]))
    assert found is not None
    assert found.bound == pytest.approx(40)
    assert found.parts == {0: pytest.approx(1)}
    with_second = relax(Program(ways, {0: 0.0, 1: 0.0}, [Limit({0: 1.0, 1: 2.0}, 1.0), Limit({0: 1.0}, 0.0)]))
    assert with_second is not None
    assert found.bound + found.dearer[1] <= with_second.bound + 1e-6


def test_one_of_a_group_has_to_be_there_and_what_is_there_lacks_nowhere() -> None:
    grouped = [[Way(0, 0b11, 100.0), Way(0, 0, 10.0, (0b11,))]]
    none = relax(Program(grouped, {0: 0.0, 1: 0.0}, [Limit({0: 1.0, 1: 1.0}, 0.0)]))
    half = relax(Program(grouped, {0: 0.0, 1: 0.0}, [Limit({0: 2.0, 1: 4.0}, 1.0)]))
    assert none is not None
    assert half is not None
    assert none.bound == pytest.approx(100)
    assert half.bound == pytest.approx(55)
    lacking = [[Way(0, 0b1, 1.0), Way(0b1, 0, 2.0)], [Way(0, 0, 9.0), Way(0b1, 0, 5.0)]]
    found = relax(Program(lacking, {0: 0.0}))
    assert found is not None
    assert found.bound == pytest.approx(7), "there for the second question, so not absent for the first"
