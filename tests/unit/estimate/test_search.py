"""The search against brute force, on planners whose every plan is written down."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import combinations
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.model.candidate import Correction, IndexBudget, IndexCandidate
from pgproof.stages.estimate.aim import Aim, Found
from pgproof.stages.estimate.decisions import Answer, Decisions
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.search import search
from pgproof.stages.estimate.select import choose_sets, make_goal
from tests.builders import workload
from tests.unit.estimate.test_choosing import KNOWN, READ, SORT, PaperPlanner, Plans, candidate, uses

STATEMENTS = (
    READ,
    SORT,
    "SELECT b FROM t WHERE c = 1",
    "SELECT count(*) FROM t",
    "SELECT c FROM t ORDER BY a",
)


def random_plans(seed: int, names: str) -> Plans:
    """Return plans that are monotone, as a planner that takes the cheapest is."""
    chance = random.Random(seed)
    plans = {}
    for sql in STATEMENTS:
        base = chance.uniform(100, 1000)
        plans[sql] = {uses(): base} | {
            frozenset(chance.sample(names, chance.choice((1, 1, 1, 2, 3)))): base * chance.uniform(0.01, 0.99)
            for _ in range(chance.randrange(1, 9))
        }
    return plans


def goal_of(
    plans: Plans,
    index_bytes: Mapping[str, int],
    budget: IndexBudget,
    corrections: tuple[Correction, ...] = (),
) -> Goal:
    candidates = [candidate(name, name) for name in index_bytes]
    planner = PaperPlanner(plans, index_bytes)
    return make_goal(
        planner, KNOWN, workload(*STATEMENTS), candidates, budget=budget, corrections=corrections
    )


def sets_of(names: str) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def found_names(goal: Goal, found: Found) -> frozenset[str]:
    return goal.costs.names.names(found.chosen)


@pytest.fixture(autouse=True)
def all_relevant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of these candidates are no columns, so nothing could tell which are relevant."""
    monkeypatch.setattr("pgproof.stages.estimate.select.find_relevance", lambda catalog, candidates: None)


@pytest.mark.parametrize("seed", range(12))
def test_the_set_is_the_best_there_is_and_the_bound_says_so(seed: int) -> None:
    names = "abcdefgh"
    plans = random_plans(seed, names)
    sizes = {name: random.Random(f"{seed}{name}").randrange(10, 100) for name in names}
    goal = goal_of(plans, sizes, IndexBudget(size_bytes=180, count=4))
    found = search(goal, Aim(goal.everything_mask), gap_frac=1e-6)
    best = min(goal.total(chosen) for chosen in sets_of(names) if goal.affordable(chosen))
    assert goal.affordable(found_names(goal, found))
    assert found.value * goal.before == pytest.approx(best, rel=1e-6)
    assert found.bound <= found.value <= found.bound + 1e-5


def test_a_search_without_time_still_answers_and_its_bound_holds() -> None:
    plans = random_plans(3, "abcdefgh")
    goal = goal_of(plans, dict.fromkeys("abcdefgh", 10), IndexBudget(size_bytes=30))
    found = search(goal, Aim(goal.everything_mask), ends_at=monotonic())
    best = min(goal.total(chosen) for chosen in sets_of("abcdefgh") if goal.affordable(chosen))
    assert found.bound * goal.before <= best <= found.value * goal.before


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 6), st.booleans(), st.integers(20, 400))
def test_the_bound_holds_however_early_the_search_ends(
    seed: int, rounds: int, tidy: bool, size_bytes: int
) -> None:
    names = "abcdefgh"
    plans = random_plans(seed, names)
    sizes = {name: random.Random(f"{seed}{name}").randrange(10, 100) for name in names}
    goal = goal_of(plans, sizes, IndexBudget(size_bytes=size_bytes))
    found = search(goal, Aim(goal.everything_mask, 0.001, tidy=tidy), gap_frac=1e-6, max_rounds=rounds)
    values = {
        chosen: goal.total(chosen) / goal.before + 0.001 * len(chosen)
        for chosen in sets_of(names)
        if goal.affordable(chosen)
    }
    assert found.bound <= min(values.values()) + 1e-6
    assert found.value == pytest.approx(values[found_names(goal, found)])


def test_the_same_questions_give_the_same_set() -> None:
    plans = random_plans(5, "abcdefgh")

    def once() -> frozenset[str]:
        goal = goal_of(plans, dict.fromkeys("abcdefgh", 10), IndexBudget(size_bytes=40))
        return found_names(goal, search(goal, Aim(goal.everything_mask)))

    assert once() == once()


def test_an_index_has_to_be_worth_its_price() -> None:
    plans = {sql: {uses(): 100.0, uses("a"): 50.0, uses("a", "b"): 49.0} for sql in STATEMENTS}
    goal = goal_of(plans, {"a": 1, "b": 1}, IndexBudget())
    assert found_names(goal, search(goal, Aim(goal.everything_mask, 0.005))) == {"a", "b"}
    assert found_names(goal, search(goal, Aim(goal.everything_mask, 0.02))) == {"a"}
    assert found_names(goal, search(goal, Aim(goal.everything_mask, 0.6))) == set()


