"""Round trips of SQL text on generated statements."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.parameters import bind_literals, literals_to_parameters, parameter_numbers
from pgproof.sqltext.parse import parse_script, parse_statement
from pgproof.sqltext.quote import quote_identifier, quote_literal, truncate_identifier
from pgproof.sqltext.walk import find_parameters, find_shapes

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
columns = st.sampled_from(["a", "t.b", '"C d"', '"größe"', "lower(a)", "doc->>'k'", "date_trunc('day', d)"])


@st.composite
def literals(draw: st.DrawFn) -> str:
    text = quote_literal(draw(texts))
    number = draw(st.one_of(st.integers(-(2**70), 2**70).map(str), st.decimals(-999, 999, places=2).map(str)))
    forms = [text, number, "NULL", "true", "date '2024-01-01'", "interval '1 day'", f"{text}::varchar(10)"]
    return draw(
        st.sampled_from([*forms, f"lower({text})", "$x$o'x$x$", "U&'\\0061'", "1e3", "0x1f", f"({number})"])
    )


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        inner = [draw(conditions(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        joined = draw(st.sampled_from([" AND ", " OR "])).join(inner)
        return draw(st.sampled_from([f"({joined})", f"NOT ({joined})"]))
    column, one, other = draw(columns), draw(literals()), draw(literals())
    operator = draw(st.sampled_from(["=", "<>", "<", ">=", "LIKE", "~", "@>", "&&", "IS DISTINCT FROM"]))
    return draw(
        st.sampled_from(
            [
                f"{column} {operator} {one}",
                f"{one} = {column}",
                f"{column} IN ({one}, {other})",
                f"{column} BETWEEN {one} AND {other}",
                f"{column} = ANY (ARRAY[{one}, {other}])",
                f"({column}, z) > ({one}, {other})",
                f"{column} IN (SELECT y FROM s WHERE y = {one} LIMIT 3)",
                f"CASE WHEN {column} = {one} THEN 1 END = 1",
                f"{column} IS NULL",
            ]
        )
    )


@st.composite
def statements(draw: st.DrawFn) -> str:
    condition, value, other = draw(conditions()), draw(literals()), draw(literals())
    limit = draw(st.sampled_from(["", " LIMIT 10", " LIMIT ALL OFFSET 2", " FETCH FIRST 2 ROWS ONLY"]))
    return draw(
        st.sampled_from(
            [
                f"SELECT a, {value} FROM t WHERE {condition} ORDER BY 1{limit}",
                f"SELECT a, count(*) FROM t JOIN s ON {condition} GROUP BY 1 HAVING count(*) > 5{limit} -- ü",
                f"INSERT INTO t (a, b) VALUES ({value}, {other}), (DEFAULT, f({value}))",
                f"UPDATE t SET a = {value}, b = b + 1 WHERE {condition} RETURNING a",
                f"/* é */ DELETE FROM t USING s WHERE {condition}",
                f"WITH w AS (SELECT 1 FROM t WHERE {condition}) SELECT * FROM w UNION SELECT {value}{limit}",
            ]
        )
    )


@given(texts)
def test_a_quoted_literal_reads_back(value: str) -> None:
    text, values = literals_to_parameters(f"SELECT 1 FROM t WHERE a = {quote_literal(value)}")
    assert (text, values) == ("SELECT 1 FROM t WHERE a = $1", (value,))


@given(names)
def test_a_quoted_name_reads_back(name: str) -> None:
    (shape,) = find_shapes(
        parse_statement(f"SELECT 1 FROM {quote_identifier(name)} WHERE {quote_identifier(name)}.x = 1")
    )
    # the parser itself keeps no more than 63 bytes
    assert shape.relations[0].name == name.encode()[:63].decode(errors="ignore")


@given(names, st.integers(20, 63), st.sampled_from(["", "_idx", "_ccnew"]))
def test_a_cut_name_fits(name: str, max_bytes: int, suffix: str) -> None:
    cut = truncate_identifier(name * 5, max_bytes, suffix)
    assert len(cut.encode()) <= max_bytes
    assert cut.endswith(suffix)


@settings(max_examples=150, deadline=None)
@given(statements())
def test_values_out_and_in_again_mean_the_same(sql: str) -> None:
    text, values = literals_to_parameters(sql)
    assert parameter_numbers(text) == tuple(range(1, len(values) + 1))
    assert fingerprint(text) == fingerprint(sql)
    bound = bind_literals(text, values)
    assert fingerprint(bound) == fingerprint(sql)
    # once quoted, every value is in its final form: the second round changes nothing
    again_text, again_values = literals_to_parameters(bound)
    assert deparse(parse_statement(bind_literals(again_text, again_values))) == deparse(
        parse_statement(bound)
    )
    assert again_values == values


@settings(max_examples=100, deadline=None)
@given(statements())
def test_deparse_keeps_the_meaning(sql: str) -> None:
    text = deparse(parse_statement(sql))
    assert fingerprint(text) == fingerprint(sql)
    assert deparse(parse_statement(text)) == text


@settings(max_examples=100, deadline=None)
@given(statements())
def test_every_parameter_is_accounted_for(sql: str) -> None:
    text, values = literals_to_parameters(sql)
    uses = find_parameters(parse_statement(text))
    assert tuple(use.number for use in uses) == tuple(range(1, len(values) + 1))


@settings(max_examples=100, deadline=None)
@given(st.lists(statements(), max_size=4), st.sampled_from([";", " ;\n", ";;\n-- ü;\n"]))
def test_a_script_is_its_statements(parts: list[str], separator: str) -> None:
    script = "".join(part + "\n" + separator for part in parts)
    found = parse_script(script)
    assert [fingerprint(s.text) for s in found] == [fingerprint(part) for part in parts]
    for statement in found:
        assert script.split("\n")[statement.line - 1].endswith(statement.text.split("\n")[0])
