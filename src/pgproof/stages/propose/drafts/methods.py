"""Drafts of access methods beside B-tree for plain comparisons: BRIN for order on disk, hash for wide values.

**Source**: PostgreSQL documentation 65.5 (BRIN) and 64.6 (hash).
"""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.relation import Column, IndexKey
from pgproof.sqltext.shape import Operand
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.types import is_too_wide, width_bytes

BRIN_MIN_PAGES = 8192
"""64 MiB; smaller tables have too few block ranges to leave any out. **Source**: judgement."""

BRIN_MIN_CORRELATION = 0.9
"""Between the order of a column's values and that of the rows on disk. **Source**: judgement; below, nearly
every range of blocks has a wanted value."""

HASH_MIN_WIDTH_BYTES = 40
"""Average width from which a hash of four bytes is much smaller than a B-tree. **Source**: judgement."""

_PAGE_BYTES = 8192
_IN_ORDER = frozenset(
    {
        "int2",
        "int4",
        "int8",
        "numeric",
        "float4",
        "float8",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "uuid",
    }
)
_HASHED = frozenset({"text", "varchar", "bpchar", "citext", "bytea"})


def brin_drafts(access: Access) -> Iterator[Draft]:
    """Yield a BRIN draft for each compared column by whose values a big table lies in order on disk."""
    pages = max(access.table.pages, access.table.size_bytes / _PAGE_BYTES)
    if pages < BRIN_MIN_PAGES:
        return
    compared = [(bounded.operand, bounded.frac) for bounded in access.ranges]
    compared += [(equal.operand, equal.frac) for equal in access.equals if equal.single]
    for operand, frac in compared:
        column = access.table.column(operand.column or "")
        if column is not None and column.base_type in _IN_ORDER and _is_in_order(column):
            words = f"{operand.expression} in a range, and rows lie in that order"
            yield Draft(access.table, (IndexKey(column=column.name),), words, 1, method="brin", frac=frac)


def hash_drafts(access: Access) -> Iterator[Draft]:
    """Yield a hash draft for each wide column that is compared for equality."""
    compared: dict[Operand, float] = {equal.operand: equal.frac for equal in access.equals}
    compared |= {tie.operand: access.equal(tie.operand).frac for tie in access.ties}
    for operand, frac in compared.items():
        column = access.table.column(operand.column or "")
        if column is None or column.base_type not in _HASHED or column.generated == "virtual":
            continue
        if is_too_wide(column) or width_bytes(column) >= HASH_MIN_WIDTH_BYTES:
            words = f"equality on {operand.expression}, whose values are wide"
            rank = 0 if is_too_wide(column) else 3
            yield Draft(access.table, (IndexKey(column=column.name),), words, rank, method="hash", frac=frac)


def _is_in_order(column: Column) -> bool:
    correlation = column.statistics.correlation if column.statistics else None
    return correlation is not None and abs(correlation) >= BRIN_MIN_CORRELATION
