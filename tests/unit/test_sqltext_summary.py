"""Statements that read a materialised view in the place of their query: what is claimed, what is not."""

import pytest

from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.summary import find_summaries
from pgproof.sqltext.summary_reading import define_view, read_from_view

TABLES = {
    "orders": ("public", ("id", "customer_id", "status", "total", "placed_at")),
    "customers": ("public", ("id", "region", "name")),
    "Größe": ("Schéma", ("select", "a b")),
}
VIEW = ("public", "kept")


def tables(schema: str | None, name: str) -> tuple[str, tuple[str, ...]] | None:
    found = TABLES.get(name)
    return found if found is None or schema in (None, found[0]) else None


def read(sql: str) -> tuple[str, str | None]:
    """The view of a statement's only summary, and the statement over it."""
    (summary,) = find_summaries(parse_statement(sql), tables)
    definition = define_view([summary])
    return definition.sql, read_from_view(sql, definition, VIEW, tables)


def test_conditions_on_keys_are_asked_of_the_view_and_all_others_belong_to_it() -> None:
    view, statement = read(
        "SELECT region, sum(total) AS revenue FROM orders o JOIN customers c ON c.id = customer_id"
        " WHERE status = 'paid' AND c.region = $1 GROUP BY 1 HAVING sum(total) > $2"
        " ORDER BY revenue DESC, region LIMIT $3"
    )
    assert view == (
        "SELECT c.region AS region, sum(o.total) AS revenue FROM public.orders o"
        " JOIN public.customers c ON c.id = o.customer_id WHERE o.status = 'paid' GROUP BY c.region"
    )
    assert statement == (
        "SELECT summary.region AS region, summary.revenue AS revenue FROM public.kept summary"
        " WHERE summary.region = $1 AND summary.revenue > $2 ORDER BY revenue DESC, region LIMIT $3"
    )


def test_expressions_over_aggregates_are_worked_out_from_the_view() -> None:
    _, statement = read(
        "SELECT status, avg(total) / count(*) + $1 AS x FROM orders GROUP BY status ORDER BY 2"
    )
    assert statement == (
        "SELECT summary.status AS status, (summary.avg / summary.count) + $1 AS x FROM public.kept summary"
        " ORDER BY 2"
    )


def test_one_row_is_a_view_too() -> None:
    assert read("SELECT count(*), max(total) FILTER (WHERE status = 'paid') FROM orders") == (
        "SELECT count(*) AS count, max(orders.total) FILTER (WHERE orders.status = 'paid') AS max"
        " FROM public.orders",
        "SELECT summary.count AS count, summary.max AS max FROM public.kept summary",
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT name FROM customers WHERE id IN"
            " (SELECT customer_id FROM orders GROUP BY customer_id HAVING sum(total) > $1)",
            "SELECT name FROM customers WHERE id IN (SELECT summary.customer_id AS customer_id"
            " FROM public.kept summary WHERE summary.sum > $1)",
        ),
        (
            "WITH t AS (SELECT customer_id, count(*) AS n FROM orders GROUP BY 1) SELECT max(n) + 1 FROM t",
            "WITH t AS (SELECT summary.customer_id AS customer_id, summary.n AS n FROM public.kept summary)"
            " SELECT max(n) + 1 FROM t",
        ),
        (
            "SELECT 'a', count(*) FROM orders UNION ALL SELECT name, 1 FROM customers",
            "SELECT 'a' AS \"?column?\", summary.count AS count FROM public.kept summary"
            " UNION ALL SELECT name, 1 FROM customers",
        ),
    ],
)
def test_parts_of_a_statement_are_served(sql: str, expected: str) -> None:
    assert read(sql)[1] == expected


def test_names_that_need_quotes() -> None:
    assert read('SELECT "a b", count("select") AS "Ä" FROM "Größe" g GROUP BY "a b"') == (
        'SELECT g."a b" AS "a b", count(g."select") AS "Ä" FROM "Schéma"."Größe" g GROUP BY g."a b"',
        'SELECT summary."a b" AS "a b", summary."Ä" AS "Ä" FROM public.kept summary',
    )


def test_two_statements_share_a_view_that_has_the_columns_of_both() -> None:
    one = "SELECT status, count(*) FROM orders WHERE status = $1 GROUP BY status"
    other = "SELECT sum(total), status AS s FROM public.orders GROUP BY orders.status"
    summaries = [find_summaries(parse_statement(sql), tables)[0] for sql in (one, other)]
    assert summaries[0].source == summaries[1].source
    definition = define_view(summaries)
    assert [column.name for column in definition.columns] == ["s", "count", "sum"]
    assert read_from_view(one, definition, VIEW, tables) == (
        "SELECT summary.s AS status, summary.count AS count FROM public.kept summary WHERE summary.s = $1"
    )
    assert read_from_view(other, define_view(summaries[:1]), VIEW, tables) is None, "its sum is not in there"


def test_equal_names_in_a_view_are_told_apart() -> None:
    (summary,) = find_summaries(parse_statement("SELECT max(id), max(total) FROM orders"), tables)
    assert [column.name for column in define_view([summary]).columns] == ["max", "max_2"]


