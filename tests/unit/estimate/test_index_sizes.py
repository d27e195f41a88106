"""Modelled sizes against sizes really measured on PostgreSQL 15.20 and 18.6, equal where not said."""

import hashlib
import json
import random
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.estimate import Confidence, IndexShape
from pgproof.model.relation import Column, IndexKey, RelationKind, RelationName, Table
from pgproof.stages.estimate.sizes.estimate_index import estimate_index
from tests.builders import catalog, column, foreign_key, index, table

MD5 = tuple(sorted(hashlib.md5(str(number).encode()).hexdigest() for number in range(101)))
LETTERS = {f"val{number}".ljust(10): 0.02 for number in range(50)}


def with_values(made: Column, *values: str, correlation: float = 0.1, **others: object) -> Column:
    assert made.statistics is not None
    statistics = replace(made.statistics, histogram_bounds=values, correlation=correlation, **others)
    return replace(made, statistics=statistics)


WIDE = table(
    "wide",
    column("id", "int4", width=4),
    column("big", width=8),
    column("hundred", "int4", distinct=100, width=4, common={str(n): 0.01 for n in range(100)}),
    column("same", "int4", distinct=1, width=4, common={"1": 1.0}),
    column("flag", "bool", distinct=2, width=1, common={"t": 6 / 7, "f": 1 / 7}),
    column("exact", "numeric", distinct=1000, width=5, common={str(n): 0.001 for n in range(100)}),
    column("real", "float8", distinct=100, width=8, common={str(n): 0.01 for n in range(100)}),
    column("third", "int4", distinct=-1 / 3, nulls=2 / 3, width=4),
    column("nothing", "int4", distinct=0, nulls=1.0, width=4),
    with_values(column("digest", "text", width=33), *MD5),
    column("key", "uuid", width=16),
    column("code", "bpchar", distinct=50, width=11, common=LETTERS),
    column("feeling", "mood", distinct=4, width=4, common={f"m{n}": 0.25 for n in range(4)}),
    column("seven", "uuid", distinct=7, width=16, common={f"u{n}": 1 / 7 for n in range(7)}),
    column("half", "int4", distinct=-0.5, nulls=0.5, width=4),
    column("place", "point", distinct=0, width=16),
    with_values(
        column("at", "date", distinct=365, width=4),
        *(str(date(2025, 1, 1) + timedelta(days=3.65 * n)) for n in range(101)),
    ),
    rows=200_000,
    pages=8704,
)  # fmt: skip
KNOWN = catalog(WIDE)
OLDER = replace(KNOWN, version="15.20", version_num=150020)


def shape_of(
    *keys: str | IndexKey,
    on: Table = WIDE,
    known: Catalog = KNOWN,
    method: str = "btree",
    include: tuple[str, ...] = (),
    where: str = "",
    unique: bool = False,
) -> IndexShape:
    made = tuple(key if isinstance(key, IndexKey) else IndexKey(key) for key in keys)
    change = CreateIndex(on.relation, "new", made, method, include, where, unique)
    return estimate_index(change, on, known)


@pytest.mark.parametrize(
    ("keys", "include", "pages", "level"),
    [
        (("id",), (), 551, 2),
        (("big",), (), 551, 2),
        (("hundred",), (), 180, 1),
        (("same",), (), 171, 1),
        (("flag",), (), 171, 1),
        (("exact",), (), 552, 2),
        (("real",), (), 552, 2),
        (("third",), (), 299, 2),
        (("nothing",), (), 171, 1),
        (("digest",), (), 1444, 2),
        (("key",), (), 773, 2),
        (("code",), (), 177, 2),
        (("feeling",), (), 171, 1),
        (("hundred", "same"), (), 180, 1),
        (("hundred",), ("id",), 552, 2),
        (("id", "big"), (), 772, 2),
        (("nothing", "hundred"), (), 182, 2),
        (("third", "digest"), (), 1586, 2),
    ],
)
def test_a_b_tree_is_as_large_as_the_real_one(
    keys: tuple[str, ...], include: tuple[str, ...], pages: int, level: int
) -> None:
    found = shape_of(*keys, include=include)
    assert found.pages == pytest.approx(pages, rel=0.04)
    assert found.tree_level == level
    assert found.confidence is Confidence.HIGH
    assert found.tuples == 200_000


@pytest.mark.parametrize(
    ("method", "keys", "pages", "known"),
    [
        ("hash", ("id",), 822, KNOWN),
        ("hash", ("seven",), 1260, KNOWN),
        ("hash", ("half",), 770, KNOWN),
        ("brin", ("id",), 3, KNOWN),
        ("gist", ("place",), 1637, KNOWN),
        ("gist", ("id",), 495, KNOWN),
        ("gist", ("id",), 998, OLDER),
        ("spgist", ("place",), 1110, KNOWN),
    ],
)
def test_other_methods_are_about_as_large_as_the_real_ones(
    method: str, keys: tuple[str, ...], pages: int, known: Catalog
) -> None:
    """GiST on 15: between 877 pages for values in random order and 1,098 for rising ones."""
    assert shape_of(*keys, known=known, method=method).pages == pytest.approx(pages, rel=0.11)


