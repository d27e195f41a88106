"""When one index makes another superfluous."""

from dataclasses import replace

import pytest

from pgproof.changes.index_cover import (
    covers,
    covers_existing,
    find_keepers,
    leads_with,
    without_covered,
)
from pgproof.model.change import CreateIndex
from pgproof.model.relation import Index, IndexKey, RelationName
from tests.builders import index

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


NARROW, WIDE = index("t", "a", name="narrow"), index("t", "a", "b", name="wide")
TWINS = index("t", "a", name="one", scans=3), index("t", "a", name="other", scans=3)


def keepers(one: Index, *others: Index) -> list[str]:
    return [keeper.relation.name for keeper in find_keepers(one, (one, *others))]


def test_the_widest_keeper_comes_first() -> None:
    assert keepers(NARROW, TWINS[0], WIDE, index("t", "a", "c", name="wider", unique=True)) == [
        "wider",
        "wide",
    ]
    assert keepers(WIDE, NARROW) == []


def test_of_twins_just_one_keeps_the_other() -> None:
    one, other = TWINS
    assert (keepers(one, other), keepers(other, one)) == ([], ["one"])
    assert keepers(one, replace(other, scans=9)) == ["other"], "the one that is scanned more"
    assert keepers(replace(one, scans=9), replace(other, constraint="rule")) == ["other"], (
        "a duty weighs more"
    )
    assert keepers(replace(one, clustered=True), replace(other, unique=True)) == ["other"], "a rule most"


@pytest.mark.parametrize(
    "keeper",
    [
        replace(WIDE, valid=False),
        replace(WIDE, ready=False),
        replace(WIDE, parent=RelationName("public", "whole")),
        replace(WIDE, table=RelationName("public", "u")),
        replace(WIDE, predicate="b > 1"),
    ],
    ids=["invalid", "not ready", "of a partition", "of another table", "partial"],
)
def test_what_keeps_nothing(keeper: Index) -> None:
    assert keepers(NARROW, keeper) == []


def test_options_of_other_methods_make_a_difference() -> None:
    coarse, fine = (
        replace(
            index("t", "a", method="brin", name=f"every_{pages}"),
            definition=f"CREATE INDEX every_{pages} ON t USING brin (a) WITH (pages_per_range='{pages}')",
        )
        for pages in (128, 16)
    )
    assert keepers(coarse, fine) == keepers(fine, coarse) == []
    assert keepers(replace(fine, relation=RelationName("public", "zz")), fine) == ["every_16"]


def test_an_index_to_come_covers_one_that_is_there() -> None:
    assert covers_existing(made("a", "b", name="new"), NARROW)
    assert not covers_existing(made("a", "b", name="new"), replace(NARROW, unique=True))
    assert not covers_existing(
        made("a", "b", name="new"), replace(NARROW, parent=RelationName("public", "p"))
    )
