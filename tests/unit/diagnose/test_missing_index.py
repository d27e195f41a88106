"""Missing index: what a plan's own filters, sorts and joins ask for, and what they don't."""

from dataclasses import replace

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.finding import Severity
from pgproof.model.relation import IndexKey, RelationKind, RelationName, Setting
from pgproof.stages.diagnose.missing_index import MISSING_INDEX
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

BY_CUSTOMER = "(orders.customer_id = 5)"


def keys_of(plan_filter: str, of: Catalog | None = None, rows: float = 50.0) -> str:
    """What stands between the brackets of the remedy for a scan with that filter; empty without a finding."""
    found = check_plans(MISSING_INDEX, of or catalog(table()), scan(plan_filter, rows=rows)).findings
    sql = found[0].remedy_sql[0] if found else ""
    return sql.partition(" USING ")[2]


@pytest.mark.parametrize("cast", ["citext", "ext.citext"])
def test_a_domain_is_compared_as_what_it_is_made_of(cast: str) -> None:
    of_domain = replace(column("email", "email"), base_type="citext")
    mails = catalog(replace(table(), columns=(*table().columns, of_domain)))
    assert keys_of(f"((orders.email)::{cast} = 'x'::{cast})", mails) == "btree (email)"
    assert keys_of("((orders.email)::text = 'x'::text)", mails) == ""


def test_says_what_is_read_and_what_would_help() -> None:
    finding = only(check_plans(MISSING_INDEX, catalog(table()), scan(BY_CUSTOMER, rows=50.0)))
    assert finding.title == "public.orders is read whole to find rows by (customer_id)"
    assert finding.explanation == (
        "No index starts with these columns, so every execution reads it all: "
        "50,000 rows are read to keep about 50."
    )
    assert finding.remedy_sql == (
        "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders USING btree (customer_id)",
    )
    assert finding.columns == ("customer_id",)
    assert finding.statements == ("q",)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("((orders.status = 'x'::text) AND (orders.customer_id = 5))", "btree (customer_id, status)"),
        ("((orders.customer_id > 5) AND (orders.status = 'x'::text))", "btree (status, customer_id)"),
        ("((orders.id = 5) AND (orders.status = 'x'::text))", "btree (id)"),
        ("(orders.customer_id = ANY ('{1,2}'::integer[]))", "btree (customer_id)"),
        ("(orders.customer_id IS NULL)", "btree (customer_id)"),
        ("(lower(orders.note) = 'x'::text)", "btree ((lower(note)))"),
        ("((orders.day)::date = '2026-01-01'::date)", "btree ((day::date))"),
        ("(orders.note ~~ 'abc%'::text)", "btree (note text_pattern_ops)"),
        ("(orders.meta @> '{\"a\": 1}'::jsonb)", "gin (meta)"),
        ("((orders.customer_id = 5) AND (hashed SubPlan 1))", "btree (customer_id)"),
    ],
    ids=lambda value: value if value.startswith(("btree", "gin")) else "",
)
def test_keys_follow_the_filter(text: str, keys: str) -> None:
    assert keys_of(text) == keys


@pytest.mark.parametrize(
    "text",
    [
        "(orders.note ~~ '%abc%'::text)",
        "(orders.customer_id <> 5)",
        "(orders.status = orders.note)",
        "((orders.created_at)::date = '2026-01-01'::date)",  # depends on the time zone: not immutable
        "((orders.customer_id = 5) OR (lower(orders.status) <> 'x'::text))",
        "(random() < '0.1'::double precision)",
    ],
)
def test_no_index_where_none_could_serve(text: str) -> None:
    assert keys_of(text) == ""


def test_an_or_needs_an_index_for_each_alternative() -> None:
    text = "((orders.customer_id = 5) OR (orders.id = 6))"
    finding = only(check_plans(MISSING_INDEX, catalog(table()), scan(text, rows=5.0)))
    assert finding.title == "public.orders is read whole to find rows by (customer_id) and by (id)"
    assert len(finding.remedy_sql) == 2
    with_pk = catalog(table(), index("orders_pkey", "id", unique=True))
    assert keys_of(text, with_pk) == "btree (customer_id)"


