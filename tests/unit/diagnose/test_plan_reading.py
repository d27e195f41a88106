"""What surrounds a plan's nodes, and what its printed conditions mean."""

import pytest

from pgproof.model.plan import Plan, PlanNode
from pgproof.sqltext.plan_conditions import bare_alias, find_aliases, read_conditions
from pgproof.stages.diagnose.scans import PlacedNode, place_nodes
from tests.unit.diagnose.builders import catalog, node, scan, table

SHOP = catalog(table())


def columns_in(text: str) -> list[str | None]:
    said = read_conditions(SHOP.column_names, find_aliases(Plan(scan(alias="o"))), text)
    return [predicate.operand.column for predicate in said.predicates]


@pytest.mark.parametrize(
    "text",
    [
        "((o.id = 5) AND (hashed SubPlan 1))",
        "((o.id = 5) AND (NOT (SubPlan 2)))",
        "((o.id = 5) AND (alternatives: SubPlan 1 or hashed SubPlan 2))",
        "((o.id = 5) AND (NOT (ANY (o.customer_id = (hashed SubPlan 1).col1))))",
        "((o.id = 5) AND (ANY ((o.customer_id = (SubPlan 1).col1) AND (o.id = (SubPlan 1).col2))))",
        "((o.id = 5) AND EXISTS(SubPlan 1))",
        "((o.id = 5) AND (o.note ~~ '%it''s (SubPlan)%'::text))",
    ],
)
def test_subplans_do_not_hide_the_other_conditions(text: str) -> None:
    assert columns_in(text)[0] == "id"


@pytest.mark.parametrize("text", ["(o.id = $0)", "(o.id = (InitPlan 1).col1)"])
def test_the_value_of_an_init_plan_is_a_value(text: str) -> None:
    assert columns_in(text) == ["id"]


def test_what_is_no_sql_says_nothing() -> None:
    assert columns_in("(o.id = <unknown>)") == []


def test_partitions_answer_to_the_alias_of_their_parent() -> None:
    plan = Plan(node("Append", scan(name="orders", alias="o_1"), scan(name="orders", alias="o_2")))
    assert set(find_aliases(plan)) == {"o", "o_1", "o_2"}
    assert [bare_alias(alias) for alias in ("o_1", "o_12", "o", "o_x")] == ["o", "o", "o", "o_x"]


def place(root: PlanNode, node_type: str) -> PlacedNode:
    return next(placed for placed in place_nodes(Plan(root), SHOP) if placed.node.node_type == node_type)


def test_rows_of_parallel_workers_are_added_up() -> None:
    parallel = scan(rows=100.0, extra={"Parallel Aware": True})
    assert place(node("Gather", parallel, extra={"Workers Planned": 2}), "Seq Scan").rows == pytest.approx(
        240.0
    )
    assert place(node("Gather", scan(rows=100.0), extra={"Workers Planned": 2}), "Seq Scan").rows == 100.0


def test_a_limit_is_felt_until_a_node_that_reads_everything() -> None:
    assert place(node("Limit", scan(rows=100.0), rows=10.0), "Seq Scan").read_frac == pytest.approx(0.1)
    sorted_first = place(node("Limit", node("Sort", scan(rows=100.0)), rows=10.0), "Seq Scan")
    assert (sorted_first.read_frac, sorted_first.sort_limit_rows) == (1.0, 10.0)
    assert place(node("Limit", node("Hash", scan(rows=100.0)), rows=10.0), "Seq Scan").limit_rows is None


def test_the_inner_side_of_a_nested_loop_runs_once_for_each_outer_row() -> None:
    outer = node("Index Scan", rows=40.0)
    assert place(node("Nested Loop", outer, scan()), "Seq Scan").executions == 40.0
    kept = node("Materialize", scan())
    assert place(node("Nested Loop", outer, kept), "Seq Scan").executions == 1.0
    assert place(node("Nested Loop", scan(), outer), "Seq Scan").executions == 1.0
    assert place(node("Merge Join", outer, kept), "Seq Scan").executions == 1.0
