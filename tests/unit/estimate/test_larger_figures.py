"""What a view's and a partition's statistics would be, from those of the table."""

from dataclasses import replace
from itertools import pairwise

import pytest

from pgproof.model.change import CreateMaterializedView
from pgproof.model.larger_change import ViewCandidate, ViewColumn
from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.relation import Column, RelationName
from pgproof.model.statistics import ColumnStatistics
from pgproof.sqltext.value_position import position_day, read_position
from pgproof.stages.estimate.larger.partition_shares import share_out
from pgproof.stages.estimate.larger.view_statistics import (
    column_widths,
    derive_statistics,
    heap_pages,
    unique_index_pages,
)
from tests.builders import catalog, column, table

ORDERS = RelationName("public", "orders")
KNOWN = catalog(
    table(
        "orders",
        column("status", "text", distinct=4, nulls=0.1, width=5),
        column("customer", distinct=-0.5),
    )
)


def view(*columns: ViewColumn) -> ViewCandidate:
    change = CreateMaterializedView(RelationName("public", "v"), "SELECT 1")
    return ViewCandidate(change, columns, (), "", ())


def key(name: str) -> ViewColumn:
    return ViewColumn(f"the {name}", True, ORDERS, name)


SUM = ViewColumn("sum", False)
DAY = ViewColumn("day", True)


def test_a_lone_key_is_different_in_each_row() -> None:
    (found,) = derive_statistics(view(key("status"), SUM), KNOWN, 5)
    assert (found.name, found.table, found.column) == ("the status", ORDERS, "status")
    assert found.n_distinct == -1
    assert found.null_frac == pytest.approx(1 / 5), "one row of the five is that of NULL"


def test_one_of_several_keys_has_its_columns_values() -> None:
    status, customer = derive_statistics(view(key("status"), key("customer"), DAY, SUM), KNOWN, 60_000)
    assert (status.n_distinct, customer.n_distinct) == (4, 50_000)
    (_, fewer) = derive_statistics(view(key("status"), key("customer")), KNOWN, 900)
    assert fewer.n_distinct == 900, "no more than the view has rows"


def test_expressions_and_aggregates_have_no_statistics() -> None:
    assert list(derive_statistics(view(DAY, SUM), KNOWN, 10)) == []


def test_widths_come_from_the_type_then_from_the_table() -> None:
    types = {"the status": ("text", -1), "sum": ("numeric", -1), "day": ("timestamptz", 8)}
    widths = column_widths(view(key("status"), DAY, SUM, ViewColumn("odd", False)), KNOWN, types)
    assert widths == {"the status": 5, "day": 8, "sum": 10, "odd": 32}


def test_pages_of_views_and_their_keys() -> None:
    # Measured on PostgreSQL 18: 100,000 rows of (int8, int8) take 541 pages, a unique int8 index 276.
    assert heap_pages(100_000, 16) == 541
    assert unique_index_pages(100_000, 8) == pytest.approx(276, abs=2)
    assert heap_pages(0, 16) == 0
    assert unique_index_pages(0, 8) == 2, "the metapage and a leaf"


def numbers(**facts: object) -> Column:
    statistics = ColumnStatistics(
        null_frac=0.1,
        n_distinct=1000,
        avg_width_bytes=4,
        correlation=0.9,
        most_common_vals=("5", "95"),
        most_common_freqs=(0.2, 0.1),
        histogram_bounds=("0", "20", "40", "60", "80", "100"),
    )
    return Column("n", "integer", "int4", False, statistics=replace(statistics, **facts))


def by_range(*limits: str, rest: bool = True) -> PartitionTable:
    pieces = [Partition(f"p{n}", low, high) for n, (low, high) in enumerate(pairwise(limits))]
    pieces += [Partition("rest", default=True)] * rest
    return PartitionTable(ORDERS, "n", PartitionMethod.RANGE, tuple(pieces))


