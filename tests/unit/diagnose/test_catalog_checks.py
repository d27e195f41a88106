"""Checks of the catalog alone: indexes, foreign keys, statistics."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pgproof.model.finding import Severity
from pgproof.model.relation import (
    Constraint,
    ConstraintKind,
    IndexKey,
    RelationKind,
    RelationName,
    Setting,
    Table,
)
from pgproof.stages.diagnose.duplicate_index import DUPLICATE_INDEX
from pgproof.stages.diagnose.foreign_key import FOREIGN_KEY_WITHOUT_INDEX
from pgproof.stages.diagnose.invalid_index import INVALID_INDEX
from pgproof.stages.diagnose.stale_statistics import STALE_STATISTICS
from pgproof.stages.diagnose.unused_index import UNUSED_INDEX
from tests.unit.diagnose.builders import (
    BUSY,
    NOW,
    catalog,
    check_catalog,
    column,
    foreign_key,
    index,
    only,
    table,
    titles,
)

A, B = IndexKey("a"), IndexKey("b")
A_DESC = IndexKey("a", descending=True, nulls_first=True)
B_DESC = IndexKey("b", descending=True, nulls_first=True)
ON_PARTITIONED = table(kind=RelationKind.PARTITIONED)


def duplicates(*indexes, on: Table | None = None) -> list[str]:
    return titles(check_catalog(DUPLICATE_INDEX, catalog(on or table(), *indexes)))


def test_a_duplicate_index() -> None:
    found = check_catalog(DUPLICATE_INDEX, catalog(table(), index("i1", "a"), index("i2", "a")))
    finding = only(found)
    assert finding.title == "index public.i2 is a duplicate of public.i1"
    assert (
        finding.explanation
        == "Writes to public.orders maintain both, and i1 serves every plan that i2 can serve."
    )
    assert finding.remedy_sql == ("DROP INDEX CONCURRENTLY public.i2",)


@pytest.mark.parametrize(
    ("keeper", "index_", "said"),
    [
        ((A, B), (A,), "repeats the first columns of"),
        ((A,), (A_DESC,), "is a duplicate of"),
        ((A, B_DESC), (A_DESC, B), "is a duplicate of"),
        ((A, B), (A_DESC,), "repeats the first columns of"),
    ],
)
def test_a_b_tree_reads_both_ways(keeper, index_, said) -> None:
    assert duplicates(index("i1", *keeper), index("i2", *index_)) == [f"index public.i2 {said} public.i1"]


def test_the_one_with_a_duty_stays_whatever_its_name() -> None:
    assert duplicates(index("z", "a", unique=True), index("b", "a")) == [
        "index public.b is a duplicate of public.z"
    ]
    assert duplicates(index("z", "a", clustered=True), index("b", "a")) == [
        "index public.b is a duplicate of public.z"
    ]


def test_the_widest_of_several_is_the_one_that_stays() -> None:
    found = duplicates(index("i1", "a"), index("i2", "a"), index("i3", "a", "b"))
    assert found == [
        "index public.i1 repeats the first columns of public.i3",
        "index public.i2 repeats the first columns of public.i3",
    ]


def test_a_second_unique_index_beside_the_primary_key() -> None:
    pkey = index("orders_pkey", "id", unique=True, primary=True, constraint="orders_pkey")
    finding = only(check_catalog(DUPLICATE_INDEX, catalog(table(), pkey, index("a_uq", "id", unique=True))))
    assert finding.title == "index public.a_uq is a duplicate of public.orders_pkey"
    assert finding.remedy_sql == ()
    deferred = Constraint(
        "orders_pkey", RelationName("public", "orders"), ConstraintKind.PRIMARY_KEY, ("id",), deferrable=True
    )
    assert not titles(
        check_catalog(DUPLICATE_INDEX, catalog(table(), pkey, index("a_uq", "id", unique=True), deferred))
    )


@pytest.mark.parametrize(
    ("keeper", "index_"),
    [
        (index("i1", "a", "b"), index("i2", "b")),
        (index("i1", A, B_DESC), index("i2", A, B)),
        (index("i1", "a", "b"), index("i2", "a", unique=True)),
        (index("i1", "a", "b"), index("i2", "a", replica_identity=True)),
        (index("i1", "a", "b"), index("i2", "a", clustered=True)),
        (index("i1", "a", "b", predicate="(b > 1)"), index("i2", "a")),
        (index("i1", "a", method="hash"), index("i2", "a")),
        (index("i1", IndexKey("a", opclass="text_pattern_ops")), index("i2", "a")),
        (index("i1", IndexKey("a", collation="C")), index("i2", "a")),
        (index("i1", "a", "b"), index("i2", "a", include=("c",))),
        (index("i1", "a", valid=False), index("i2", "a")),
        (index("i1", "a", "b", method="gin"), index("i2", "a", method="gin")),
        (index("i1", "a", on="other"), index("i2", "a")),
    ],
    ids=[
        "not leading", "mixed directions", "unique", "replica identity", "clustered", "partial", "method",
        "operator class", "collation", "payload", "invalid", "prefix of gin", "another table",
    ],
)  # fmt: skip
def test_indexes_that_each_do_something(keeper, index_) -> None:
    assert duplicates(keeper, index_) == []


def test_a_partitioned_table_s_duplicate_has_words_only() -> None:
    found = check_catalog(DUPLICATE_INDEX, catalog(ON_PARTITIONED, index("i1", "a"), index("i2", "a")))
    assert only(found).remedy_sql == ()
    assert "blocks all partitions for a moment" in only(found).remedy


def unused(*things, age: timedelta | None = timedelta(days=40), on: Table | None = None):
    return check_catalog(UNUSED_INDEX, catalog(on or WRITTEN, *things, stats_age=age))


WRITTEN = table(activity=replace(BUSY, inserts=10, last_analyze_at=None))


def test_an_unused_index() -> None:
    finding = only(unused(index("i", "a", scans=0)))
    assert (finding.title, finding.severity) == ("index public.i has not been read for 40 days", Severity.LOW)
    assert finding.remedy_sql == ("DROP INDEX CONCURRENTLY public.i",)


def test_less_than_a_month_says_little() -> None:
    assert only(unused(index("i", "a", scans=0), age=timedelta(days=10))).severity is Severity.INFO
    idle = table(activity=replace(BUSY, inserts=0))
    assert only(unused(index("i", "a", scans=0), on=idle)).severity is Severity.INFO


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(days=6), "6 days"),
        (timedelta(days=1, hours=3), "1 day"),
        (timedelta(minutes=90), "1.5 hours"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(seconds=20), "some seconds"),
    ],
)
def test_young_counters_say_nothing_and_that_is_said(age: timedelta, words: str) -> None:
    young = unused(index("i", "a", scans=0), age=age)
    assert not young.findings
    assert young.skipped[0].reason == (
        f"the server's counters are only {words} old; an unused index shows after a month"
    )


def test_counters_that_were_never_reset_are_as_old_as_what_they_remember() -> None:
    assert not unused(index("i", "a", scans=0), age=None).findings
    old = table(activity=replace(BUSY, inserts=10, last_analyze_at=NOW - timedelta(days=50)))
    assert titles(unused(index("i", "a", scans=0), age=None, on=old)) == [
        "index public.i has not been read for 50 days"
    ]


@pytest.mark.parametrize(
    "things",
    [
        (index("i", "a", scans=1),),
        (index("i", "a", scans=None),),
        (index("i", "a", scans=0, unique=True),),
        (index("i", "a", scans=0, constraint="c"),),
        (index("i", "a", scans=0, replica_identity=True),),
        (index("i", "a", scans=0, valid=False),),
        (index("i", "a", scans=0, size_bytes=1000),),
        (index("i", "a", "b", scans=0), foreign_key("a")),
        (index("p", "a"), index("i", "a", scans=0, parent=RelationName("public", "p"))),
    ],
    ids=[
        "read",
        "unknown",
        "unique",
        "constraint",
        "identity",
        "invalid",
        "small",
        "foreign key",
        "partition",
    ],
)
def test_indexes_that_are_needed_or_unknown(things) -> None:
    assert all("public.i " not in title for title in titles(unused(*things)))


def test_a_partitioned_index_is_unused_when_all_its_parts_are() -> None:
    whole = index("p", "a")
    parts = [index(f"i{n}", "a", on=f"o{n}", parent=whole.relation, scans=n) for n in (0, 1)]
    assert not titles(unused(whole, *parts, on=ON_PARTITIONED))
    assert titles(unused(whole, parts[0], on=ON_PARTITIONED)) == [
        "index public.p has not been read for 40 days"
    ]


def test_an_invalid_index() -> None:
    finding = only(check_catalog(INVALID_INDEX, catalog(table(), index("i", "a", valid=False))))
    assert finding.title == "index public.i is invalid"
    assert (
        finding.explanation
        == "Its build failed or was cancelled. Writes still maintain it, and no plan uses it."
    )
    assert finding.remedy_sql == ("DROP INDEX CONCURRENTLY public.i",)


def test_what_reindex_left_need_not_be_built_again() -> None:
    left = only(check_catalog(INVALID_INDEX, catalog(table(), index("i_ccnew1", "a", valid=False))))
    assert "It is what REINDEX CONCURRENTLY left: drop it" in left.remedy


def test_invalid_for_now() -> None:
    building = index("i", "a", valid=False, building=True)
    assert not titles(check_catalog(INVALID_INDEX, catalog(table(), index("j", "a"), building)))
    incomplete = only(check_catalog(INVALID_INDEX, catalog(ON_PARTITIONED, index("i", "a", valid=False))))
    assert (incomplete.severity, incomplete.remedy_sql) == (Severity.INFO, ())


CUSTOMERS = table("customers", column("id", "int4", -1.0), activity=replace(BUSY, deletes=7))
KEY = foreign_key("customer_id")


def unsupported(*things, to: Table = CUSTOMERS):
    return check_catalog(FOREIGN_KEY_WITHOUT_INDEX, catalog(to, *things))


def test_a_foreign_key_without_index() -> None:
    finding = only(unsupported(table(), KEY))
    assert finding.title == "foreign key orders_customer_id_fkey of public.orders (customer_id) has no index"
    assert finding.severity is Severity.MEDIUM
    assert finding.remedy_sql == (
        "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders USING btree (customer_id)",
    )
    never = table("customers", activity=BUSY)
    assert only(unsupported(table(), KEY, to=never)).severity is Severity.LOW


def test_a_table_that_refers_to_itself() -> None:
    finding = only(unsupported(table(), foreign_key("customer_id", to="orders")))
    assert finding.explanation.startswith("Each time one of its rows is deleted")


@pytest.mark.parametrize(
    "things",
    [
        (table(), index("i", "customer_id", "id")),
        (table(), index("i", "customer_id", method="hash")),
        (table(), index("i", "customer_id", predicate="(customer_id IS NOT NULL)")),
        (table(size_bytes=1000),),
        (table("orders", column("customer_id", distinct=5.0)),),
    ],
    ids=["leads", "hash", "not null only", "small", "few values"],
)
def test_foreign_keys_that_need_no_index(things) -> None:
    assert not titles(unsupported(*things, KEY))


@pytest.mark.parametrize(
    "helper",
    [
        index("i", "id", "customer_id"),
        index("i", "customer_id", valid=False),
        index("i", "customer_id", predicate="(status = 'x'::text)"),
        index("i", "customer_id", method="brin"),
    ],
    ids=["not leading", "invalid", "partial", "brin"],
)
def test_indexes_that_do_not_support_a_foreign_key(helper) -> None:
    assert titles(unsupported(table(), KEY, helper))


def test_a_wide_foreign_key_is_served_by_its_selective_part() -> None:
    wide = foreign_key("customer_id", "id")
    assert not titles(unsupported(table(), wide, index("i", "id", "customer_id")))
    assert not titles(unsupported(table(), wide, index("i", "id")))
    assert titles(unsupported(table(), foreign_key("status", "customer_id"), index("i", "status")))


def test_a_partition_s_foreign_key_is_its_parent_s() -> None:
    part = table("orders_1", parent=RelationName("public", "orders"))
    found = unsupported(ON_PARTITIONED, part, KEY, foreign_key("customer_id", on="orders_1"))
    assert only(found).relation == RelationName("public", "orders")
    assert titles(unsupported(ON_PARTITIONED, part, foreign_key("customer_id", on="orders_1")))


def stale(of: Table, *settings: Setting):
    return check_catalog(STALE_STATISTICS, catalog(of, *settings))


def changed(rows: int, **parts) -> Table:
    return table(activity=replace(BUSY, mods_since_analyze=rows), **parts)


def test_stale_statistics() -> None:
    finding = only(stale(changed(10_101)))
    assert finding.title == "statistics of public.orders are stale"
    assert finding.explanation == (
        "The planner guesses row counts from statistics, and there were 10,101 changes to 50,000 rows since "
        "they were taken."
    )
    assert finding.remedy_sql == ("ANALYZE public.orders",)
    assert not titles(stale(changed(10_100)))


def test_the_table_s_own_bar_counts() -> None:
    own = ("autovacuum_analyze_scale_factor=0.5",)
    assert not titles(stale(changed(20_000, options=own)))
    assert titles(stale(changed(20_000), Setting("autovacuum_analyze_scale_factor", "0.1")))
    assert not titles(stale(changed(20_000), Setting("autovacuum_analyze_scale_factor", "0.3")))


def test_a_table_that_was_just_analysed_is_not_judged() -> None:
    just = replace(BUSY, mods_since_analyze=40_000, last_analyze_at=NOW - timedelta(seconds=50))
    assert not titles(stale(table(activity=just)))


NEW = replace(BUSY, last_analyze_at=None)


def test_a_table_that_was_never_analysed() -> None:
    finding = only(stale(table(rows=-1, activity=NEW)))
    assert (finding.title, finding.severity) == ("public.orders was never analysed", Severity.MEDIUM)
    assert only(stale(table(rows=-1, activity=NEW), Setting("autovacuum", "off"))).severity is Severity.HIGH
    own = table(rows=-1, activity=NEW, options=("autovacuum_enabled=false",))
    assert only(stale(own)).severity is Severity.HIGH


@pytest.mark.parametrize(
    "of",
    [
        table(rows=-1, activity=replace(NEW, seq_scans=0)),
        table(rows=-1, activity=replace(NEW, live_rows=499)),
        table(rows=-1, activity=None),
        table("orders", replace(column("a"), statistics=None), activity=NEW),
        table("orders", kind=RelationKind.VIEW, activity=None),
    ],
    ids=["nobody reads it", "small", "counters hidden", "statistics hidden", "view"],
)
def test_tables_of_which_nothing_can_be_said(of: Table) -> None:
    assert not titles(stale(of))


def test_autovacuum_never_analyses_a_partitioned_table() -> None:
    bare = replace(column("a"), statistics=None)
    part = table("orders_1", column("a"), parent=RelationName("public", "orders"))
    whole = table("orders", bare, kind=RelationKind.PARTITIONED)
    finding = only(check_catalog(STALE_STATISTICS, catalog(whole, part)))
    assert finding.title == "partitioned table public.orders was never analysed"
    analysed = table("orders", column("a"), kind=RelationKind.PARTITIONED)
    assert not titles(check_catalog(STALE_STATISTICS, catalog(analysed, part)))
    hidden = table("orders_1", bare, parent=RelationName("public", "orders"))
    assert not titles(check_catalog(STALE_STATISTICS, catalog(whole, hidden)))
