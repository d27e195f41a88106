"""What is proposed for a statement."""

import pytest

from pgproof.model.change import CreateExtension
from pgproof.model.relation import Extension, RelationKind, RelationName, Setting
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import propose_indexes
from tests.builders import (
    catalog,
    column,
    foreign_key,
    index,
    primary_key,
    proposed,
    shown,
    statement,
    table,
    workload,
)

ORDERS = table(
    "orders",
    column("id"),
    column("customer", distinct=5000),
    column("status", "text", distinct=4, common={"open": 0.02, "paid": 0.08, "sent": 0.3, "done": 0.6}),
    column("created", "timestamp"),
    column("total", "numeric", distinct=-0.5),
    column("note", "text", width=900),
    column("closed", "timestamptz", nulls=0.95, not_null=False),
    column("urgent", "bool", distinct=2, common={"f": 0.97, "t": 0.03}),
    column("mail", "text", width=20),
    column("doc", "jsonb", width=300),
    column("tags", "_text", width=40),
    column("span", "tstzrange", width=22),
    column("search", "tsvector", width=200),
)
KEY = index("orders", "id", unique=True)
SHOP = catalog(ORDERS, indexes=[KEY], constraints=[primary_key("orders", "id")])


def test_equality_then_order_so_that_limit_stops_early() -> None:
    found = proposed(
        SHOP, "SELECT id, note FROM orders WHERE customer = $1 ORDER BY created DESC, id DESC LIMIT 10"
    )
    assert found >= {"orders(customer, created, id)", "orders(customer)", "orders(created, id)"}
    assert "orders(created, id, customer)" in found  # filtered on the way, without a visit to the table
    assert "orders(customer, created)" in found  # the rest is sorted in small groups


def test_mixed_directions_are_kept() -> None:
    found = proposed(
        SHOP, "SELECT note FROM orders WHERE customer = $1 ORDER BY created DESC, total LIMIT 10"
    )
    assert "orders(customer, created, total desc)" in found


def test_nulls_first_counts_for_columns_that_have_nulls() -> None:
    found = proposed(SHOP, "SELECT note FROM orders ORDER BY closed DESC NULLS LAST LIMIT 10")
    assert found == {"orders(closed nulls first)"}
    # A column without NULLs has them nowhere; read backwards, the plain index gives the order.
    assert proposed(SHOP, "SELECT note FROM orders ORDER BY created DESC NULLS LAST LIMIT 10") == {
        "orders(created)"
    }


def test_most_selective_equality_leads_and_the_other_order_is_asked_too() -> None:
    found = proposed(SHOP, "SELECT note FROM orders WHERE customer = $1 AND mail = $2")
    assert found == {"orders(mail, customer)", "orders(customer, mail)", "orders(mail)", "orders(customer)"}


def test_state_alone_is_not_proposed() -> None:
    found = proposed(SHOP, "SELECT note FROM orders WHERE status = $1 AND customer = $2")
    assert found == {"orders(customer, status)", "orders(customer)", "orders(status, customer)"}


def test_equality_before_range_comes_first() -> None:
    found = propose_indexes(
        SHOP, workload("SELECT note FROM orders WHERE created > $1 AND customer = $2"), max_candidates=2
    )
    assert {shown(one.change) for one in found} == {"orders(customer, created)", "orders(customer)"}


def test_in_list_is_not_followed_by_the_order() -> None:
    found = proposed(
        SHOP, "SELECT note FROM orders WHERE customer = $1 AND status IN ($2, $3) ORDER BY created LIMIT 5"
    )
    assert "orders(customer, created)" in found
    assert "orders(customer, status)" in found
    assert "orders(customer, status, created)" not in found


def test_width_is_limited() -> None:
    found = propose_indexes(
        SHOP,
        workload("SELECT note FROM orders WHERE customer = $1 AND total = $2 AND mail = $3"),
        max_width=2,
    )
    assert found
    assert max(len(candidate.change.keys) for candidate in found) == 2


