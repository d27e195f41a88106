"""Partitions: which tables, by which column, in which steps."""

from dataclasses import replace

import pytest

from pgproof.model.larger_change import PartitionCandidate
from pgproof.model.partitioning import PartitionMethod
from pgproof.model.relation import Column, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.propose.partitions import MAX_PARTITIONS, propose_partitions
from tests.builders import catalog, column, foreign_key, statement, table, workload

GIB = 1 << 30
STRETCH = "SELECT sum(total) FROM orders WHERE at >= $1 AND at < $2"


def keyed(name: str, base_type: str, *bounds: str, correlation: float = 1.0) -> Column:
    made = column(name, base_type)
    assert made.statistics is not None
    return replace(
        made, statistics=replace(made.statistics, histogram_bounds=bounds, correlation=correlation)
    )


def orders(
    *bounds: str, base_type: str = "timestamptz", size: int = 4 * GIB, correlation: float = 1.0
) -> Table:
    key = keyed("at", base_type, *bounds, correlation=correlation)
    return table("orders", column("id"), key, column("total", "numeric"), pages=size // 8192)


TIMES = ("2022-03-05 10:00:00+00", "2024-01-01 00:00:00.123+00", "2025-11-20 12:00:00+00")


def candidates(
    known: Table, *statements: WorkloadStatement | str, min_bytes: int = GIB
) -> tuple[PartitionCandidate, ...]:
    return propose_partitions(catalog(known), workload(*statements), min_bytes=min_bytes)[0]


def reason(known: Table, *statements: WorkloadStatement | str) -> str:
    found, dismissed = propose_partitions(catalog(known), workload(*statements))
    assert found == ()
    (one,) = dismissed
    assert one.what == "public.orders"
    return one.reason


def test_a_stretch_of_time_is_cut_in_months_or_quarters_as_the_table_is_large() -> None:
    (quarters,) = candidates(orders(*TIMES), STRETCH)
    scheme = quarters.scheme
    assert (scheme.method, scheme.column, scheme.step) == (PartitionMethod.RANGE, "at", "3 months")
    assert scheme.partitions[0].lower == "2022-01-01 00:00:00+00"
    assert scheme.partitions[-2].upper == "2026-01-01 00:00:00+00"
    assert [one.default for one in scheme.partitions] == [False] * 16 + [True]
    assert all(a.upper == b.lower for a, b in zip(scheme.partitions, scheme.partitions[1:-1], strict=False))
    (months,) = candidates(orders(*TIMES, size=100 * GIB), STRETCH)
    assert months.scheme.step == "1 month"
    (years,) = candidates(orders(*TIMES, size=GIB), STRETCH)
    assert years.scheme.step == "1 year"


@pytest.mark.parametrize(
    ("base_type", "bounds", "step", "first"),
    [
        ("date", ("2025-01-06", "2025-03-30"), "1 week", "2025-01-06"),
        ("timestamp", ("2025-01-01 00:00:00", "2025-01-20 00:00:00"), "1 day", "2025-01-01 00:00:00"),
        ("int8", ("1", "99000"), "5,000", "0"),
        ("int4", ("-500", "499"), "50", "-500"),
    ],
)
def test_steps_are_round(base_type: str, bounds: tuple[str, ...], step: str, first: str) -> None:
    (found,) = candidates(orders(*bounds, base_type=base_type), STRETCH)
    assert (found.scheme.step, found.scheme.partitions[0].lower) == (step, first)
    assert len(found.scheme.partitions) <= MAX_PARTITIONS + 1


def test_small_tables_are_not_looked_at() -> None:
    assert propose_partitions(catalog(orders(*TIMES, size=GIB - 8192)), workload(STRETCH)) == ((), ())
    assert len(candidates(orders(*TIMES, size=GIB // 2), STRETCH, min_bytes=GIB // 2)) == 1


def test_most_of_what_is_asked_has_to_want_a_stretch() -> None:
    by_id = replace(statement("SELECT total FROM orders WHERE id = $1"), name="other", calls=30.0)
    assert reason(orders(*TIMES), statement(STRETCH), by_id) == (
        "only 25 % of what is asked of it wants a stretch of at: the rest would have to look into every"
        " partition"
    )
    assert len(candidates(orders(*TIMES), statement(STRETCH), replace(by_id, calls=9.0))) == 1


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT total FROM orders WHERE id > $1", "no statement asks for a stretch"),
        ("SELECT total FROM orders WHERE at > $1 OR id = $2", "no statement asks for a stretch"),
        ("SELECT total FROM orders WHERE NOT at > $1", "no statement asks for a stretch"),
        (
            "SELECT a.total FROM orders a, orders b WHERE a.at > $1 AND b.id = a.id",
            "no statement asks for a stretch",  # b is read whole
        ),
    ],
)
def test_what_is_no_stretch(sql: str, words: str) -> None:
    assert words in reason(orders(*TIMES), sql)


def test_a_number_has_to_rise_with_the_rows() -> None:
    assert "rises with its rows" in reason(orders("1", "9000", base_type="int8", correlation=0.2), STRETCH)


@pytest.mark.parametrize("bounds", [(), ("2025-01-01 00:00:00+00",), ("infinity", "2025-01-01 00:00:00+00")])
def test_without_ends_there_is_nothing_to_cut(bounds: tuple[str, ...]) -> None:
    assert "don't tell from where to where" in reason(orders(*bounds), STRETCH)


def test_what_else_would_have_to_change_is_told() -> None:
    view = replace(table("v"), definition="SELECT id FROM orders")
    view = replace(view, kind=type(view.kind).VIEW)
    known = catalog(orders(*TIMES), view, constraints=[foreign_key("item", "orders", "order_id")])
    ((found,), _) = propose_partitions(known, workload(STRETCH))
    told = " ".join(found.cautions)
    assert "foreign keys of public.item" in told
    assert "public.v" in told
