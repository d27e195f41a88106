"""When answers count as equal, different, or not comparable."""

import math

import pytest

from pgproof.sqltext.determinism import Determinism, read_determinism
from pgproof.stages.compete.digest import Digest
from pgproof.stages.compete.equality import Finding, explain_difference, judge_sorted, summarise
from pgproof.stages.compete.rows import rows_match, ties_match

LIMITED = Determinism(sorted=True, limited=True, skips=False, order_dependent=("LIMIT",))
SORTED = Determinism(sorted=True, limited=False, skips=False, order_dependent=())
PLAIN = Determinism(sorted=False, limited=False, skips=False, order_dependent=())


def test_rows_in_any_order_but_with_duplicates_counted() -> None:
    assert rows_match([(1,), (2,), (2,)], [(2,), (1,), (2,)], in_order=False)
    assert not rows_match([(1,), (2,), (2,)], [(1,), (1,), (2,)], in_order=False)
    assert not rows_match([(1,), (2,)], [(2,), (1,)], in_order=True)


def test_floats_have_a_tolerance_and_nothing_else_has() -> None:
    assert rows_match([(0.1 + 0.2,)], [(0.3,)], in_order=True)
    assert not rows_match([(1.0,)], [(1.0 + 1e-6,)], in_order=True)
    assert not rows_match([("0.30000000000000004",)], [("0.3",)], in_order=True)
    assert rows_match([(math.nan, None)], [(math.nan, None)], in_order=True)
    assert not rows_match([(0.0,)], [(None,)], in_order=True)


def test_floats_pair_up_although_they_sort_differently() -> None:
    ours = [(0.1 + 0.2, "b"), (0.3, "a")]
    theirs = [(0.3, "b"), (0.1 + 0.2, "a")]
    assert rows_match(ours, theirs, in_order=False)


def test_values_without_an_order_or_a_hash_compare() -> None:
    assert rows_match([({"a": [1]},), ([2],)], [([2],), ({"a": [1]},)], in_order=False)


def test_ties_at_the_cut_may_differ() -> None:
    assert ties_match([("x", 1), ("y", 2)], [("x", 1), ("z", 2)], 1, has_offset=False)


def test_rows_before_the_cut_may_not_differ() -> None:
    assert not ties_match([("x", 1), ("y", 2)], [("w", 1), ("y", 2)], 1, has_offset=False)
    assert ties_match([("x", 1), ("y", 2)], [("w", 1), ("y", 2)], 1, has_offset=True)


def test_other_sort_keys_are_never_a_tie() -> None:
    finding = judge_sorted([("x", 1), ("y", 2)], [("x", 1), ("y", 3)], 1, LIMITED)
    assert finding is not None
    assert finding.equal is False


def test_rows_with_equal_keys_may_swap() -> None:
    finding = judge_sorted([("x", 1), ("y", 1)], [("y", 1), ("x", 1)], 1, SORTED)
    assert finding is not None
    assert finding.equal is True


def test_a_wrong_order_is_a_difference() -> None:
    finding = judge_sorted([("x", 2), ("y", 1)], [("y", 1), ("x", 2)], 1, SORTED)
    assert finding is not None
    assert finding.equal is False


def test_another_number_of_rows_is_a_difference_even_with_a_limit() -> None:
    finding = explain_difference(LIMITED, Digest(10, "1", "1"), Digest(9, "2", "2"))
    assert finding == Finding(False, "9 rows, 10 on the control")


def test_a_limit_without_total_order_is_named_not_failed() -> None:
    finding = explain_difference(LIMITED, Digest(10, "1", "1"), Digest(10, "2", "2"))
    assert finding == Finding(None, "not comparable: LIMIT without a provable total order")


def test_a_limit_inside_may_change_how_many_rows_come() -> None:
    inside = read_determinism("SELECT * FROM o WHERE c IN (SELECT id FROM c LIMIT 5)")
    finding = explain_difference(inside, Digest(10, "1", "1"), Digest(9, "2", "2"))
    assert finding == Finding(None, "not comparable: LIMIT without a provable total order")


@pytest.mark.parametrize(
    ("sql", "rows_open"),
    [
        ("SELECT a FROM t LIMIT 5", False),
        ("SELECT array_agg(x), row_number() OVER () FROM t", False),
        (
            "SELECT a FROM (SELECT a, row_number() OVER (ORDER BY b) AS n FROM t) s WHERE n = 1 AND a > 2",
            True,
        ),
        ("WITH x AS (SELECT * FROM t LIMIT 3) SELECT * FROM x", True),
        ("DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY a LIMIT 5)", True),
        ("INSERT INTO t SELECT * FROM s LIMIT 5", True),
        ("UPDATE t SET a = 1 WHERE id = 5", False),
    ],
)
def test_where_order_may_change_how_many_rows_come(sql: str, rows_open: bool) -> None:
    assert read_determinism(sql).rows_open is rows_open


def test_a_difference_nothing_explains_fails() -> None:
    finding = explain_difference(PLAIN, Digest(10, "1", "1"), Digest(10, "2", "2"))
    assert finding == Finding(False, "other rows than the control's")


def test_one_difference_outweighs_all_that_is_equal() -> None:
    found = [Finding(True, "rows"), Finding(None, "unknown"), Finding(False, "other rows")]
    assert summarise("s", found, [], 3).equal is False


def test_one_unknown_set_keeps_a_statement_from_being_called_equal() -> None:
    equality = summarise("s", [Finding(True, "rows"), Finding(None, "not comparable: x")], [], 2)
    assert (equality.equal, equality.compared_sets, equality.note) == (None, 1, "not comparable: x")


def test_sets_left_out_for_lack_of_time_are_told() -> None:
    equality = summarise("s", [Finding(True, "rows")], [], 5)
    assert equality.equal is True
    assert equality.note == "rows; 1 of 5 parameter sets, for lack of time"


def test_a_statement_that_fails_on_the_control_is_not_called_equal() -> None:
    equality = summarise("s", [], ["division by zero"], 1)
    assert (equality.equal, equality.compared_sets) == (None, 0)
    assert "division by zero" in equality.note


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t", ()),
        ("SELECT DISTINCT a FROM t ORDER BY a", ()),
        ("SELECT DISTINCT ON (a) a, b FROM t", ("DISTINCT ON",)),
        ("SELECT array_agg(x), string_agg(y, ',') FROM t", ("array_agg", "string_agg")),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", ("row_number",)),
        ("WITH x AS (SELECT * FROM t LIMIT 3) SELECT count(*) FROM x", ("LIMIT",)),
        ("SELECT count(*) FROM t TABLESAMPLE SYSTEM (1)", ("TABLESAMPLE",)),
    ],
)
def test_what_a_query_leaves_open(sql: str, expected: tuple[str, ...]) -> None:
    assert read_determinism(sql).order_dependent == expected


def test_limit_and_offset_of_the_whole_query() -> None:
    assert read_determinism("SELECT a FROM t ORDER BY a LIMIT 1 OFFSET 2") == Determinism(
        sorted=True, limited=True, skips=True, order_dependent=("LIMIT",)
    )
    assert not read_determinism("SELECT * FROM (SELECT 1 LIMIT 1) s").limited
