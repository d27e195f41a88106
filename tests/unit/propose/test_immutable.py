"""Which expressions may stand in an index, and of which type they are."""

from dataclasses import replace

import pytest

from pgproof.model.function import Function
from pgproof.stages.propose.immutable import UNKNOWN, immutable_type
from tests.builders import catalog, column, table

T = table(
    "t",
    column("name", "text"),
    column("code", "varchar"),
    column("handle", "citext"),
    column("n", "int4"),
    column("total", "numeric"),
    column("ratio", "float8"),
    column("made", "timestamptz"),
    column("local", "timestamp"),
    column("day", "date"),
    column("ok", "bool"),
    column("doc", "jsonb"),
    column("raw", "json"),
    column("tags", "_text"),
    column("mood", "mood"),
    replace(column("computed", "int4"), generated="virtual"),
)
KNOWN = replace(
    catalog(T),
    functions=(
        Function("public", "plain", "text"),
        Function("tools", "spot", "point"),
        Function("public", "odd"),
    ),
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name", "text"),
        ("computed", None),  # a virtual column can't be indexed
        ("lower(name)", "text"),
        ("upper(code) || '-' || name", "text"),
        ("lower(handle)", "text"),
        ("name || n", None),  # the text of a number goes through the settings
        ("name || n::text", "text"),
        ("ratio::text", None),
        ("day::text", None),  # DateStyle
        ("mood::text", None),  # labels can be renamed
        ("n + 1", "int4"),
        ("total * 2", "numeric"),
        ("round(total, 1)", "numeric"),
        ("length(name)", "int4"),
        ("doc ->> 'a'", "text"),
        ("doc -> 'a' -> 'b'", "jsonb"),
        ("(doc ->> 'n')::int", "int4"),
        ("(doc ->> 'd')::date", None),  # DateStyle
        ("raw -> 'a'", "json"),
        ("raw ->> 'a'", "text"),
        ("local::date", "date"),
        ("made::date", None),  # the session's time zone
        ("(made AT TIME ZONE 'UTC')::date", "date"),
        ("(made AT TIME ZONE name)::date", None),
        ("date_trunc('day', local)", "timestamp"),
        ("date_trunc('day', made)", None),
        ("date_trunc('day', day)", None),  # becomes a timestamptz first
        ("extract(year FROM day)", "numeric"),
        ("extract(year FROM made)", None),
        ("local + interval '1 day'", "timestamp"),
        ("made - interval '1 day'", None),
        ("day + 7", "date"),
        ("made - made", "interval"),
        ("now()", None),
        ("current_date", None),
        ("to_char(local, 'YYYY')", None),
        ("concat(name, code)", None),
        ("coalesce(code, 'none')", "varchar"),
        ("coalesce(n, total)", "numeric"),
        ("coalesce(name, day)", None),
        ("nullif(n, 0)", "numeric"),
        ("CASE WHEN ok THEN name ELSE 'x' END", "text"),
        ("CASE name WHEN 'a' THEN 1 END", "numeric"),
        ("to_tsvector('english', name)", "tsvector"),
        ("to_tsvector(name)", None),  # default_text_search_config
        ("cardinality(tags)", "int4"),
        ("plain(name)", "text"),
        ("public.plain(name)", "text"),
        ("spot(n)", None),  # not on the search path
        ("tools.spot(n)", "point"),
        ("odd(n)", None),  # of several types
        ("shifty(name)", None),  # nobody said that it is immutable
        ("name = $1", None),
        ("(SELECT 1)", None),
        ("name COLLATE \"C\"", "text"),
        ("nowhere", None),
        ("not an expression", None),
        ("'x'", UNKNOWN),
    ],
)  # fmt: skip
def test_type(expression: str, expected: str | None) -> None:
    assert immutable_type(expression, T, KNOWN) == expected


@pytest.mark.parametrize(
    ("condition", "may_be"),
    [
        ("name = 'open'", True),
        ("name IN ('a', 'b') AND n IS NOT NULL", True),
        ("n NOT IN (1, 2)", True),
        ("mood = 'high'", True),
        ("local > '2026-01-01'", True),
        ("day < local", True),
        ("made > '2026-01-01'", False),  # read in the time zone of whoever asks
        ("made > '2026-01-01 00:00:00+00'", True),
        ("made > day", False),
        ("day = 'today'::date", False),
        ("made > now()", False),
        ("name LIKE 'a%' AND ok IS TRUE", True),
        ("doc @> '{}'", True),
        ("name = ANY ('{a,b}')", True),
    ],
)
def test_predicate(condition: str, may_be: bool) -> None:
    assert (immutable_type(condition, T, KNOWN) == "bool") is may_be
