"""Checks of statements: wrapped columns, patterns, deep pages, subqueries."""

import pytest

from pgproof.model.relation import Extension, IndexKey
from pgproof.stages.diagnose.deep_offset import DEEP_OFFSET
from pgproof.stages.diagnose.leading_wildcard import LEADING_WILDCARD
from pgproof.stages.diagnose.per_row_subquery import PER_ROW_SUBQUERY
from pgproof.stages.diagnose.wrapped_column import WRAPPED_COLUMN
from tests.unit.diagnose.builders import (
    catalog,
    check_plans,
    column,
    index,
    node,
    only,
    scan,
    statement,
    table,
    titles,
)

SHOP = catalog(table(), index("orders_pkey", "id", unique=True))
TRGM = Extension("pg_trgm", available_version="1.6")


def test_a_value_of_another_type_casts_the_column() -> None:
    by_id = statement("byId", "SELECT * FROM orders WHERE id = $1", ("5.0",))
    finding = only(check_plans(WRAPPED_COLUMN, SHOP, scan("((orders.id)::numeric = 5.0)", rows=1.0), by_id))
    assert finding.title == "public.orders is read whole because id is compared as id::numeric"
    assert finding.remedy == (
        "The value is sent with a type that makes the server cast the column. Send it as int8 (set the "
        "parameter's type in the driver, or cast the value), with an index on the column."
    )
    assert "orders_pkey" in [evidence.value for evidence in finding.evidence]
    assert finding.remedy_sql == ()


def test_a_cast_that_the_statement_wrote_is_for_the_statement_to_change() -> None:
    of_day = statement("ofDay", "SELECT * FROM orders WHERE created_at::date = $1", ("2026-01-01",))
    plan = scan("((orders.created_at)::date = '2026-01-01'::date)", rows=1.0)
    finding = only(check_plans(WRAPPED_COLUMN, SHOP, plan, of_day))
    assert finding.remedy.startswith("Compare the column with the bounds of the day instead")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("((orders.created_at)::date = '2026-01-01'::date)", 6_000.0),
        ("(((orders.created_at)::date = '2026-01-01'::date) AND (orders.customer_id = 5))", 1.0),
        ("(lower(orders.note) = 'x'::text)", 1.0),
        ("((orders.note)::text = 'x'::text)", 1.0),
    ],
    ids=["keeps much", "another condition serves", "can be indexed", "a cast that changes nothing"],
)
def test_wrapped_columns_that_are_no_trouble_of_their_own(text: str, rows: float) -> None:
    assert not titles(check_plans(WRAPPED_COLUMN, SHOP, scan(text, rows=rows)))


def search(sql: str, *values: tuple[str, ...], plan=None, of=None, made_up: bool = False):
    one = statement("search", sql, *values, made_up=made_up)
    return check_plans(LEADING_WILDCARD, of or catalog(table(), TRGM), plan or scan(rows=5.0), one)


LIKE = "SELECT * FROM orders WHERE note LIKE $1"


def test_a_pattern_that_starts_with_a_wildcard() -> None:
    finding = only(search(LIKE, ("%x%",)))
    assert finding.title == "public.orders is searched for a text anywhere in note"
    assert finding.remedy_sql == (
        "CREATE EXTENSION pg_trgm",
        "CREATE INDEX CONCURRENTLY orders_note_trgm_idx ON public.orders USING gin (note gin_trgm_ops)",
    )


def test_patterns_are_seen_through_views_by_the_plan() -> None:
    plan = scan("(orders.note ~~* '%x%'::text)", rows=5.0)
    assert titles(search("SELECT * FROM some_view WHERE n ILIKE $1", ("%x%",), plan=plan))


def test_other_forms_of_the_same() -> None:
    for sql in (
        "SELECT * FROM orders WHERE note LIKE '%x'",
        "SELECT * FROM orders WHERE note ILIKE '%' || $1 || '%'",
    ):
        assert titles(search(sql, ("x",))), sql