def test_half_the_table_is_read_for_good_reason() -> None:
    assert keys_of(BY_CUSTOMER, rows=4_999.0) != ""
    assert keys_of(BY_CUSTOMER, rows=5_001.0) == ""


def test_small_tables_are_left_alone() -> None:
    assert keys_of(BY_CUSTOMER, catalog(table(rows=499.0)), rows=1.0) == ""
    assert keys_of(BY_CUSTOMER, catalog(table(size_bytes=100_000)), rows=1.0) == ""


def test_a_cheap_part_of_its_statement_is_left_alone() -> None:
    for scan_cost, expected in ((190.0, 0), (210.0, 1)):
        plan = node("Aggregate", scan(BY_CUSTOMER, rows=5.0, cost=scan_cost), cost=1000.0)
        assert len(check_plans(MISSING_INDEX, catalog(table()), plan).findings) == expected


def test_an_index_that_leads_with_the_columns_gives_the_planner_its_reasons() -> None:
    text = "((orders.status = 'x'::text) AND (orders.customer_id = 5))"
    assert keys_of(text, catalog(table(), index("i", "status", "customer_id", "id"))) == ""
    assert keys_of(text, catalog(table(), index("i", "status"))) != ""
    assert keys_of(text, catalog(table(), index("i", "id", "status", "customer_id"))) != ""


@pytest.mark.parametrize("flaw", [{"valid": False}, {"predicate": "(id > 5)"}, {"method": "brin"}])
def test_an_index_that_can_t_serve_does_not_count(flaw: dict[str, object]) -> None:
    assert keys_of(BY_CUSTOMER, catalog(table(), index("i", "customer_id", **flaw))) != ""


def test_a_hash_index_serves_one_equality() -> None:
    assert keys_of(BY_CUSTOMER, catalog(table(), index("i", "customer_id", method="hash"))) == ""


def test_a_taken_name_is_not_taken_again() -> None:
    of = catalog(table(), index("orders_customer_id_idx", "id"))
    finding = only(check_plans(MISSING_INDEX, of, scan(BY_CUSTOMER, rows=5.0)))
    assert finding.remedy_sql[0].startswith("CREATE INDEX CONCURRENTLY orders_customer_id_idx_2 ON")


def top_plan(sort_key: tuple[str, ...], limit: float = 10.0, text: str = "", rows: float = 50_000.0):
    return node("Limit", node("Sort", scan(text, rows=rows), sort_key=sort_key, rows=rows), rows=limit)


