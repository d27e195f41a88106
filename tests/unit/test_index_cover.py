"""When one index makes another superfluous."""

import pytest

from pgproof.changes.index_cover import covers, leads_with, without_covered
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName

T = RelationName("public", "t")


def made(*keys: str | IndexKey, name: str = "x", **other: object) -> CreateIndex:
    columns = tuple(key if isinstance(key, IndexKey) else IndexKey(column=key) for key in keys)
    return CreateIndex(T, name, columns, **other)


DESC_A = IndexKey(column="a", descending=True, nulls_first=True)
DESC_B = IndexKey(column="b", descending=True, nulls_first=True)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (made("a", "b"), made("a"), True),
        (made("a"), made("a"), True),
        (made("a"), made("a", "b"), False),
        (made("b", "a"), made("a"), False),
        (made(DESC_A), made("a"), True),  # read backwards
        (made(DESC_A, DESC_B), made("a", "b"), True),
        (made("a", DESC_B), made("a", "b"), False),
        (made(IndexKey(column="a", nulls_first=True)), made("a"), False),
        (made("a", "b"), made("a", include=("b",)), True),
        (made("a", include=("b",)), made("a", include=("b",)), True),
        (made("a", "c"), made("a", include=("b",)), False),
        (made("a", where="b IS NULL"), made("a"), False),
        (made("a"), made("a", where="b IS NULL"), False),  # smaller
        (made("a", where="b = 'X'"), made("a", where="b = 'x'"), False),
        (made("a", method="hash"), made("a"), False),
        (made(IndexKey(column="a", opclass="text_pattern_ops")), made("a"), False),
        (made(IndexKey(column="a", collation="C")), made("a"), False),
        (made("a"), made("a", unique=True), False),  # it enforces something
    ],
)
def test_covers(one: CreateIndex, other: CreateIndex, expected: bool) -> None:
    assert covers(one, other) is expected


def test_without_covered_keeps_the_longer_whatever_comes_first() -> None:
    short, long, apart = made("a", name="short"), made("a", "b", name="long"), made("b", name="apart")
    assert without_covered([short, apart, long]) == (apart, long)
    assert without_covered([long, short, apart]) == (long, apart)
    assert without_covered([]) == ()


@pytest.mark.parametrize(
    ("keys", "columns", "expected"),
    [
        (("a", "b", "c"), ("b", "a"), True),
        (("a",), ("a",), True),
        (("c", "a"), ("a",), False),
        (("a",), ("a", "b"), False),
        (("a",), (), False),
        ((), ("a",), False),
    ],
)
def test_first_keys_are_some_columns_in_any_order(
    keys: tuple[str, ...], columns: tuple[str, ...], expected: bool
) -> None:
    assert leads_with(made(*keys).keys, columns) is expected
