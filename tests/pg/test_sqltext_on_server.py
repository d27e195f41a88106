"""What the SQL room writes is held against what a real server says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from pgproof.sqltext.parameters import bind_literals, literals_to_parameters
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import quote_identifier, quote_literal
from pgproof.sqltext.rewrite import with_sort_keys
from pgproof.sqltext.walk import find_shapes

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer_id int, status text, created_at timestamptz, day date, total numeric(10, 2),
  ratio float8, doc jsonb, tags text[], marks int[], is_open boolean
);
INSERT INTO orders
SELECT n, n % 10, (ARRAY['open', 'it''s', 'back\\slash'])[1 + n % 3],
       timestamptz '2026-01-01' + n * interval '1 h', date '2026-01-01' + n, n * 1.5, n / 7.0,
       jsonb_build_object('k', n % 5), ARRAY['a', 'b' || n % 4], ARRAY[n, n % 6], n % 2 = 0
FROM generate_series(1, 300) n;
CREATE TABLE customers (id int PRIMARY KEY, name varchar(20));
INSERT INTO customers SELECT n, 'Name ' || n FROM generate_series(0, 9) n;
ANALYZE orders; ANALYZE customers;
"""

QUERIES = [
    "SELECT id FROM orders WHERE customer_id = 5 AND total > 9.99 AND ratio < 30.5 AND id < 3000000000 "
    "ORDER BY id LIMIT 7",
    "SELECT id FROM orders WHERE status IN ('open', 'it''s', E'back\\\\slash') AND customer_id "
    "NOT IN (1, 2) ORDER BY 1",
    "SELECT id FROM orders WHERE customer_id > 1.5 AND marks @> ARRAY[5] AND tags && ARRAY['b1'] "
    "AND 3 = ANY (marks)",
    "SELECT id FROM orders WHERE int4range(id::int, 9999) @> 290 "
    "AND 150 <@ int4range(0, id::int) ORDER BY id",
    "SELECT id FROM orders WHERE created_at > timestamptz '2026-01-08' - interval '30 hours' "
    "AND day < date '2026-03-01'",
    "SELECT date_trunc('day', created_at) AS d, count(*) FROM orders WHERE is_open = true "
    "AND doc->>'k' = '3' GROUP BY 1 "
    "HAVING count(*) > 0 AND sum(total) > 0.5 ORDER BY count(*) DESC, 1 LIMIT 5 OFFSET 1",
    "SELECT id FROM orders WHERE (customer_id, id) > (5, 200) AND id % 2 = 0 AND total BETWEEN 10 AND 400.25 "
    "ORDER BY id",
    "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id AND c.name LIKE 'Name _' "
    "WHERE EXISTS (SELECT FROM orders x WHERE x.id = o.id + 1 AND x.day = '2026-02-01') "
    "OR lower(c.name) = lower('NAME 3')",
    "SELECT id FROM orders WHERE extract(day FROM created_at) = 7 AND make_date(2026, 1, 20) >= day "
    "AND doc @> '{\"k\": 2}'",
    "SELECT id FROM orders WHERE CASE WHEN status = 'open' THEN 1 ELSE 2 END = 1 AND length(status) * 2 = 8 "
    "ORDER BY id FETCH FIRST 3 ROWS ONLY",
    "UPDATE orders SET total = 5, ratio = 2, is_open = false, (status, day) = ('x', '2026-05-05') "
    "WHERE id = 12",
    "INSERT INTO orders (id, total, ratio, status, is_open, marks) "
    "VALUES (900, 1.256, 3, 'y', true, ARRAY[1, 2]), (901, 7, 2.5, NULL, NULL, '{}')",
    "DELETE FROM orders USING customers c WHERE c.id = customer_id AND c.name = 'Name 3' AND orders.id > 290",
]


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[tuple[str]]]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SCHEMA)  # type: ignore[call-overload]  # the stub wants a literal
        yield connection


def plan(connection: psycopg.Connection[tuple[str]], sql: str) -> list[str]:
    """Explain; an untyped 5 next to a bigint is a bigint, a bare 5 an integer: the same number."""
    lines = [row[0] for row in connection.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {sql}".encode())]
    numbers = [re.sub(r"'(\d+)'::bigint", r"\1", line) for line in lines]
    return [line for line in numbers if not line.startswith("Query Identifier")]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_statement_with_its_values_taken_out_and_bound_plans_the_same(
    connection: psycopg.Connection[tuple[str]], sql: str
) -> None:
    text, values = literals_to_parameters(sql)
    assert values
    assert plan(connection, bind_literals(text, values)) == plan(connection, sql)


@pytest.mark.parametrize("sql", QUERIES)
def test_a_parametrised_statement_is_one_the_server_can_prepare(
    connection: psycopg.Connection[tuple[str]], sql: str
) -> None:
    text, values = literals_to_parameters(sql)
    with connection.transaction(force_rollback=True):
        connection.execute(f"PREPARE p AS {text}".encode())
        prepared = connection.execute(f"EXECUTE p ({', '.join(map(quote_literal, values))})".encode())
        rows = prepared.fetchall() if prepared.description else prepared.rowcount
    with connection.transaction(force_rollback=True):
        plain = connection.execute(sql.encode())
        assert rows == (plain.fetchall() if plain.description else plain.rowcount)


@pytest.mark.parametrize(
    "name",
    ["orders", "Order", "order", "größe", "a b", 'q"x', "$a", "1a", "name", "between", "row_number", "user"],
)
def test_names_are_quoted_as_the_server_does(connection: psycopg.Connection[tuple[str]], name: str) -> None:
    (expected,) = connection.execute("SELECT quote_ident(%s)", [name]).fetchone() or ("",)
    assert quote_identifier(name) == expected


@pytest.mark.parametrize("value", ["", "it's", "back\\slash", "both\\'", "é\n\t", "$1", "'' --"])
@pytest.mark.parametrize("conforming", ["on", "off"])
def test_literals_read_back(connection: psycopg.Connection[tuple[str]], value: str, conforming: str) -> None:
    if connection.info.server_version < 190000:
        connection.execute(f"SET standard_conforming_strings = {conforming}".encode())
    assert connection.execute(f"SELECT {quote_literal(value)}::text".encode()).fetchone() == (value,)


@pytest.mark.parametrize("sql", [sql for sql in QUERIES if "ORDER BY" in sql])
def test_sort_keys_and_limits_change_no_answer(connection: psycopg.Connection[tuple[str]], sql: str) -> None:
    width = len(connection.execute(sql.encode()).description or ())
    with_keys = connection.execute((with_sort_keys(sql) or "").encode()).fetchall()
    assert [row[:width] for row in with_keys] == connection.execute(sql.encode()).fetchall()


def test_expressions_of_predicates_are_index_expressions(connection: psycopg.Connection[tuple[str]]) -> None:
    sql = (
        "SELECT FROM orders AS o WHERE lower(o.status) = 'x' AND o.doc->>'k' = '1' AND (total + ratio) > 5 "
        "AND (o.doc->'k')::int = 3 AND o.status COLLATE \"C\" > 'a' AND abs(o.total) < 3"
    )
    (shape,) = find_shapes(parse_statement(sql))
    expressions = [predicate.operand.expression for predicate in shape.predicates]
    assert len(expressions) == 6
    for expression in expressions:
        connection.execute(f"CREATE INDEX ON orders (({expression}))".encode())
