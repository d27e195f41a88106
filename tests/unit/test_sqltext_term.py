"""Expressions as trees, and the newer parts of a shape: literals, outputs, distances, calls."""

import pytest

from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import PredicateKind, QueryShape
from pgproof.sqltext.term import Term, TermKind, read_term
from pgproof.sqltext.walk import find_shapes

COLUMNS = {"t": ("a", "b", "place"), "s": ("a", "c")}


def shape(sql: str) -> QueryShape:
    return find_shapes(parse_statement(sql), lambda _schema, name: COLUMNS.get(name))[0]


def test_a_term_is_taken_apart() -> None:
    assert read_term("lower(a) || 'x'") == Term(
        TermKind.OPERATOR,
        "||",
        "",
        (
            Term(TermKind.CALL, "lower", "", (Term(TermKind.COLUMN, "a"),)),
            Term(TermKind.LITERAL, "x"),
        ),
    )


@pytest.mark.parametrize(
    ("expression", "kind", "name"),
    [
        ("a::int", TermKind.CAST, "int4"),
        ("a::text[]", TermKind.CAST, "text[]"),
        ("coalesce(a, b)", TermKind.CALL, "coalesce"),
        ("nullif(a, b)", TermKind.CALL, "nullif"),
        ("a IN (1, 2)", TermKind.OPERATOR, "IN"),
        ("a LIKE 'x'", TermKind.OPERATOR, "~~"),
        ("a = ANY ('{}')", TermKind.OPERATOR, "= ANY"),
        ("a IS NULL", TermKind.TEST, ""),
        ("NOT a", TermKind.LOGIC, "NOT"),
        ('a COLLATE "C"', TermKind.COLLATE, "C"),
        ("CASE WHEN a THEN 1 END", TermKind.CASE, ""),
        ("NULL", TermKind.NULL, ""),
        ("true", TermKind.LITERAL, "t"),
        ("-5", TermKind.LITERAL, "-5"),
        ("$1", TermKind.OTHER, ""),
        ("current_date", TermKind.OTHER, ""),
        ("count(*)", TermKind.OTHER, ""),
        ("(SELECT 1)", TermKind.OTHER, ""),
        ("t.a", TermKind.OTHER, ""),
        ("a, b", TermKind.OTHER, ""),
    ],
)
def test_kinds_of_terms(expression: str, kind: TermKind, name: str) -> None:
    term = read_term(expression)
    assert term is not None
    assert (term.kind, term.name) == (kind, name)


@pytest.mark.parametrize("text", ["a b c", "a; b", ""])
def test_what_is_not_one_expression_is_no_term(text: str) -> None:
    assert read_term(text) is None


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        ("a = 5", ("5",)),
        ("a = -5", ("-5",)),
        ("a = 'it''s'", ("it's",)),
        ("a = date '2026-01-01'", ("2026-01-01",)),
        ("a = $2", (2,)),
        ("a = $2::int", (2,)),
        ("a IN ('x', $1)", ("x", 1)),
        ("a BETWEEN 1 AND $3", ("1", 3)),
        ("a = ANY (ARRAY['x', 'y'])", ("x", "y")),
        ("a = ANY (ARRAY['x', 'y']::text[])", ("x", "y")),
        ("a", ("t",)),
        ("NOT a", ("f",)),
        ("a = now()", ()),
        ("a = $1 + 1", ()),
        ("a IN (1, now())", ()),
        ("a = NULL", ()),
        ("a IS NULL", ()),
    ],
)
def test_items_of_a_condition(condition: str, items: tuple[str | int, ...]) -> None:
    (predicate,) = shape(f"SELECT 1 FROM t WHERE {condition}").predicates
    assert predicate.items == items


def test_other_side_of_the_same_relation() -> None:
    (predicate,) = shape("SELECT 1 FROM t x WHERE x.a < x.b").predicates
    assert predicate.other is not None
    assert predicate.other.expression == "b"


def test_outputs_tell_what_columns_stand_for() -> None:
    outputs = shape("SELECT t.*, lower(s.c) AS low, t.a + s.a FROM t, s").outputs
    assert [(one.name, one.operand.expression if one.operand else None) for one in outputs] == [
        ("a", "a"),
        ("b", "b"),
        ("place", "place"),
        ("low", "lower(c)"),
        ("?column?", None),
    ]
    assert shape("SELECT * FROM unknown").outputs == ()


@pytest.mark.parametrize(
    ("key", "distance"),
    [
        ("place <-> $1", "<->"),
        ("point '(1,2)' <-> place", "<->"),
        ("place <-> place", ""),
        ("a", ""),
        ("a <> 1", ""),
    ],
)
def test_order_by_distance(key: str, distance: str) -> None:
    (sort,) = shape(f"SELECT 1 FROM t ORDER BY {key} LIMIT 5").order_by
    assert sort.distance == distance
    assert (sort.nearest is not None) == bool(distance)


def test_a_function_that_says_yes_or_no() -> None:
    (predicate,) = shape("SELECT 1 FROM t WHERE NOT st_dwithin(place, $1, 100)").predicates
    assert (predicate.kind, predicate.operator, predicate.negated) == (PredicateKind.CALL, "st_dwithin", True)
    assert predicate.operand.column == "place"
    assert predicate.parameters == (1,)
    assert shape("SELECT 1 FROM t, s WHERE near(t.place, s.c)").predicates == ()


def test_argument_of_an_aggregate() -> None:
    calls = shape("SELECT max(a), count(DISTINCT b), count(*) FROM t").aggregates
    assert [(call.argument.column if call.argument else None, call.distinct) for call in calls] == [
        ("a", False),
        ("b", True),
        (None, False),
    ]


def test_network_operators_turn_round() -> None:
    (predicate,) = shape("SELECT 1 FROM t WHERE '10.0.0.0/8' >> a").predicates
    assert (predicate.operator, predicate.operand.column) == ("<<", "a")


def test_orders_of_windows() -> None:
    found = shape(
        "SELECT rank() OVER (PARTITION BY a ORDER BY lower(b) DESC NULLS LAST), sum(a) OVER w,"
        " count(*) OVER (), min(b) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (ORDER BY place)"
    ).window_orders
    words = [[(key.expression, key.ascending, key.nulls.value) for key in order] for order in found]
    assert words == [[("a", True, "default"), ("lower(b)", False, "last")], [("place", True, "default")]]
