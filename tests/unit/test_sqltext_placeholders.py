"""Named placeholders to numbers, and normalised texts back to SQL."""

import pytest

from pgproof.errors import ParseError
from pgproof.sqltext.normalised import inner_statement, mend_normalised
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.placeholders import number_placeholders

NUMBERED = {
    "none": ("SELECT 1", "SELECT 1", ()),
    "same name, same number": ("a = :x AND b = :y OR c = :x", "a = $1 AND b = $2 OR c = $1", ("x", "y")),
    "keywords are names too": ("WHERE u = :user LIMIT :limit", "WHERE u = $1 LIMIT $2", ("user", "limit")),
    "casts": ("SELECT :a::int, b::text", "SELECT $1::int, b::text", ("a",)),
    "strings and comments": (
        "SELECT ':no', $$ :no $$, \"a:no\" -- :no\n /* :no */ , :yes",
        "SELECT ':no', $$ :no $$, \"a:no\" -- :no\n /* :no */ , $1",
        ("yes",),
    ),
    "named argument": ("SELECT f(a := :b)", "SELECT f(a := $1)", ("b",)),
    "slices": ("SELECT a[1:2], a[1: n]", "SELECT a[1:2], a[1: n]", ()),
    "not ASCII": ("SELECT 'é', :größe, :b", "SELECT 'é', $1, $2", ("größe", "b")),
}


@pytest.mark.parametrize(("sql", "numbered", "names"), NUMBERED.values(), ids=NUMBERED)
def test_names_become_numbers(sql: str, numbered: str, names: tuple[str, ...]) -> None:
    result = number_placeholders(sql)
    assert (result.sql, result.names) == (numbered, names)


def test_offsets_lead_back_to_the_text() -> None:
    sql = "SELECT 'é', :größe, :b, tail"
    result = number_placeholders(sql)
    for word in ("SELECT", "'é'", "tail"):
        assert result.to_original(result.sql.index(word)) == sql.index(word)


def test_open_quote_is_a_parse_error() -> None:
    with pytest.raises(ParseError):
        number_placeholders("SELECT ':a")


MENDED = {
    "interval": ("SELECT now() - interval $1", "SELECT now() - $1::interval"),
    "date": ("d >= DATE $2 AND x = $1", "d >= $2::DATE AND x = $1"),
    "with a zone": ("t > timestamp with time zone $1", "t > $1::timestamp with time zone"),
    "a column named like a type": (
        "WHERE date = $1 AND t.date IN ($2)",
        "WHERE date = $1 AND t.date IN ($2)",
    ),
    "a unit behind": ("SELECT interval $1 day", "SELECT interval $1 day"),
    "a gap": ("a = $2 AND b = $5 AND c = $2", "a = $1 AND b = $2 AND c = $1"),
    "in a string": ("a = 'interval $1' AND b = $1", "a = 'interval $1' AND b = $1"),
    "not ASCII": ("SELECT 'é', date $1, 'é', $2", "SELECT 'é', $1::date, 'é', $2"),
}


@pytest.mark.parametrize(("sql", "mended"), MENDED.values(), ids=MENDED)
def test_normalised_text_becomes_sql(sql: str, mended: str) -> None:
    assert mend_normalised(sql) == mended


def test_query_inside_prepare_and_cursor() -> None:
    for text in (
        "PREPARE p (int) AS SELECT a FROM t WHERE id = $1",
        "DECLARE c CURSOR FOR SELECT a FROM t WHERE id = $1",
        "SELECT a FROM t WHERE id = $1",
    ):
        inner = inner_statement(parse_statement(text))
        assert (inner.kind, inner.text) == ("select", "SELECT a FROM t WHERE id = $1")
