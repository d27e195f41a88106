"""The opponents of the benchmark, on a table of costs small enough to know the best answers by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bench.references import autoadmin, db2advis, dta_anytime, extend
from bench.references.candidates import permutations, relevance
from bench.references.costs import WhatIf
from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateIndex
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationKind, RelationName
from pgproof.model.units import PlannerCost
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from tests.builders import catalog, column, table

MB = 1 << 20
T = RelationName("public", "t")
Plans = Mapping[str, Mapping[tuple[str, ...], float]]
"""Statement -> what it costs with the indexes that takes; the cheapest plan possible is taken."""


class TableOfCosts:
    """A `CostProvider` that reads answers off a table, as a monotone planner would give them."""

    name = "table"
    refused: Mapping[str, str] = {}

    def __init__(self, plans: Plans, index_bytes: Mapping[str, int]) -> None:
        self.plans = plans
        self.index_bytes = index_bytes
        self.calls: list[tuple[str, frozenset[str]]] = []

    def plan(
        self, requests: Sequence[PlanRequest], visible: frozenset[str]
    ) -> tuple[Planned | NotPlanned, ...]:
        return tuple(self._plan(request.sql, visible) for request in requests)

    def _plan(self, sql: str, visible: frozenset[str]) -> Planned | NotPlanned:
        self.calls.append((sql, visible))
        if sql not in self.plans:
            return NotPlanned("no such statement")
        possible = [(cost, used) for used, cost in self.plans[sql].items() if visible.issuperset(used)]
        cost, used = min(possible)
        return Planned(PlannerCost(cost), frozenset(used))


def statement(name: str, calls: float = 1.0) -> WorkloadStatement:
    return WorkloadStatement(name, Query(name, name, StatementKind.SELECT, True), calls)


def what_if(plans: Plans, sizes_mb: Mapping[str, float], calls: Mapping[str, float] | None = None) -> WhatIf:
    """Indexes go by their columns: "a" or "a,b", all of one table."""
    candidates = [
        IndexCandidate(
            CreateIndex(T, name, tuple(IndexKey(column) for column in name.split(","))),
            tuple(q for q, costs in plans.items() if any(name in used for used in costs)),
            "",
        )
        for name in sizes_mb
    ]
    provider = TableOfCosts(plans, {name: int(size * MB) for name, size in sizes_mb.items()})
    statements = [statement(name, (calls or {}).get(name, 1.0)) for name in plans]
    return WhatIf(provider, statements, candidates, relevant(candidates))


def relevant(candidates: Sequence[IndexCandidate]) -> dict[str, frozenset[str]]:
    names = {name for candidate in candidates for name in candidate.statements}
    return {name: frozenset(c.name for c in candidates if name in c.statements) for name in names}


# Alone, each of a and b is worth a look; together they are worth what neither is.
LURE: Plans = {
    "q1": {(): 100, ("a",): 60},
    "q2": {(): 100, ("b",): 70, ("b", "c"): 10},
    "q3": {(): 50, ("c",): 45},
}
SIZES = {"a": 10.0, "b": 10.0, "c": 10.0}
ALL = [extend.choose, dta_anytime.choose, autoadmin.choose, db2advis.choose]


@pytest.mark.parametrize("choose", ALL, ids=lambda choose: choose.__module__.split(".")[-1])
class TestEveryReference:
    def test_takes_all_that_helps_where_all_fits(self, choose):
        assert choose(what_if(LURE, SIZES), 30 * MB) == {"a", "b", "c"}

    def test_takes_nothing_without_a_budget(self, choose):
        assert choose(what_if(LURE, SIZES), 0) == frozenset()

    def test_takes_nothing_that_does_not_help(self, choose):
        assert choose(what_if({"q": {(): 10, ("a",): 10}}, {"a": 1}), 99 * MB) == frozenset()

    @pytest.mark.parametrize("budget_mb", [5, 10, 15, 20, 25])
    def test_keeps_the_budget(self, choose, budget_mb):
        asked = what_if(LURE, SIZES)
        assert asked.size(choose(asked, budget_mb * MB)) <= budget_mb * MB

    def test_one_that_fits_is_the_best_one(self, choose):
        asked = what_if({"q1": {(): 100, ("a",): 60}, "q2": {(): 100, ("b",): 70}}, SIZES | {"d": 1})
        assert choose(asked, 10 * MB) == {"a"}

    def test_counts_by_calls(self, choose):
        plans = {"q1": {(): 100, ("a",): 60}, "q2": {(): 100, ("b",): 70}}
        asked = what_if(plans, {"a": 10, "b": 10}, {"q1": 1, "q2": 50})
        assert choose(asked, 10 * MB) == {"b"}

    def test_same_input_same_answer(self, choose):
        assert choose(what_if(LURE, SIZES), 20 * MB) == choose(what_if(LURE, SIZES), 20 * MB)


def test_extend_takes_the_small_one_first() -> None:
    plans = {"q1": {(): 100, ("a",): 50}, "q2": {(): 100, ("b",): 80}}
    assert extend.choose(what_if(plans, {"a": 100, "b": 10}), 100 * MB) == {"b"}  # 2 a MB against 0.5


def test_extend_appends_a_column_in_place_of_the_shorter_index() -> None:
    plans = {"q1": {(): 100, ("a",): 50, ("a,b",): 10}}
    sizes = {"a": 10.0, "b": 10.0, "a,b": 15.0, "b,a": 15.0}
    assert extend.choose(what_if(plans, sizes), 15 * MB) == {"a,b"}


def test_extend_stops_where_a_step_saves_next_to_nothing() -> None:
    plans = {"q1": {(): 1000, ("a",): 500}, "q2": {(): 500, ("b",): 499}}
    assert extend.choose(what_if(plans, SIZES), 99 * MB) == {"a"}
    assert extend.choose(what_if(plans, SIZES), 99 * MB, least_gain_frac=0) == {"a", "b"}


def test_anytime_finds_a_pair_that_extend_misses() -> None:
    """No single step of the pair is the best one, but one of its seeds is half of it."""
    plans = {"q1": {(): 100, ("a",): 60}, "q2": {(): 100, ("b",): 90, ("b", "c"): 10}}
    sizes = {"a": 10.0, "b": 10.0, "c": 10.0}
    assert extend.choose(what_if(plans, sizes), 20 * MB) == {"a", "b"}
    assert dta_anytime.choose(what_if(plans, sizes), 20 * MB) == {"b", "c"}


def test_anytime_considers_mergers() -> None:
    """Each statement alone prefers a narrow index; the merged one serves both within the budget."""
    plans = {
        "q1": {(): 100, ("a",): 10, ("a,b",): 12},
        "q2": {(): 100, ("b",): 10, ("a,b",): 30},
    }
    assert dta_anytime.choose(what_if(plans, {"a": 10, "b": 10, "a,b": 15}), 15 * MB) == {"a,b"}


def test_autoadmin_tries_all_pairs_as_seeds() -> None:
    plans = {"q1": {(): 100, ("a",): 60}, "q2": {(): 100, ("b", "c"): 10}}
    assert autoadmin.choose(what_if(plans, SIZES), 20 * MB) == {"b", "c"}
    assert autoadmin.choose(what_if(plans, SIZES), 20 * MB, seed_size=1) == {"a"}


def test_autoadmin_widens_what_it_chose() -> None:
    plans = {"q1": {(): 100, ("a",): 50, ("a,b",): 10}, "q2": {(): 10, ("c,a",): 1}}
    sizes = {"a": 10.0, "a,b": 15.0, "c,a": 15.0}
    assert autoadmin.choose(what_if(plans, sizes), 40 * MB) == {"a,b"}  # nothing leads to (c, a)


def test_db2advis_credits_every_used_index_with_all_that_was_saved() -> None:
    """The double count that the paper's own variations then repair."""
    plans = {"q1": {(): 100, ("b", "c"): 10}, "q2": {(): 100, ("a",): 20}}
    sizes = {"a": 10.0, "b": 5.0, "c": 5.0}
    assert db2advis.choose(what_if(plans, sizes), 10 * MB, variations=0) == {"b", "c"}


