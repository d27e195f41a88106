"""The annex: what must hold whatever an application feeds it."""

from __future__ import annotations

import math
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproof.errors import InvalidCursor
from pgproof.runtime import LoopWatch, SortKey, decode_cursor, encode_cursor
from pgproof.runtime.nplusone import MIN_RUN, MIN_SHARE_FRAC, statement_shape
from pgproof.runtime.paginate import KeyValue

SECRET = b"a secret of 16 bytes or more"

values = st.lists(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.uuids(),
    min_size=1,
    max_size=4,
)


def keys_for(row: list[KeyValue]) -> list[SortKey]:
    return [SortKey(f"c{number}") for number in range(len(row))]


def exact(value: KeyValue) -> tuple[str, str]:
    if isinstance(value, float) and math.isnan(value):
        return "float", "nan"  # one NaN is as good as another
    return type(value).__name__, value.isoformat() if hasattr(value, "isoformat") else str(value)


@given(values)
def test_a_cursor_gives_back_what_it_was_given(row: list[KeyValue]) -> None:
    keys = keys_for(row)
    back = decode_cursor(keys, encode_cursor(keys, row, SECRET), SECRET)
    assert [exact(value) for value in back] == [exact(value) for value in row]


@given(values, st.data())
def test_a_cursor_with_a_changed_part_is_never_taken(row: list[KeyValue], data: st.DataObject) -> None:
    keys = keys_for(row)
    text = encode_cursor(keys, row, SECRET)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    changed = text[:start] + data.draw(st.text(max_size=6)) + text[end:]
    if changed != text:
        with pytest.raises(InvalidCursor):
            decode_cursor(keys, changed, SECRET)


@given(st.text())
def test_any_text_has_a_shape(sql: str) -> None:
    assert "  " not in statement_shape(sql)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60))
def test_loops_are_the_runs_with_enough_values(sent: list[tuple[str, int]]) -> None:
    watch = LoopWatch()
    for name, value in sent:
        watch.record(f"SELECT {name}", value)
    expected: dict[str, int] = {}
    for name, run in groupby(sent, key=lambda one: one[0]):
        executions = list(run)
        if len({value for _, value in executions}) >= MIN_RUN:
            expected[name] = expected.get(name, 0) + len(executions)
    calls = {name: sum(one[0] == name for one in sent) for name in "abc"}
    found = {loop.shape.removeprefix("SELECT "): loop.executions for loop in watch.found()}
    assert found == {n: e for n, e in expected.items() if e >= MIN_SHARE_FRAC * calls[n]}
