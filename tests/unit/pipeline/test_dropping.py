"""Which existing indexes go with which set: only with the one whose new index takes over."""

from dataclasses import replace

from pgproof.model.candidate import Ambition, IndexCandidate, IndexSet, Selection
from pgproof.model.change import CreateIndex
from pgproof.model.drop import DropCase, DropReview
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.units import PlannerCost
from pgproof.pipeline.dropping import Dropping
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.select import make_goal
from tests.builders import catalog, column, foreign_key, index, primary_key, table, workload
from tests.unit.estimate.test_choosing import PaperPlanner, Plans, uses

T = table("t", column("a"), column("b"), column("c"))
OLD = index("t", "a", name="old")
CLUSTERED = replace(index("t", "b", name="clustered"), clustered=True)
KNOWN = catalog(T, indexes=[OLD, CLUSTERED])
LOOK_UP, ALSO = "SELECT a FROM t WHERE a = 1", "SELECT b FROM t WHERE b = 1"


def candidate(name: str, *keys: str) -> IndexCandidate:
    change = CreateIndex(T.relation, name, tuple(IndexKey(column=key) for key in keys))
    return IndexCandidate(change, ("q0",), "because")


WIDE, OTHER, BOTH = candidate("wide", "a", "c"), candidate("other", "c"), candidate("both", "b", "c")


def chosen(ambition: Ambition, *names: str) -> IndexSet:
    return IndexSet(ambition, names, PlannerCost(100), PlannerCost(25), 2**20, PlannerCost(0))


def selection(*sets: IndexSet) -> Selection:
    return Selection(sets, "", PlannerCost(100), PlannerCost(1))


def dropping_of(*candidates: IndexCandidate) -> Dropping:
    return Dropping(KNOWN, workload(LOOK_UP, ALSO), candidates, DropReview())


def goal_of(dropping: Dropping, plans: Plans) -> Goal:
    planner = PaperPlanner(
        plans,
        {candidate.name: 8192 for candidate in dropping.candidates},
        existing=frozenset(map(str, dropping.droppable)),
    )
    return make_goal(planner, KNOWN, workload(*plans), dropping.candidates)


PLANS = {LOOK_UP: {uses(): 1000.0, uses("public.old"): 10.0, uses("wide"): 10.0}, ALSO: {uses(): 5.0}}


def test_what_no_candidate_could_take_over_is_not_asked_about() -> None:
    assert dropping_of(OTHER).droppable == ()
    assert dropping_of(OTHER, WIDE).droppable == (RelationName("public", "old"),)


def test_it_goes_with_the_set_that_takes_over() -> None:
    dropping = dropping_of(WIDE, OTHER)
    goal = goal_of(dropping, PLANS)
    with_it, without = dropping.apply(
        goal, selection(chosen(Ambition.LEAN, "wide"), chosen(Ambition.BROAD, "other"))
    ).sets
    assert (with_it.dropped, without.dropped) == (("public.old",), ())
    (drop,) = dropping.of(with_it)
    assert (drop.case, drop.keeper) == (DropCase.SUPERSEDED, RelationName("public", "wide"))
    assert dropping.of(without) == ()
    assert [drop.name for drop in dropping.told([with_it, without]).candidates] == ["public.old"]


def test_it_stays_where_a_statement_would_get_dearer() -> None:
    dropping = dropping_of(WIDE)
    dearer = {LOOK_UP: {uses(): 1000.0, uses("public.old"): 10.0, uses("wide"): 11.0}}
    (kept,) = dropping.apply(goal_of(dropping, dearer), selection(chosen(Ambition.LEAN, "wide"))).sets
    assert kept.dropped == ()
    assert dropping.told([kept]).candidates == ()


def test_what_has_another_duty_stays_and_is_told() -> None:
    dropping = dropping_of(BOTH)
    (kept,) = dropping.apply(goal_of(dropping, PLANS), selection(chosen(Ambition.LEAN, "both"))).sets
    assert kept.dropped == ()
    (told,) = dropping.told([kept]).kept
    assert (told.index.name, told.case) == ("clustered", DropCase.SUPERSEDED)


def test_the_last_support_of_a_foreign_key_goes_only_for_one_that_supports_it() -> None:
    parent = table("parent", column("a"))
    constraints = [primary_key("parent", "a"), foreign_key("t", "parent", "a")]
    known = catalog(T, parent, indexes=[OLD], constraints=constraints)
    dropping = Dropping(known, workload(LOOK_UP), (WIDE, OTHER), DropReview())
    assert dropping.droppable == (OLD.relation,)
    assert dropping.of(replace(chosen(Ambition.LEAN, "other"), dropped=("public.old",))) == ()
