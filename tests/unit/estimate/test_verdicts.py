"""What is said of a choice: how far indexes can go, or why there are none. Whole texts."""

from dataclasses import replace

import pytest

from pgproof.model.candidate import Correction, IndexBudget
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.select import make_goal
from pgproof.stages.estimate.verdicts import why_no_more
from tests.builders import workload
from tests.unit.estimate.test_choosing import KNOWN, READ, SORT, PaperPlanner, Plans, candidate, uses

HELPED: Plans = {READ: {uses(): 1000.0, uses("a"): 100.0, uses("b"): 200.0}}
ENDLESS: Plans = {**HELPED, SORT: {uses(): 1e12}}


def goal_of(plans: Plans, names: str, budget: IndexBudget | None = None) -> Goal:
    planner = PaperPlanner(plans, dict.fromkeys(names, 8192))
    candidates = [candidate(name, name) for name in names]
    return make_goal(planner, KNOWN, workload(*plans), candidates, budget=budget)


def test_no_candidate_at_all() -> None:
    assert why_no_more(goal_of(HELPED, ""), found=False) == (
        "No index was worth asking the planner about: what could be indexed usefully is indexed already."
    )


@pytest.mark.parametrize(
    ("names", "asked"),
    [("a", "the only candidate in place"), ("ab", "all 2 candidates in place at once")],
)
def test_how_far_indexes_go(names: str, asked: str) -> None:
    assert why_no_more(goal_of(HELPED, names), found=True) == (
        f"No set of these indexes can save more: with {asked} the planner expects 90.0 % less cost."
    )


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (IndexBudget(0), "0 B"),
        (IndexBudget(4096, count=2), "4 kB, 2 indexes"),
        (IndexBudget(count=1), "1 index"),
        (IndexBudget(build_s=0.5, write_frac=0.05), "0.5 s of building, 5 % of the writes' cost"),
    ],
)
def test_a_budget_that_holds_nothing_is_named(budget: IndexBudget, words: str) -> None:
    assert why_no_more(goal_of(HELPED, "a", budget), found=False) == (
        f"No index that helps fits into {words}: with the only candidate in place"
        " the planner expects 90.0 % less cost."
    )


def test_writes_that_would_pay_for_it() -> None:
    assert why_no_more(goal_of(HELPED, "a"), found=False) == (
        "Indexes would cost the writes about what they save the reads: with the only candidate in place"
        " the planner expects 90.0 % less cost for reads."
    )


def test_a_clone_knows_better_than_the_planner() -> None:
    goal = replace(goal_of(HELPED, "a", IndexBudget(10**9)), corrections=(Correction("q0", uses("a"), 3.8),))
    assert why_no_more(goal, found=False) == (
        "What was tried on a clone made statements slower: with the only candidate in place"
        " the planner expects 90.0 % less cost, and is mistaken."
    )


def test_no_index_will_help() -> None:
    assert why_no_more(goal_of({READ: {uses(): 1000.0, uses("a"): 995.0}}, "a"), found=False) == (
        "No index will help here: with the only candidate in place the planner expects 0.5 % less cost."
        " Look at the statements themselves, or at settings."
    )


def test_what_was_left_aside_is_named_where_there_are_sets() -> None:
    goal = goal_of(ENDLESS, "a")
    assert goal.aside
    assert why_no_more(goal, found=True).endswith(
        " q1 costs more than all other statements together, and no index changes that: "
        "the sets are chosen for the others."
    )
    assert "q1" not in why_no_more(goal, found=False)
