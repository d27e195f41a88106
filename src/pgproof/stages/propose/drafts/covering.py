"""Forms of a draft that hold all that is read, so that the table itself need not be visited.

**Source**: PostgreSQL documentation 11.9. Payload columns keep the inner pages small; columns as trailing
keys can be deduplicated, and filtered by within the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pgproof.model.relation import Column, IndexKey, Table
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.types import (
    INCLUDE_MAX_TOTAL_BYTES,
    can_be_btree_key,
    can_be_payload,
    width_bytes,
)

MAX_INCLUDED = 8
"""Payload columns of one index. **Source**: judgement."""

MAX_ENTRY_FRAC = 0.75
"""Of a row's width, that an entry may have; beyond, the index is a second table. **Source**: judgement."""

MIN_ROWS = 20
"""Fewer rows than that are not worth an index-only scan. **Source**: judgement."""

_ROW_OVERHEAD_BYTES = 28
_ENTRY_OVERHEAD_BYTES = 12


def covering_drafts(access: Access, draft: Draft, max_width: int) -> Iterator[Draft]:
    """Yield a draft with the other columns that are read as payload, and with them as trailing keys.

    Nothing where an index can't spare the table, or would be too wide for that to pay.
    """
    extra = _missing(access, draft)
    if not extra:
        return
    names = tuple(column.name for column in extra)
    held = replace(draft, rank=draft.rank + 1, asks=f"{draft.asks}, with {', '.join(names)} at hand")
    held = replace(held, pays_whole=True, holds_all=True)
    if len(names) <= MAX_INCLUDED and all(map(can_be_payload, extra)):
        yield replace(held, include=names)
    if len(draft.keys) + len(names) <= max_width and all(map(can_be_btree_key, extra)):
        compared = {name for predicate in access.conditions for name in predicate.operand.columns}
        in_order = sorted(names, key=lambda name: (name not in compared, name))
        keys = tuple(IndexKey(column=name) for name in in_order)
        yield replace(held, keys=(*draft.keys, *keys), rank=draft.rank + 2)


def slim_copy(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield a narrow copy of what is read, for a level that reads all rows as they come.

    An index-only scan of it reads fewer pages than the table has.
    """
    plain = Draft(access.table, (), "reads little of each row", rank=1)
    asks_nothing = not (access.ties or access.order or access.groups or list(access.conditions))
    columns = _missing(access, plain) if asks_nothing and len(access.reads) <= max_width else []
    if columns and all(map(can_be_btree_key, columns)):
        keys = tuple(IndexKey(column=column.name) for column in columns)
        yield replace(
            plain, keys=keys, pays_whole=True, holds_all=True, asks=f"{plain.asks}: {', '.join(access.reads)}"
        )


def with_coverage(draft: Draft, *accesses: Access) -> Draft:
    """Return a draft marked as holding all that is read, where it does so for one of the accesses."""
    held = any(access.covers and draft.held.issuperset(access.reads) for access in accesses)
    return replace(draft, pays_whole=True, holds_all=True) if held else draft


def _missing(access: Access, draft: Draft) -> list[Column]:
    """Return the columns a covering form has to add, in name order; none where there should be none."""
    if draft.include or not access.covers or any(key.expression for key in draft.keys):
        return []
    sorted_and_limited = draft.pays_whole and access.limited and not access.ties
    if sorted_and_limited or (not access.ties and draft.frac * max(access.table.rows, 0) < MIN_ROWS):
        return []
    # What a predicate fixes need not be held, unless it is among the results: the planner will tell.
    names = [name for name in access.reads if name not in draft.held and name not in draft.where_columns]
    columns = [column for name in names if (column := access.table.column(name)) is not None]
    if len(columns) != len(names) or sum(map(width_bytes, columns)) > INCLUDE_MAX_TOTAL_BYTES:
        return []
    return columns if _is_slim(access.table, draft, columns) else []


def _is_slim(table: Table, draft: Draft, extra: list[Column]) -> bool:
    keys = [column for key in draft.keys if (column := table.column(key.column)) is not None]
    entry_bytes = _ENTRY_OVERHEAD_BYTES + sum(map(width_bytes, (*keys, *extra)))
    row_bytes = _ROW_OVERHEAD_BYTES + sum(map(width_bytes, table.columns))
    return entry_bytes <= MAX_ENTRY_FRAC * row_bytes
