"""Which statistics are proposed, from plans and catalogs written by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, CreateStatistics, SetStatisticsTarget, StatisticsKind
from pgproof.model.misestimate import find_misestimates
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.relation import RelationKind, RelationName
from pgproof.model.statistics import TableActivity
from pgproof.model.statistics_advice import StatisticsAdvice
from pgproof.model.units import PlannerCost
from pgproof.model.workload import ParameterSet, ParameterSource, WorkloadStatement
from pgproof.stages.propose.statistics import propose_statistics
from tests.builders import catalog, column, index, statement, table, workload

PLACES = table(
    "places",
    column("city", "text", distinct=300),
    column("zip", "text", distinct=300),
    column("id"),
    column("at", "timestamptz", distinct=500),
)
RELATION = PLACES.relation
FREE = PlannerCost(0)


def node(
    kind: str, *children: PlanNode, rows: float = 1, actual: float | None = 200, **facts: object
) -> PlanNode:
    loops = None if actual is None else 1.0
    return PlanNode(kind, FREE, FREE, rows, 8, actual_rows=actual, loops=loops, children=children, **facts)


def scan(condition: str, **facts: object) -> PlanNode:
    told = {"schema": "public", "relation": "places", "alias": "p", "filter": condition} | facts
    return node("Seq Scan", **told)


def plan(root: PlanNode) -> Plan:
    return Plan(root, analyzed=root.loops is not None)


def advised(
    root: PlanNode, known: Catalog | None = None, asked: WorkloadStatement | None = None
) -> tuple[StatisticsAdvice, ...]:
    asked = asked or statement("SELECT 1 FROM places p")
    return propose_statistics(known or catalog(PLACES), workload(asked), {asked.name: (plan(root),)})


def changes(root: PlanNode, known: Catalog | None = None) -> list[object]:
    return [advice.change for advice in advised(root, known)]


TOGETHER = CreateStatistics(
    RELATION,
    "places_city_zip_stat",
    ("city", "zip"),
    (),
    (StatisticsKind.DEPENDENCIES, StatisticsKind.MCV),
)
BOTH = "((p.city = 'a'::text) AND (p.zip = 'b'::text))"


def test_columns_compared_together() -> None:
    assert changes(scan(BOTH)) == [TOGETHER]
    parts = scan("(p.zip = 'b'::text)", index_cond="(p.city = 'a'::text)", index="i")
    assert changes(parts) == [TOGETHER], "whichever line of the plan they stand in"


@pytest.mark.parametrize(
    "condition",
    [
        "((p.city = 'a'::text) OR (p.zip = 'b'::text))",
        "((p.city = $0) AND (p.zip <> 'b'::text))",
        "((p.city = p.zip) AND (p.id > 3))",
        "((p.city = (InitPlan 1).col1) AND (p.zip = (InitPlan 2).col1))",
    ],
)
def test_what_does_not_compare_columns_with_values_is_no_clue(condition: str) -> None:
    assert not any(isinstance(change, CreateStatistics) for change in changes(scan(condition)))


def test_small_errors_small_tables_and_known_statistics_are_left_alone() -> None:
    assert changes(scan(BOTH, rows=25)) == []
    assert changes(scan(BOTH), catalog(replace(PLACES, rows=900))) == []
    assert changes(scan(BOTH, actual=None)) == [], "nothing was executed, nothing was counted"


def test_a_column_that_is_the_same_everywhere_combines_with_nothing() -> None:
    known = catalog(replace(PLACES, columns=(*PLACES.columns, column("year", "int4", distinct=1))))
    condition = "((p.city = 'a'::text) AND (p.zip = 'b'::text) AND (p.year = 2026))"
    assert changes(scan(condition), known) == [TOGETHER]


def test_an_equality_with_a_range_is_a_matter_of_common_combinations() -> None:
    condition = "((p.city = 'a'::text) AND (p.at > '2026-01-01 00:00:00+00'::timestamp with time zone))"
    (advice,) = advised(scan(condition))[:1]
    assert isinstance(advice.change, CreateStatistics)
    assert (advice.change.columns, advice.change.kinds) == (("at", "city"), (StatisticsKind.MCV,))


def test_expressions_unless_an_index_keeps_their_statistics() -> None:
    condition = "(lower(p.city) = 'a'::text)"
    (change,) = changes(scan(condition))
    assert change == CreateStatistics(RELATION, "places_expr_stat", (), ("lower(city)",))
    from pgproof.model.relation import IndexKey

    known = catalog(PLACES, indexes=(index("places", IndexKey(expression="lower(city)")),))
    assert changes(scan(condition), known) == []


def test_groups() -> None:
    def grouped(*keys: str, **facts: object) -> PlanNode:
        below = scan("", rows=100_000, actual=100_000.0)
        return node("Aggregate", below, rows=9_000, actual=300, extra={"Group Key": list(keys), **facts})

    assert changes(grouped("p.city", "p.zip")) == [replace(TOGETHER, kinds=(StatisticsKind.NDISTINCT,))]
    assert changes(grouped("p.city", "p.zip", **{"Partial Mode": "Partial"})) == []
    assert changes(grouped("p.city", "x.y")) == []
    assert changes(grouped("p.city")) == [SetStatisticsTarget(RELATION, "city", 1000)]


def test_kinds_of_two_statements_come_together() -> None:
    asked = (
        statement("SELECT 1 FROM places p", name="rows"),
        statement("SELECT 2 FROM places p", name="groups"),
    )
    below = scan("", rows=100_000, actual=100_000.0)
    group = node("Aggregate", below, rows=9_000, actual=300, extra={"Group Key": ["p.city", "p.zip"]})
    plans = {"rows": (plan(scan(BOTH)),), "groups": (plan(group),)}
    (advice,) = propose_statistics(catalog(PLACES), workload(*asked), plans)
    assert advice.change == replace(TOGETHER, kinds=tuple(StatisticsKind))
    assert advice.statements == ("rows", "groups")
    assert advice.error_factor == 200, "the worse of the two"


def test_a_single_column_is_looked_at_more_closely_up_to_the_limit() -> None:
    condition = "(p.city = 'a'::text)"
    assert changes(scan(condition)) == [SetStatisticsTarget(RELATION, "city", 1000)]

    def with_target(target: int) -> Catalog:
        city, *others = PLACES.columns
        return catalog(replace(PLACES, columns=(replace(city, statistics_target=target), *others)))

    assert changes(scan(condition), with_target(1000)) == [SetStatisticsTarget(RELATION, "city", 10_000)]
    assert changes(scan(condition), with_target(10_000)) == []
    few = catalog(replace(PLACES, columns=(column("city", "text", distinct=2, common={"a": 0.5, "b": 0.5}),)))
    assert changes(scan(condition), few) == [], "every value is kept already"


def test_stale_tables_are_analysed_before_anything_else_is_thought_of() -> None:
    now = catalog(PLACES).read_at
    busy = TableActivity(
        mods_since_analyze=50_000, live_rows=100_000, last_analyze_at=now - timedelta(hours=1)
    )
    asked = statement("SELECT id FROM places p WHERE city = $1", ("a",))
    (advice,) = advised(scan(BOTH), catalog(replace(PLACES, activity=busy)), asked)
    assert advice.change == AnalyzeTable(RELATION)
    assert advice.evidence[0].value == "50,000"
    just_now = replace(busy, last_analyze_at=now - timedelta(seconds=10))
    found = advised(scan(BOTH), catalog(replace(PLACES, activity=just_now)), asked)
    assert [item.change for item in found] == [TOGETHER], "counters come late"


def test_a_partitioned_table_is_analysed_as_a_whole() -> None:
    parent = table("parted", replace(column("city"), statistics=None), kind=RelationKind.PARTITIONED)
    child = table("parted_1", column("city"), parent=parent.relation)
    asked = workload(statement("SELECT city FROM parted GROUP BY city"))
    (advice,) = propose_statistics(catalog(parent, child), asked, {})
    assert advice.change == AnalyzeTable(RelationName("public", "parted"))


def test_values_behind_the_end_of_a_steep_list() -> None:
    # 100 values of 0.5 % each are kept; the other half of the rows is thought to have 50,000 values.
    kept = {str(number): 0.005 for number in range(100)}
    steep = table("visits", column("page", "int4", distinct=50_000, common=kept))

    def found(value: str, source: ParameterSource = ParameterSource.LOG, **facts: object) -> list[object]:
        asked = statement("SELECT count(*) FROM visits WHERE page = $1", (value,))
        asked = replace(asked, parameter_sets=(ParameterSet((value,), source),))
        known = catalog(replace(steep, **facts))
        return [advice.change for advice in propose_statistics(known, workload(asked), {})]

    assert found("777") == [SetStatisticsTarget(steep.relation, "page", 1000)]
    assert found("7") == [], "a common value"
    assert found("777", ParameterSource.SAMPLED_ROWS) == [], "a value that we made up"
    flat = column("page", "int4", distinct=300, common={str(number): 0.0035 for number in range(100)})
    assert found("777", columns=(flat,)) == []


def test_no_row_value_is_told() -> None:
    secret = "((p.city = 'TopSecret'::text) AND (p.zip = 'b'::text))"
    assert all("TopSecret" not in repr(advice) for advice in advised(scan(secret)))


def test_what_stopped_early_says_nothing_of_rows_that_never_came() -> None:
    cut = node("Limit", scan(BOTH, rows=5_000, actual=10), rows=10, actual=10)
    assert [error.node.node_type for error in find_misestimates(Plan(cut))] == ["Limit"]
    more = node("Limit", scan(BOTH, rows=1, actual=400), rows=1, actual=400)
    assert max(error.factor for error in find_misestimates(Plan(more))) == 400
    semi = node(
        "Nested Loop",
        scan(BOTH, parent_relationship="Outer"),
        scan(BOTH, rows=900, actual=1, parent_relationship="Inner"),
        extra={"Join Type": "Semi"},
    )
    assert len(find_misestimates(Plan(semi))) == 2
    whole = node("Limit", node("Sort", scan(BOTH, rows=5_000, actual=10), rows=5_000, actual=10), actual=10)
    assert {error.node.node_type for error in find_misestimates(Plan(whole))} == {"Seq Scan", "Limit"}
    for kind, facts in (("Incremental Sort", {}), ("Aggregate", {"Strategy": "Sorted"}), ("WindowAgg", {})):
        between = node(kind, scan(BOTH, rows=5_000, actual=10), rows=5_000, actual=10, extra=facts)
        streamed = Plan(node("Limit", between, rows=10, actual=10))
        assert [error.node.node_type for error in find_misestimates(streamed)] == ["Limit"], kind
    hashed = node(
        "Aggregate", scan(BOTH, rows=5_000, actual=10), rows=5, actual=5, extra={"Strategy": "Hashed"}
    )
    seen = find_misestimates(Plan(node("Limit", hashed, rows=5, actual=5)))
    assert [error.node.node_type for error in seen] == ["Limit", "Seq Scan"]
