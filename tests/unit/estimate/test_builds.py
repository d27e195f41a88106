"""How long an index takes to build: the measured figures come out, and no table breaks the sum."""

from dataclasses import replace

import pytest

from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey
from pgproof.stages.estimate.builds import build_seconds
from tests.builders import column, table

LINEITEM = table("lineitem", column("a"), column("b"), rows=6e6, pages=110_000)


def change(*keys: str, method: str = "btree") -> CreateIndex:
    return CreateIndex(LINEITEM.relation, "x", tuple(IndexKey(column=key) for key in keys), method=method)


def test_a_btree_on_tpch_takes_what_was_measured() -> None:
    assert build_seconds(change("a"), LINEITEM) == pytest.approx(2 + 2.9, rel=0.25)


def test_more_keys_take_longer_to_sort() -> None:
    scan = LINEITEM.size_bytes / 400e6
    one, two = (build_seconds(change(*keys), LINEITEM) - scan for keys in ("a", "ab"))
    assert two == pytest.approx(2 * one)


def test_brin_takes_hardly_more_than_a_scan_and_gin_far_more() -> None:
    scan = LINEITEM.size_bytes / 400e6
    assert scan < build_seconds(change("a", method="brin"), LINEITEM) < 1.1 * scan
    gin = build_seconds(change("a", method="gin"), LINEITEM)
    assert gin > 5 * build_seconds(change("a"), LINEITEM)
    assert build_seconds(change("a", method="of an extension"), LINEITEM) > scan


def test_a_table_never_analysed_takes_as_long_as_its_length_says() -> None:
    bare = replace(LINEITEM, rows=-1)
    scan = LINEITEM.size_bytes / 400e6
    assert build_seconds(change("a"), bare) > 1.5 * scan


@pytest.mark.parametrize("rows", [-1, 0])
def test_no_rows_known_is_no_time_at_all(rows: float) -> None:
    empty = replace(LINEITEM, rows=rows, size_bytes=0)
    for method in ("btree", "gin", "brin", "hash"):
        assert build_seconds(change("a", method=method), empty) == 0