def test_a_brin_index_has_a_map() -> None:
    found = shape_of("id", method="brin")
    assert (found.tuples, found.revmap_pages) == (68, 1)


def documents() -> tuple[str, ...]:
    chance = random.Random(1)
    return tuple(
        json.dumps({"id": n * 990, "status": ["open", "closed", "paid"][n % 3],
                    "customer": {"city": f"city{chance.randrange(500)}", "vip": n % 10 == 0}})
        for n in range(101)
    )  # fmt: skip


APART = table(
    "apart",
    with_values(column("digest", "text", width=33), *MD5),
    with_values(
        column("tags", "_text", distinct=-0.46, width=50), element_freqs=(0.0083,) * 301,
        element_width_bytes=5.6, elements_a_row=2.5,
    ),
    with_values(
        column("numbers", "_int4", distinct=-0.62, width=35), element_freqs=(0.00372,) * 936,
        element_width_bytes=3.0, elements_a_row=3.49,
    ),
    with_values(column("document", "jsonb", width=94), *documents()),
    rows=100_000,
    pages=6593,
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "pages", "entries"),
    [
        (IndexKey("digest", opclass="gin_trgm_ops"), 1492, 4624),
        (IndexKey("tags"), 102, 301),
        (IndexKey("numbers"), 188, 995),
        (IndexKey("document"), 865, 100_511),
        (IndexKey("document", opclass="jsonb_path_ops"), 792, 100_504),
    ],
)
def test_a_gin_index_is_about_as_large_as_the_real_one(key: IndexKey, pages: int, entries: int) -> None:
    found = shape_of(key, on=APART, known=catalog(APART), method="gin")
    assert found.pages == pytest.approx(pages, rel=0.15)
    assert found.gin is not None
    assert found.gin.entries == pytest.approx(entries, rel=0.15)
    assert found.pages == 1 + found.gin.entry_pages + found.gin.data_pages


def test_values_beside_each_other_are_more_than_the_sample_shows() -> None:
    """TPC-H SF 1: ANALYZE says 368,187 different l_orderkey; 1,500,000 it is, and 9,508 pages."""
    orders = with_values(column("l_orderkey", distinct=368_187), correlation=1.0)
    lineitem = table("lineitem", orders, rows=6_001_215, pages=112_492)
    found = shape_of("l_orderkey", on=lineitem, known=catalog(lineitem))
    assert found.pages == pytest.approx(9508, rel=0.1)


def test_rare_values_behind_frequent_ones_are_more_than_the_sample_shows() -> None:
    """TPC-H SF 1: ANALYZE says 945,000 different l_comment; 4,580,667 it is, and 30,981 pages."""
    common = {" even": 0.0003, " bold": 0.0002, " deposits": 0.0002, " accounts": 0.00016666666}
    texts = tuple(" quickly final" + "x" * (n % 30) for n in range(101))
    comment = with_values(column("l_comment", "text", distinct=-0.1574, width=27, common=common), *texts)
    lineitem = table("lineitem", comment, rows=6_001_215, pages=112_492)
    found = shape_of("l_comment", on=lineitem, known=catalog(lineitem))
    assert found.pages == pytest.approx(30_981, rel=0.2)
    assert found.confidence is not Confidence.HIGH


def test_a_unique_index_has_each_key_once() -> None:
    assert shape_of("hundred", "same", unique=True).pages == pytest.approx(
        shape_of("id", "same").pages, rel=0.01
    )
    known = catalog(WIDE, indexes=[index("wide", "hundred", unique=True)])
    assert shape_of("hundred", "same", known=known).pages > 2 * shape_of("hundred", "same").pages


def test_a_foreign_key_limits_the_combinations() -> None:
    pair = (
        column("part", "int4", distinct=20_000, width=4),
        column("supplier", "int4", distinct=1000, width=4),
    )
    item = table("item", *pair, rows=600_000)
    offer = table("offer", *pair, rows=80_000)
    free, bound = catalog(item, offer), catalog(
        item, offer, constraints=[foreign_key("item", "offer", "part", "supplier")]
    )  # fmt: skip
    assert shape_of("part", "supplier", on=item, known=bound).pages < 0.6 * (
        shape_of("part", "supplier", on=item, known=free).pages
    )
    assert shape_of("part", "supplier", on=item, known=free).confidence is not Confidence.HIGH