def test_include_when_few_narrow_columns_are_read_of_many_rows() -> None:
    found = proposed(SHOP, "SELECT sum(total) FROM orders WHERE status = $1")
    assert "orders(status) include (total)" in found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT note FROM orders WHERE status = $1",  # wide
        "SELECT * FROM orders WHERE status = $1",  # everything
        "SELECT total FROM orders WHERE status = $1 FOR UPDATE",  # the row is visited anyway
        "SELECT total FROM orders WHERE id = $1 AND status = $2",  # one row
        "UPDATE orders SET total = 0 WHERE status = $1",
    ],
)
def test_no_include_otherwise(sql: str) -> None:
    assert not any("include" in found for found in proposed(SHOP, sql))


def test_partial_index_from_a_constant_in_the_text() -> None:
    found = proposed(SHOP, "SELECT note FROM orders WHERE status = 'open' ORDER BY created LIMIT 10")
    assert "orders(created) where status = 'open'" in found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT note FROM orders WHERE status = $1 ORDER BY created LIMIT 10",  # a generic plan can't match
        "SELECT note FROM orders WHERE status = 'done' ORDER BY created LIMIT 10",  # most of the table
        "SELECT note FROM orders WHERE customer = 7 ORDER BY created LIMIT 10",  # a name, not a state
        "SELECT note FROM orders WHERE created > now() ORDER BY created LIMIT 10",  # volatile
        "SELECT note FROM orders WHERE (status = 'open' OR customer = $1) ORDER BY created LIMIT 10",
        "SELECT note FROM orders WHERE NOT status = 'open' ORDER BY created LIMIT 10",
    ],
)
def test_no_partial_index_otherwise(sql: str) -> None:
    assert not any("where" in found for found in proposed(SHOP, statement(sql, ("open",))))


def test_partial_index_on_null_and_boolean() -> None:
    assert "orders(customer) where closed IS NOT NULL" in proposed(
        SHOP, "SELECT note FROM orders WHERE customer = $1 AND closed IS NOT NULL"
    )
    assert "orders(id) where urgent = true" in proposed(SHOP, "SELECT note FROM orders WHERE urgent")
    # 95 % are NULL: a partial index over them would be the whole thing again.
    assert proposed(SHOP, "SELECT note FROM orders WHERE closed IS NULL") == set()


def test_or_over_two_columns_gets_an_index_for_each() -> None:
    found = proposed(SHOP, "SELECT note FROM orders WHERE customer = $1 OR mail = $2")
    assert found >= {"orders(customer)", "orders(mail)"}


def test_extreme_is_read_as_order_with_limit() -> None:
    assert "orders(customer, created)" in proposed(
        SHOP, "SELECT max(created) FROM orders WHERE customer = $1"
    )


def test_keyset_pagination() -> None:
    found = proposed(
        SHOP,
        "SELECT note FROM orders WHERE customer = $1 AND (created, id) < ($2, $3)"
        " ORDER BY created DESC, id DESC LIMIT 10",
    )
    assert "orders(customer, created, id)" in found


def test_update_and_delete_are_found_by_their_where() -> None:
    assert proposed(SHOP, "UPDATE orders SET total = 0 WHERE mail = $1") == {"orders(mail)"}
    assert proposed(SHOP, "DELETE FROM orders WHERE mail = $1") == {"orders(mail)"}
    assert proposed(SHOP, "INSERT INTO orders (id) VALUES ($1)") == set()


def test_update_of_the_key_is_told() -> None:
    found = propose_indexes(
        SHOP, workload("SELECT id FROM orders WHERE mail = $1", "UPDATE orders SET mail = $1 WHERE id = $2")
    )
    assert "Updates of mail will have to maintain it" in found[0].reason


