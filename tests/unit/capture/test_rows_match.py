"""Weights that fit the rows a server counted, and what a LIMIT must have been."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproof.model.workload import StatementCounters, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.row_samples import RowSample, stratify
from pgproof.stages.capture.rows_match import counted_rows, disagree, infer_limit, pick, weigh


def counted(sql: str, calls: float, rows: float) -> WorkloadStatement:
    query = make_query(parse_statement(sql))
    assert query is not None
    return WorkloadStatement("it", query, calls, counters=StatementCounters(calls, 1.0, rows))


def mean(expected: list[float], weights: list[float]) -> float:
    return sum(e * w for e, w in zip(expected, weights, strict=True))


def test_rows_of_the_rare_value_give_it_all_weight() -> None:
    assert weigh([1_000, 99_000], 1_000) == [1.0, 0.0]
    assert weigh([1_000, 99_000], 900) == [1.0, 0.0]
    assert weigh([1_000, 99_000], 0.2) == [1.0, 0.0]
    assert weigh([1_000, 99_000], 5_000_000) == [0.0, 1.0]


def test_a_mean_between_is_met_by_a_mixture() -> None:
    weights = weigh([1_000, 99_000], 10_800)
    assert weights == pytest.approx([0.9, 0.1])


def test_equal_rows_have_equal_weights() -> None:
    weights = weigh([10, 10, 10, 5_000, 5_000], 100)
    assert weights[0] == weights[1] == weights[2] > 10 * weights[3]
    assert mean([10, 10, 10, 5_000, 5_000], weights) == pytest.approx(100)


@given(
    st.lists(st.floats(1, 1e9), min_size=2, max_size=40),
    st.floats(0, 1),
)
def test_weights_have_the_mean_wherever_one_is_possible(expected: list[float], at: float) -> None:
    goal = min(expected) + at * (max(expected) - min(expected))
    weights = weigh(expected, goal)
    assert sum(weights) == pytest.approx(1.0)
    assert all(weight >= 0 for weight in weights)
    got = mean(expected, weights)
    # candidates within a factor of two share one weight, so the ends of the range can't be met exactly
    assert goal / 2.001 <= got <= goal * 2.001


def test_candidates_that_agree_are_left_alone() -> None:
    assert not disagree([10, 12, 19], [1, 1, 1], 4_000), "as many rows each: nothing can be told"
    assert not disagree([1_000, 99_000], [1, 1], 60_000)
    assert disagree([1_000, 99_000], [5, 15], 1_000)
    assert not disagree([0, 1, 1], [1, 1, 1], 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(lambda w: sum(w) > 0.1), st.integers(1, 50))
def test_picks_follow_the_weights(raw: list[float], count: int) -> None:
    weights = [weight / sum(raw) for weight in raw]
    drawn = pick(weights, count)
    assert sum(drawn.values()) == count
    for place, times in drawn.items():
        assert abs(times - count * weights[place]) <= 1.0 + 1e-6


def test_an_insert_says_nothing_about_its_values() -> None:
    assert counted_rows(counted("INSERT INTO t (a) VALUES ($1)", 10, 10)) is None
    assert counted_rows(counted("DELETE FROM t WHERE a = $1", 10, 25)) == 2.5


LIMITED = "SELECT * FROM t WHERE a = $1 ORDER BY b LIMIT $2"


@pytest.mark.parametrize(
    ("sql", "rows_a_call", "limit"),
    [
        (LIMITED, 1.0, 1),
        (LIMITED, 9.7, 10),
        (LIMITED, 50.0, 50),
        (LIMITED, 1234.5, 1235),
        (LIMITED, 0.1, None),
        (LIMITED + " OFFSET $3", 20.0, 20),
        (LIMITED + " FOR UPDATE SKIP LOCKED", 5.0, 5),
        ("SELECT count(*) FROM (SELECT 1 FROM t LIMIT $1) AS s WHERE 1 = $2", 1.0, None),
        ("SELECT * FROM t WHERE a = $1 LIMIT 7", 7.0, None),
    ],
)
def test_limit_is_the_page_that_the_rows_fit_into(sql: str, rows_a_call: float, limit: int | None) -> None:
    assert infer_limit(counted(sql, 100, 100 * rows_a_call)) == limit


def test_strata_bring_each_of_few_values_as_often() -> None:
    rows = [("sent", str(n)) for n in range(990)] + [("open", str(n)) for n in range(990, 1000)]
    sample = RowSample((("o", "status"), ("o", "id")), tuple(rows))
    order = stratify(sample, random.Random(1), 60)
    assert len(order) == 120
    assert sum(rows[n][0] == "open" for n in order) == 60
    assert len({rows[n][1] for n in order if rows[n][0] == "open"}) == 10
