"""Values from a sampled row: pure, so every role is shown without a server."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from pgproof.sqltext.shape import Operand
from pgproof.sqltext.uses import ParameterRole, ParameterUse
from pgproof.stages.capture.parameter_types import ParameterType
from pgproof.stages.capture.parameter_values import SetMaker, Slot, render_array
from pgproof.stages.capture.row_samples import Cell

TEXT = ParameterType("text", "text", "S")
INT = ParameterType("integer", "int4", "N")
X: Cell = ("t", "x")
NOW = datetime(2025, 6, 1, tzinfo=UTC)


def slot(
    role: ParameterRole, operator: str = "=", kind: ParameterType = TEXT, number: int = 1, **more: object
) -> Slot:
    operand = Operand("t", "x", ("x",), "x")
    return Slot(number, kind, ParameterUse(number, role, operand, None, "t", operator), X, **more)


def make(
    slots: Sequence[Slot], values: Sequence[str | None], i: int = 0, row: int = 0
) -> tuple[str | None, ...]:
    columns: Mapping[Cell, Sequence[str | None]] = {X: values}
    maker = SetMaker(slots, columns, {}, random.Random(1), NOW)
    return maker.make(i, lambda cell, shift: columns[cell][(row + shift) % len(values)])


NUMBERS = [str(n) for n in range(1000)]


def test_equality_takes_the_rows_value() -> None:
    assert make([slot(ParameterRole.COMPARISON)], ["a", "b"], row=1) == ("b",)


def test_window_begins_with_the_rows_value_and_has_a_width() -> None:
    slots = [slot(ParameterRole.LOW, ">=", INT), slot(ParameterRole.HIGH, "<=", INT, number=2)]
    assert make(slots, NUMBERS, i=0, row=100) == ("100", "110")
    assert make(slots, NUMBERS, i=1, row=100) == ("100", "150")
    assert make(slots, NUMBERS, i=3, row=990) == ("990", "999")


def test_window_of_two_comparisons() -> None:
    slots = [slot(ParameterRole.COMPARISON, ">=", INT), slot(ParameterRole.COMPARISON, "<", INT, number=2)]
    assert make(slots, NUMBERS, row=9) == ("9", "19")  # as numbers: "10" does not come before "9"


@pytest.mark.parametrize(("operator", "side"), [(">", 1), ("<", -1)])
def test_open_range_leaves_few_rows(operator: str, side: int) -> None:
    (value,) = make([slot(ParameterRole.COMPARISON, operator, INT)], NUMBERS, i=0)
    beyond = [n for n in map(int, NUMBERS) if (n - int(value or 0)) * side > 0]
    assert 0 < len(beyond) <= 20


def test_row_comparison_keeps_the_rows_values() -> None:
    assert make([slot(ParameterRole.COMPARISON, ">", INT, in_row=True)], NUMBERS, row=500) == ("500",)


def test_patterns_escape_and_know_their_wildcards() -> None:
    for wildcards, expected in ((("%", "%"), r"%50\% \_%"), (("", "%"), r"50\% \_%"), (("", ""), r"50\% \_")):
        given = [slot(ParameterRole.PATTERN, "~~", wildcards=wildcards)]
        assert make(given, ["50% _"]) == (expected,)
    assert make([slot(ParameterRole.PATTERN, "~", wildcards=("", ""))], ["a.b"]) == (r"a\.b",)


def test_array_grows_and_quotes() -> None:
    values = ['a"b', "c,d", "e\\f", "g"]
    assert make([slot(ParameterRole.ARRAY)], values, i=0) == ('{"a\\"b"}',)
    assert make([slot(ParameterRole.ARRAY)], values, i=1) == ('{"a\\"b","c,d","e\\\\f"}',)
    assert render_array(["NULL", None]) == '{"NULL",NULL}'


def test_limit_and_offsets() -> None:
    assert make([slot(ParameterRole.LIMIT, "", INT)], ["1"]) == ("20",)
    offsets = [make([slot(ParameterRole.OFFSET, "", INT)], ["1"], i=i)[0] for i in range(10)]
    assert offsets.count("0") == 7
    assert "1000" in offsets


def test_update_takes_another_rows_value() -> None:
    assert make([slot(ParameterRole.UPDATE)], [str(n) for n in range(20)]) == ("7",)


def test_value_without_a_row_comes_from_the_type() -> None:
    mood = ParameterType("mood", "mood", "E", ("glad", "sad"))
    assert make([Slot(1, mood)], ["x"])[0] in ("glad", "sad")
    assert make([Slot(1, ParameterType("tags", "_text", "A"))], ["x"]) == ("{}",)
    assert make([Slot(1, ParameterType("hstore", "hstore", "U"))], ["x"]) == (None,)


def test_truncation_gets_a_unit() -> None:
    use = ParameterUse(1, ParameterRole.ARGUMENT, function="date_trunc", argument=1)
    assert make([Slot(1, TEXT, use)], ["x"])[0] in ("day", "hour", "month", "week")