@pytest.mark.parametrize(
    ("sort_key", "keys"),
    [
        (("orders.created_at",), "(created_at)"),
        (("orders.created_at DESC", "orders.id DESC"), "(created_at, id)"),
        (("orders.created_at DESC", "orders.id"), "(created_at, id DESC)"),
        (("orders.created_at DESC NULLS LAST",), "(created_at NULLS FIRST)"),
        (("(lower(orders.note))", "orders.id"), "((lower(note)), id)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_rows_in_order_need_its_directions(sort_key: tuple[str, ...], keys: str) -> None:
    finding = only(check_plans(MISSING_INDEX, catalog(table()), top_plan(sort_key)))
    assert finding.remedy_sql[0].endswith(f"USING btree {keys}")


def test_an_index_in_the_wrong_directions_does_not_give_the_order() -> None:
    keys = ("orders.created_at DESC", "orders.id")
    turned = IndexKey("created_at", descending=True, nulls_first=True)
    assert titles(
        check_plans(MISSING_INDEX, catalog(table(), index("i", "created_at", "id")), top_plan(keys))
    )
    assert not titles(check_plans(MISSING_INDEX, catalog(table(), index("i", turned, "id")), top_plan(keys)))


def test_equality_leads_the_order_and_a_list_does_not() -> None:
    text = "((orders.status = 'x'::text) AND (orders.customer_id = ANY ('{1,2}'::integer[])))"
    plan = top_plan(("orders.created_at DESC",), text=text, rows=9_000.0)
    finding = only(check_plans(MISSING_INDEX, catalog(table()), plan))
    assert finding.title == "public.orders is read whole to return the first rows by (status, created_at)"


def test_a_sort_of_little_more_than_the_limit_is_no_finding() -> None:
    assert not titles(check_plans(MISSING_INDEX, catalog(table()), top_plan(("orders.id",), limit=2_501.0)))
    assert titles(check_plans(MISSING_INDEX, catalog(table()), top_plan(("orders.id",), limit=2_500.0)))


def test_a_sort_without_limit_is_no_finding() -> None:
    plan = node("Sort", scan(rows=50_000.0), sort_key=("orders.id",), rows=50_000.0)
    assert not titles(check_plans(MISSING_INDEX, catalog(table()), plan))


def test_a_limit_without_order_stops_early() -> None:
    plan = node("Limit", scan("(orders.status = 'x'::text)", rows=4_000.0), cost=10.0, rows=10.0)
    assert not titles(check_plans(MISSING_INDEX, catalog(table()), plan))
    rare = node("Limit", scan("(orders.status = 'x'::text)", rows=20.0), cost=500.0, rows=10.0)
    assert titles(check_plans(MISSING_INDEX, catalog(table()), rare))


def test_an_index_walked_for_its_order_finds_nothing_by_the_filter() -> None:
    of = catalog(table(), index("orders_created", "created_at"))

    def plan(condition: str = "", rows: float = 20.0):
        walk = scan(BY_CUSTOMER, rows=rows, index="orders_created", index_cond=condition)
        return node("Limit", replace(walk, node_type="Index Scan"), rows=10.0, cost=500.0)

    assert titles(check_plans(MISSING_INDEX, of, plan())) == [
        "public.orders is read whole to find rows by (customer_id)"
    ]
    assert not titles(check_plans(MISSING_INDEX, of, plan("(orders.created_at > now())")))
    assert not titles(check_plans(MISSING_INDEX, of, plan(rows=200.0)))  # the LIMIT is content early


CUSTOMERS = table("customers", column("id", "int4", -1.0), column("name", "text", -0.5), rows=20_000.0)


def hash_join(partner_rows: float):
    partner = node("Index Scan", relation="customers", schema="public", alias="customers", rows=partner_rows)
    joined = node(
        "Hash Join",
        scan(rows=50_000.0),
        node("Hash", partner, rows=partner_rows),
        extra={"Hash Cond": "(orders.customer_id = customers.id)"},
        rows=50 * partner_rows,
    )
    return replace(joined, cost=joined.cost)


def test_a_join_of_few_rows_reads_the_other_side_whole() -> None:
    finding = only(check_plans(MISSING_INDEX, catalog(table(), CUSTOMERS), hash_join(3.0)))
    assert finding.title == "public.orders is read whole to join few rows by (customer_id)"


def test_a_join_that_needs_most_of_a_table_reads_it_whole_rightly() -> None:
    assert not titles(check_plans(MISSING_INDEX, catalog(table(), CUSTOMERS), hash_join(20_000.0)))


def test_the_inner_side_of_a_nested_loop_is_a_finding() -> None:
    outer = node("Index Scan", relation="customers", schema="public", alias="customers", rows=40.0)
    plan = node(
        "Nested Loop",
        outer,
        scan(rows=50_000.0),
        extra={"Join Filter": "(orders.customer_id = customers.id)"},
    )
    assert titles(check_plans(MISSING_INDEX, catalog(table(), CUSTOMERS), plan)) == [
        "public.orders is read whole to join few rows by (customer_id)"
    ]


def test_a_correlated_subquery_searches_by_what_ties_it() -> None:
    inner = scan("(orders.customer_id = customers.id)", rows=50.0, parent_relationship="SubPlan")
    outer = node("Seq Scan", inner, relation="customers", schema="public", alias="customers", rows=20_000.0)
    finding = only(check_plans(MISSING_INDEX, catalog(table(), CUSTOMERS), outer))
    assert finding.columns == ("customer_id",)


PARTS = tuple(
    table(f"orders_{month}", rows=25_000.0, parent=RelationName("public", "orders")) for month in (1, 2)
)
PARENT = table(kind=RelationKind.PARTITIONED, partition_key="RANGE (created_at)")


def append():
    return node(
        "Append",
        *(
            scan(
                f"(orders_{m}.customer_id = 5)",
                f"orders_{m}",
                rows=25.0,
                parent_relationship="Member",
                cost=400.0,
            )
            for m in (1, 2)
        ),
        cost=800.0,
    )


def test_partitions_are_reported_as_their_parent_once() -> None:
    finding = only(check_plans(MISSING_INDEX, catalog(PARENT, *PARTS), append()))
    assert finding.title == "public.orders is read whole to find rows by (customer_id)"
    assert "50,000 rows are read to keep about 50" in finding.explanation
    assert finding.remedy_sql[0] == (
        "CREATE INDEX orders_customer_id_idx ON ONLY public.orders USING btree (customer_id)"
    )
    assert len(finding.remedy_sql) == 5


def test_an_index_on_one_partition_is_told() -> None:
    of = catalog(PARENT, *PARTS, index("i", "customer_id", on="orders_1"))
    finding = only(check_plans(MISSING_INDEX, of, append()))
    assert ("1 of 2; attach those instead of building them again") in [e.value for e in finding.evidence]


def test_the_same_name_in_two_schemas_is_two_tables() -> None:
    of = catalog(table(), table(schema="old"), index("i", "customer_id"))
    plan = scan(BY_CUSTOMER, rows=50.0, schema="old")
    assert titles(check_plans(MISSING_INDEX, of, plan)) == [
        "old.orders is read whole to find rows by (customer_id)"
    ]


def test_quoted_names_are_read_and_written() -> None:
    of = catalog(table("Order", column("größe"), column("user")))
    plan = scan('(("Order"."größe" = 5) AND ("Order"."user" = 6))', "Order", rows=5.0)
    assert only(check_plans(MISSING_INDEX, of, plan)).remedy_sql[0].endswith('("größe", "user")')


def test_one_index_that_serves_two_statements_is_one_finding() -> None:
    narrow = scan(BY_CUSTOMER, rows=50.0)
    wide = scan("((orders.customer_id = 5) AND (orders.status = 'x'::text))", rows=50.0)
    finding = only(check_plans(MISSING_INDEX, catalog(table()), (narrow, wide)))
    assert finding.columns == ("customer_id", "status")
    assert set(finding.statements) == {"q", "q2"}


def test_severity_follows_the_share_of_measured_time() -> None:
    plans = (scan(BY_CUSTOMER, rows=50.0), node("Result"))

    def finding(own_ms: float | None):
        other = None if own_ms is None else 1000.0 - own_ms
        both = (statement("q", "SELECT 1", total_ms=own_ms), statement("r", "SELECT 2", total_ms=other))
        return only(check_plans(MISSING_INDEX, catalog(table()), plans, *both))

    assert [finding(ms).severity for ms in (100.0, 50.0, 5.0)] == [
        Severity.HIGH,
        Severity.MEDIUM,
        Severity.LOW,
    ]
    assert finding(100.0).time_share_frac == pytest.approx(0.1)
    unmeasured = finding(None)
    assert (unmeasured.severity, unmeasured.time_share_frac) == (Severity.MEDIUM, None)
    assert "50 % of planner cost x calls (no times were measured)" in [e.value for e in unmeasured.evidence]


def test_values_of_rows_are_never_printed() -> None:
    text = "((orders.note = 'secret'::text) AND (orders.customer_id = 424242))"
    told = repr(check_plans(MISSING_INDEX, catalog(table(), Setting("a", "b")), scan(text, rows=1.0)))
    assert "secret" not in told
    assert "424242" not in told
