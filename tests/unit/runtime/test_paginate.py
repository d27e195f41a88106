"""The SQL of keyset pagination, form by form; that it is right is shown on a server."""

from __future__ import annotations

import pytest

from pgproof.errors import ConfigError
from pgproof.runtime import SortKey, after_row, order_by
from pgproof.runtime.paginate import KeyValue

ID = SortKey("id", nullable=False)
ID_DOWN = SortKey("id", ascending=False, nullable=False)
DAY = SortKey("day", nullable=False)
DAY_DOWN = SortKey("day", ascending=False, nullable=False)
NAME = SortKey("name")
NAME_DOWN = SortKey("name", ascending=False)


@pytest.mark.parametrize(
    ("keys", "sql"),
    [
        ((DAY_DOWN, ID), '"day" DESC, "id" ASC'),
        ((NAME, NAME_DOWN), '"name" ASC, "name" DESC'),
        ((SortKey("n", nulls_first=True),), '"n" ASC NULLS FIRST'),
        ((SortKey("n", ascending=False, nulls_first=False),), '"n" DESC NULLS LAST'),
        ((SortKey("n", nullable=False, nulls_first=True),), '"n" ASC'),
        ((SortKey('Größe "x"', table="Bestell%ung"),), '"Bestell%ung"."Größe ""x""" ASC'),
    ],
)
def test_order(keys: tuple[SortKey, ...], sql: str) -> None:
    assert order_by(keys) == sql


@pytest.mark.parametrize(
    ("keys", "values", "sql", "parameters"),
    [
        ((ID,), (7,), '"id" > $1', (7,)),
        ((DAY, ID), ("d", 7), '("day", "id") > ($1, $2)', ("d", 7)),
        ((DAY_DOWN, ID_DOWN), ("d", 7), '("day", "id") < ($1, $2)', ("d", 7)),
        # NULLs come first in a descending order: none can follow a value
        ((NAME_DOWN, ID_DOWN), ("a", 7), '("name", "id") < ($1, $2)', ("a", 7)),
        (
            (DAY_DOWN, ID),
            ("d", 7),
            '("day" <= $1 AND ("day" < $1 OR ("day" = $1 AND "id" > $2)))',
            ("d", 7),
        ),
        (
            (DAY, ID, SortKey("x", ascending=False, nullable=False)),
            ("d", 7, 1),
            '(("day", "id") >= ($1, $2) '
            'AND ("day" > $1 OR ("day" = $1 AND ("id" > $2 OR ("id" = $2 AND "x" < $3)))))',
            ("d", 7, 1),
        ),
        (
            (NAME, ID),
            ("a", 7),
            '(("name" > $1 OR "name" IS NULL) OR ("name" = $1 AND "id" > $2))',
            ("a", 7),
        ),
        ((NAME, ID), (None, 7), '("name" IS NULL AND "id" > $1)', (7,)),
        (
            (NAME_DOWN, ID_DOWN),
            (None, 7),
            '("name" IS NOT NULL OR ("name" IS NULL AND "id" < $1))',
            (7,),
        ),
        ((NAME,), (None,), "FALSE", ()),
    ],
)  # fmt: skip
def test_condition(
    keys: tuple[SortKey, ...], values: tuple[KeyValue, ...], sql: str, parameters: tuple[KeyValue, ...]
) -> None:
    condition = after_row(keys, values)
    assert (condition.sql, condition.parameters) == (sql, parameters)


def test_placeholders_go_on_where_the_statement_s_own_end() -> None:
    assert after_row((DAY, ID), ("d", 7), first=4).sql == '("day", "id") > ($4, $5)'


def test_format_placeholders_repeat_their_values_and_double_percent_signs() -> None:
    condition = after_row((SortKey("50%", nullable=False), ID_DOWN), ("d", 7), placeholders="format")
    assert condition.sql == '("50%%" >= %s AND ("50%%" > %s OR ("50%%" = %s AND "id" < %s)))'
    assert condition.parameters == ("d", "d", "d", 7)
    assert order_by((SortKey("50%"),), "format") == '"50%%" ASC'


def test_a_cast_stands_at_the_placeholder() -> None:
    assert after_row((SortKey("r", nullable=False, cast="real"),), (0.1,)).sql == '"r" > $1::real'


def test_twice_reversed_is_the_same_order() -> None:
    for key in (
        NAME,
        NAME_DOWN,
        SortKey("n", nulls_first=True),
        SortKey("n", ascending=False, nulls_first=False),
    ):
        assert order_by((key.reversed(),)) != order_by((key,))
        assert order_by((key.reversed().reversed(),)) == order_by((key,))


@pytest.mark.parametrize(
    ("keys", "values", "message"),
    [
        ((), (), "An order needs at least one sort key."),
        ((ID,), (1, 2), "The order has 1 sort keys, the row 2 values."),
        ((ID,), (None,), "The sort key id is said to be NOT NULL, yet its value is NULL."),
        ((SortKey(""),), (1,), "A sort key needs a column."),
        ((SortKey("a\0b"),), (1,), "A column's name can't hold a NUL character."),
    ],
)
def test_what_does_not_fit_is_refused(
    keys: tuple[SortKey, ...], values: tuple[KeyValue, ...], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        after_row(keys, values)
    assert str(caught.value) == message
