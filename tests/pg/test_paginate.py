"""Keyset pagination on a real server: all pages together are one full ORDER BY, and an index serves them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgproof.runtime
from pgproof.runtime import SortKey, after_row, decode_cursor, encode_cursor, order_by
from pgproof.runtime.paginate import Placeholders

pytestmark = pytest.mark.pg

SECRET = b"0123456789abcdef"
SCHEMA = """
CREATE TABLE item (
    id int PRIMARY KEY, "Group" int, label text NOT NULL, price numeric(8, 2), made_at timestamptz, day date,
    weight real, ratio float8, code uuid, "done 100%" boolean);
INSERT INTO item
SELECT n, nullif(n % 5, 0), 'l' || n % 4, nullif(n % 7, 3) * 1.10,
       CASE WHEN n % 6 > 0 THEN timestamptz '2026-11-20 10:00:00.000001+01' + n % 9 * interval '1 us' END,
       CASE WHEN n % 10 > 0 THEN date '2026-01-01' + n % 3 END, (n % 11)::real / 10,
       CASE n % 8 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL WHEN 2 THEN '-Infinity' ELSE n % 8 / 3.0 END,
       CASE WHEN n % 4 > 0 THEN md5((n % 12)::text)::uuid END, nullif(n % 3, 0) = 1
FROM generate_series(1, 97) AS n;
"""
NULLABLE = ("Group", "price", "made_at", "day", "ratio", "code", "done 100%")
ID = SortKey("id", nullable=False)

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute(SCHEMA.encode())
        yield opened


def ids_in_order(connection: Connection, keys: Sequence[SortKey]) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT id FROM item ORDER BY {order_by(keys)}".encode())]


def walk(
    connection: Connection, keys: Sequence[SortKey], size: int, placeholders: Placeholders = "numeric"
) -> list[int]:
    """All pages' ids; between two pages there is nothing but the cursor."""
    columns = ", ".join(f'"{key.column}"' for key in keys)
    cursor = psycopg.RawCursor(connection) if placeholders == "numeric" else connection.cursor()
    seen: list[int] = []
    text = ""
    while True:
        after = None
        if text:
            after = after_row(keys, decode_cursor(keys, text, SECRET), placeholders=placeholders)
        where = after.sql if after else "TRUE"
        names = columns if placeholders == "numeric" or not after else columns.replace("%", "%%")
        order = order_by(keys, placeholders if after else "numeric")
        sql = f"SELECT id, {names} FROM item WHERE {where} ORDER BY {order} LIMIT {size}"
        rows = cursor.execute(sql.encode(), after.parameters if after else None).fetchall()
        seen += [row[0] for row in rows]
        if len(rows) < size:
            return seen
        text = encode_cursor(keys, rows[-1][1:], SECRET)


def test_every_direction_and_place_of_nulls(connection: Connection) -> None:
    for ups in itertools.product((True, False), repeat=3):
        for nulls_first in (None, True, False):
            keys = (
                SortKey("Group", ups[0], nulls_first=nulls_first),
                SortKey("label", ups[1], nullable=False),
                SortKey("id", ups[2], nullable=False),
            )
            assert walk(connection, keys, 7) == ids_in_order(connection, keys), keys


def test_two_nullable_keys(connection: Connection) -> None:
    for ups in itertools.product((True, False), repeat=2):
        for places in itertools.product((True, False), repeat=2):
            keys = (
                SortKey("Group", ups[0], nulls_first=places[0]),
                SortKey("day", ups[1], nulls_first=places[1]),
                ID,
            )
            assert walk(connection, keys, 5) == ids_in_order(connection, keys), keys


@pytest.mark.parametrize("placeholders", ["numeric", "format"])
@pytest.mark.parametrize("column", NULLABLE)
def test_every_type(connection: Connection, column: str, placeholders: Placeholders) -> None:
    for ascending in (True, False):
        keys = (SortKey(column, ascending), ID)
        assert walk(connection, keys, 4, placeholders) == ids_in_order(connection, keys)


def test_a_real_column_needs_its_cast(connection: Connection) -> None:
    bare = (SortKey("weight", nullable=False), ID)
    cast = (SortKey("weight", nullable=False, cast="real"), ID)
    assert walk(connection, cast, 4) == ids_in_order(connection, cast)
    after = after_row(
        bare, (0.1, 97)
    )  # the last of its ties; as double precision it sorts before all of them
    sql = f"SELECT id FROM item WHERE weight = 0.1::real AND {after.sql}"
    assert psycopg.RawCursor(connection).execute(sql.encode(), after.parameters).fetchall() != []


