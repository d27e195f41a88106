"""Cells against planners whose every plan is written down: each set once, and no bound above its cost."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.stages.estimate.cells import Cell, Cells
from pgproof.stages.estimate.costs import Question
from pgproof.stages.estimate.decisions import Answer, Decisions
from pgproof.stages.estimate.provider import PlanRequest

ALL = 63
Plans = Mapping[int, float]

costs_drawn = st.floats(1, 99)
plans_drawn = st.dictionaries(st.integers(0, ALL), costs_drawn, max_size=9).map(lambda p: {**p, 0: 100.0})
splits_drawn = st.lists(st.tuples(st.integers(0, 20), st.integers(1, ALL)), max_size=12)


class Asked:
    """A question about written plans, with its cells."""

    def __init__(self, plans: Plans, excluded: int = 0) -> None:
        self.plans = plans
        self.question = Question("q", PlanRequest("SELECT 1"), 1.0, Decisions(ALL), ALL)
        self.ask(excluded)
        self.cells = Cells(self.question, excluded)

    def plan(self, visible: int) -> tuple[float, int]:
        return min((cost, used) for used, cost in self.plans.items() if not used & ~visible)

    def ask(self, hidden: int) -> None:
        cost, used = self.plan(ALL & ~hidden)
        self.question.decisions.record(Answer(hidden, used, cost))

    def split(self, cell: Cell, group: int) -> list[Cell]:
        hidden = self.cells.hidden(cell, group)
        if hidden is not None:
            self.ask(hidden)
        return self.cells.split(cell, group)

    def split_somewhere(self, place: int, group: int) -> None:
        if self.cells.open:
            cell = self.cells.open[place % len(self.cells.open)]
            self.split(cell, group & ~cell.needs & ~cell.lacks)


def assert_sound(asked: Asked, excluded: int) -> None:
    for chosen in range(ALL + 1):
        own = [cell for cell in asked.cells.all if cell.holds(chosen)]
        if chosen & excluded:
            assert own == []
            continue
        assert len(own) == 1
        cost, _ = asked.plan(chosen)
        assert own[0].cost <= cost
        assert not own[0].is_closed or own[0].cost == cost


@settings(max_examples=80, deadline=None)
@given(plans_drawn, splits_drawn, st.integers(0, ALL), st.integers(0, ALL))
def test_every_set_is_in_one_cell_and_costs_at_least_what_it_says(
    plans: Plans, splits: list[tuple[int, int]], excluded: int, gone: int
) -> None:
    asked = Asked(plans, excluded)
    for place, group in splits[::2]:
        asked.split_somewhere(place, group)
    assert_sound(asked, excluded)
    asked.cells.exclude(gone)
    for place, group in splits[1::2]:
        asked.split_somewhere(place, group)
    assert_sound(asked, excluded | gone)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, ALL), st.integers(0, ALL), costs_drawn), min_size=1, max_size=9))
def test_no_bound_contradicts_an_answer_of_a_planner_that_errs(answers: list[tuple[int, int, float]]) -> None:
    decisions = Decisions(ALL)
    for hidden, used, cost in answers:
        decisions.record(Answer(hidden, used & ~hidden, cost))
    for hidden, _, cost in answers:
        assert decisions.floor(hidden) <= cost
    noisy = any(
        not one[0] & ~other[0] and other[2] < one[2] for one in answers for other in answers if one != other
    )
    assert bool(decisions.contradictions) == noisy


def test_a_group_is_dealt_with_by_one_question() -> None:
    asked = Asked({0: 100.0, **{1 << place: 10.0 + place for place in range(5)}})
    found = asked.split(asked.cells.open[0], 31)
    assert [(cell.lacks, cell.hits, cell.cost) for cell in found] == [(31, (), 100.0), (0, (31,), 10.0)]
    assert len(asked.question.decisions.answers) == 2


def test_the_last_one_of_a_group_is_needed() -> None:
    asked = Asked({0: 100.0, 1: 10.0, 2: 20.0, 3: 5.0})
    _, either = asked.split(asked.cells.open[0], 3)
    without, with_it = asked.split(either, 1)
    assert (without.needs, without.hits, without.cost, without.is_closed) == (2, (), 20.0, True)
    assert (with_it.needs, with_it.hits, with_it.cost, with_it.is_closed) == (1, (), 5.0, False)


def test_an_answer_that_contradicts_lowers_what_was_said() -> None:
    asked = Asked({0: 100.0, 1: 10.0, 2: 20.0})
    without, _ = asked.split(asked.cells.open[0], 1)
    assert without.cost == 20.0
    asked.question.decisions.record(Answer(3, 0, 15.0))
    asked.cells.refresh()
    assert without.cost == 15.0


def test_nothing_changes_without_an_answer() -> None:
    asked = Asked({0: 100.0, 1: 10.0})
    before = asked.cells.all
    assert asked.cells.split(before[0], 1) == []
    assert asked.cells.all == before
