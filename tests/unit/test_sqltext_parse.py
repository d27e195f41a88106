from __future__ import annotations

import pytest

from pgproof.errors import ParseError, UsageError
from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.fingerprint import fingerprint, normalise
from pgproof.sqltext.parse import parse_script, parse_statement


def test_script_keeps_exact_slices_and_first_lines() -> None:
    script = "-- größe\n/* ; */ SELECT 'ö;', $x$;$x$ ;\n\n;\n  UPDATE t\n SET a = 1 -- last\n"
    statements = parse_script(script)
    assert [(s.text, s.line, s.kind) for s in statements] == [
        ("SELECT 'ö;', $x$;$x$", 2, "select"),
        ("UPDATE t\n SET a = 1 -- last", 5, "update"),
    ]


@pytest.mark.parametrize("empty", ["", " \n", "-- nothing", ";;", "/* ; */"])
def test_script_without_statements_is_empty(empty: str) -> None:
    assert parse_script(empty) == ()


def test_planner_hint_stays_with_its_statement() -> None:
    texts = [s.text for s in parse_script("/* x */ /*+ SeqScan(a) */ SELECT 1; /* y */ SELECT 2")]
    assert texts == ["/*+ SeqScan(a) */ SELECT 1", "SELECT 2"]


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT 'äöü€😀' AS x FRM t WHERE", 1, 21),
        ("SELECT 1;\nSELECT 'é',\n  '漢' FRM FRM", 3, 11),
        ("SELECT 1 +", 1, 11),
        ("SELECT 'ä', 'open", 1, 13),
        ('SELECT "ü", ""', 1, 13),
        ("SELECT 'ä'; SELECT $$x", 1, 20),
        ("SELEKT 1", 1, 1),
    ],
)
def test_errors_give_line_and_column_in_characters(sql: str, line: int, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        parse_script(sql, "work.sql")
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"work.sql:{line}:{column}: ")


@pytest.mark.parametrize(
    ("sql", "line", "hint"),
    [
        ("SELECT 1;\n\\d orders", 2, "commands of psql"),
        ("COPY t FROM stdin;\n1\tx\n\\.\n", 2, "COPY ... FROM stdin"),
        ("COPY t (a) FROM STDIN WITH (FORMAT csv);\n\\.\n", 2, "COPY ... FROM stdin"),
        ("SELECT * FROM t WHERE a = :id", 1, "psql fills in its variables"),
        ("SELECT * FROM t WHERE a = ?", 1, "Placeholders are written $1"),
        ("SELECT 1\0", 1, "UTF-8"),
    ],
)
def test_what_is_not_sql_gets_a_hint(sql: str, line: int, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_script(sql)
    assert hint in caught.value.hint
    assert caught.value.line == line


def test_too_deep_a_statement_is_named_by_its_line() -> None:
    script = "SELECT 1;\n\n/* chain */ SELECT " + " || ".join(["a"] * 200) + " FROM t;\nSELECT 2"
    with pytest.raises(ParseError, match="nested too deeply") as caught:
        parse_script(script)
    assert caught.value.line == 3
    assert len(fingerprint(script)) == 16  # the rest of the room's C functions take it


def test_one_statement_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"no SQL statement in a\.sql"):
        parse_statement("-- none", "a.sql")
    with pytest.raises(UsageError, match="2 SQL statements where one") as caught:
        parse_statement("SELECT 1;\nSELECT 2")
    assert "line 2" in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "kind", "is_read_only"),
    [
        ("SELECT 1", "select", True),
        ("TABLE t", "select", True),
        ("VALUES (1)", "select", True),
        ("SELECT * FROM t FOR UPDATE", "select", False),
        ("SELECT * FROM (SELECT * FROM t FOR SHARE) s", "select", False),
        ("SELECT a INTO x FROM t", "select", False),
        ("SELECT 1 UNION SELECT a FROM t", "select", True),
        ("WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", "select", False),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "insert", False),
        ("UPDATE t SET a = 1", "update", False),
        ("DELETE FROM t", "delete", False),
        ("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", "merge", False),
        ("EXPLAIN SELECT 1", "explain", False),
        ("BEGIN", "transaction", False),
        ("SET x = 1", "set", False),
        ("VACUUM t", "utility", False),
    ],
)
def test_kind_and_read_only(sql: str, kind: str, is_read_only: bool) -> None:
    statement = parse_statement(sql)
    assert (statement.kind, statement.is_read_only) == (kind, is_read_only)


def test_fingerprint_sees_structure_only() -> None:
    same = [
        "SELECT * FROM t WHERE a = 5 LIMIT 3",
        "select * /* x */ from t where a = 'x' limit $2",
        "SELECT * FROM t WHERE a IN (1, 2, 3) LIMIT 9",
        "SELECT * FROM t WHERE a = $1::int LIMIT 1",
    ]
    assert len({fingerprint(sql) for sql in same}) == 1
    assert fingerprint("SELECT * FROM t WHERE b = 5 LIMIT 3") != fingerprint(same[0])
    assert fingerprint("SELECT * FROM t WHERE a > 5 LIMIT 3") != fingerprint(same[0])
    assert len(fingerprint("SELECT 1")) == 16


def test_normalise_writes_placeholders() -> None:
    assert normalise("SELECT 'ä' FROM t WHERE a = 5 AND b = $1") == "SELECT $2 FROM t WHERE a = $3 AND b = $1"
    with pytest.raises(ParseError, match="column 8"):
        normalise("SELECT $")


def test_deparse_is_stable() -> None:
    text = deparse(parse_statement('select  a::date from "T" where x in (1,2) -- c'))
    assert text == 'SELECT a::date FROM "T" WHERE x IN (1, 2)'
    assert deparse(parse_statement(text).tree) == text
