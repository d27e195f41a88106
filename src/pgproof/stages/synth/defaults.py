"""Values for columns that statistics say nothing about: plain ones, of the right form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgproof.model.synthesis import SourceColumn

_SPANS = {
    "numeric": ("0", "1000.00"),
    "float4": ("0", "1000"),
    "float8": ("0", "1000"),
    "money": ("0.00", "1000.00"),
    "date": ("2020-01-01", "2025-12-31"),
    "timestamp": ("2020-01-01 00:00:00", "2025-12-31 23:59:59"),
    "timestamptz": ("2020-01-01 00:00:00+00", "2025-12-31 23:59:59+00"),
    "time": ("00:00:00", "23:59:59"),
    "interval": ("00:00:00", "30 days"),
    "inet": ("10.0.0.0", "10.255.255.255"),
    "cidr": ("10.0.0.0", "10.255.255.255"),
    "macaddr": ("02:00:00:00:00:00", "02:ff:ff:ff:ff:ff"),
}
_FORMS = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "bytea": "\\x0000000000000000",
    "jsonb": '{"key": "aaaaaaaaaaa"}',
    "json": '{"key": "aaaaaaaaaaa"}',
    "xml": "<a>1</a>",
    "tsvector": "'a'",
    "point": "(1,1)",
    "pg_lsn": "0/1",
    "timetz": "00:00:00+00",
    "macaddr8": "02:00:00:ff:fe:00:00:00",
    "jsonpath": "$",
    "tsquery": "'a'",
    "box": "(1,1),(0,0)",
    "circle": "<(0,0),1>",
    "lseg": "[(0,0),(1,1)]",
    "path": "((0,0),(1,1))",
    "polygon": "((0,0),(1,1),(1,0))",
    "line": "{1,-1,0}",
    "hstore": "",
}
_RANGE_ENDS = {
    "int4": ("1", "100"),
    "int8": ("1", "100"),
    "numeric": ("1", "100"),
    "date": ("2024-01-01", "2024-02-01"),
    "timestamp": ("2024-01-01 00:00:00", "2024-02-01 00:00:00"),
    "timestamptz": ("2024-01-01 00:00:00+00", "2024-02-01 00:00:00+00"),
}
_WORD_CHARS = 12
_LISTED = re.compile(r"'((?:[^']|'')*)'::")


def listed_values(checks: Sequence[str]) -> tuple[str, ...]:
    """Return the only values that CHECK constraints allow, sorted; empty where they list none.

    Args:
        checks: Their texts.
    """
    found = (value for check in checks if "= ANY (" in check for value in _LISTED.findall(check))
    return tuple(sorted({value.replace("''", "'") for value in found}))


def default_values(column: SourceColumn, rows: int, checks: Sequence[str] = ()) -> tuple[str, ...]:
    """Return values of a column in ascending order; others may lie between.

    Args:
        column: Whose.
        rows: Of the table: whole numbers go so far.
        checks: Texts of its CHECK constraints; a list of allowed values is taken from there.

    Returns:
        Empty where no value of that type can be made.
    """
    listed = listed_values(checks)
    if listed:
        return listed
    if column.kind == "e":
        return column.labels
    if column.base_type in ("int2", "int4", "int8", "oid"):
        greatest = min(max(rows, 2), 32767 if column.base_type == "int2" else 2**31 - 1)
        return ("1", str(greatest))
    if column.base_type == "bool":
        return ("f", "t")
    if column.base_type in _SPANS:
        return _limited_span(column)
    if column.kind == "r":
        return tuple(f"[{low},{high})" for low, high in [_RANGE_ENDS.get(column.element, ("", ""))] if low)
    if column.base_type in ("bit", "varbit"):
        return ("0" * max(column.limit, 1),)
    if column.category == "A":
        return ("{}",)
    if column.kind == "m":
        return ("{}",)
    return _text(column)


def _limited_span(column: SourceColumn) -> tuple[str, ...]:
    low, high = _SPANS[column.base_type]
    if column.base_type == "numeric" and column.precision:
        whole = column.precision - (column.scale or 0)
        high = str(min(1000, 10 ** max(whole, 0) - 1)) if whole > 0 else "0"
        low = "0"
    return (low, high) if low != high else (low,)


def _text(column: SourceColumn) -> tuple[str, ...]:
    if column.base_type in _FORMS:
        return (_FORMS[column.base_type],)
    if column.category == "S" or column.base_type == "citext":
        width = _WORD_CHARS
        if column.statistics is not None and column.statistics.avg_width_bytes > 0:
            width = max(column.statistics.avg_width_bytes - 1, 1)
        if column.limit:
            width = min(width, column.limit)
        return ("a" * min(width, _WORD_CHARS),)
    return ()
