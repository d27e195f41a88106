"""Which candidates a statement's plans could use: rather one too many than one too few."""

from dataclasses import replace

import pytest

from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateIndex
from pgproof.model.function import Rewrite
from pgproof.model.relation import IndexKey, RelationKind, RelationName
from pgproof.stages.estimate.relevance import find_relevance, words_in
from tests.builders import catalog, column, statement, table

ORDERS = table("orders", column("id"), column("buyer"), column("Größe"))
ODD = table("Order Äpp", column("Käufer"), column("from"), schema="Sales")
EVENTS = table("events", column("at"), kind=RelationKind.PARTITIONED)
PART = table("events_26", column("at"), parent=EVENTS.relation)
LEAF = table("events_26_0", column("at"), parent=PART.relation)
OPEN = table(
    "open orders", kind=RelationKind.VIEW, definition="SELECT id AS number, buyer FROM orders WHERE true"
)
URGENT = table("urgent", kind=RelationKind.VIEW, definition='SELECT number FROM "open orders"')
KNOWN = catalog(ORDERS, ODD, EVENTS, PART, LEAF, OPEN, URGENT)


def candidate(
    name: str, on: RelationName, key: str | IndexKey, *, where: str = "", asked_by: str = "nobody"
) -> IndexCandidate:
    first = key if isinstance(key, IndexKey) else IndexKey(column=key)
    keys = (first, IndexKey(column="id"))
    return IndexCandidate(CreateIndex(on, name, keys, where=where), (asked_by,), "because")


def usable(sql: str, *candidates: IndexCandidate) -> set[str]:
    return set(find_relevance(KNOWN, candidates)(statement(sql)).usable)


BUYER = candidate("buyer", ORDERS.relation, "buyer")
SIZE = candidate("size", ORDERS.relation, "Größe")
ODD_BUYER = candidate("odd", ODD.relation, "Käufer")
LEAF_AT = candidate("leaf", LEAF.relation, "at")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT id FROM orders WHERE buyer = 1", {"buyer"}),
        ("SELECT ID FROM Public.ORDERS AS o WHERE o.BUYER = 1", {"buyer"}),
        ("SELECT id FROM orders WHERE id = 1", set()),
        ("SELECT buyer FROM events", set()),
        ('SELECT id FROM orders WHERE "Größe" = 1', {"size"}),
        ("SELECT id FROM orders WHERE größe = 1", set()),
        ("SELECT id FROM orders WHERE Größe = 1", set()),  # folded to größe, which is another column
        ('SELECT 1 FROM "Sales"."Order Äpp" WHERE "Käufer" = 1', {"odd"}),
        ("UPDATE orders SET id = 2 WHERE buyer = 1", {"buyer"}),
        ("SELECT * FROM orders NATURAL JOIN events", {"buyer", "size"}),
        ("SELECT * FROM orders JOIN events USING (buyer)", {"buyer"}),
    ],
)
def test_its_table_and_its_leading_key_are_named(sql: str, names: set[str]) -> None:
    assert usable(sql, BUYER, SIZE, ODD_BUYER) == names


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT number FROM "open orders"',
        "SELECT number FROM urgent",  # a view of a view
        "SELECT number FROM public.URGENT LIMIT 1",
    ],
)
def test_views_are_looked_through(sql: str) -> None:
    assert usable(sql, BUYER, SIZE) == {"buyer"}


@pytest.mark.parametrize("name", ["events", "events_26", "events_26_0"])
def test_a_partition_is_reached_by_its_parents(name: str) -> None:
    assert usable(f"SELECT 1 FROM {name} WHERE at > 3", LEAF_AT) == {"leaf"}


def test_a_partial_index_serves_only_whom_it_was_proposed_for() -> None:
    partial = candidate("partial", ORDERS.relation, "buyer", where="id > 5", asked_by="q")
    relevant = find_relevance(KNOWN, [partial, BUYER])
    sql = "SELECT id FROM orders WHERE buyer = 1 AND id > 5"
    asking = relevant(statement(sql, name="q"))
    assert (asking.usable, asking.proposed) == ({"partial", "buyer"}, {"partial"})
    another = relevant(statement(sql, name="another"))
    assert (another.usable, another.proposed) == ({"buyer"}, set())


def test_what_was_proposed_is_relevant_whatever_the_words_say() -> None:
    asked = candidate("asked", ORDERS.relation, "buyer", asked_by="q")
    assert usable("SELECT lookup(7)", asked) == {"asked"}


def test_any_word_of_a_leading_expression_will_do() -> None:
    lower = candidate("lower", ORDERS.relation, IndexKey(expression='lower("Größe")'))
    assert usable('SELECT 1 FROM orders WHERE lower("Größe") = $1', lower) == {"lower"}
    assert usable("SELECT buyer FROM orders", lower) == set()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ('SELECT A, "B ""c""" FROM T1', {"select", "a", 'B "c"', "from", "t1"}),
        ("x$1 = $2", {"x$1"}),
        ("ÄPP", {"Äpp"}),  # the server folds ASCII letters only
        ("""a = '5" tube' AND b = '"' AND c""", {"a", "and", "b", "c"}),
        ("""a = E'it\\'s "' AND "B" = 'x'""", {"a", "and", "B"}),
        ("""a /* don't "split */ "B" -- nor "here\n c""", {"a", "B", "c"}),
        ("", set()),
    ],
)
def test_words_are_read_as_the_server_reads_them(sql: str, words: set[str]) -> None:
    assert words_in(sql) == words


def test_what_is_read_without_being_named() -> None:
    """Children of a table that is named, columns of its policies, and tables that functions read."""
    child = replace(table("orders_25", *ORDERS.columns), inherits=(ORDERS.relation,))
    rewrites = (
        Rewrite("orders", "buyer = current_setting('app.buyer')::int"),
        Rewrite("of buyer", "SELECT * FROM orders WHERE buyer = $1"),
    )
    known = replace(catalog(ORDERS, child, ODD), rewrites=rewrites)
    of_child = candidate("child", child.relation, "buyer")
    relevant = find_relevance(known, (BUYER, of_child, ODD_BUYER, SIZE))
    assert relevant(statement("SELECT id FROM orders")).usable == {"buyer", "child"}
    assert relevant(statement('SELECT id FROM "of buyer"(7)')).usable == {"buyer", "child"}
    assert relevant(statement("SELECT id FROM orders_25")).usable == set()
