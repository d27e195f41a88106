"""Choose, try, choose again: on a planner whose plans are written down, and runs that are made up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from pgproof.model.candidate import Ambition, Correction, IndexBudget, IndexCandidate, Selection
from pgproof.model.change import CreateIndex
from pgproof.model.paired import PairedTiming
from pgproof.model.variant import Variant
from pgproof.pipeline import refining
from pgproof.pipeline.refining import MAX_TRIALS, refine
from pgproof.pipeline.trials import Tried, corrections_of
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.repair import repaired
from pgproof.stages.estimate.select import choose, make_goal
from pgproof.stages.propose.combine import propose_variants
from tests.builders import workload
from tests.unit.estimate.test_choosing import KNOWN, READ, SORT, PaperPlanner, Plans, candidate, uses

PLANS: Plans = {
    READ: {uses(): 1000.0, uses("fast"): 10.0, uses("safe"): 30.0},
    SORT: {uses(): 800.0, uses("order"): 100.0},
}
CANDIDATES = (candidate("fast", "a"), candidate("safe", "c"), candidate("order", "b"))
Slow = Mapping[tuple[str, str], float]
"""How many times as long a statement takes with an index."""


class Paper:
    """Candidates and plans, and a clone on which some indexes do harm."""

    def __init__(
        self,
        plans: Plans,
        candidates: Sequence[IndexCandidate],
        slow: Slow,
        *,
        budget: IndexBudget | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> None:
        self.candidates = candidates
        self.slow = slow
        self.sizes = sizes or {}
        self.tried: list[frozenset[str]] = []
        names = [candidate.name for candidate in candidates]
        planner = PaperPlanner(plans, dict.fromkeys(names, 8192))
        self.goal = make_goal(planner, KNOWN, workload(*plans), candidates, budget=budget)

    def as_variants(self, selection: Selection) -> tuple[Variant, ...]:
        return propose_variants(KNOWN, self.candidates, selection.sets)

    def measure(self, variant: Variant) -> Tried:
        names = names_of(variant)
        self.tried.append(names)
        sizes = {name: self.sizes.get(name, self.goal.index_bytes[name]) for name in names}
        return Tried(tuple(self._timed(names)), sizes)

    def _timed(self, names: frozenset[str]) -> Iterator[PairedTiming]:
        yield from (
            PairedTiming(
                statement=name,
                before_ms=10.0,
                after_ms=10.0 * self.slow.get((name, index), 0.5),
                pairs=5,
                clock="cpu",
                indexes=(index,),
                is_slower=(name, index) in self.slow,
            )
            for question in self.goal.costs.questions
            for name, index in self._used(question.statement, names)
        )

    def _used(self, statement: str, names: frozenset[str]) -> list[tuple[str, str]]:
        found = self.goal.costs.under(names)[statement].used
        return [(statement, index) for index in sorted(found)]

    def refine(
        self, measure: Callable[[Variant], Tried] | None = None
    ) -> tuple[Goal, Selection, Mapping[str, tuple[PairedTiming, ...]], tuple[str, ...]]:
        selection = choose(self.goal)
        assert selection.sets
        return refine(self.goal, selection, self.as_variants, measure or self.measure, again)


def again(goal: Goal, failed: Selection) -> Selection:
    left = [repaired(goal, frozenset(chosen.names)) for chosen in failed.sets]
    return choose(goal, starts=left)


def names_of(variant: Variant) -> frozenset[str]:
    return frozenset(change.name for change in variant.changes if isinstance(change, CreateIndex))


def test_nothing_slower_leaves_the_choice_as_it_is() -> None:
    paper = Paper(PLANS, CANDIDATES, {})
    goal, selection, measured, notes = paper.refine()
    assert goal == paper.goal
    assert selection.sets == choose(paper.goal).sets
    assert notes == ()
    assert len(paper.tried) == len(set(paper.tried)) == len(selection.sets), "each set is built once"
    assert measured.keys() == {chosen.ambition.value for chosen in selection.sets}
    assert all(measured.values())


def test_the_recommended_set_is_tried_first_and_the_alternative_last() -> None:
    paper = Paper(PLANS, CANDIDATES, {})
    _, selection, _, _ = paper.refine()
    named = {chosen.ambition: frozenset(chosen.names) for chosen in selection.sets}
    assert list(named) == [Ambition.LEAN, Ambition.ALTERNATIVE]
    assert paper.tried == [named[Ambition.LEAN], named[Ambition.ALTERNATIVE]]


def test_a_set_that_nobody_had_time_to_try_is_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refining, "MAX_TRIALS", 1)
    paper = Paper(PLANS, CANDIDATES, {})
    _, selection, measured, notes = paper.refine()
    assert [chosen.ambition for chosen in selection.sets] == [Ambition.LEAN, Ambition.ALTERNATIVE]
    assert measured.keys() == {"lean"}, "what was not tried doesn't look tried"
    assert notes == ("alternative was not tried on a clone: no more than 1 sets are tried",)


def test_an_index_that_does_harm_is_given_up_and_another_taken() -> None:
    paper = Paper(PLANS, CANDIDATES, {("q0", "fast"): 4.5})
    assert any("fast" in chosen.names for chosen in choose(paper.goal).sets), "without a run it looks best"
    goal, selection, measured, notes = paper.refine()
    assert goal.corrections == (Correction("q0", uses("fast"), 4.5),)
    assert not any("fast" in chosen.names for chosen in selection.sets)
    assert set(selection.sets[-1].names) == {"safe", "order"}
    assert not any(timing.is_slower for timings in measured.values() for timing in timings)
    assert notes == (
        "q0 took 4.5 times as long on the clone, with fast: sets that lead to that plan were given up",
    )


def test_no_statement_pays_for_another() -> None:
    """Most of the workload's cost is saved by the one index that makes the other statement slower."""
    plans = {READ: {uses(): 100.0, uses("fast"): 10.0}, SORT: {uses(): 1e6, uses("fast"): 10.0}}
    paper = Paper(plans, CANDIDATES[:1], {("q0", "fast"): 1.2})
    _, selection, measured, notes = paper.refine()
    assert (selection.sets, measured) == ((), {})
    assert len(notes) == 1