def test_parameters_inside_the_view_are_told() -> None:
    sql = "SELECT status, sum(total * $2) FROM orders WHERE placed_at > $1 AND status = $3 GROUP BY status"
    (summary,) = find_summaries(parse_statement(sql), tables)
    assert summary.parameters == (1, 2)
    assert summary.conditions == ("orders.placed_at > $1",)
    assert summary.tables == (("public", "orders"),)


def test_a_column_that_is_one_value_is_grouped_by_too() -> None:
    view, statement = read(
        "SELECT region, sum(total) FROM orders o JOIN customers c ON c.id = customer_id"
        " WHERE status = $1 AND total > 5 GROUP BY region LIMIT $2"
    )
    assert view.endswith("WHERE o.total > 5 GROUP BY c.region, o.status")
    assert statement == (
        "SELECT summary.region AS region, summary.sum AS sum FROM public.kept summary"
        " WHERE summary.status = $1 LIMIT $2"
    )


def test_without_groups_there_is_a_row_even_for_a_value_that_nothing_has() -> None:
    view, statement = read("SELECT count(*), max(total) FROM orders WHERE $2 = customer_id AND status = $1")
    assert view.endswith("FROM public.orders GROUP BY orders.customer_id, orders.status")
    assert statement == (
        "SELECT COALESCE(summary.count, 0) AS count, summary.max AS max FROM (SELECT 1) one"
        " LEFT JOIN public.kept summary ON $2 = summary.customer_id AND summary.status = $1"
    )


@pytest.mark.parametrize(
    "condition",
    [
        "status > $1",
        "status IN ($1, $2)",
        "lower(status) = $1",
        "status = $1 OR id = 3",
        "status = name || $1",
        'status = $1 COLLATE "odd"',
    ],
)
def test_what_may_be_several_values_stays_in_the_view(condition: str) -> None:
    sql = f"SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE {condition}"
    (summary,) = find_summaries(parse_statement(sql.replace("id = 3", "o.id = 3")), tables)
    assert (summary.pinned, summary.keys) == ((), ())
    assert 1 in summary.parameters


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT status FROM orders", "it sums nothing up"),
        ("SELECT status, array_agg(id) FROM orders GROUP BY status", "depends on the order of rows"),
        ("SELECT status, sum(total ORDER BY id) FROM orders GROUP BY status", "the same"),
        ("SELECT count(*) FROM orders WHERE placed_at > CURRENT_DATE", "depends on the day"),
        ("SELECT count(*) FROM orders WHERE placed_at > 'now'", "the same"),
        ("SELECT count(*) FROM orders, nowhere", "no such table"),
        ("SELECT count(*) FROM orders o TABLESAMPLE system (1)", "another answer each time"),
        ("SELECT count(*) FROM orders NATURAL JOIN customers", "its condition follows the schema"),
        ("SELECT id, count(*) FROM orders, customers GROUP BY id", "whose id?"),
        ("SELECT status, count(*) FROM orders GROUP BY ROLLUP (status)", "grouping sets"),
        ("SELECT DISTINCT count(*) FROM orders GROUP BY status", "distinct"),
        ("SELECT count(o) FROM orders o", "a whole row"),
        ("SELECT count(*) FROM (SELECT 1 FROM orders) x", "a subquery in FROM"),
        ("SELECT status, count(*) FROM orders GROUP BY status FOR UPDATE", "locks rows"),
        ("INSERT INTO orders (id) SELECT count(*) FROM orders", "writes"),
        ("WITH orders AS (SELECT 1 AS id) SELECT count(*) FROM orders", "that is no table"),
        ("SELECT count(*) FROM orders WHERE id IN (SELECT id FROM customers)", "a subquery inside"),
        (
            "SELECT name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c",
            "it reads a row of the outer query",
        ),
    ],
)
def test_what_can_not_be_proven_is_not_claimed(sql: str, why: str) -> None:
    assert find_summaries(parse_statement(sql), tables) == (), why


def test_a_function_of_a_key_is_no_question_to_the_view() -> None:
    # Equal values may look different (1.0 and 1.00), and the view has kept one of them.
    (summary,) = find_summaries(
        parse_statement("SELECT total, count(*) FROM orders WHERE total::text = $1 GROUP BY total"), tables
    )
    assert summary.conditions == ("orders.total::text = $1",)
    assert summary.parameters == (1,)


def test_a_column_beside_the_keys_is_not_claimed() -> None:
    # Valid SQL where id is the primary key; the view has no such column.
    sql = "SELECT id, status, count(*) FROM orders GROUP BY id"
    (summary,) = find_summaries(parse_statement(sql), tables)
    assert read_from_view(sql, define_view([summary]), VIEW, tables) is None


def test_another_query_is_left_alone() -> None:
    (summary,) = find_summaries(parse_statement("SELECT count(*) FROM orders"), tables)
    for other in (
        "SELECT count(*) FROM orders WHERE id > 3",
        "SELECT count(*) FROM orders GROUP BY status",
        "SELECT count(*) FROM orders, customers",
        "SELECT 1",
    ):
        assert read_from_view(other, define_view([summary]), VIEW, tables) is None