@pytest.mark.parametrize(
    ("where", "frac"),
    [
        ("flag", 6 / 7),
        ("NOT flag", 1 / 7),
        ("third IS NOT NULL", 1 / 3),
        ("half IS NULL", 0.5),
        ("feeling = 'm1'", 0.25),
        ("feeling = ANY (ARRAY['m1'::mood, 'm2'::mood])", 0.5),
        ("feeling <> 'm1'", 0.75),
        ("hundred IN (1, 2, 3) AND flag", 0.03 * 6 / 7),
        ("feeling = 'm1' OR feeling = 'm2'", 0.5),
        ("at >= '2025-07-02'", 0.5),
        ("at BETWEEN '2025-01-01' AND '2025-03-31'", 0.25),
        ("feeling = 'unheard of'", 0.0),
    ],
)
def test_a_predicate_leaves_its_share_of_the_rows(where: str, frac: float) -> None:
    found = shape_of("id", where=where)
    assert found.tuples == pytest.approx(200_000 * frac, rel=0.05, abs=1)
    assert found.confidence is Confidence.HIGH
    assert found.pages == pytest.approx(551 * frac, rel=0.06, abs=3)


def test_a_predicate_on_the_key_leaves_its_values() -> None:
    assert shape_of("third", where="third IS NOT NULL").pages == pytest.approx(552 / 3, rel=0.02)
    assert shape_of("feeling", where="feeling = 'm1'").pages == pytest.approx(171 / 4, abs=3)


def test_a_predicate_that_says_nothing_is_a_guess() -> None:
    found = shape_of("id", where="length(digest) % 2 = 0")
    assert found.confidence is Confidence.LOW
    assert "guess" in found.reason


def test_the_caller_may_know_what_a_predicate_leaves() -> None:
    change = CreateIndex(WIDE.relation, "new", (IndexKey("id"),), where="length(digest) % 2 = 0")
    found = estimate_index(change, WIDE, KNOWN, predicate_frac=0.5)
    assert (found.tuples, found.confidence) == (100_000, Confidence.HIGH)


def test_an_expression_is_sized_like_its_column_with_less_confidence() -> None:
    found = shape_of(IndexKey(expression="lower(digest)"))
    assert found.pages == pytest.approx(1444, rel=0.01)
    assert found.confidence is Confidence.LOW
    day = shape_of(IndexKey(expression="(at AT TIME ZONE 'UTC'::text)::date"))
    assert day.pages == pytest.approx(shape_of("at").pages, rel=0.1)


def test_partitions_add_up() -> None:
    whole = replace(WIDE, kind=RelationKind.PARTITIONED)
    parts = [
        replace(WIDE, relation=RelationName("public", f"part_{n}"), parent=WIDE.relation, rows=100_000)
        for n in range(2)
    ]
    found = shape_of("id", on=whole, known=catalog(whole, *parts))
    assert found.pages == 2 * shape_of("id", on=parts[0]).pages
    assert found.tuples == 200_000
    assert found.reason.startswith("2 partitions added up")


@pytest.mark.parametrize("method", ["btree", "gin", "gist", "spgist", "hash", "brin", "vector"])
def test_no_method_fails_without_statistics(method: str) -> None:
    bare = table("bare", Column("a", "integer", "int4", False), rows=-1, pages=0)
    found = shape_of("a", on=bare, known=catalog(bare), method=method)
    assert found.pages >= 1
    assert found.confidence is Confidence.LOW
    assert (
        "never analysed" in found.reason or "not modelled" in found.reason or "no statistics" in found.reason
    )


@pytest.mark.parametrize("method", ["btree", "gin", "gist", "hash", "brin"])
def test_rows_of_a_table_never_analysed_are_guessed_from_its_length(method: str) -> None:
    """50,000 rows of two integers take 222 pages."""
    columns = Column("id", "integer", "int4", False), Column("a", "integer", "int4", False)
    known = table("bare", *columns, rows=50_000, pages=222)
    bare = replace(known, rows=-1, pages=0)
    found, wanted = (shape_of("a", on=on, known=catalog(on), method=method) for on in (bare, known))
    assert found.pages == pytest.approx(wanted.pages, rel=0.01)
    assert found.tuples == pytest.approx(wanted.tuples, rel=0.01)
    assert found.confidence is Confidence.LOW
    assert method == "gin" or "never analysed" in found.reason


def test_rows_without_statistics_of_the_column_are_counted() -> None:
    bare = table("bare", Column("a", "integer", "int4", False), rows=200_000)
    found = shape_of("a", on=bare, known=catalog(bare))
    assert 171 <= found.pages <= 551
    assert found.confidence is Confidence.LOW


def test_reasons_hold_no_row_values() -> None:
    shapes = [shape_of("code"), shape_of("id", where="feeling = 'm1'"),
              shape_of(IndexKey("digest", opclass="gin_trgm_ops"), on=APART, method="gin")]  # fmt: skip
    for value in (*LETTERS, "m1", *MD5):
        assert not any(value in shape.reason for shape in shapes)


def test_thousands_of_candidates_take_seconds_at_most() -> None:
    names = [c.name for c in WIDE.columns if c.base_type != "point"]
    started = time.process_time()
    sized = [
        shape_of(*keys).pages for a in names for b in names for keys in ((a, b), (b, "id"), (a, b, "at"))
    ]
    assert len(sized) == 768
    assert time.process_time() - started < 2.0  # 0.2 s where nobody disturbs