def test_one_bad_index_after_the_other_is_found_out() -> None:
    slow = {("q0", "fast"): 3.0, ("q0", "safe"): 2.0}
    paper = Paper(PLANS, CANDIDATES, slow)
    goal, selection, _, notes = paper.refine()
    assert {(c.statement, *c.used) for c in goal.corrections} == set(slow)
    assert {chosen.names for chosen in selection.sets} == {("order",)}
    assert {note.split(" on the clone, with ")[0] for note in notes} == {
        "q0 took 3 times as long",
        "q0 took 2 times as long",
    }


def test_it_ends_where_every_index_does_harm() -> None:
    names = [f"i{place}" for place in range(MAX_TRIALS + 2)]
    plans = {READ: {uses(): 1000.0, **{uses(name): 10.0 + place for place, name in enumerate(names)}}}
    # leading keys differ: what was learned of one says nothing of the next
    candidates = [candidate(name, name) for name in names]
    paper = Paper(plans, candidates, {("q0", name): 2.0 for name in names})
    _, selection, _, notes = paper.refine()
    assert 3 <= len(paper.tried) <= MAX_TRIALS
    tried = {name for some in paper.tried for name in some}
    assert not any(tried & set(chosen.names) for chosen in selection.sets), "what is known to lose is out"
    untried = [note for note in notes if "was not tried on a clone" in note]
    assert len(notes) == len(tried) + len(untried)
    assert len(untried) == len(selection.sets)