def test_order_without_limit_needs_an_index_that_holds_all() -> None:
    sql = "SELECT DISTINCT ON (customer) customer, created FROM orders ORDER BY customer, created DESC"
    assert "orders(customer, created desc)" in proposed(SHOP, sql)
    found = proposed(SHOP, "SELECT note FROM orders ORDER BY customer, created DESC")
    assert not any("include" in one for one in found)


class TestPatterns:
    def test_prefix_under_a_linguistic_collation(self) -> None:
        sql = "SELECT note FROM orders WHERE mail LIKE $1"
        assert proposed(SHOP, statement(sql, ("ann%",), ("bob%",))) == {"orders(mail text_pattern_ops)"}

    def test_prefix_under_c_needs_no_operator_class(self) -> None:
        known = catalog(ORDERS, settings=[Setting("lc_collate", "C")])
        assert proposed(known, "SELECT note FROM orders WHERE mail LIKE 'ann%'") == {"orders(mail)"}

    def test_wildcard_in_front_takes_trigrams_and_their_extension(self) -> None:
        sql = "SELECT note FROM orders WHERE mail LIKE $1"
        (candidate,) = propose_indexes(SHOP, workload(statement(sql, ("%@example.org",))))
        assert candidate.change.method == "gin"
        assert candidate.change.keys[0].opclass == "gin_trgm_ops"
        assert candidate.requires == (CreateExtension("pg_trgm"),)

    def test_installed_extension_is_not_asked_for_again(self) -> None:
        known = catalog(ORDERS, extensions=[Extension("pg_trgm", "1.6", "1.6", schema="tools")])
        (candidate,) = propose_indexes(
            known, workload("SELECT note FROM orders WHERE mail ILIKE '%example%'")
        )
        assert candidate.requires == ()
        assert candidate.change.keys[0].opclass == "tools.gin_trgm_ops"

    @pytest.mark.parametrize(
        ("sql", "values"),
        [
            ("SELECT note FROM orders WHERE mail LIKE $1", ()),  # nothing known
            ("SELECT note FROM orders WHERE mail ILIKE $1", ("%ab%",)),  # no trigram in it
            ("SELECT note FROM orders WHERE mail NOT LIKE '%example%'", ()),
            ("SELECT note FROM orders WHERE mine(mail) LIKE '%example%'", ()),  # who knows what it does
        ],
    )
    def test_patterns_no_index_serves(self, sql: str, values: tuple[str, ...]) -> None:
        assert proposed(SHOP, statement(sql, values) if values else sql) == set()

    def test_no_trigrams_where_the_server_lacks_them(self) -> None:
        known = catalog(ORDERS, extensions=[])
        assert proposed(known, "SELECT note FROM orders WHERE mail ILIKE '%example%'") == set()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("doc @> '{\"a\": 1}'", {"gin orders(doc jsonb_path_ops)", "gin orders(doc)"}),
        ("doc ? 'a'", {"gin orders(doc)"}),
        ("tags && $1", {"gin orders(tags)"}),
        ("tags @> $1", {"gin orders(tags)"}),
        ("$1 = ANY (tags)", set()),  # no index serves it in this form
        ("span @> now()", {"gist orders(span)"}),
        ("search @@ to_tsquery('x')", {"gin orders(search)"}),
        ("doc = $1", set()),
        ("tags = $1", set()),
        ("note = $1", {"hash orders(note)"}),  # too wide for a B-tree
        ("urgent = $1", set()),  # of two values
        ("id = $1 AND mail = $2", set()),  # the primary key finds the row
        ("lower(mail) = $1", {"orders((lower(mail)))"}),
        ("created::date = $1", {"orders((created::date))"}),
        ("closed::date = $1", set()),  # depends on the session's time zone
        ("date_trunc('day', closed) = $1", set()),
        ("mine(mail) = $1", set()),  # who knows
        ("total::text = $1", {"orders((total::text))"}),
        ("created::text = $1", set()),  # depends on DateStyle
        ("total * 2 = $1", {"orders((total * 2))"}),
        ("closed - interval '1 day' = $1", set()),  # a day is not always 24 hours
        ("status || mail = $1", {"orders((status || mail))"}),
        ("mail || total = $1", set()),  # the text of a number
        ("doc ->> 'a' = $1", {"orders((doc ->> 'a'))"}),
    ],
)
def test_condition(condition: str, expected: set[str]) -> None:
    assert proposed(SHOP, f"SELECT note FROM orders WHERE {condition}") == expected


