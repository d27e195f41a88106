"""The functions a statement's text calls."""

import pytest

from pgproof.errors import ParseError
from pgproof.sqltext.calls import FunctionName, called_functions


def test_calls_anywhere_in_the_statement_each_once() -> None:
    sql = """
        WITH old AS (SELECT lower(name) AS name FROM t WHERE Lower(name) = $1)
        SELECT count(*), coalesce(max(o.name), "My Schema"."Do It"(1)) FROM old AS o, generate_series(1, 3)
         WHERE EXISTS (SELECT pg_catalog.now()) ORDER BY rank() OVER (ORDER BY o.name)
    """
    assert called_functions(sql) == (
        FunctionName("", "count"),
        FunctionName("", "generate_series"),
        FunctionName("", "lower"),
        FunctionName("", "max"),
        FunctionName("", "rank"),
        FunctionName("My Schema", "Do It"),
        FunctionName("pg_catalog", "now"),
    )


def test_operators_and_syntax_are_no_calls_by_name() -> None:
    assert called_functions("SELECT a + b, CAST(a AS text), CASE WHEN a IS NULL THEN 1 END FROM t") == ()


def test_text_that_does_not_parse() -> None:
    with pytest.raises(ParseError):
        called_functions("SELECT f(")
