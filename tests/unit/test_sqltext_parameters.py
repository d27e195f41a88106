from __future__ import annotations

import pytest

from pgproof.errors import ParseError, UsageError
from pgproof.sqltext.parameters import bind_literals, literals_to_parameters, parameter_numbers


def test_numbers_skip_strings_and_comments() -> None:
    sql = "SELECT '$9', $$ $8 $$, \"$7\" /* $6 */ FROM t WHERE a = $10 AND b = $1 AND c = $10 -- $5"
    assert parameter_numbers(sql) == (1, 10)
    assert parameter_numbers("SELECT interval $2") == (2,)


def test_binding_leaves_the_rest_alone() -> None:
    sql = "SELECT '$1é', $1::date /* $2 */ FROM t WHERE a=$2 AND b > interval $10 -- $1"
    values = ["2024-01-01", None, *["-"] * 7, "1 day"]
    assert bind_literals(sql, values) == (
        "SELECT '$1é', '2024-01-01'::date /* $2 */ FROM t WHERE a=NULL AND b > interval '1 day' -- $1"
    )


def test_binding_cannot_be_broken_out_of() -> None:
    assert bind_literals("SELECT $1", ["'; DROP TABLE t; --"]) == "SELECT '''; DROP TABLE t; --'"
    assert bind_literals("SELECT $1", ["\\'; DROP"]) == "SELECT E'\\\\''; DROP'"


def test_binding_wants_every_value() -> None:
    with pytest.raises(UsageError, match=r"parameter \$2, but the parameter set has 1 values"):
        bind_literals("SELECT $1, $2", ["a"])
    with pytest.raises(UsageError, match=r"parameter \$0"):
        bind_literals("SELECT $0", ["a"])
    with pytest.raises(ParseError):
        bind_literals("SELECT 'open", [])
    assert bind_literals("SELECT $1", ["a", "spare"]) == "SELECT 'a'"


@pytest.mark.parametrize(
    ("sql", "text", "values"),
    [
        (
            "SELECT * FROM t WHERE a = 5 AND b IN ('x', -3) AND c BETWEEN 1 AND 10.5 ORDER BY 1 LIMIT 10 "
            "OFFSET 5",
            "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3) AND c BETWEEN $4 AND $5::numeric ORDER BY 1 "
            "LIMIT $6 OFFSET $7",
            ("5", "x", "-3", "1", "10.5", "10", "5"),
        ),
        (
            "SELECT 'é', date_trunc('day', d), 1 FROM t WHERE d > now() - interval '30 days' "
            "AND e = date '2024-01-01' GROUP BY 1, 2, d HAVING count(*) > 5",
            "SELECT 'é', date_trunc('day', d), 1 FROM t WHERE d > now() - $1::interval AND e = $2::date"
            " GROUP BY 1, 2, d HAVING count(*) > $3",
            ("30 days", "2024-01-01", "5"),
        ),
        (
            "SELECT * FROM t WHERE doc->>'k' = E'a\\nb' AND date_trunc('day', d) = '2024-01-01' "
            "AND lower(e) = lower('X')",
            "SELECT * FROM t WHERE doc->>'k' = $1 AND date_trunc('day', d) = $2 AND lower(e) = lower($3)",
            ("a\nb", "2024-01-01", "X"),
        ),
        (
            "INSERT INTO t (a, b, c) VALUES (1, NULL, true), (-2.5, DEFAULT, 'x'::varchar(10))",
            "INSERT INTO t (a, b, c) VALUES ($1, $2, $3), ($4::numeric, DEFAULT, $5::varchar(10))",
            ("1", None, "true", "-2.5", "x"),
        ),
        (
            "UPDATE t SET a = 5, b = b + 1, (c, d) = ('x', 7) WHERE id = 3000000000 "
            "AND extract(year FROM e) = 2024",
            "UPDATE t SET a = $1, b = b + 1, (c, d) = ($2, $3) WHERE id = $4::bigint "
            "AND extract(year FROM e) = $5",
            ("5", "x", "7", "3000000000", "2024"),
        ),
        ("SELECT * FROM t WHERE a = ANY (ARRAY[1, 2]) AND 1 = 1 AND b % 2 = 0", None, ("1", "2", "0")),
        (
            "SELECT * FROM t WHERE a > interval '30' day LIMIT ALL",
            None,
            (),
        ),
        ("SELECT * FROM t WHERE a = $1 AND b = 5", "SELECT * FROM t WHERE a = $1 AND b = 5", ()),
        ("CREATE TABLE t (a varchar(10) DEFAULT 'x')", "CREATE TABLE t (a varchar(10) DEFAULT 'x')", ()),
    ],
)
def test_values_are_taken_and_the_shape_stays(
    sql: str, text: str | None, values: tuple[str | None, ...]
) -> None:
    taken = literals_to_parameters(sql)
    assert taken[1] == values
    if text is not None:
        assert taken[0] == text


def test_the_same_query_with_other_values_gives_the_same_text() -> None:
    one = literals_to_parameters("SELECT * FROM t WHERE a = 5 AND b = 'x' AND p > 1.5;")
    other = literals_to_parameters("SELECT * FROM t WHERE a = -70 AND b = E'it''s' AND p > 22.75")
    assert one[0] == other[0]
    assert other[1] == ("-70", "it's", "22.75")
