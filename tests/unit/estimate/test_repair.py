"""A set that failed on a clone, with as little taken out of it as can be."""

from pgproof.model.candidate import Correction, IndexBudget
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.repair import repaired
from pgproof.stages.estimate.select import make_goal
from tests.builders import workload
from tests.unit.estimate.test_choosing import KNOWN, READ, SORT, PaperPlanner, Plans, candidate, uses

PLANS: Plans = {
    READ: {uses(): 1000.0, uses("fast"): 10.0, uses("fast", "also"): 5.0, uses("safe"): 30.0},
    SORT: {uses(): 800.0, uses("order"): 100.0},
}
CANDIDATES = (candidate("fast", "a"), candidate("also", "d"), candidate("safe", "c"), candidate("order", "b"))
ALL = uses("fast", "also", "safe", "order")
SIZES = {"fast": 8192, "also": 8192, "safe": 8192, "order": 81920}


def goal(budget: IndexBudget | None = None, *corrections: Correction) -> Goal:
    planner = PaperPlanner(PLANS, SIZES)
    return make_goal(planner, KNOWN, workload(*PLANS), CANDIDATES, budget=budget, corrections=corrections)


def test_what_has_not_failed_stays_as_it_is() -> None:
    assert repaired(goal(), ALL) == ALL
    assert repaired(goal(), uses()) == uses()


def test_the_index_goes_without_which_the_rest_costs_least() -> None:
    slow = Correction("q0", uses("fast", "also"), 4.0)
    assert repaired(goal(None, slow), ALL) == ALL - {"also"}, "without the other one it would cost 30"


def test_it_goes_on_until_no_plan_is_slow() -> None:
    slow = [Correction("q0", uses("fast"), 4.0), Correction("q0", uses("safe"), 4.0)]
    assert repaired(goal(None, *slow), ALL) & uses("fast", "safe") == uses()
    assert "order" in repaired(goal(None, *slow), ALL), "it did no harm"


def test_what_is_too_large_loses_what_is_missed_least_for_its_size() -> None:
    kept = repaired(goal(IndexBudget(size_bytes=90_112)), ALL)
    assert kept == uses("fast", "order"), "neither of the others is in a plan that matters"
    assert repaired(goal(IndexBudget(size_bytes=20_000)), ALL) == uses("fast"), "a search may add to it"


def test_without_time_all_that_is_to_blame_goes_at_once() -> None:
    slow = Correction("q0", uses("fast", "also"), 4.0)
    assert repaired(goal(None, slow), ALL, ends_at=0.0) == uses("safe", "order")
