"""Keys of several columns never repeat, and their columns keep their frequencies."""

from collections import Counter

import numpy as np
import pytest

from pgproof.model.relation import Constraint, ConstraintKind, RelationName
from pgproof.model.synthesis import SourceColumn, SourceTable, SynthesisSource, WholeStatistics
from pgproof.stages.synth.planning import plan_synthesis

LINE, ORDER = RelationName("public", "line"), RelationName("public", "orders")


def number(name: str, statistics: WholeStatistics) -> SourceColumn:
    return SourceColumn(name, 1, "integer", "int4", category="N", not_null=True, statistics=statistics)


def key(table: RelationName, *columns: str) -> Constraint:
    return Constraint("key", table, ConstraintKind.PRIMARY_KEY, columns)


def line_items(rows: int, orders_known: float) -> SynthesisSource:
    """Orders with one to seven lines, as in TPC-H; the planner may know far too few of the orders."""
    freqs = tuple(share / 28 for share in range(7, 0, -1))
    lines = number("number", WholeStatistics(0, 7, 4, 0.1, tuple("1234567"), freqs))
    ids = tuple(str(n) for n in range(0, rows, rows // 50))
    order = number("order_id", WholeStatistics(0, orders_known, 4, 1.0, (), (), ids))
    parent = number("id", WholeStatistics(0, -1, 4, 1.0, (), (), ids))
    return SynthesisSource(
        tables=(
            SourceTable(LINE, (order, lines), rows, 100),
            SourceTable(ORDER, (parent,), rows / 2, 50),
        ),
        constraints=(
            key(LINE, "order_id", "number"),
            key(ORDER, "id"),
            Constraint(
                "ref",
                LINE,
                ConstraintKind.FOREIGN_KEY,
                ("order_id",),
                references=ORDER,
                referenced_columns=("id",),
            ),
        ),
    )


def rows_of(source: SynthesisSource, relation: RelationName, seed: int = 1) -> list[tuple[str, ...]]:
    plan = next(t for t in plan_synthesis(source, scale=1, seed=seed).tables if t.relation == relation)
    text = b"".join(piece for _, piece in plan.pieces()).decode()
    return [tuple(line.split("\t")) for line in text.splitlines()]


@pytest.mark.parametrize("orders_known", (-0.25, 600.0, -0.02))
def test_line_numbers_do_not_repeat_within_an_order(orders_known: float) -> None:
    source = line_items(8_000, orders_known)
    found = rows_of(source, LINE)
    assert len(found) == len(set(found)) == 8_000
    counts = Counter(line for _, line in found)
    for place, line in enumerate("1234567"):
        assert counts[line] / 8_000 == pytest.approx((7 - place) / 28, abs=0.02)
    assert {order for order, _ in found} <= {order for (order,) in rows_of(source, ORDER)}


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    source = line_items(2_000, -0.25)
    assert rows_of(source, LINE, seed=4) == rows_of(source, LINE, seed=4)
    assert rows_of(source, LINE, seed=4) != rows_of(source, LINE, seed=5)


def test_rows_do_not_depend_on_how_they_are_cut() -> None:
    plan = next(
        t for t in plan_synthesis(line_items(4_000, -0.25), scale=1, seed=1).tables if t.relation == LINE
    )
    whole = plan.piece(0, 4_000)
    assert whole == b"".join(plan.piece(start, min(start + 333, 4_000)) for start in range(0, 4_000, 333))


def test_three_columns_do_not_repeat_together() -> None:
    table = RelationName("public", "reading")
    columns = (
        number("site", WholeStatistics(0, 5, 4, 0.0, tuple("12345"), (0.4, 0.3, 0.1, 0.1, 0.1))),
        number("sensor", WholeStatistics(0, 40, 4, 0.0, (), (), tuple(map(str, range(1, 41))))),
        number("hour", WholeStatistics(0, 24, 4, 0.0, (), (), tuple(map(str, range(24))))),
    )
    source = SynthesisSource(
        tables=(SourceTable(table, columns, 1_500, 10),), constraints=(key(table, "site", "sensor", "hour"),)
    )
    found = rows_of(source, table)
    assert len(found) == len(set(found)) == 1_500


def test_too_few_combinations_are_told() -> None:
    table = RelationName("public", "small")
    columns = tuple(
        number(name, WholeStatistics(0, 3, 4, 0.0, tuple("123"), (0.3, 0.3, 0.4))) for name in "ab"
    )
    source = SynthesisSource(
        tables=(SourceTable(table, columns, 50, 1),), constraints=(key(table, "a", "b"),)
    )
    assert "fewer combinations of a, b" in " ".join(plan_synthesis(source, scale=1, seed=1).notes)


def test_a_scale_gives_so_many_rows() -> None:
    plan = plan_synthesis(line_items(8_000, -0.25), scale=0.25, seed=1)
    assert {str(table.relation): table.rows for table in plan.tables} == {
        "public.line": 2_000,
        "public.orders": 1_000,
    }
    assert np.sum([table.rows for table in plan.tables]) == 3_000
