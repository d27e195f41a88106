"""The set that grows index by index."""

from __future__ import annotations

import random
from time import monotonic

import pytest

from pgproof.model.candidate import IndexBudget
from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.greedy import climb
from tests.unit.estimate.test_choosing import READ, SORT, uses
from tests.unit.estimate.test_search import goal_of, random_plans


@pytest.fixture(autouse=True)
def all_relevant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of these candidates are no columns, so nothing could tell which are relevant."""
    monkeypatch.setattr("pgproof.stages.estimate.select.find_relevance", lambda catalog, candidates: None)


def climbed(goal: Goal, *, tidy: bool = False, price: float = 0.0, ends_at: float = float("inf")) -> set[str]:
    def cost(item: int) -> float:
        return price + goal.upkeep_share(item)

    chosen: Mask = climb(goal, goal.everything_mask, goal.share_of, cost, tidy=tidy, ends_at=ends_at)
    return set(goal.costs.names.names(chosen))


def eager(goal: Goal) -> set[str]:
    """The same, with every candidate looked at in every step."""
    chosen: set[str] = set()
    while True:
        now = goal.total(frozenset(chosen))
        steps = [chosen | {name} for name in sorted(goal.everything - chosen)]
        gains = [
            ((now - goal.total(frozenset(step))) / max(goal.size(step) - goal.size(chosen), 8192), step)
            for step in steps
            if goal.affordable(step)
        ]
        best, step = max(gains, key=lambda pair: pair[0], default=(0.0, chosen))
        if best <= 1e-9:
            return chosen
        chosen = step


@pytest.mark.parametrize("seed", range(10))
def test_it_takes_what_a_look_at_all_candidates_would_where_savings_only_shrink(seed: int) -> None:
    chance = random.Random(seed)
    names = "abcdefghij"
    plans = {
        sql: {uses(): 1000.0} | {uses(name): chance.uniform(10, 990) for name in chance.sample(names, 6)}
        for sql in (READ, SORT)
    }
    sizes = {name: chance.randrange(8192, 10 * 8192) for name in names}
    goal = goal_of(plans, sizes, IndexBudget(size_bytes=20 * 8192))
    assert climbed(goal) == eager(goal)


@pytest.mark.parametrize("seed", range(20))
def test_no_limit_is_broken_and_nothing_gets_dearer(seed: int) -> None:
    names = "abcdefgh"
    sizes = {name: random.Random(f"{seed}{name}").randrange(10, 100) for name in names}
    goal = goal_of(random_plans(seed, names), sizes, IndexBudget(size_bytes=180, count=3))
    found = climbed(goal)
    assert goal.affordable(found)
    assert goal.total(frozenset(found)) <= goal.total(frozenset())


def test_what_does_not_earn_its_price_is_left_out() -> None:
    goal = goal_of(
        {READ: {uses(): 100.0, uses("a"): 50.0, uses("b"): 99.0}}, {"a": 10, "b": 10}, IndexBudget()
    )
    assert climbed(goal) == {"a"}
    assert climbed(goal, price=0.6) == set()


def test_without_time_there_is_no_set() -> None:
    goal = goal_of({READ: {uses(): 100.0, uses("a"): 50.0}}, {"a": 10}, IndexBudget())
    assert climbed(goal, ends_at=monotonic() - 1) == set()
