"""Asking little and choosing well, on a planner whose every plan is written down here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from pgproof.model.candidate import Ambition, IndexBudget, IndexCandidate, Selection
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.units import PlannerCost
from pgproof.model.variant import Variant
from pgproof.model.workload import StatementCounters, WorkloadStatement
from pgproof.stages.estimate.costs import StatementCost, WorkloadCosts
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from pgproof.stages.estimate.select import choose_sets
from pgproof.stages.estimate.variants import estimate_variants
from pgproof.stages.estimate.weights import find_writes, weigh_statements, write_penalty
from tests.builders import catalog, column, index, statement, table, workload

Plans = Mapping[str, Mapping[frozenset[str], float]]


@dataclass
class PaperPlanner:
    """A provider with a list of plans: by statement, the indexes that a plan needs and its cost."""

    plans: Plans
    index_bytes: Mapping[str, int]
    refused: Mapping[str, str] = field(default_factory=dict)
    name: str = "paper"
    existing: frozenset[str] = frozenset()
    asked: int = 0

    def plan(
        self, requests: Sequence[PlanRequest], visible: frozenset[str]
    ) -> tuple[Planned | NotPlanned, ...]:
        self.asked += len(requests)
        return tuple(self._best(request, visible) for request in requests)

    def _best(self, request: PlanRequest, visible: frozenset[str]) -> Planned | NotPlanned:
        if request.sql not in self.plans:
            return NotPlanned("no plan")
        possible = [(cost, used) for used, cost in self.plans[request.sql].items() if used <= visible]
        cost, used = min(possible, key=lambda plan: (plan[0], sorted(plan[1])))
        return Planned(PlannerCost(cost), used)


def uses(*names: str) -> frozenset[str]:
    return frozenset(names)


READ = "SELECT a FROM t WHERE a = 1"
SORT = "SELECT a FROM t ORDER BY b"
WRITE = "INSERT INTO t (a) VALUES (1)"
TABLE = table("t", column("a"), column("b"), column("c"))
KNOWN = catalog(TABLE)
T = TABLE.relation


def candidate(
    name: str, *keys: str, include: tuple[str, ...] = (), table: RelationName = T
) -> IndexCandidate:
    change = CreateIndex(table, name, tuple(IndexKey(column=key) for key in keys), include=include)
    return IndexCandidate(change, ("q0",), "because")


def choose(
    planner: PaperPlanner,
    candidates: Sequence[IndexCandidate],
    *statements: WorkloadStatement | str,
    **other: object,
) -> Selection:
    return choose_sets(planner, KNOWN, workload(*statements), candidates, **other)


def test_costs_are_right_for_every_set_and_few_questions_are_asked() -> None:
    names = [f"i{place}" for place in range(10)]
    plans = {READ: {uses(): 100.0, **{uses(name): 10.0 + place for place, name in enumerate(names)}}}
    planner = PaperPlanner(plans, dict.fromkeys(names, 8192))
    costs = WorkloadCosts(planner, [statement(READ)])
    for place, name in enumerate(names):
        assert costs.under(uses(name))["q"] == StatementCost(PlannerCost(10.0 + place), uses(name))
    assert costs.under(uses())["q"].cost == PlannerCost(100)
    assert costs.under(frozenset(names[3:]))["q"].cost == PlannerCost(13)
    assert planner.asked == costs.planner_calls == 12  # about one a plan, not one a set


def test_a_statement_that_cannot_be_planned_is_named() -> None:
    planner = PaperPlanner({READ: {uses(): 1.0}}, {})
    costs = WorkloadCosts(planner, workload(READ, SORT).statements)
    assert list(costs.under(uses())) == ["q0"]
    assert costs.skipped == {"q1": "no plan"}


def test_parameter_sets_are_averaged_by_weight() -> None:
    class ByValue(PaperPlanner):
        def _best(self, request: PlanRequest, visible: frozenset[str]) -> Planned | NotPlanned:
            return Planned(PlannerCost(float(request.values[0] or 0)), uses())

    costs = WorkloadCosts(ByValue({}, {}), [statement("SELECT $1", ("10",), ("30",), ("50",), ("999",))])
    assert costs.under(uses())["q"].cost.value == pytest.approx(30)


PLANS: Plans = {
    READ: {uses(): 1000.0, uses("a"): 50.0, uses("wide"): 20.0, uses("covering"): 5.0},
    SORT: {uses(): 300.0, uses("b"): 100.0},
}
BYTES = {"a": 100_000, "wide": 900_000, "covering": 2_000_000, "b": 500_000}
CANDIDATES = [
    candidate("a", "a"),
    candidate("wide", "a", "c"),
    candidate("covering", "a", include=("c", "b")),
    candidate("b", "b"),
]


def test_three_sets_of_different_ambition() -> None:
    found = choose(PaperPlanner(PLANS, BYTES), CANDIDATES, READ, SORT)
    sets = {chosen.ambition: set(chosen.names) for chosen in found.sets}
    assert sets[Ambition.LEAN] == {"a"}
    assert sets[Ambition.BALANCED] == {"wide", "b"}
    assert sets[Ambition.BROAD] == {"covering", "b"}
    assert found.before == PlannerCost(13_000)
    assert found.floor == PlannerCost(1_050)
    assert [chosen.after.value for chosen in found.sets] == sorted(
        (chosen.after.value for chosen in found.sets), reverse=True
    )


def test_the_budget_holds_for_every_set() -> None:
    found = choose(PaperPlanner(PLANS, BYTES), CANDIDATES, READ, SORT, budget=IndexBudget(700_000))
    assert found.sets
    assert all(chosen.index_bytes <= 700_000 for chosen in found.sets)
    assert {"a", "b"} in [set(chosen.names) for chosen in found.sets]


def test_what_could_not_be_estimated_is_told_once_a_reason() -> None:
    refused = {**dict.fromkeys("cdefg", "no GIN here"), "h": "no such table"}
    planner = PaperPlanner({READ: {uses(): 1000.0, uses("a"): 100.0}}, {"a": 8192}, refused)
    selection = choose_sets(planner, KNOWN, workload(READ), [candidate("a", "a")])
    assert selection.refused == ("c, d, e and 2 more: no GIN here", "h: no such table")


def test_nothing_helps_is_said_not_invented() -> None:
    planner = PaperPlanner({READ: {uses(): 1000.0, uses("a"): 995.0}}, {"a": 8192})
    found = choose(planner, [candidate("a", "a")], READ)
    assert found.sets == ()
    assert found.reason == (
        "No index will help here: with the only candidate in place the planner expects 0.5 % less cost."
        " Look at the statements themselves, or at settings."
    )


def test_a_budget_too_small_is_told_apart() -> None:
    found = choose(PaperPlanner(PLANS, BYTES), CANDIDATES, READ, SORT, budget=IndexBudget(10))
    assert found.sets == ()
    assert found.reason.startswith("No index that helps fits into 10 B")


def test_writes_weigh_against_an_index() -> None:
    planner = PaperPlanner({READ: {uses(): 30.0, uses("a"): 5.0}, WRITE: {uses(): 1.0}}, {"a": 8192})
    rarely = [statement(READ, name="r", calls=100), statement(WRITE, name="w", calls=10)]
    often = [statement(READ, name="r", calls=100), statement(WRITE, name="w", calls=10_000)]
    assert choose(planner, [candidate("a", "a")], *rarely).sets[0].names == ("a",)
    assert choose(planner, [candidate("a", "a")], *often).sets == ()


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("UPDATE t SET a = 1 WHERE c = 2", True),
        ("UPDATE t SET c = 1 WHERE c = 2", False),  # HOT: the index stays as it is
        ("DELETE FROM t WHERE c = 2", False),  # VACUUM's work
    ],
)
def test_only_writes_that_touch_the_index_count(sql: str, written: bool) -> None:
    planner = PaperPlanner({READ: {uses(): 30.0, uses("a"): 5.0}, sql: {uses(): 1.0}}, {"a": 8192})
    statements = [statement(READ, name="r", calls=100), statement(sql, name="w", calls=10)]
    found = choose(planner, [candidate("a", "a")], *statements)
    assert (found.sets[0].write_penalty.value > 0) is written


def test_an_index_superseded_by_a_later_one_is_taken_out() -> None:
    both = "SELECT a FROM t WHERE a = 1 AND c = 2"
    plans: Plans = {
        READ: {uses(): 1000.0, uses("a"): 10.0, uses("ac"): 11.0},
        both: {uses(): 1000.0, uses("a"): 400.0, uses("ac"): 2.0},
    }
    planner = PaperPlanner(plans, {"a": 100_000, "ac": 110_000})
    found = choose(planner, [candidate("a", "a"), candidate("ac", "a", "c")], READ, both)
    assert ("ac",) in [chosen.names for chosen in found.sets]
    assert not any(set(chosen.names) == {"a", "ac"} for chosen in found.sets)


def test_a_dear_statement_that_no_index_changes_does_not_hide_the_others() -> None:
    endless = "SELECT 1 FROM t AS x, t AS y"
    planner = PaperPlanner({**PLANS, endless: {uses(): 1e12}}, BYTES)
    found = choose(planner, CANDIDATES, endless, READ, SORT)
    assert found.sets == choose(PaperPlanner(PLANS, BYTES), CANDIDATES, READ, SORT).sets
    assert found.reason.endswith(
        " q0 costs more than all other statements together, and no index changes that: "
        "the sets are chosen for the others."
    )


def test_a_dear_statement_whose_time_was_measured_counts() -> None:
    endless = statement("SELECT 1 FROM t AS x, t AS y", name="endless")
    measured = replace(endless, counters=StatementCounters(1, 1e9, 1))
    planner = PaperPlanner({**PLANS, endless.query.sql: {uses(): 1e12}}, BYTES)
    assert choose(planner, CANDIDATES, measured, READ).sets == ()


def test_measured_time_outweighs_cost() -> None:
    slow = WorkloadStatement("slow", statement(READ).query, 1, (), StatementCounters(1, 900, 1))
    fast = WorkloadStatement("fast", statement(SORT).query, 1, (), StatementCounters(1, 100, 1))
    counted = WorkloadStatement("counted", statement(SORT).query, 5)
    costs = {name: StatementCost(PlannerCost(50), uses()) for name in ("slow", "fast", "counted")}
    weights = weigh_statements([slow, fast, counted], costs)
    assert weights["slow"] * 50 == pytest.approx(900)
    assert weights["fast"] * 50 == pytest.approx(100)
    assert weights["counted"] * 50 == pytest.approx(5 * 500)  # five calls at the mean rate


def test_estimates_of_variants() -> None:
    planner = PaperPlanner(PLANS, BYTES)
    variant = Variant("lean", "", (CANDIDATES[0].change, CreateIndex(T, "unknown", (IndexKey(column="c"),))))
    (estimate,) = estimate_variants(planner, workload(READ, SORT), [variant])
    assert (estimate.before.value, estimate.after.value) == (13_000, 3_500)
    assert estimate.index_bytes == 100_000
    assert estimate.statements[0].indexes == ("a",)
    assert estimate.skipped == ("index unknown: not among the candidates",)
    assert estimate.saved_frac == pytest.approx(1 - 3_500 / 13_000)


@pytest.mark.parametrize(("measured", "by"), [(False, "calls"), (True, "time")])
def test_an_estimate_is_the_figure_that_its_set_was_chosen_by(measured: bool, by: str) -> None:
    slow, fast = statement(READ, name="slow"), statement(SORT, name="fast")
    if measured:
        slow = replace(slow, counters=StatementCounters(1, 900.0, 1))
        fast = replace(fast, counters=StatementCounters(1, 100.0, 1))
    planner, asked = PaperPlanner(PLANS, BYTES), replace(workload(), statements=(slow, fast))
    found = choose_sets(planner, KNOWN, asked, CANDIDATES)
    by_name = {candidate.name: candidate.change for candidate in CANDIDATES}
    variants = [Variant(s.ambition, "", tuple(by_name[name] for name in s.names)) for s in found.sets]
    estimates = estimate_variants(planner, asked, variants)
    assert [e.saved_frac for e in estimates] == pytest.approx(
        [s.before.saved_frac(s.after) for s in found.sets]
    )
    assert {e.weighted_by for e in estimates} == {by}
    assert [e.before.value for e in estimates] == [pytest.approx(13_000)] * len(estimates), "of all calls"
    assert max(e.saved_frac for e in estimates) <= found.before.saved_frac(found.floor) + 1e-9


def test_broad_serves_the_statement_that_is_lost_among_heavier_ones() -> None:
    plans: Plans = {
        READ: {uses(): 1_000_000.0, uses("a"): 100_000.0},
        SORT: {uses(): 100.0, uses("b"): 5.0},
        "SELECT c FROM t": {uses(): 100.0, uses("c"): 95.0},
    }
    planner = PaperPlanner(plans, dict.fromkeys("abc", 8192))
    asked = [candidate(name, name) for name in "abc"]
    found = choose(planner, asked, READ, SORT, "SELECT c FROM t")
    sets = {chosen.ambition: set(chosen.names) for chosen in found.sets}
    assert sets == {Ambition.LEAN: {"a"}, Ambition.BROAD: {"a", "b"}}


def test_the_alternative_does_without_the_best_index() -> None:
    plans: Plans = {READ: {uses(): 1000.0, uses("a"): 10.0, uses("wide"): 200.0}}
    planner = PaperPlanner(plans, {"a": 8192, "wide": 8192})
    found = choose(planner, CANDIDATES[:2], READ)
    assert [(chosen.ambition, chosen.names) for chosen in found.sets] == [
        (Ambition.LEAN, ("a",)),
        (Ambition.ALTERNATIVE, ("wide",)),
    ]


def test_an_index_on_an_updated_column_pays_for_the_hot_updates_it_ends() -> None:
    update = statement("UPDATE t SET b = 2 WHERE a = 1", calls=10)
    there = [index("t", "a", name="one"), index("t", "c", name="other")]
    costs = {"q": StatementCost(PlannerCost(1), frozenset())}
    (write,) = find_writes([update], catalog(TABLE, indexes=there), costs)
    assert write.spared == 2
    assert write_penalty(candidate("x", "b").change, [write]) == 30  # itself and the two others, ten times
    assert write_penalty(candidate("x", "a").change, [write]) == 0
    touched = [*there, index("t", "b", name="too")]
    (write,) = find_writes([update], catalog(TABLE, indexes=touched), costs)
    assert write_penalty(candidate("x", "b", "a").change, [write]) == 10  # they were not HOT before


def test_a_workload_of_many_statements_gets_modest_sets_too() -> None:
    texts = [f"SELECT a FROM t WHERE a = {place}" for place in range(40)]
    plans = {
        text: {uses(): 100.0, uses(f"plain{place}"): 30.0, uses(f"wide{place}"): 20.0}
        for place, text in enumerate(texts)
    }
    names = [f"{kind}{place}" for kind in ("plain", "wide") for place in range(40)]
    planner = PaperPlanner(plans, dict.fromkeys(names, 8192))
    asked = [candidate(name, "a", include=("c",) if name.startswith("wide") else ()) for name in names]
    asked = [replace(one, statements=(f"q{one.name.lstrip('plainwde')}",)) for one in asked]
    tables = [replace(one, change=replace(one.change, keys=(IndexKey(column=one.name),))) for one in asked]
    found = choose_sets(planner, KNOWN, workload(*texts), tables)
    sizes = {chosen.ambition: len(chosen.names) for chosen in found.sets}
    assert sizes[Ambition.BALANCED] == sizes[Ambition.BROAD] == 40
    assert 0 < sizes[Ambition.LEAN] < 40
