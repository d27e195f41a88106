from __future__ import annotations

import pytest

from pgproof.errors import UsageError
from pgproof.sqltext.names import index_name
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal, truncate_identifier


@pytest.mark.parametrize("name", ["orders", "_x", "a1", "name", "text", "date", "zone", "row_number"])
def test_plain_names_stay_bare(name: str) -> None:
    assert quote_identifier(name) == name


@pytest.mark.parametrize(
    "name",
    ["Orders", "order", "user", "between", "values", "interval", "größe", "a b", "a$", "1a", "a.b", "a-b"],
)
def test_other_names_are_quoted(name: str) -> None:
    assert quote_identifier(name) == f'"{name}"'


def test_quotes_in_names_are_doubled_and_bad_names_refused() -> None:
    assert quote_identifier('a"b') == '"a""b"'
    for bad in ("", "a\0b"):
        with pytest.raises(UsageError, match="identifier"):
            quote_identifier(bad)


def test_qualified_names() -> None:
    assert qualify("Shop", "order") == '"Shop"."order"'
    assert qualify(None, "orders") == "orders"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "NULL"),
        ("", "''"),
        ("5", "'5'"),
        ("o'clock", "'o''clock'"),
        ("a\\'b", "E'a\\\\''b'"),
        ("é\n", "'é\n'"),
    ],
)
def test_literals(value: str | None, literal: str) -> None:
    assert quote_literal(value) == literal


def test_a_literal_holds_no_nul() -> None:
    with pytest.raises(UsageError, match="NUL"):
        quote_literal("a\0")


def test_names_are_cut_at_a_character_and_stay_apart() -> None:
    one = truncate_identifier("ü" * 40 + "a", suffix="_idx")
    other = truncate_identifier("ü" * 40 + "b", suffix="_idx")
    assert one != other
    assert one.endswith("_idx")
    assert 62 <= len(one.encode()) <= 63
    assert truncate_identifier("short", suffix="_idx") == "short_idx"
    with pytest.raises(UsageError, match="No room"):
        truncate_identifier("x" * 90, max_bytes=10, suffix="_long")


def test_index_names() -> None:
    assert index_name("orders", ["customer_id", "created_at"]) == "orders_customer_id_created_at_idx"
    assert len(index_name("t" * 63, ["c" * 63]).encode()) == 63