def test_a_range_gets_its_common_values_and_its_part_of_the_histogram() -> None:
    low, high, rest = share_out(by_range("0", "50", "101"), numbers()) or ()
    # 60 % of the rows are spread over the histogram, half of it below 50; NULLs go to the rest.
    assert low.frac == pytest.approx(0.2 + 0.3)
    assert high.frac == pytest.approx(0.1 + 0.3)
    assert rest.frac == pytest.approx(0.1)
    assert low.key is not None
    assert high.key is not None
    assert low.key.histogram_bounds == ("0", "20", "40", "50")
    assert high.key.histogram_bounds == ("50", "60", "80", "100")
    assert low.key.most_common_freqs == (pytest.approx(0.4),)
    assert low.key.n_distinct == pytest.approx(500)
    assert (low.key.null_frac, low.key.correlation) == (0.0, 0.9)
    assert rest.key is None


def test_shares_add_up_even_where_no_partition_takes_the_rest() -> None:
    shares = share_out(by_range("0", "50", "101", rest=False), numbers()) or ()
    assert sum(share.frac for share in shares) == pytest.approx(1)


def test_a_range_beyond_all_values_is_empty() -> None:
    shares = share_out(by_range("0", "101", "200"), numbers()) or ()
    assert [round(share.frac, 2) for share in shares] == [0.9, 0.0, 0.1]
    assert shares[1].key is None


def test_lists_take_their_common_values_and_the_rest_what_is_left() -> None:
    pieces = (Partition("a", values=("5", "7")), Partition("rest", default=True))
    scheme = PartitionTable(ORDERS, "n", PartitionMethod.LIST, pieces)
    a, rest = share_out(scheme, numbers()) or ()
    assert (a.frac, rest.frac) == (pytest.approx(0.2), pytest.approx(0.8))
    assert a.key is not None
    assert (a.key.n_distinct, a.key.histogram_bounds) == (1, ())


def test_hashes_share_alike() -> None:
    pieces = tuple(Partition(f"h{n}", remainder=n) for n in range(4))
    shares = share_out(PartitionTable(ORDERS, "n", PartitionMethod.HASH, pieces), numbers()) or ()
    assert [share.frac for share in shares] == [0.25] * 4


def test_without_statistics_nothing_is_shared_out() -> None:
    bare = replace(numbers(), statistics=None)
    assert share_out(by_range("0", "50"), bare) is None
    words = replace(numbers(histogram_bounds=("a", "b")), base_type="text")
    assert share_out(by_range("a", "b"), words) is None
    nothing = numbers(histogram_bounds=(), most_common_vals=(), most_common_freqs=())
    assert share_out(by_range("0", "50"), nothing) is None


@pytest.mark.parametrize(
    ("base_type", "earlier", "later"),
    [
        ("date", "2024-02-28", "2024-02-29"),
        ("timestamp", "2024-02-29 23:59:59.99", "2024-03-01 00:00:00"),
        ("timestamptz", "2024-03-01 00:30:00+01", "2024-03-01 00:00:00+00"),
        ("int8", "-9000000000", "3"),
        ("numeric", "0.1", "0.11"),
    ],
)
def test_values_stand_in_order(base_type: str, earlier: str, later: str) -> None:
    low, high = read_position(base_type, earlier), read_position(base_type, later)
    assert low is not None
    assert high is not None
    assert low < high


@pytest.mark.parametrize(
    ("base_type", "text"),
    [
        ("date", "infinity"),
        ("date", "0044-03-15 BC"),
        ("timestamptz", "20/11/2026 10:00:00 CET"),
        ("text", "5"),
        ("numeric", "NaN"),
        ("float8", "Infinity"),
    ],
)
def test_what_stands_nowhere(base_type: str, text: str) -> None:
    assert read_position(base_type, text) is None


def test_a_position_is_on_its_day() -> None:
    for text in ("2024-02-29 00:00:00+00", "2024-02-29 23:59:59.9+00"):
        position = read_position("timestamptz", text)
        assert position is not None
        assert str(position_day(position)) == "2024-02-29"
