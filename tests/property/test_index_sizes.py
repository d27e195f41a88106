"""What holds for every modelled size."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.model.change import CreateIndex
from pgproof.model.estimate import IndexShape
from pgproof.model.relation import Column, IndexKey, RelationKind, RelationName, Table
from pgproof.model.statistics import ColumnStatistics
from pgproof.stages.estimate.sizes.estimate_index import estimate_index
from pgproof.stages.estimate.sizes.widths import value_width
from tests.builders import catalog

METHODS = ("btree", "gin", "gist", "spgist", "hash", "brin")
TYPES = ("int4", "int8", "text", "numeric", "uuid", "bool", "timestamptz", "jsonb", "_text", "mood", "citext")


@st.composite
def statistics(draw: st.DrawFn) -> ColumnStatistics | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    nulls = draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))
    left = 1.0 - nulls
    common = [left * share for share in draw(st.sampled_from([[], [0.5], [0.3, 0.2, 0.1], [0.01] * 50]))]
    distinct = draw(st.one_of(st.floats(-1, -1e-4), st.floats(1, 1e7)))
    words = draw(st.lists(st.text(max_size=20), max_size=8))
    return ColumnStatistics(
        nulls,
        distinct if nulls < 1 else 0.0,
        draw(st.integers(1, 400)),
        draw(st.sampled_from([None, 0.0, 0.95, 1.0])),
        tuple(f"v{place}" for place in range(len(common))),
        tuple(common),
        tuple(sorted(words)),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = tuple(
        Column(f"c{place}", kind, kind, False, statistics=draw(statistics()))
        for place, kind in enumerate(draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3)))
    )
    rows = draw(st.sampled_from([0.0, 1.0, 50.0, 20_000.0, 1e6, 1e9]))
    pages = int(rows / draw(st.sampled_from([1, 20, 150]))) + 1
    return Table(RelationName("public", "t"), RelationKind.TABLE, columns, rows=rows, pages=pages)


def shape(made: Table, method: str = "btree") -> IndexShape:
    keys = tuple(IndexKey(column.name) for column in made.columns)
    if method in ("hash", "spgist"):
        keys = keys[:1]
    return estimate_index(CreateIndex(made.relation, "new", keys, method), made, catalog(made))


@settings(max_examples=200, deadline=None)
@given(tables(), st.sampled_from(METHODS))
def test_a_shape_makes_sense(made: Table, method: str) -> None:
    found = shape(made, method)
    assert found.pages >= 1
    assert found.size_bytes == found.pages * 8192 == found.size.size_bytes
    assert found.reason
    assert found.tuples >= 0
    if method == "gin":
        assert found.gin is not None
        assert found.pages >= found.gin.entry_pages + found.gin.data_pages


@settings(max_examples=200, deadline=None)
@given(tables())
def test_a_level_of_a_b_tree_has_its_pages(made: Table) -> None:
    found = shape(made)
    if found.tree_level == 0:
        assert found.pages <= 2
    else:
        leaves_at_least = 2**found.tree_level
        assert found.pages >= leaves_at_least + found.tree_level + 1


@settings(max_examples=200, deadline=None)
@given(tables())
def test_twice_the_rows_never_take_less(made: Table) -> None:
    twice = replace(made, rows=made.rows * 2, pages=made.pages * 2)
    assert shape(twice).pages >= shape(made).pages * 0.97


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([1e3, 1e5, 1e7]))
def test_wider_values_never_take_less(one: int, other: int, rows: float) -> None:
    def pages(width: int) -> int:
        made = Column("c", "text", "text", True, statistics=ColumnStatistics(0.0, -1.0, width, 0.0))
        return shape(
            Table(RelationName("public", "t"), RelationKind.TABLE, (made,), rows=rows, pages=1000)
        ).pages

    narrow, wide = sorted((one, other))
    assert pages(narrow) <= pages(wide)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_numeric_takes_two_bytes_for_four_digits(number: object) -> None:
    width = value_width("numeric", f"{number:f}")
    assert width is not None
    assert 3 <= width <= 3 + 2 * 5
