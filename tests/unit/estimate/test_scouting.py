"""Questions that lead to sets that a budget holds: about smaller candidates, single ones, and swaps."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from pgproof.model.candidate import IndexBudget
from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.scouting import MAX_LADDER, Asks, around, by_size, singles
from pgproof.stages.estimate.select import make_goal
from tests.builders import workload
from tests.unit.estimate.test_choosing import KNOWN, READ, SORT, PaperPlanner, Plans, candidate, uses

BYTES = {"tiny": 1_000, "small": 10_000, "large": 100_000, "huge": 1_000_000}
PLANS: Plans = {
    READ: {
        uses(): 1000.0,
        uses("tiny"): 800.0,
        uses("small"): 500.0,
        uses("large"): 100.0,
        uses("huge"): 1.0,
    },
    SORT: {uses(): 50.0},
}


def goal_of(budget: IndexBudget, sizes: Mapping[str, int] = BYTES, plans: Plans = PLANS) -> Goal:
    candidates = [candidate(name, "a") for name in sizes]
    return make_goal(PaperPlanner(plans, sizes), KNOWN, workload(*plans), candidates, budget=budget)


def shown(goal: Goal, asks: Asks, statement: str = "q0") -> list[set[str]]:
    """What the questions about a statement show of the candidates."""
    return [
        set(goal.costs.names.names(question.decisions.relevant & ~hidden))
        for question, hidden in asks
        if question.statement == statement
    ]


def mask(goal: Goal, names: Iterable[str]) -> Mask:
    return goal.costs.names.mask(names)


def test_without_a_budget_no_size_is_too_large() -> None:
    goal = goal_of(IndexBudget())
    assert by_size(goal, goal.everything_mask) == []


def test_the_ladder_goes_down_to_the_smallest() -> None:
    goal = goal_of(IndexBudget(size_bytes=500_000))
    steps = shown(goal, by_size(goal, goal.everything_mask))
    assert steps[0] == {"tiny", "small", "large"}, "all that fits"
    assert steps == sorted(steps, key=len, reverse=True)
    assert {"tiny", "small"} in steps
    assert steps[-1] == {"tiny"}
    assert all(later < earlier for earlier, later in pairwise(steps)), "none is asked twice"


def test_the_ladder_has_an_end() -> None:
    sizes = {f"i{place}": 10**place for place in range(12)}
    plans = {READ: {uses(): 1000.0, **{uses(name): 900.0 - place for place, name in enumerate(sizes)}}}
    goal = goal_of(IndexBudget(size_bytes=10**12), sizes, plans)
    steps = shown(goal, by_size(goal, goal.everything_mask))
    assert 2 <= len(steps) <= MAX_LADDER
    assert {"i0"} not in steps, "a hundred billion times smaller"


def test_what_is_not_in_the_pool_is_not_shown() -> None:
    goal = goal_of(IndexBudget(size_bytes=500_000))
    pool = mask(goal, ("tiny", "large"))
    assert all(names <= {"tiny", "large"} for names in shown(goal, by_size(goal, pool)))
    assert sorted(map(sorted, shown(goal, singles(goal, pool)))) == [["large"], ["tiny"]]


def test_single_ones_are_asked_about_once_and_for_whom_they_were_proposed() -> None:
    goal = goal_of(IndexBudget())
    asks = singles(goal, goal.everything_mask)
    assert sorted(map(sorted, shown(goal, asks))) == [["large"], ["small"], ["tiny"]], "huge is known already"
    assert shown(goal, asks, "q1") == [], "nobody proposed them for it"
    goal.costs.ask(asks)
    assert singles(goal, goal.everything_mask) == []


def test_around_a_set_stands_what_fits_beside_it_and_in_place_of_it() -> None:
    goal = goal_of(IndexBudget(size_bytes=105_000))
    chosen = mask(goal, ("large",))
    goal.costs.learn(chosen)
    goal.costs.ask(singles(goal, goal.everything_mask))
    seen = shown(goal, around(goal, goal.everything_mask, chosen))
    assert {"large", "tiny"} in seen, "beside the one that is there"
    assert {"tiny", "small"} in seen, "in place of the one that is there"
    assert not any("huge" in names for names in seen), "it fits nowhere"