def test_indexes_that_help_only_together_are_found() -> None:
    plans = {sql: {uses(): 100.0, uses("a", "b", "c"): 10.0} for sql in STATEMENTS}
    goal = goal_of(plans, dict.fromkeys("abcd", 10), IndexBudget(size_bytes=30))
    assert found_names(goal, search(goal, Aim(goal.everything_mask))) == {"a", "b", "c"}


@pytest.mark.parametrize("budget", [IndexBudget(size_bytes=0), IndexBudget(count=0), IndexBudget(build_s=-1)])
def test_a_budget_that_admits_nothing_gives_the_empty_set(budget: IndexBudget) -> None:
    plans = {sql: {uses(): 100.0, uses("a"): 50.0} for sql in STATEMENTS}
    goal = goal_of(plans, {"a": 8192}, budget)
    found = search(goal, Aim(goal.everything_mask))
    assert (found.chosen, found.value) == (0, 1.0)


def test_a_plan_that_was_measured_to_be_slow_is_avoided() -> None:
    plans = {sql: {uses(): 100.0, uses("a"): 10.0, uses("b"): 30.0} for sql in STATEMENTS}
    taught = (Correction("q0", uses("a"), 4.5),)
    free = goal_of(plans, {"a": 1, "b": 1}, IndexBudget(count=1))
    taught_goal = goal_of(plans, {"a": 1, "b": 1}, IndexBudget(count=1), taught)
    assert found_names(free, search(free, Aim(free.everything_mask))) == {"a"}
    assert found_names(taught_goal, search(taught_goal, Aim(taught_goal.everything_mask))) == {"b"}


def test_a_slow_plan_counts_even_where_a_better_one_would_be_at_hand() -> None:
    """The planner takes what it thinks is cheapest: "b" can't help a statement while "a" is there."""
    plans: Plans = {READ: {uses(): 100.0, uses("a"): 10.0, uses("b"): 30.0}}
    plans = {**plans, **{sql: {uses(): 100.0, uses("a"): 90.0} for sql in STATEMENTS[1:]}}
    goal = goal_of(plans, {"a": 1, "b": 1}, IndexBudget(), (Correction("q0", uses("a"), 6.0),))
    assert found_names(goal, search(goal, Aim(goal.everything_mask))) == {"b"}


def test_neither_of_two_indexes_makes_the_other_superfluous() -> None:
    plans: Plans = {READ: {uses(): 100.0, uses("short"): 10.0}, SORT: {uses(): 100.0, uses("long"): 10.0}}
    planner = PaperPlanner(plans, {"short": 10, "long": 20})
    asked: list[IndexCandidate] = [candidate("short", "a"), candidate("long", "a", "b")]
    found = choose_sets(planner, KNOWN, workload(READ, SORT), asked)
    assert found.sets
    assert all(len(chosen.names) == 1 for chosen in found.sets)


def test_the_proof_speaks_of_the_broadest_set() -> None:
    plans = random_plans(7, "abcdefgh")
    planner = PaperPlanner(plans, dict.fromkeys("abcdefgh", 10))
    asked = [candidate(name, name) for name in "abcdefgh"]
    found = choose_sets(planner, KNOWN, workload(*STATEMENTS), asked, budget=IndexBudget(size_bytes=30))
    assert found.proof is not None
    assert found.proof.saved_frac <= found.proof.bound_frac <= found.proof.saved_frac + 0.001
    assert found.proof.planner_calls <= found.planner_calls
    broad = found.sets[-1]
    assert 1 - broad.after.value / broad.before.value >= found.proof.saved_frac - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_set_belongs_to_one_leaf_and_a_leaf_never_costs_more(data: st.DataObject) -> None:
    plans = data.draw(
        st.dictionaries(st.integers(0, 63), st.floats(1, 99), max_size=8).map(
            lambda known: {**known, 0: 100.0}
        )
    )

    def plan(visible: int) -> tuple[float, int]:
        return min((cost, used) for used, cost in plans.items() if used & ~visible == 0)

    decisions = Decisions(63)
    for hidden in [0, *data.draw(st.lists(st.integers(0, 63), max_size=6))]:
        cost, used = plan(63 & ~hidden)
        decisions.record(Answer(hidden, used, cost))
    leaves = list(decisions.leaves())
    for chosen in range(64):
        own = [leaf for leaf in leaves if leaf.place.holds(chosen)]
        assert len(own) == 1
        cost, _ = plan(chosen)
        assert own[0].cost <= cost
        assert own[0].is_open or own[0].cost == cost
        assert decisions.floor(63 & ~chosen) <= cost
        found = decisions.find(chosen)
        assert found is None or found.cost == cost


@pytest.mark.parametrize("seed", range(4))
def test_under_a_budget_no_set_saves_more_than_the_one_that_is_proved(seed: int) -> None:
    planner = PaperPlanner(random_plans(seed, "abcdefgh"), dict.fromkeys("abcdefgh", 10))
    asked = [candidate(name, name) for name in "abcdefgh"]
    budget = IndexBudget(size_bytes=30)
    found = choose_sets(planner, KNOWN, workload(*STATEMENTS), asked, budget=budget, time_limit_s=0.0)
    assert found.sets
    assert found.proof is not None
    saved = max(1 - chosen.after.value / chosen.before.value for chosen in found.sets)
    assert found.proof.saved_frac == pytest.approx(saved, abs=1e-4)