def test_db2advis_variations_repair_a_bad_start() -> None:
    plans = {"q1": {(): 100, ("b", "c"): 95}, "q2": {(): 100, ("b", "a"): 10, ("a",): 30}}
    sizes = {"a": 10.0, "b": 9.0, "c": 1.0}
    assert db2advis.choose(what_if(plans, sizes), 10 * MB, variations=0) == {"b", "c"}
    assert db2advis.choose(what_if(plans, sizes), 10 * MB, variations=50) == {"a"}


def test_db2advis_drops_what_a_better_index_begins_with() -> None:
    plans = {"q1": {(): 100, ("a,b",): 10}, "q2": {(): 100, ("a",): 90}}
    assert db2advis.choose(what_if(plans, {"a,b": 15, "a": 10}), 99 * MB) == {"a,b"}


class TestCosts:
    def test_asks_once_for_sets_that_differ_in_what_does_not_matter(self):
        asked = what_if({"q1": {(): 100, ("a",): 60}, "q2": {(): 100, ("b",): 70}}, SIZES)
        assert asked.totals([frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")]) == [
            200,
            160,
            170,
            130,
        ]
        assert asked.planner_calls == 4  # each statement without and with its own index

    def test_leaves_out_what_the_planner_refuses(self):
        provider = TableOfCosts({"q1": {(): 100, ("a",): 60}}, {"a": MB})
        statements = [statement("q1"), statement("unknown")]
        candidates = [one_column(name, "q1") for name in "ab"]
        matters = {"q1": frozenset("ab"), "unknown": frozenset[str]()}
        asked = WhatIf(provider, statements, candidates, matters)
        assert asked.total(frozenset("a")) == 60
        assert asked.statements == ["q1"]
        assert list(asked.indexes) == ["a"]  # the provider knows no size of b

    @pytest.mark.parametrize("choose", ALL)
    def test_a_late_search_returns_the_best_so_far(self, choose):
        provider = TableOfCosts(LURE, dict.fromkeys("abc", MB))
        candidates = [one_column(name, *LURE) for name in "abc"]
        statements = [statement(name) for name in LURE]
        late = WhatIf(provider, statements, candidates, relevant(candidates), time_limit_s=0)
        assert late.late
        assert choose(late, 99 * MB) <= {"a", "b", "c"}


def one_column(name: str, *statements: str) -> IndexCandidate:
    return IndexCandidate(CreateIndex(T, name, (IndexKey(name),)), statements, "")


NOTE = replace(column("note", "json"), orderable=False)


def asking(name: str, sql: str) -> WorkloadStatement:
    return WorkloadStatement(name, Query(name, sql, StatementKind.SELECT, True), 1.0)


ORDERS = table("orders", column("id"), column("buyer"), column("total"), column("day"), NOTE)


def keys(candidates: Sequence[IndexCandidate]) -> list[list[str]]:
    return [[key.column for key in candidate.change.keys] for candidate in candidates]


def test_candidates_are_all_orders_of_the_columns_a_statement_names() -> None:
    known = catalog(ORDERS, table("other", column("id")))
    one = asking("one", "SELECT Total, note FROM orders WHERE buyer = $1")
    found = permutations(known, [one])
    assert keys(found) == [["buyer"], ["buyer", "total"], ["total"], ["total", "buyer"]]
    assert {candidate.statements for candidate in found} == {("one",)}
    assert len(permutations(known, [one], max_width=1)) == 2


def test_a_candidate_matters_to_statements_it_was_not_made_for() -> None:
    known = catalog(ORDERS)
    statements = [
        asking("one", "SELECT total FROM orders WHERE buyer = 1"),
        asking("two", "TABLE orders ORDER BY buyer"),
    ]
    candidates = permutations(known, statements)
    wide = next(c.name for c in candidates if len(c.change.keys) == 2)
    assert [c.statements for c in candidates if c.name == wide] == [("one",)]
    assert wide in relevance(known, statements, candidates)["two"]


def test_candidates_see_through_views() -> None:
    view = table("due", column("buyer"), kind=RelationKind.VIEW, definition="SELECT * FROM inner_due")
    inner = table("inner_due", kind=RelationKind.VIEW, definition="SELECT buyer FROM orders WHERE day > 1")
    found = permutations(catalog(ORDERS, view, inner), [asking("one", "SELECT buyer FROM due")])
    assert keys(found) == [["buyer"], ["buyer", "day"], ["day"], ["day", "buyer"]]
