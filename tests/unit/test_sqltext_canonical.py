"""An expression as a person writes it, and as the server prints it: the same or not."""

import pytest

from pgproof.sqltext.canonical import canonical_expression

SAME = [
    ("status = 'a b'", "(status = 'a b'::text)"),
    ("status IN ('a', 'b')", "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::text])::text[]))"),
    ("status NOT IN ('x', 'y')", "(status <> ALL (ARRAY['x'::text, 'y'::text]))"),
    ("name LIKE 'a%'", "((name)::text ~~ 'a%'::text)"),
    ("name ILIKE 'a%'", "((name)::text ~~* 'a%'::text)"),
    ("lower(email)", "lower((email)::text)"),
    ("(doc ->> 'n')::int", "((doc ->> 'n'::text))::integer"),
    ("amount > 100", "(amount > (100)::numeric)"),
    ("day >= date '2026-01-01'", "(day >= '2026-01-01'::date)"),
    ("a AND (b OR c)", "(a AND (b OR c))"),
    ("status != 'a'", "(status <> 'a'::text)"),
    ('"Größe" > 1', '("Größe" > 1)'),
    ("", " "),
]
DIFFERENT = [
    ("status = 'a b'", "status = 'ab'"),
    ("status = 'a::text'", "status = 'a'"),
    ("doc ->> 'n'", "(doc ->> 'n')::int"),
    ("created_at::date", "created_at"),
    ("(a + b) * 2", "a + (b * 2)"),
    ("status IN ('a', 'b')", "status NOT IN ('a', 'b')"),
    ("status LIKE 'a'", "status = 'a'"),
    ('"Status" = 1', "status = 1"),
    ("", "a"),
]


@pytest.mark.parametrize(("written", "printed"), SAME)
def test_what_the_server_adds_does_not_count(written: str, printed: str) -> None:
    assert canonical_expression(written) == canonical_expression(printed)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_means_something_else_stays_different(one: str, other: str) -> None:
    assert canonical_expression(one) != canonical_expression(other)


@pytest.mark.parametrize("text", ["lower(", "a; DROP TABLE t", "a) FROM t; SELECT (b"])
def test_what_is_no_expression_comes_back_as_it_is(text: str) -> None:
    assert canonical_expression(text) == text


@pytest.mark.parametrize(("text", "_other"), SAME + DIFFERENT)
def test_canonical_text_is_its_own_canonical_text(text: str, _other: str) -> None:
    once = canonical_expression(text)
    assert canonical_expression(once) == once