@pytest.mark.parametrize(
    "made",
    [
        lambda: search(LIKE, ("x%",)),
        lambda: search(LIKE),
        lambda: search(LIKE, ("%x%",), made_up=True),
        lambda: search("SELECT * FROM orders WHERE note NOT LIKE '%x%'"),
        lambda: search("SELECT * FROM orders WHERE customer_id::text LIKE '%1%'"),
        lambda: search(LIKE, ("%x%",), of=catalog(table(rows=100.0), TRGM)),
        lambda: search(
            LIKE,
            ("%x%",),
            of=catalog(table(), index("t", IndexKey("note", opclass="gin_trgm_ops"), method="gin")),
        ),
        lambda: search(
            LIKE,
            ("%x%",),
            plan=node(
                "Index Scan", relation="orders", schema="public", alias="orders", index_cond="(id = 5)"
            ),
        ),
    ],
    ids=[
        "prefix",
        "no values",
        "made up",
        "negated",
        "no text",
        "small",
        "trigrams",
        "found by another index",
    ],
)
def test_patterns_that_are_no_trouble(made) -> None:
    assert not titles(made())


def test_without_pg_trgm_there_is_no_sql() -> None:
    finding = only(search(LIKE, ("%x%",), of=catalog(table())))
    assert finding.remedy_sql == ()
    assert "pg_trgm is not available on this server" in finding.remedy


PAGE = "SELECT * FROM orders ORDER BY created_at LIMIT 20 OFFSET $1"


def pages(sql: str, *depths: str, made_up: bool = False):
    one = statement("page", sql, *((depth,) for depth in depths), made_up=made_up)
    return check_plans(DEEP_OFFSET, SHOP, (), one)


def test_a_deep_page() -> None:
    finding = only(pages(PAGE, "0", "20000"))
    assert finding.title == "page skips 20,000 rows to show a page"
    assert "created_at" in [evidence.value for evidence in finding.evidence]
    assert titles(pages("SELECT * FROM orders LIMIT 10 OFFSET 1000"))


@pytest.mark.parametrize(
    "made",
    [
        lambda: pages(PAGE, "0", "999"),
        lambda: pages(PAGE, *["0"] * 96, *["20000"] * 4),
        lambda: pages(PAGE),
        lambda: pages(PAGE, "20000", made_up=True),
        lambda: pages("SELECT * FROM orders OFFSET $1", "20000"),
    ],
    ids=["shallow", "rarely deep", "no values", "made up", "export"],
)
def test_offsets_that_are_no_trouble(made) -> None:
    assert not titles(made())


CUSTOMERS = table("customers", column("id"), rows=20_000.0)


def per_row(outer_rows: float, *, subplan_cost: float = 10.0, filter_text: str = "", **extra: object):
    inner = node(
        "Aggregate",
        node("Index Scan", relation="orders", schema="public", alias="o", cost=subplan_cost),
        cost=subplan_cost,
        parent_relationship="SubPlan",
        subplan="SubPlan 1",
    )
    return node(
        "Seq Scan",
        inner,
        relation="customers",
        schema="public",
        alias="c",
        filter=filter_text,
        rows=outer_rows,
        cost=1000.0,
        extra=extra,
    )


def test_a_subquery_for_each_row() -> None:
    finding = only(check_plans(PER_ROW_SUBQUERY, catalog(table(), CUSTOMERS), per_row(90.0)))
    assert finding.title == "q runs a subquery for each of about 90 rows"
    assert (
        finding.explanation
        == "A correlated subquery (Index Scan on orders) is executed again for every row around it."
    )


def test_a_filter_s_subquery_runs_for_rows_that_do_not_pass_too() -> None:
    plan = per_row(5.0, filter_text="(SubPlan 1)")
    assert titles(check_plans(PER_ROW_SUBQUERY, catalog(table(), CUSTOMERS), plan)) == [
        "q runs a subquery for each of about 20,000 rows"
    ]


@pytest.mark.parametrize(
    "plan",
    [
        per_row(19.0, subplan_cost=100.0),
        per_row(90.0, subplan_cost=1.0),
        per_row(90.0, filter_text="(hashed SubPlan 1)"),
        per_row(90.0, Output=["id", "(hashed SubPlan 1)"]),
        per_row(90.0, filter_text="(alternatives: SubPlan 1 or hashed SubPlan 2)"),
        node("Limit", per_row(90.0, subplan_cost=100.0), rows=10.0),
    ],
    ids=["few rows", "cheap", "hashed", "hashed in the output", "may be hashed", "limit"],
)
def test_subqueries_that_are_no_trouble(plan) -> None:
    assert not titles(check_plans(PER_ROW_SUBQUERY, catalog(table(), CUSTOMERS), plan))
