"""Every form of statement goes through the whole room without stumbling."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.fingerprint import fingerprint, normalise
from pgproof.sqltext.parameters import bind_literals, literals_to_parameters, parameter_numbers
from pgproof.sqltext.parse import Statement, parse_script, parse_statement
from pgproof.sqltext.rewrite import with_sort_keys
from pgproof.sqltext.walk import find_parameters, find_shapes

FORMS = Path(__file__).parents[1] / "golden" / "sqltext" / "forms.sql"
STATEMENTS = parse_script(FORMS.read_text(encoding="utf-8"), FORMS.name)
TABLES = {"t": ["a", "b", "c", "d"], "s": ["a", "k", "z"], "u": ["a", "k", "c", "d"]}
NORMALISED_TO_NO_SQL = ("json_table", "do $$")  # where the grammar wants a literal and nothing else

each = pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: f"line {s.line}")


def test_each_line_is_one_statement() -> None:
    assert [statement.line for statement in STATEMENTS] == list(range(2, len(STATEMENTS) + 2))


@each
def test_texts_keep_their_fingerprint(statement: Statement) -> None:
    expected = fingerprint(statement.text)
    assert fingerprint(deparse(statement)) == expected
    if not any(word in statement.text for word in NORMALISED_TO_NO_SQL):
        assert fingerprint(normalise(statement.text)) == expected
    text, values = literals_to_parameters(statement.text)
    assert fingerprint(text) == expected
    if values:
        assert fingerprint(bind_literals(text, values)) == expected


@each
@pytest.mark.parametrize("is_known", [True, False])
def test_shapes_and_parameters_are_found(statement: Statement, is_known: bool) -> None:
    def columns_of(_schema: str | None, table: str) -> list[str] | None:
        return TABLES.get(table) if is_known else None

    shapes = find_shapes(statement, columns_of)
    for shape in shapes:
        known = {relation.alias for relation in shape.relations} | {"excluded"}
        known |= {shape.target.alias} if shape.target else set()
        used = [p.operand for p in shape.predicates] + [join.left for join in shape.joins]
        assert {operand.relation for operand in used if not operand.is_outer} <= known
    if shapes:
        uses = find_parameters(statement, columns_of)
        assert tuple(sorted({use.number for use in uses})) == parameter_numbers(statement.text)


@each
def test_rewrites_still_parse(statement: Statement) -> None:
    sorted_text = with_sort_keys(statement.text)
    assert sorted_text is None or parse_statement(sorted_text).kind == "select"
