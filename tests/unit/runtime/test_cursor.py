"""Cursors: exact values back, and nothing taken that was not made here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from pgproof.errors import ConfigError, InvalidCursor
from pgproof.runtime import SortKey, decode_cursor, encode_cursor
from pgproof.runtime.paginate import KeyValue

SECRET = bytes(range(32))
KEYS = (SortKey("day"), SortKey("id", nullable=False))
REFUSED = "The page cursor is not one that was made for this list."


@pytest.mark.parametrize(
    "value",
    [
        0, -(2**70), True, False, None, "", "it's €", "\ud800", 0.1, -0.0, float("inf"), Decimal("1.50"),
        Decimal("NaN"), datetime(2026, 11, 20, 1, 2, 3, 4, tzinfo=UTC), datetime(2026, 11, 20),
        date(2026, 11, 20), UUID(int=5),
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_comes_back_as_it_went_in(value: KeyValue) -> None:
    (back,) = decode_cursor(KEYS[:1], encode_cursor(KEYS[:1], (value,), SECRET), SECRET)
    assert (type(back), str(back)) == (type(value), str(value))


def test_a_time_zone_comes_back_as_its_offset() -> None:
    moment = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    (back,) = decode_cursor(KEYS[:1], encode_cursor(KEYS[:1], (moment,), SECRET), SECRET)
    assert isinstance(back, datetime)
    assert back.isoformat() == "2026-10-25T02:30:00+01:00"


def test_a_cursor_is_safe_in_an_address() -> None:
    text = encode_cursor(KEYS, ("ÿþ?&/+" * 9, 1), SECRET)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_every_changed_letter_is_seen() -> None:
    text = encode_cursor(KEYS, (date(2026, 1, 1), 5), SECRET)
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(InvalidCursor, match=REFUSED):
            decode_cursor(KEYS, changed, SECRET)


@pytest.mark.parametrize("text", ["", "A", "=", "not base64!", "é", "AAAA" * 9, "A" * 100_000])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor, match=REFUSED) as caught:
        decode_cursor(KEYS, text, SECRET)
    assert caught.value.hint == "Start again at the first page."


def test_a_cursor_cut_short_is_refused() -> None:
    text = encode_cursor(KEYS, (None, 5), SECRET)
    for length in range(len(text)):
        with pytest.raises(InvalidCursor):
            decode_cursor(KEYS, text[:length], SECRET)


@pytest.mark.parametrize(
    ("keys", "secret", "scope"),
    [
        ((SortKey("day", ascending=False), KEYS[1]), SECRET, "orders of 7"),
        (KEYS[::-1], SECRET, "orders of 7"),
        ((SortKey("day", nulls_first=True), KEYS[1]), SECRET, "orders of 7"),
        ((SortKey("day", table="x"), KEYS[1]), SECRET, "orders of 7"),
        (KEYS, SECRET[::-1], "orders of 7"),
        (KEYS, SECRET, "orders of 8"),
        (KEYS, SECRET, ""),
    ],
)
def test_a_cursor_serves_one_order_one_scope_and_one_secret(
    keys: tuple[SortKey, ...], secret: bytes, scope: str
) -> None:
    text = encode_cursor(KEYS, (None, 5), SECRET, scope="orders of 7")
    assert decode_cursor(KEYS, text, SECRET, scope="orders of 7") == (None, 5)
    with pytest.raises(InvalidCursor, match=REFUSED):
        decode_cursor(keys, text, secret, scope=scope)


def test_a_secret_can_be_replaced() -> None:
    text = encode_cursor(KEYS, (None, 5), SECRET)
    assert decode_cursor(KEYS, text, SECRET[::-1], old_secrets=(b"x" * 16, SECRET)) == (None, 5)


@pytest.mark.parametrize("value", [time(1), b"x", [1], object()])
def test_a_type_that_would_not_come_back_is_refused_without_its_value(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        encode_cursor(KEYS, (value, 1), SECRET)  # type: ignore[arg-type]  # on purpose
    assert str(caught.value) == (
        f"A cursor can't keep the sort key day: its value is of type {type(value).__name__}."
    )


def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="The secret for cursors has 3 bytes; anybody"):
        encode_cursor(KEYS, (None, 5), b"abc")
    with pytest.raises(ConfigError, match="has 0 bytes"):
        decode_cursor(KEYS, "x", SECRET, old_secrets=(b"",))


def test_values_and_keys_must_be_as_many() -> None:
    with pytest.raises(ConfigError, match="The order has 2 sort keys, the row 1 values"):
        encode_cursor(KEYS, (1,), SECRET)
