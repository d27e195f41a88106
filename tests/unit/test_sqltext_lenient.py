"""Scripts with faults: each statement that parses is read, and each fault has its place in the whole text."""

import pytest

from pgproof.sqltext.lenient import Unparsed, parse_leniently
from pgproof.sqltext.parse import parse_script

SCRIPT = """\
-- name: first
SELECT 1 AS "a;b";
/* ; */ SELECT x FROM
  WHERE y = 'ä;'; SELECT 'x' FROM t -- not here: ;
;
SELEC 2;

SELECT $$;$$"""


def told(sql: str) -> list[tuple[int, str]]:
    return [
        (found.line, f"! {found.error.message}" if isinstance(found, Unparsed) else found.text)
        for found in parse_leniently(sql, "w.sql")
    ]


def test_a_script_without_fault_is_read_as_ever() -> None:
    whole = "SELECT 1; -- so\nSELECT 2"
    assert parse_leniently(whole) == parse_script(whole)


def test_the_others_are_read_and_keep_their_lines() -> None:
    assert told(SCRIPT) == [
        (2, 'SELECT 1 AS "a;b"'),
        (3, '! w.sql:4:3: syntax error at or near "WHERE"'),
        (4, "SELECT 'x' FROM t -- not here: ;"),
        (6, '! w.sql:6:1: syntax error at or near "SELEC"'),
        (8, "SELECT $$;$$"),
    ]


def test_the_text_of_a_fault_starts_at_its_first_word() -> None:
    first = next(found for found in parse_leniently(SCRIPT) if isinstance(found, Unparsed))
    assert first.text == "SELECT x FROM\n  WHERE y = 'ä;'"


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("SELECT 1;\nSELECT 2; SELECT 'open\n; SELECT 3", [1, 2, 2]),
        ("SELECT 1;\n'open; SELECT 3", [1, 2]),
        ("SELECT 'open; SELECT 3", [1]),
        ("SELECT 1; /* open ; SELECT 3", [1, 1]),
    ],
)
def test_a_quote_without_end_takes_the_rest_with_it(sql: str, lines: list[int]) -> None:
    found = parse_leniently(sql, "w.sql")
    assert [one.line for one in found] == lines
    assert isinstance(found[-1], Unparsed)
    assert "unterminated" in found[-1].error.message
    assert not any(isinstance(one, Unparsed) for one in found[:-1])
