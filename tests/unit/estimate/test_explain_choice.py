"""Why these indexes: on a planner whose every plan is written down here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from pgproof.model.advice import ChoiceExplanation, OutlookCase
from pgproof.model.candidate import IndexBudget, IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.drop import DropCandidate, DropCase, IndexUpkeep
from pgproof.model.estimate import Confidence, IndexSize
from pgproof.model.relation import IndexKey, RelationName
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.explain_choice import explain_choice
from pgproof.stages.estimate.goal import Goal
from tests.builders import catalog, column, index, statement, table, workload
from tests.unit.estimate.test_choosing import PaperPlanner, Plans, uses

READ = "SELECT a FROM t WHERE a = 1"
SORT = "SELECT a FROM t WHERE a > 1 ORDER BY b"
SCAN = "SELECT sum(c) FROM t"
TABLE = table("t", column("a"), column("b"), column("c"))
T = TABLE.relation
MB = 1024 * 1024


def candidate(name: str, *keys: str, include: tuple[str, ...] = (), asks: str = "q0") -> IndexCandidate:
    change = CreateIndex(T, name, tuple(IndexKey(column=key) for key in keys), include=include)
    return IndexCandidate(change, (asks,), f"q0 looks for {', '.join(keys)}")


A, AB, B = candidate("i_a", "a"), candidate("i_ab", "a", "b"), candidate("i_b", "b")
KNOWN = catalog(TABLE)


def goal_of(
    plans: Plans,
    candidates: Sequence[IndexCandidate],
    bytes_of: Mapping[str, int] | None = None,
    *,
    budget: IndexBudget | None = None,
    upkeep: Mapping[str, float] | None = None,
    aside: tuple[str, ...] = (),
) -> Goal:
    sizes = bytes_of or {c.name: MB for c in candidates}
    asked = workload(*(statement(sql, name=f"q{place}", calls=10) for place, sql in enumerate(plans)))
    return Goal(
        costs=WorkloadCosts(PaperPlanner(plans, sizes), asked.statements),
        weights={s.name: s.calls for s in asked.statements if s.name not in aside},
        penalties={**dict.fromkeys(sizes, 0.0), **(upkeep or {})},
        index_bytes=sizes,
        indexes={c.name: c.change for c in candidates},
        budget=budget or IndexBudget(),
    )


def explained(
    goal: Goal,
    chosen: set[str],
    candidates: Sequence[IndexCandidate],
    known: Catalog = KNOWN,
    **other: object,
) -> ChoiceExplanation:
    asked = workload(
        *(statement(q.request.sql, name=q.statement, calls=10) for q in goal.costs.questions)
    ).statements
    return explain_choice(goal, chosen, candidates, known, asked, **other)


BOTH = {
    READ: {uses(): 100.0, uses("i_a"): 10.0, uses("i_ab"): 12.0},
    SORT: {uses(): 300.0, uses("i_ab"): 30.0, uses("i_b"): 200.0},
}


def test_what_an_index_is_worth_and_for_whom() -> None:
    goal = goal_of(BOTH, (A, AB, B))
    found = explained(
        goal,
        {"i_ab"},
        (A, AB, B),
        sizes={"i_ab": IndexSize(2 * MB, Confidence.HIGH, "from statistics")},
    )
    (why,) = found.indexes
    assert (why.index, why.table, why.reason) == ("i_ab", T, "q0 looks for a, b")
    assert why.sql == "CREATE INDEX CONCURRENTLY i_ab ON public.t USING btree (a, b)"
    assert why.saved_frac == why.set_frac == pytest.approx((400 - 42) / 400)
    assert why.size == IndexSize(2 * MB, Confidence.HIGH, "from statistics")
    assert why.upkeep_frac == 0
    assert [
        (gain.statement, gain.now.value, gain.without.value, gain.after.value, gain.calls, gain.share_frac)
        for gain in why.statements
    ] == [("q1", 300, 300, 30, 10, 0.75), ("q0", 100, 100, 12, 10, 0.25)]


def test_a_gain_is_what_it_adds_to_the_rest_of_its_set() -> None:
    goal = goal_of(BOTH, (A, AB, B))
    first, second = explained(goal, {"i_a", "i_ab"}, (A, AB, B)).indexes
    assert (first.index, second.index) == ("i_ab", "i_a"), "the one that saves more comes first"
    assert second.saved_frac == pytest.approx(2 / 400)
    assert [(gain.statement, gain.without.value) for gain in second.statements] == [("q0", 12)]
    assert second.size == IndexSize(MB, Confidence.MEDIUM, "as the paper has it")


def rival_of(goal: Goal, chosen: set[str], candidates: Sequence[IndexCandidate], **other: object) -> str:
    """What is said of the rival of the one index chosen."""
    (why,) = explained(goal, chosen, candidates, **other).indexes
    return f"{why.rival.index}: {why.rival.reason}" if why.rival else why.rival_note


def test_the_rival_that_saves_less() -> None:
    goal = goal_of(BOTH, (A, AB, B))
    assert rival_of(goal, {"i_ab"}, (A, AB, B)) == (
        "i_b: the set would save 25.0 % with it instead of 89.5 %"
    )
    (why,) = explained(goal, {"i_ab"}, (A, AB, B)).indexes
    assert why.rival is not None
    assert why.rival.saved_frac == pytest.approx(0.25)
    assert why.rival.sql == "CREATE INDEX CONCURRENTLY i_b ON public.t USING btree (b)"


def test_rivals_that_lose_by_a_hair_by_size_or_by_the_writes() -> None:
    same = {READ: {uses(): 100.0, uses("i_a"): 10.0, uses("i_ab"): 10.0}}
    assert rival_of(goal_of(same, (A, AB), {"i_a": MB, "i_ab": 3 * MB}), {"i_a"}, (A, AB)) == (
        "i_ab: the set would save about the same with it, and take 2.0 MB more"
    )
    assert (
        rival_of(goal_of(same, (A, AB)), {"i_a"}, (A, AB))
        == "i_ab: the set would save about the same with it: a tie"
    )
    wide = candidate("i_abc", "a", "b", "c")
    plans = {READ: {uses(): 100.0, uses("i_a"): 10.0, uses("i_abc"): 9.0}}
    written = goal_of(plans, (A, wide), upkeep={"i_abc": 30.0})
    assert rival_of(written, {"i_a"}, (A, wide)) == (
        "i_abc: the set would save 88.0 % with it instead of 90.0 %, as it costs the writes more"
    )


def test_rivals_that_would_be_better() -> None:
    plans = {READ: {uses(): 100.0, uses("i_a"): 10.0, uses("i_ab"): 5.0}}
    sizes = {"i_a": MB, "i_ab": 3 * MB}
    better = "i_ab: the set would save 95.0 % with it instead of 90.0 %"
    assert rival_of(goal_of(plans, (A, AB), sizes), {"i_a"}, (A, AB)) == (
        f"{better}, for 2.0 MB more: a more ambitious set may have it"
    )
    assert rival_of(goal_of(plans, (A, AB)), {"i_a"}, (A, AB)) == (
        f"{better}; the search stopped before it tried that: time was up, or little was left to gain"
    )
    tight = goal_of(plans, (A, AB), sizes, budget=IndexBudget(size_bytes=2 * MB))
    assert rival_of(tight, {"i_a"}, (A, AB)) == f"{better}, but the limit of 2.0 MB would not be kept"


def test_no_rival() -> None:
    plans = {READ: {uses(): 100.0, uses("i_a"): 10.0}}
    assert rival_of(goal_of(plans, (A,)), {"i_a"}, (A,)) == (
        "no other candidate is on its table or for its statements"
    )
    assert rival_of(goal_of(plans, (A, B)), {"i_a"}, (A, B)) == (
        "without it, no other candidate would be used in its place"
    )
    assert rival_of(goal_of(BOTH, (A, AB, B)), {"i_ab"}, (A, AB, B), time_limit_s=-1) == (
        "others were not compared: the time for it was used up"
    )


def test_without_time_the_rest_is_told() -> None:
    goal = goal_of(BOTH, (A, AB, B))
    (why,) = explained(goal, {"i_ab"}, (A, AB, B), time_limit_s=-1).indexes
    assert (why.saved_frac, why.statements, why.rival) == (None, (), None)
    assert why.set_frac == pytest.approx((400 - 42) / 400)
    assert why.size.size_bytes == MB


def test_existing_indexes_that_it_makes_superfluous() -> None:
    there = [
        index("t", "a", name="short"),
        index("t", "a", name="rule", unique=True),
        index("t", "a", name="identity"),
        index("t", "b", name="other"),
    ]
    there[2] = replace(there[2], replica_identity=True)
    (why,) = explained(goal_of(BOTH, (A, AB, B)), {"i_ab"}, (A, AB, B), catalog(TABLE, indexes=there)).indexes
    assert why.supersedes == (RelationName("public", "short"),)


def test_statements_that_stay_heavy() -> None:
    plans = {
        SCAN: {uses(): 5000.0},
        SORT: {uses(): 3000.0, uses("i_ab"): 1500.0, uses("i_ab", "i_b"): 1480.0},
        READ: {uses(): 1500.0, uses("i_ab"): 1000.0, uses("i_a"): 10.0},
    }
    goal = goal_of(plans, (A, AB, B), budget=IndexBudget(count=1))
    found = explained(goal, {"i_ab"}, (A, AB, B)).outlooks
    assert [(o.statement, o.case, round(o.left_frac, 2), o.reason) for o in found] == [
        (
            "q0",
            OutlookCase.NO_INDEX,
            0.67,
            "no index will help: it costs 5,000 with every candidate in place just the same",
        ),
        (
            "q1",
            OutlookCase.EXHAUSTED,
            0.2,
            "indexes have done what they can: 3,000 is 1,500 now, and 1,480 with every candidate in place",
        ),
        (
            "q2",
            OutlookCase.LEFT_OUT,
            0.13,
            "i_a would bring it from 1,000 to 10, but the limit of 1 index would not be kept",
        ),
    ]
    last = found[-1]
    assert (last.helper, last.helped.value if last.helped else None, last.floor.value) == ("i_a", 10, 10)
    assert explained(goal, {"i_ab"}, (A, AB, B)).left_heavy_frac == pytest.approx(1)


def test_a_statement_that_was_left_aside_has_an_outlook_too() -> None:
    plans = {SCAN: {uses(): 9e9}, READ: {uses(): 100.0, uses("i_a"): 10.0}}
    outlooks = explained(goal_of(plans, (A,), aside=("q0",)), {"i_a"}, (A,)).outlooks
    assert [(o.statement, o.case, o.left_frac) for o in outlooks] == [
        ("q0", OutlookCase.NO_INDEX, None),
        ("q1", OutlookCase.EXHAUSTED, 1.0),
    ]


def test_nothing_is_sure_of_a_statement_whose_values_nobody_knows() -> None:
    unknown, counted = "SELECT c FROM t WHERE a > $1", "SELECT count(*) FROM t"
    plans = {unknown: {uses(): 100.0, uses("i_a"): 99.0}, counted: {uses(): 100.0}}
    first, second = sorted(explained(goal_of(plans, (A,)), set(), (A,)).outlooks, key=lambda o: o.statement)
    assert first.case is OutlookCase.UNKNOWN
    assert first.reason.startswith(
        "no values of its parameters are known: planned for any, no index will help"
    )
    assert second.case is OutlookCase.NO_INDEX


def left_out(plans: Plans, **other: object) -> str:
    """Why i_a, which would help READ, is not in the set of none."""
    (outlook,) = [
        o for o in explained(goal_of(plans, (A, B), **other), set(), (A, B)).outlooks if o.statement == "q0"
    ]
    assert outlook.case is OutlookCase.LEFT_OUT
    return outlook.reason


def test_why_one_that_would_help_was_left_out() -> None:
    helps = {READ: {uses(): 100.0, uses("i_a"): 50.0}}
    said = "i_a would bring it from 100 to 50, but"
    assert left_out(helps) == f"{said} it would save 50.0 % of the workload's cost for 1.0 MB: too little"
    assert left_out(helps, budget=IndexBudget(size_bytes=1000)) == (
        f"{said} the limit of 1,000 B would not be kept"
    )
    assert left_out(helps, upkeep={"i_a": 600.0}) == (
        f"{said} keeping it up to date costs the writes 60.0 %, more than the 50.0 % that it saves"
    )
    together = {READ: {uses(): 100.0, uses("i_a", "i_b"): 10.0}}
    assert left_out(together) == (
        "i_a with 1 more would bring it from 100 to 10, but it makes others dearer by as much"
    )


def test_what_could_not_be_estimated_may_help_after_all() -> None:
    goal = goal_of({READ: {uses(): 100.0}}, (A,))
    words = candidate("i_words", "c")
    goal.costs.provider = replace(goal.costs.provider, refused={"i_words": "no GIN here"})
    (outlook,) = explained(goal, set(), (A, words)).outlooks
    assert (outlook.case, outlook.reason) == (
        OutlookCase.UNKNOWN,
        "of the candidates that could be estimated, no index will help: it costs 100 with every candidate in"
        " place just the same; i_words could not: no GIN here",
    )


def test_outlook_without_time() -> None:
    goal = goal_of({READ: {uses(): 100.0, uses("i_a"): 50.0}}, (A,))
    (outlook,) = explained(goal, set(), (A,), time_limit_s=-1).outlooks
    assert (outlook.case, outlook.reason) == (
        OutlookCase.UNKNOWN,
        "every candidate at once would bring it from 100 to 50; there was no time to ask which of them does",
    )


OLD = RelationName("public", "old")
DROP = DropCandidate(DropIndex(OLD, T, ""), DropCase.REDUNDANT, "because", (), MB, IndexUpkeep())


def test_what_dropping_an_existing_index_does() -> None:
    plans = {
        READ: {uses(): 100.0, uses("public.old"): 80.0, uses("i_a"): 40.0},
        SORT: {uses(): 300.0, uses("public.old"): 20.0},
    }
    goal = goal_of(plans, (A,), {"i_a": MB, "public.old": MB})
    found = explained(goal, {"i_a"}, (A,), now={"public.old"}, drops=(DROP,))
    (drop,) = found.drops
    assert drop.drop is DROP
    assert drop.saved_frac == pytest.approx(-280 / 100)
    assert [(gain.statement, gain.without.value, gain.after.value) for gain in drop.dearer] == [
        ("q1", 20, 300)
    ]
    assert explained(goal, {"i_a", "public.old"}, (A,), now={"public.old"}, drops=(DROP,)).drops == ()
    (unknown,) = explained(goal_of(BOTH, (A, AB, B)), {"i_a"}, (A, AB, B), drops=(DROP,)).drops
    assert unknown.saved_frac is None


def test_nothing_chosen_nothing_heavy() -> None:
    assert explained(goal_of({READ: {uses(): 0.0}}, ()), set(), ()) == ChoiceExplanation()