class TestExisting:
    SQL = "SELECT note FROM orders WHERE customer = $1 ORDER BY created DESC LIMIT 10"

    @pytest.mark.parametrize(
        "there",
        [
            index("orders", "customer", "created"),
            index("orders", "customer", "created", "total"),
            index("orders", "customer", "created", unique=True),
        ],
    )
    def test_served_already(self, there: object) -> None:
        found = proposed(catalog(ORDERS, indexes=[KEY, there]), self.SQL)
        assert "orders(customer, created)" not in found
        assert "orders(customer)" not in found

    @pytest.mark.parametrize(
        "there",
        [
            index("orders", "created", "customer"),
            index("orders", "customer"),
            index("orders", "customer", "created", predicate="urgent"),
            index("orders", "customer", "created", valid=False),
            index("orders", "customer", "created", method="hash"),
        ],
    )
    def test_not_served(self, there: object) -> None:
        found = proposed(catalog(ORDERS, indexes=[KEY, there]), self.SQL)
        assert "orders(customer, created)" in found

    def test_equalities_are_served_in_any_order(self) -> None:
        known = catalog(ORDERS, indexes=[index("orders", "mail", "customer")])
        found = proposed(known, "SELECT note FROM orders WHERE customer = $1 AND mail = $2")
        assert found == {"orders(customer)", "orders(customer, mail)"}  # to lead with the other column

    def test_same_predicate_spelt_by_the_server(self) -> None:
        there = index("orders", "created", predicate="(status = 'open'::text)")
        known = catalog(ORDERS, indexes=[KEY, there])
        found = proposed(known, "SELECT note FROM orders WHERE status = 'open' ORDER BY created LIMIT 10")
        assert "orders(created) where status = 'open'" not in found


class TestTables:
    def test_small_and_empty_tables_are_left_alone(self) -> None:
        for small in (
            table("t", column("a"), rows=400, pages=100),
            table("t", column("a"), rows=100_000, pages=9),
            table("t", column("a"), rows=-1, pages=0),
        ):
            assert proposed(catalog(small), "SELECT a FROM t WHERE a = 1") == set()

    def test_foreign_tables_are_left_alone(self) -> None:
        known = catalog(table("t", column("a"), kind=RelationKind.FOREIGN))
        assert proposed(known, "SELECT a FROM t WHERE a = 1") == set()

    def test_materialised_views_take_indexes(self) -> None:
        known = catalog(table("t", column("a"), kind=RelationKind.MATVIEW))
        assert proposed(known, "SELECT a FROM t WHERE a = 1") == {"t(a)"}

    def test_partitioned_table_gets_it_on_the_parent(self) -> None:
        parent = table("e", column("a"), rows=-1, pages=0, kind=RelationKind.PARTITIONED)
        child = table("e1", column("a"), parent=RelationName("public", "e"))
        # The catalog sums the bytes of partitions, not their pages.
        parent = type(parent)(**{**_fields(parent), "size_bytes": child.size_bytes})
        assert proposed(catalog(parent, child), "SELECT a FROM e WHERE a = 1") == {"e(a)"}

    def test_unknown_tables_and_unparsable_statements_are_passed_over(self) -> None:
        assert proposed(SHOP, "SELECT a FROM nowhere WHERE a = 1") == set()


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}