def test_what_has_no_new_index_in_its_plan_teaches_nothing_but_its_set_goes() -> None:
    """An index that was dropped with the set, for one: no choice of new indexes avoids that plan."""
    paper = Paper(PLANS, CANDIDATES, {})

    def measure(variant: Variant) -> Tried:
        tried = paper.measure(variant)
        if "fast" not in names_of(variant):
            return tried
        slower = PairedTiming("q1", 10.0, 20.0, 5, "cpu", (), is_slower=True)
        return replace(tried, timings=(*tried.timings, slower))

    goal, selection, measured, notes = paper.refine(measure)
    assert goal.corrections == ()
    assert [set(chosen.names) for chosen in selection.sets] == [{"safe", "order"}]
    assert measured.keys() == {selection.sets[0].ambition.value}
    assert notes == (
        "q1 took 2 times as long on the clone, though none of the new indexes is in its plan: "
        "sets that lead to that plan were given up",
    )


def test_a_stopped_execution_is_told_as_a_lower_bound() -> None:
    paper = Paper(PLANS, CANDIDATES, {("q0", "fast"): 4.0})

    def measure(variant: Variant) -> Tried:
        tried = paper.measure(variant)
        return replace(tried, timings=tuple(replace(t, is_capped=t.is_slower) for t in tried.timings))

    assert paper.refine(measure)[-1][0].startswith("q0 took at least 4 times as long")


@pytest.mark.parametrize(
    ("facts", "taught"),
    [
        ({"is_slower": True}, [Correction("q", uses("x"), 2.0)]),
        ({"is_slower": False}, []),
        ({"is_slower": True, "indexes": ()}, []),
    ],
)
def test_what_a_trial_teaches(facts: dict[str, object], taught: list[Correction]) -> None:
    timing = PairedTiming("q", 5.0, 10.0, 5, "cpu", ("x",))
    assert list(corrections_of((replace(timing, **facts),))) == taught


def test_a_set_that_is_larger_than_thought_is_chosen_anew_by_its_real_size() -> None:
    budget = IndexBudget(size_bytes=2 * 8192)
    paper = Paper(PLANS, CANDIDATES, {}, budget=budget, sizes={"fast": 3 * 8192})
    assert any("fast" in chosen.names for chosen in choose(paper.goal).sets), "it looks as if it would fit"
    goal, selection, measured, notes = paper.refine()
    assert goal.index_bytes["fast"] == 3 * 8192
    assert set(selection.sets[-1].names) == {"safe", "order"}
    assert not any("fast" in chosen.names for chosen in selection.sets)
    assert measured.keys() == {chosen.ambition.value for chosen in selection.sets}
    assert len(notes) == 1
    assert notes[0].endswith("once built, more than the limits allow, and was given up")


def test_sizes_that_keep_the_budget_change_no_choice() -> None:
    paper = Paper(PLANS, CANDIDATES, {}, budget=IndexBudget(size_bytes=9 * 8192), sizes={"fast": 3 * 8192})
    _, selection, _, notes = paper.refine()
    assert any("fast" in chosen.names for chosen in selection.sets)
    assert notes == ()


def test_what_nobody_knows_is_told() -> None:
    paper = Paper(PLANS, CANDIDATES, {})
    _, selection, _, notes = paper.refine(lambda variant: replace(paper.measure(variant), unknown=("q1",)))
    assert selection.sets
    assert notes == (
        "q1 was stopped on the clone, with a new plan as well as without:"
        " what these indexes do to it is not known",
    )


def test_a_set_that_passed_is_not_chosen_anew_for_what_another_did() -> None:
    """The one that was tried first did no harm; what the next one does must not cost it its place."""
    paper = Paper(PLANS, CANDIDATES, {})

    def measure(variant: Variant) -> Tried:
        tried = paper.measure(variant)
        if len(paper.tried) != 2:
            return tried
        slower = PairedTiming("q0", 10.0, 20.0, 5, "cpu", ("fast",), is_slower=True)
        return replace(tried, timings=(slower,))

    goal, selection, measured, _ = paper.refine(measure)
    assert goal.corrections, "the second one did harm, by the index that the first one has"
    assert [set(chosen.names) for chosen in selection.sets] == [set(paper.tried[0])]
    assert measured.keys() == {chosen.ambition.value for chosen in selection.sets}
