"""Plans of real servers, read and written out: `plans/NAME.pgNN.json` is what PostgreSQL NN answered."""

import json
from pathlib import Path

import pytest

from pgproof.errors import ParseError
from pgproof.model.plan import Plan, PlanNode
from pgproof.postgres.plan_json import parse_plan
from pgproof.postgres.plan_text import render_plan

PLANS = Path(__file__).parent / "plans"
BOTH = pytest.mark.parametrize("major", [15, 18])


def plan(name: str, major: int) -> Plan:
    return parse_plan((PLANS / f"{name}.pg{major}.json").read_text(encoding="utf-8"))


def only(plan: Plan, node_type: str, relation: str = "") -> PlanNode:
    (node,) = [n for n in plan.root.walk() if n.node_type == node_type and n.relation == relation]
    return node


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.json")), ids=lambda path: path.stem)
def test_no_field_is_lost(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))[0]
    nodes = list(parse_plan([document]).root.walk())

    def raw(node: dict[str, object]) -> list[dict[str, object]]:
        return [node, *(found for child in node.get("Plans", []) for found in raw(child))]  # type: ignore[attr-defined] # any JSON value

    assert [n.node_type for n in nodes] == [n["Node Type"] for n in raw(document["Plan"])]
    assert [n.cost.value for n in nodes] == [n["Total Cost"] for n in raw(document["Plan"])]
    assert [n.actual_rows for n in nodes] == [n.get("Actual Rows") for n in raw(document["Plan"])]
    for node, source in zip(nodes, raw(document["Plan"]), strict=True):
        for name in source.keys() - node.extra.keys():
            assert name in {
                "Node Type", "Total Cost", "Startup Cost", "Plan Rows", "Plan Width", "Plans", "Schema",
                "Relation Name", "Alias", "Index Name", "Filter", "Index Cond", "Recheck Cond", "Sort Key",
                "Actual Loops", "Actual Rows", "Actual Total Time", "Rows Removed by Filter",
                "Parent Relationship", "Subplan Name",
            }  # fmt: skip


@BOTH
def test_a_join_with_buffers(major: int) -> None:
    found = plan("join_aggregate", major)
    scan = only(found, "Seq Scan", "order")
    assert (scan.schema, scan.alias, scan.filter) == ("Sélect", "o", "(o.status = 'new'::text)")
    assert (scan.actual_rows, scan.loops, scan.rows_removed, scan.shared_blks) == (200, 1, 19800, 187)
    assert only(found, "Sort").sort_key == ("(sum(i.qty)) DESC",)
    assert found.analyzed
    assert found.execution_ms is not None
    assert found.planning_ms is not None
    assert "Planning" in found.root.extra  # its buffers


@BOTH
def test_a_subplan_says_where_it_belongs(major: int) -> None:
    found = plan("subplan_index", major)
    aggregate = only(found, "Aggregate")
    assert (aggregate.parent_relationship, aggregate.subplan, aggregate.loops) == ("SubPlan", "SubPlan 1", 4)
    assert found.indexes_used() == {"order_pkey", "item_pkey"}
    searches = only(found, "Index Only Scan", "item").extra.get("Index Searches")
    assert searches == (4 if major >= 18 else None)


@BOTH
def test_without_analyze_nothing_is_actual(major: int) -> None:
    found = plan("update", major)
    assert not found.analyzed
    assert (found.root.loops, found.root.actual_rows_total, found.execution_ms) == (None, None, None)
    assert found.root.extra["Operation"] == "Update"


@BOTH
def test_without_timing_there_are_rows_but_no_times(major: int) -> None:
    found = plan("sort_disk", major)
    assert found.root.actual_rows == 60000
    assert found.root.actual_ms is None
    assert found.root.extra["Sort Space Type"] == "Disk"


@BOTH
def test_a_bitmap_has_its_condition_twice(major: int) -> None:
    found = plan("bitmap", major)
    heap = next(n for n in found.root.walk() if n.relation == "ev_1")
    assert heap.index_cond == heap.children[0].index_cond == "((k >= 10) AND (k <= 60))"
    assert heap.rows_removed == 51


def test_18_gives_fractions_of_rows() -> None:
    inner = [n for n in plan("nested_fraction", 18).root.walk() if n.relation == "item"]
    assert [n.actual_rows for n in inner] == [0.67]
    assert "rows=0.67 loops=3" in render_plan(plan("nested_fraction", 18))


def test_rendering_looks_as_in_psql() -> None:
    lines = render_plan(plan("subplan_index", 15)).splitlines()
    shape = [line.partition("  (cost")[0] for line in lines[:7]]
    assert shape == [
        "Index Scan using order_pkey on Sélect.order o",
        "  Index Cond: (o.id < 5)",
        "  SubPlan 1",
        "    ->  Aggregate",
        "          ->  Index Only Scan using item_pkey on public.item",
        "                Index Cond: (item.order_id = o.id)",
        "                Heap Fetches: 12",
    ]
    assert lines[-2].startswith("Planning Time: ")
    assert lines[-1].startswith("Execution Time: ")


def test_rendering_names_parallel_and_never_executed_nodes() -> None:
    text = render_plan(plan("parallel_never_executed", 15))
    assert "->  Parallel Seq Scan on public.item i" in text
    assert "CTE c\n    ->  HashAggregate" in text
    assert "Workers Planned: 2" in text
    root = PlanNode("Result", plan("update", 15).cost, plan("update", 15).cost, 1, 4, loops=0, actual_rows=0)
    assert render_plan(Plan(root)).endswith("(never executed)")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "no JSON"),
        ([], "to 0 statements"),
        ([{"Plan": {"Node Type": "Result"}}] * 2, "to 2 statements"),
        ([{"Utility": 1}], "holds no plan"),
        ([{"Plan": {"Total Cost": 1}}], "a field is missing"),
        ([{"Plan": {"Node Type": "Result", "Total Cost": "dear"}}], "of a wrong type"),
        ({"Plan": {"Node Type": "Result", "Plans": 7}}, "of a wrong type"),
    ],
)
def test_what_is_no_plan(document: object, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse_plan(document)  # type: ignore[arg-type] # that is the point
