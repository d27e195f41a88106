"""Loops of statements: what is one, what is not, and what a report says."""

from __future__ import annotations

import pytest

from pgproof.runtime import LoopedStatement, LoopWatch
from pgproof.runtime.nplusone import MAX_CHARS, statement_shape

LINES = "SELECT * FROM lines WHERE order_id = $1"
CUSTOMER = "SELECT * FROM customers WHERE id = $1"


def watched(*sent: tuple[str, object], max_step: int = 1) -> tuple[LoopedStatement, ...]:
    watch = LoopWatch(max_step=max_step)
    for sql, values in sent:
        watch.record(sql, hash(values))
    return watch.found()


def test_a_loop_is_reported_with_its_first_place() -> None:
    watch = LoopWatch()
    watch.record("SELECT * FROM orders LIMIT 12", None, "list.py:3")
    for number in range(12):
        watch.record(LINES, hash(number), f"list.py:{number}")
    (loop,) = watch.found()
    assert loop == LoopedStatement("SELECT * FROM lines WHERE order_id = ?", 12, 12, 12, "list.py:0")
    assert str(loop) == (
        "12 of 12 executions in loops at list.py:0: SELECT * FROM lines WHERE order_id = ?. "
        "Fetch all the rows with one statement (= ANY, a join, eager loading)."
    )


def test_five_in_a_row_are_a_loop_and_four_are_none() -> None:
    assert watched(*((LINES, n) for n in range(4))) == ()
    assert [loop.executions for loop in watched(*((LINES, n) for n in range(5)))] == [5]


def test_the_same_values_again_are_no_loop() -> None:
    assert watched(*((LINES, 1) for _ in range(50))) == ()


def test_values_in_the_text_count() -> None:
    (loop,) = watched(*((f"SELECT * FROM lines WHERE order_id = {n}", None) for n in range(6)))
    assert loop.shape == "SELECT * FROM lines WHERE order_id = ?"


def test_a_statement_spread_over_the_request_is_no_loop() -> None:
    sent = [(sql, n) for n in range(40) for sql in (LINES, "SELECT now()", CUSTOMER, "SELECT 1 AS x")]
    assert watched(*sent) == ()


def test_two_statements_a_turn_are_found_where_wanted() -> None:
    sent = [(sql, n) for n in range(9) for sql in (LINES, CUSTOMER)]
    assert watched(*sent) == ()
    assert [loop.executions for loop in watched(*sent, max_step=2)] == [9, 9]


def test_a_rare_run_of_a_common_statement_is_chance() -> None:
    alone = [(sql, n) for n in range(10) for sql in (LINES, CUSTOMER)]
    assert watched(*alone, *((LINES, n) for n in range(100, 106))) == ()


def test_several_loops_add_up_and_the_largest_comes_first() -> None:
    sent = (
        [(LINES, n) for n in range(6)] + [(CUSTOMER, n) for n in range(20)] + [(LINES, n) for n in range(8)]
    )
    assert [(loop.executions, loop.longest_run) for loop in watched(*sent)] == [(20, 20), (14, 8)]


@pytest.mark.parametrize("control", ["BEGIN", "commit", "SAVEPOINT a", "RELEASE SAVEPOINT a", "SET x = 1"])
def test_transaction_control_does_not_hide_a_loop(control: str) -> None:
    sent = [one for n in range(6) for one in ((LINES, n), (control, None))]
    assert [loop.executions for loop in watched(*sent)] == [6]


def test_the_stack_is_walked_once_and_only_for_a_loop() -> None:
    walks: list[str] = []

    def walk() -> str:
        walks.append("walk")
        return "view.py:7"

    watch = LoopWatch()
    for number in range(4):
        watch.record(LINES, number, walk)
    assert walks == []
    for number in range(4, 90):
        watch.record(LINES, number, walk)
    assert walks == ["walk"]
    assert watch.found()[0].location == "view.py:7"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT  1\n", "SELECT 2;"),
        ("SELECT 'it''s'", "SELECT ''"),
        (r"SELECT E'a\'b'", "SELECT 'x'"),
        ("SELECT $tag$ it's $1 $$ $tag$", "SELECT $$$$"),
        ("SELECT a /* page 3 */ FROM t -- 5\n WHERE b = 1.5e-7", "SELECT a FROM t WHERE b = -3"),
        ("SELECT a FROM t WHERE b IN (1, 2,3)", "SELECT a FROM t WHERE b IN ($1)"),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", "INSERT INTO t VALUES (%(a)s)"),
        ("SELECT a FROM t WHERE b = :name AND c = 'x'::text", "SELECT a FROM t WHERE b = ? AND c = ?::text"),
    ],
)
def test_values_do_not_tell_statements_apart(one: str, other: str) -> None:
    assert statement_shape(one) == statement_shape(other)


@pytest.mark.parametrize(
    "sql",
    ['SELECT "a 1", "it""s 5" FROM t2 AS x3', "SELECT a::int4 FROM t", "SELECT doc->'a' FROM t WHERE d ?| x"],
)
def test_names_stay(sql: str) -> None:
    assert statement_shape(sql) == sql.replace("'a'", "?")


def test_a_bulk_insert_is_cut() -> None:
    assert len(statement_shape("INSERT INTO t (" + "a" * 10 * MAX_CHARS)) == MAX_CHARS
