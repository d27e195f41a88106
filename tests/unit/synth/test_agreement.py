"""Plans agree by shape, and by the rows that any same tables are expected to give."""

from dataclasses import replace

import pytest

from pgproof.model.plan import Plan, PlanNode
from pgproof.model.units import PlannerCost
from pgproof.stages.synth.agreement import judge_agreement


def node(
    kind: str, rows: float, *children: PlanNode, table: str = "", index: str = "", side: str = ""
) -> PlanNode:
    return PlanNode(
        kind, PlannerCost(1), PlannerCost(0), rows, 8, "public", table, table, index, children=children,
        parent_relationship=side,
    )  # fmt: skip


def join(left: float, right: float, rows: float) -> Plan:
    scans = (
        node("Seq Scan", left, table="a", side="Outer"),
        node("Seq Scan", right, table="b", side="Inner"),
    )
    return Plan(node("Hash Join", rows, *scans))


def test_equal_plans_agree() -> None:
    found = judge_agreement({"s": [(join(10, 20, 30), join(10, 20, 30))]}, planned_on="there")
    assert (found.shape_equal_frac, found.rows_factor, found.compared) == (1.0, 1.0, 3)


def test_rows_are_compared_for_the_same_tables_whatever_the_shape() -> None:
    other = replace(join(10, 80, 30), root=replace(join(10, 80, 30).root, node_type="Merge Join"))
    found = judge_agreement({"s": [(join(10, 20, 30), other)]}, planned_on="there")
    assert found.shape_equal_frac == 0.0
    assert found.statements[0].rows_factor == 4.0
    assert found.statements[0].about == "b"
    assert found.rows_factor == 1.0


def test_an_index_of_another_name_is_another_shape() -> None:
    one = Plan(node("Index Scan", 5, table="a", index="x"))
    other = Plan(node("Index Scan", 5, table="a", index="y"))
    assert judge_agreement({"s": [(one, other)]}, planned_on="there").shape_equal_frac == 0.0


def test_rows_of_one_turn_are_not_compared_with_rows_of_all() -> None:
    inner = node("Index Scan", 1, table="b", side="Inner")
    loop = Plan(node("Nested Loop", 30, node("Seq Scan", 10, table="a", side="Outer"), inner))
    found = judge_agreement({"s": [(join(10, 1_000, 30), loop)]}, planned_on="there")
    assert found.rows_factor == 1.0
    assert found.compared == 2


def test_the_worst_comes_first() -> None:
    good, bad = (join(10, 20, 30), join(10, 20, 30)), (join(10, 20, 30), join(10, 20, 300))
    found = judge_agreement({"good": [good], "bad": [bad]}, planned_on="there", skipped=("x: no",))
    assert [one.name for one in found.statements] == ["bad", "good"]
    assert found.statements[0].rows_factor == pytest.approx(10)
    assert found.skipped == ("x: no",)


def test_without_statements_nothing_is_claimed() -> None:
    found = judge_agreement({}, planned_on="there")
    assert (found.shape_equal_frac, found.rows_factor) == (None, None)
