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
    "interval with a unit": ("x - interval $1 day", "x - CAST($1 AS interval day)"),
    "interval with units": ("INTERVAL $2 day TO second + $1", "CAST($2 AS INTERVAL day TO second) + $1"),
    "field of extract": (
        "SELECT extract($1 FROM x), EXTRACT ( $2 from y ) FROM t WHERE z = $3",
        "SELECT extract(year FROM x), EXTRACT ( year from y ) FROM t WHERE z = $1",
    ),
    "field that GROUP BY has kept": (
        "SELECT extract($1 FROM x), extract($2 FROM x), $3 FROM t "
        "GROUP BY extract(month FROM x), extract(dow FROM x)",
        "SELECT extract(month FROM x), extract(dow FROM x), $1 FROM t "
        "GROUP BY extract(month FROM x), extract(dow FROM x)",
    ),
    "constant that GROUP BY has kept": (
        "SELECT date_trunc($1, x), CASE WHEN a > $2 THEN $3 ELSE b END FROM t WHERE c = $4 "
        "GROUP BY date_trunc('it''s', x), CASE WHEN a > 5.5 THEN true ELSE b END",
        "SELECT date_trunc('it''s', x), CASE WHEN a > 5.5 THEN true ELSE b END FROM t WHERE c = $1 "
        "GROUP BY date_trunc('it''s', x), CASE WHEN a > 5.5 THEN true ELSE b END",
    ),
    "constants that differ": (
        "SELECT coalesce(a, $1, 7) FROM t GROUP BY coalesce(a, $2, 8)",
        "SELECT coalesce(a, $1, 7) FROM t GROUP BY coalesce(a, $2, 8)",
    ),
    "any of a list": ("a = ANY (ARRAY[$1, $2]) AND b", "a IN ($1, $2) AND b"),
    "any of a typed list": ("a = ANY (ARRAY[$1, $2]::int[])", "a = ANY (ARRAY[$1, $2]::int[])"),
    "function named otherwise": ("SELECT my_extract($1)", "SELECT my_extract($1)"),
    "shortened list": (
        "SELECT * FROM t WHERE a = $1 AND b IN ($2 /*, ... */) AND c = $3",
        "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3, $4 /*, ... */) AND c = $5",
    ),
    "another comment": ("SELECT $1 /* key */, $2", "SELECT $1 /* key */, $2"),
    "grouped by what is selected": (
        "SELECT date_trunc($1, x), count(*) FROM t WHERE y = $2 GROUP BY date_trunc($3, x) "
        "HAVING date_trunc($4, x) > $5 ORDER BY date_trunc($6, x), $7 LIMIT $8",
        "SELECT date_trunc($1, x), count(*) FROM t WHERE y = $2 GROUP BY date_trunc($1, x) "
        "HAVING date_trunc($1, x) > $3 ORDER BY date_trunc($1, x), $4 LIMIT $5",
    ),
    "grouped by a part of what is selected": (
        "SELECT to_char(date_trunc($1, x), $2) FROM t GROUP BY date_trunc($3, x)",
        "SELECT to_char(date_trunc($1, x), $2) FROM t GROUP BY date_trunc($1, x)",
    ),
    "grouped in a subquery": (
        "SELECT $1 + n FROM (SELECT a + $2, count(*) n FROM t GROUP BY a + $3) AS s WHERE n > $4",
        "SELECT $1 + n FROM (SELECT a + $2, count(*) n FROM t GROUP BY a + $2) AS s WHERE n > $3",
    ),
    "grouped by something else": (
        "SELECT count(*) FILTER (WHERE b = $1) FROM t GROUP BY a + $2",
        "SELECT count(*) FILTER (WHERE b = $1) FROM t GROUP BY a + $2",
    ),
    "grouped by bare parameters": (
        "SELECT $1, $2, count(*) FROM t GROUP BY $3",
        "SELECT $1, $2, count(*) FROM t GROUP BY $3",
    ),
    "distinct and sorted": (
        "SELECT DISTINCT lower(a || $1) FROM t ORDER BY lower(a || $2)",
        "SELECT DISTINCT lower(a || $1) FROM t ORDER BY lower(a || $1)",
    ),
    "only sorted": (
        "SELECT date_trunc($1, x) FROM t ORDER BY date_trunc($2, x)",
        "SELECT date_trunc($1, x) FROM t ORDER BY date_trunc($2, x)",
    ),
    "interval": ("SELECT now() - interval $1", "SELECT now() - $1::interval"),
    "date": ("d >= DATE $2 AND x = $1", "d >= $2::DATE AND x = $1"),
    "with a zone": ("t > timestamp with time zone $1", "t > $1::timestamp with time zone"),
    "a column named like a type": (
        "WHERE date = $1 AND t.date IN ($2)",
        "WHERE date = $1 AND t.date IN ($2)",
    ),
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
