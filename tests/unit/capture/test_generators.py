"""Generators: deterministic, stratified, and skewed as they say."""

import random
from collections import Counter
from datetime import datetime

import pytest

from pgproof.stages.capture.generators import (
    Choice,
    Dates,
    Generator,
    Integers,
    Sequence,
    Text,
    Zipf,
    draw_rows,
)

ALL: tuple[Generator, ...] = (
    Choice(("a", None, "c"), (70, 29, 1)),
    Integers(5, 500),
    Zipf(1, 1000),
    Zipf(1, 1000, 0.7),
    Dates(datetime(2025, 1, 1), datetime(2025, 12, 31), whole_days=True),
    Text("CMD-[0-9A-F]{8}"),
    Sequence(10, 5),
)


def values_of(generator: Generator, count: int, seed: int = 1) -> list[str | None]:
    assert not isinstance(generator, type)
    return [drawn.values[0] for drawn in generator.draw(count, random.Random(seed))]


@pytest.mark.parametrize("generator", ALL, ids=lambda g: type(g).__name__)
def test_same_seed_draws_the_same_and_as_many_as_wanted(generator: Generator) -> None:
    for count in (1, 2, 20, 57):
        first, second = values_of(generator, count), values_of(generator, count)
        assert first == second
        assert len(first) == count or isinstance(generator, Choice)


def test_choice_gives_rare_values_too_and_weights_them_down() -> None:
    drawn = Choice(("often", "rare"), (99, 1)).draw(20, random.Random(1))
    assert Counter(row.values[0] for row in drawn) == {"often": 19, "rare": 1}
    assert sum(row.weight for row in drawn) == pytest.approx(20)
    assert [row.weight for row in drawn if row.values == ("rare",)] == [pytest.approx(0.2)]


def test_choice_with_more_values_than_sets_keeps_the_likely_ones() -> None:
    drawn = Choice(("a", "b", "c"), (1, 5, 4)).draw(2, random.Random(1))
    assert sorted(row.values[0] or "" for row in drawn) == ["b", "c"]


def test_integers_come_one_from_each_part_of_the_range() -> None:
    numbers = [int(value or 0) for value in values_of(Integers(0, 99), 10)]
    assert [number // 10 for number in numbers] == list(range(10))


def test_integers_of_a_range_of_one() -> None:
    assert values_of(Integers(7, 7), 3) == ["7", "7", "7"]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_zipf_stays_in_its_range_and_favours_the_first(exponent: float) -> None:
    numbers = [int(value or 0) for value in values_of(Zipf(100, 1099, exponent), 400)]
    assert min(numbers) == 100
    assert max(numbers) <= 1099
    lower_half = sum(number < 600 for number in numbers) / 400
    assert lower_half > 0.6


def test_zipf_share_of_the_hottest_follows_the_law() -> None:
    # the integral of 1/x from 1 to 2 over that from 1 to 1001
    share = values_of(Zipf(1, 1000), 1000).count("1") / 1000
    assert share == pytest.approx(0.1003, abs=0.002)


def test_dates_are_whole_days_or_seconds() -> None:
    days = values_of(Dates(datetime(2025, 1, 1), datetime(2025, 1, 31), whole_days=True), 3)
    assert days == sorted(days)
    assert all(len(day or "") == 10 for day in days)
    moments = values_of(Dates(datetime(2025, 1, 1), datetime(2025, 1, 2)), 3)
    assert all(datetime.fromisoformat(moment or "") for moment in moments)


def test_text_follows_its_pattern() -> None:
    for value in values_of(Text(r"A[b-d]{3}\[-[0-9]"), 50):
        assert value is not None
        head, tail = value.split("[-")
        assert head[0] == "A"
        assert set(head[1:]) <= set("bcd")
        assert len(head) == 4
        assert tail.isdigit()


def test_sequence_counts() -> None:
    assert values_of(Sequence(10, -5), 3) == ["10", "5", "0"]


def test_rows_without_weights_come_at_even_steps() -> None:
    rows = [(str(i),) for i in range(100)]
    assert [drawn.values[0] for drawn in draw_rows(rows, None, 4)] == ["12", "37", "62", "87"]


def test_rows_with_weights_come_as_often_as_they_are_asked_for() -> None:
    rows = [("hot",), ("warm",), ("never",), ("cold",)]
    drawn = Counter(d.values[0] for d in draw_rows(rows, [70, 20, 0, 10], 10))
    assert drawn == {"hot": 7, "warm": 2, "cold": 1}


def test_rows_whose_weights_are_all_zero_count_as_equal() -> None:
    assert len({d.values for d in draw_rows([("a",), ("b",)], [0, 0], 4)}) == 2


def test_fewer_rows_than_sets_repeat() -> None:
    assert [d.values for d in draw_rows([("only",)], [3], 3)] == [("only",)] * 3