@pytest.mark.parametrize("size", [1, 96, 97, 98])
def test_pages_of_any_size(connection: Connection, size: int) -> None:
    keys = (SortKey("Group", ascending=False), SortKey("id", ascending=False, nullable=False))
    assert walk(connection, keys, size) == ids_in_order(connection, keys)


def test_backwards(connection: Connection) -> None:
    for keys in ((SortKey("Group"), ID), (SortKey("price", ascending=False), ID)):
        back = [key.reversed() for key in keys]
        assert walk(connection, back, 6) == ids_in_order(connection, keys)[::-1]


def test_a_statement_s_own_parameters_come_first(connection: Connection) -> None:
    keys = (SortKey("Group", table="i"), SortKey("id", nullable=False, table="i"))
    after = after_row(keys, (2, 40), first=2)
    sql = f"SELECT i.id FROM item i JOIN item j USING (id) WHERE i.label = $1 AND {after.sql} ORDER BY 1"
    got = psycopg.RawCursor(connection).execute(sql.encode(), ["l1", *after.parameters]).fetchall()
    expected = connection.execute(
        b"""SELECT id FROM item
        WHERE label = 'l1' AND (("Group" = 2 AND id > 40) OR "Group" > 2 OR "Group" IS NULL) ORDER BY 1"""
    ).fetchall()
    assert got == expected


@pytest.fixture
def log(connection: Connection) -> Connection:
    """40,000 rows with many ties, and the index that the order wants."""
    connection.execute(
        b"CREATE TABLE log (day int NOT NULL, id int NOT NULL);"
        b"INSERT INTO log SELECT n / 400, n FROM generate_series(1, 40000) AS n;"
    )
    return connection


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        ((SortKey("day", nullable=False), ID), "(day, id)"),
        ((SortKey("day", ascending=False, nullable=False), SortKey("id", False, False)), "(day, id)"),
        (
            (SortKey("day", ascending=False), SortKey("id", False)),
            "(day, id)",
        ),  # nullable, but none can follow
        ((SortKey("day", ascending=False, nullable=False), ID), "(day DESC, id)"),
    ],
)
def test_a_deep_page_reads_hardly_more_than_itself(
    log: Connection, keys: tuple[SortKey, ...], index: str
) -> None:
    log.execute(f"CREATE INDEX ON log {index}".encode())
    log.execute(b"VACUUM ANALYZE log")
    (day, number) = log.execute(
        f"SELECT day, id FROM log ORDER BY {order_by(keys)} OFFSET 30399 LIMIT 1".encode()
    ).fetchone() or (0, 0)
    after = after_row(keys, (day, number))
    sql = f"SELECT id FROM log WHERE {after.sql} ORDER BY {order_by(keys)} LIMIT 20"
    explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) {sql}".encode()
    rows = psycopg.RawCursor(log).execute(explain, after.parameters).fetchall()
    limit = rows[0][0][0]["Plan"]
    (scan,) = limit["Plans"]
    assert scan["Node Type"] in ("Index Only Scan", "Index Scan")
    assert "Index Cond" in scan
    tied = 400 if "Filter" in scan else 0  # rows of the day the page begins in
    assert scan.get("Rows Removed by Filter", 0) <= tied
    assert limit["Shared Hit Blocks"] + limit["Shared Read Blocks"] < 20


def test_the_example_of_the_readme_works(connection: Connection) -> None:
    readme = Path(pgproof.runtime.__file__ or "").with_name("README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    names: dict[str, Callable[..., tuple[list[tuple[Any, ...]], str | None]]] = {}
    exec(example, names)
    connection.execute(
        b"CREATE TABLE orders (created_at timestamptz NOT NULL, id int PRIMARY KEY, total int);"
        b"INSERT INTO orders SELECT now() - n / 3 * interval '1 h', n, n FROM generate_series(1, 120) AS n;"
    )
    rows, cursor = names["page"](connection, None, SECRET)
    while cursor:
        more, cursor = names["page"](connection, cursor, SECRET)
        rows += more
    assert (
        rows
        == connection.execute(
            b"SELECT created_at, id, total FROM orders ORDER BY created_at DESC, id DESC"
        ).fetchall()
    )