class TestJoins:
    CUSTOMERS = table("customers", column("id"), column("name", "text", width=20))
    KNOWN = catalog(
        ORDERS,
        CUSTOMERS,
        indexes=[KEY, index("customers", "id", unique=True)],
        constraints=[foreign_key("orders", "customers", "customer")],
    )

    def test_child_side_of_a_join_that_starts_at_the_parent(self) -> None:
        sql = "SELECT o.note FROM customers c JOIN orders o ON o.customer = c.id WHERE c.name = $1"
        found = proposed(self.KNOWN, sql)
        assert found >= {"customers(name)", "orders(customer)", "customers(name) include (id)"}

    def test_also_from_a_side_that_nothing_seems_to_restrict(self) -> None:
        sql = "SELECT o.note FROM orders o JOIN customers c ON c.id = o.customer WHERE o.mail = $1"
        found = proposed(self.KNOWN, sql)
        assert found >= {
            "orders(mail)",
            "orders(customer)",
            "orders(customer, mail)",
            "orders(mail, customer)",
        }

    def test_correlated_subquery_looks_up_by_its_tie(self) -> None:
        sql = "SELECT c.name, (SELECT max(created) FROM orders o WHERE o.customer = c.id) FROM customers c"
        assert "orders(customer, created)" in proposed(self.KNOWN, sql)

    def test_delete_of_a_parent_looks_for_children(self) -> None:
        sql = "DELETE FROM customers WHERE id = $1"
        assert proposed(self.KNOWN, sql) == {"orders(customer)"}
        (check,) = foreign_key_checks(self.KNOWN, workload(statement(sql, calls=7)))
        assert check.query.sql == "SELECT 1 FROM public.orders WHERE customer = $1"
        assert check.calls == 7

    def test_update_of_other_columns_looks_for_nobody(self) -> None:
        assert proposed(self.KNOWN, "UPDATE customers SET name = $1 WHERE id = $2") == set()
        assert foreign_key_checks(self.KNOWN, workload("UPDATE customers SET name = $1 WHERE id = $2")) == ()


class TestViews:
    VIEW = table(
        "v",
        column("order_id"),
        column("buyer"),
        column("at", "timestamp"),
        column("buyer_name", "text"),
        kind=RelationKind.VIEW,
        rows=-1,
        pages=0,
        definition=" SELECT o.id AS order_id, o.customer AS buyer, o.created AS at, c.name AS buyer_name"
        " FROM orders o JOIN customers c ON c.id = o.customer;",
    )
    GROUPED = table(
        "g",
        column("customer"),
        column("n"),
        kind=RelationKind.VIEW,
        rows=-1,
        pages=0,
        definition="SELECT customer, count(*) AS n FROM orders GROUP BY customer",
    )
    KNOWN = catalog(ORDERS, TestJoins.CUSTOMERS, VIEW, GROUPED, indexes=[KEY])

    def test_conditions_and_order_reach_the_table_below(self) -> None:
        found = proposed(self.KNOWN, "SELECT * FROM v WHERE buyer = $1 ORDER BY at DESC LIMIT 5")
        assert "orders(customer, created)" in found

    def test_condition_on_a_group_key_is_pushed_down(self) -> None:
        assert "orders(customer)" in proposed(self.KNOWN, "SELECT n FROM g WHERE customer = $1")

    def test_condition_on_an_aggregate_is_not(self) -> None:
        found = proposed(self.KNOWN, "SELECT customer FROM g WHERE n = $1")
        assert not any("n" in name.split("(")[1].split(", ") for name in found)


def test_odd_names_are_carried_through() -> None:
    odd = table("Kunden Liste", column("select"), column("Übername", "text", width=20), schema="public")
    found = propose_indexes(
        catalog(odd), workload('SELECT 1 FROM "Kunden Liste" WHERE lower("Übername") = $1 AND "select" = $2')
    )
    keys = {candidate.change.keys for candidate in found}
    assert any(
        [key.column or key.expression for key in one] == ["select", 'lower("Übername")'] for one in keys
    )
    assert all(len(candidate.name.encode()) <= 63 for candidate in found)
