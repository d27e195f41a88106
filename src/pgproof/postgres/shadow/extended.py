"""Carries the contents of CREATE STATISTICS over, which no dump of today holds.

What the server shows as text is written in its stored form again, with the shadow's own column numbers. Lists
of common combinations are copied as they are stored, which only a superuser may read.

**Source**: PostgreSQL 18, statistics.h, ``statext_ndistinct_serialize`` and
``statext_dependencies_serialize``; the same since 13.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgproof.postgres.query_files import load_query
from pgproof.postgres.session import Row, Session

_NDISTINCT_MAGIC, _DEPENDENCIES_MAGIC, _BASIC = 0xA352BFA4, 0xB4549A2C, 1
_CASTS = ("pg_ndistinct", "pg_dependencies", "pg_mcv_list")
_MAJOR = 18


@dataclass(frozen=True, slots=True)
class ExtendedData:
    """What ANALYZE found for one statistics object.

    Args:
        schema: Of the object.
        name: Of the object.
        inherits: About a table with its children.
        columns: Names by the target's column numbers.
        n_distinct: As the server shows it, empty where there is none.
        dependencies: The same.
        mcv: As the server stores it; empty where there is none or it can't be carried over.
        has_list: There is one.
    """

    schema: str
    name: str
    inherits: bool
    columns: tuple[tuple[int, str], ...]
    n_distinct: str
    dependencies: str
    mcv: bytes
    has_list: bool

    @property
    def note(self) -> str:
        """What of it is not carried over, empty where all is."""
        if not self.has_list or self.mcv:
            return ""
        return (
            f"extended statistics {self.schema}.{self.name}: its list of common combinations can only be "
            "read by a superuser, and only of built-in types"
        )


def read_extended(session: Session, *, superuser: bool) -> tuple[ExtendedData, ...]:
    """Read a target's, by name.

    Args:
        session: On the target.
        superuser: Its role is one.
    """
    lists: list[Row] = session.query("extended_lists") if superuser else []
    stored = {(row.schema_name, row.statistics_name, row.inherits): bytes(row.mcv) for row in lists}
    return tuple(
        ExtendedData(
            schema=row.schema_name,
            name=row.statistics_name,
            inherits=row.inherits,
            columns=tuple(zip(row.column_numbers or (), row.column_names or (), strict=True)),
            n_distinct=row.n_distinct or "",
            dependencies=row.dependencies or "",
            mcv=stored.get((row.schema_name, row.statistics_name, row.inherits), b""),
            has_list=row.has_list,
        )
        for row in session.query("extended_data")
    )


def write_extended(connection: psycopg.Connection[Any], found: Sequence[ExtendedData]) -> None:
    """Write them into a shadow; one that does not fit is left out.

    Args:
        connection: To the shadow's database, as a superuser, in autocommit mode.
        found: From `read_extended`.
    """
    if not found:
        return
    for kind in _CASTS:
        connection.execute(f"CREATE CAST (bytea AS {kind}) WITHOUT FUNCTION".encode())
    for data in found:
        _write_one(connection, data)
    for kind in _CASTS:
        connection.execute(f"DROP CAST (bytea AS {kind})".encode())


def _write_one(connection: psycopg.Connection[Any], data: ExtendedData) -> None:
    cursor = connection.cursor(row_factory=namedtuple_row)
    of_object = {"schema": data.schema, "name": data.name}
    columns = load_query("shadow_extended_columns", _MAJOR).encode()
    rows: list[Row] = cursor.execute(columns, of_object).fetchall()
    here = {row.column_name: row.column_number for row in rows}
    numbers = {there: here[name] for there, name in data.columns if name in here}
    if len(numbers) < len(data.columns):
        return
    values = {
        "inherits": data.inherits,
        "n_distinct": pack_ndistinct(data.n_distinct, numbers) if data.n_distinct else None,
        "dependencies": pack_dependencies(data.dependencies, numbers) if data.dependencies else None,
        "mcv": data.mcv or None,
    }
    cursor.execute(load_query("shadow_extended", _MAJOR).encode(), {**of_object, **values})


def pack_ndistinct(shown: str, numbers: Mapping[int, int]) -> bytes:
    """Return a pg_ndistinct's stored form.

    Args:
        shown: Its text, such as ``{"1, 3": 40}``.
        numbers: New column numbers by the ones in it; numbers below 0 are expressions and stay.
    """
    items = [
        struct.pack("<di", float(distinct), len(columns)) + _numbers(columns)
        for columns, distinct in _entries(shown, numbers, lambda key: key.split(","))
    ]
    return struct.pack("<III", _NDISTINCT_MAGIC, _BASIC, len(items)) + b"".join(items)


def pack_dependencies(shown: str, numbers: Mapping[int, int]) -> bytes:
    """Return a pg_dependencies' stored form.

    Args:
        shown: Its text, such as ``{"1, 2 => 3": 0.5}``.
        numbers: See `pack_ndistinct`.
    """
    items = [
        struct.pack("<dh", float(degree), len(columns)) + _numbers(columns)
        for columns, degree in _entries(shown, numbers, lambda key: key.replace("=>", ",").split(","))
    ]
    return struct.pack("<III", _DEPENDENCIES_MAGIC, _BASIC, len(items)) + b"".join(items)


def _entries(
    shown: str, numbers: Mapping[int, int], split: Callable[[str], list[str]]
) -> Iterator[tuple[list[int], float]]:
    for key, figure in json.loads(shown).items():
        there = [int(number) for number in split(key)]
        yield [numbers.get(number, number) for number in there], figure


def _numbers(columns: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(columns)}h", *columns)
