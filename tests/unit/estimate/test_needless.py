"""Existing indexes go with a set only where no plan misses them."""

import pytest

from pgproof.model.candidate import IndexBudget, IndexCandidate
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.needless import without_needless
from pgproof.stages.estimate.select import make_goal
from tests.builders import catalog, index, workload
from tests.unit.estimate.test_choosing import READ, SORT, TABLE, WRITE, PaperPlanner, Plans, candidate, uses

OLD, OTHER = "public.old", "public.other"
KNOWN = catalog(TABLE, indexes=[index("t", "a", name="old"), index("t", "c", "b", name="other")])
WIDE = candidate("wide", "a", "c")


def goal_of(plans: Plans, *candidates: IndexCandidate) -> Goal:
    names = [candidate.name for candidate in candidates]
    planner = PaperPlanner(plans, dict.fromkeys(names, 8192), existing=frozenset({OLD, OTHER}))
    return make_goal(planner, KNOWN, workload(*plans), candidates, budget=IndexBudget())


def test_what_a_new_index_does_as_well_goes() -> None:
    goal = goal_of({READ: {uses(): 1000.0, uses(OLD): 10.0, uses("wide"): 9.0}}, WIDE)
    assert without_needless(goal, uses("wide", OLD, OTHER)) == {"wide"}
    assert without_needless(goal, uses(OLD, OTHER)) == {OLD}, "without the new one it is needed"


def test_what_any_plan_misses_stays() -> None:
    plans = {
        READ: {uses(): 1000.0, uses(OLD): 10.0, uses("wide"): 9.0},
        SORT: {uses(): 9.0, uses(OTHER): 8.9},
    }
    goal = goal_of(plans, WIDE)
    assert without_needless(goal, uses("wide", OLD, OTHER)) == {"wide", OTHER}


@pytest.mark.parametrize(("dearer", "kept"), [(1.0005, set()), (1.01, {OLD})])
def test_the_planners_own_unrest_is_not_missing_it(dearer: float, kept: set[str]) -> None:
    goal = goal_of({READ: {uses(): 1000.0, uses(OLD): 100.0, uses("wide"): 100.0 * dearer}}, WIDE)
    assert without_needless(goal, uses("wide", OLD, OTHER)) - {"wide"} == kept


def test_of_two_that_do_the_same_one_stays() -> None:
    """Each alone can be spared, both can't; the one that writes pay more for goes."""
    plans = {READ: {uses(): 1000.0, uses(OLD): 10.0, uses(OTHER): 10.0}, WRITE: {uses(): 1.0}}
    goal = goal_of(plans)
    assert len(without_needless(goal, uses(OLD, OTHER))) == 1


def test_small_steps_do_not_add_up() -> None:
    """Each index that goes is compared with the full set, not with what was left before it."""
    plans = {READ: {uses(): 100.16, uses(OLD): 100.08, uses(OTHER): 100.07, uses(OLD, OTHER): 100.0}}
    goal = goal_of(plans)
    assert len(without_needless(goal, uses(OLD, OTHER))) == 1


def test_only_those_that_may_go_do() -> None:
    goal = goal_of({READ: {uses(): 1000.0, uses(OLD): 10.0, uses("wide"): 9.0}}, WIDE)
    assert without_needless(goal, uses("wide", OLD, OTHER), uses(OTHER)) == {"wide", OLD}
    assert without_needless(goal, uses("wide", OLD, OTHER), uses()) == {"wide", OLD, OTHER}
