"""Which drafts are worth asking the planner about."""

from __future__ import annotations

from pgproof.changes import refusals
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.relation import ConstraintKind, Table
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.drafts.methods import BRIN_MIN_CORRELATION
from pgproof.stages.propose.existing import finds_one_row, serves
from pgproof.stages.propose.types import BTREE_KEY_MAX_BYTES, width_bytes

MIN_PAGES = 10
"""Smaller tables are read whole as fast as an index on them. **Source**: judgement; 80 KiB, a tenth of a
millisecond, which only counts in a statement that runs thousands of times a second."""

MIN_ROWS = 500
"""Of a table worth an index. **Source**: judgement."""

MAX_PLAIN_FRAC = 0.2
"""An index that leads to more of its table is left unused. **Source**: judgement: the planner's break-even
for scattered rows lies below a tenth; twice that, to be safe on fast storage."""

MAX_IN_ORDER_FRAC = 0.6
"""The same where the rows lie on disk in the order of the index. **Source**: judgement."""

MAX_KEYS = 32
"""**Source**: ``INDEX_MAX_KEYS``, src/include/pg_config_manual.h."""

_PAGE_BYTES = 8192
_BOUND_METHODS = ("btree", "hash")


def pages_of(table: Table) -> float:
    """Return the pages of a table; of a partitioned one those of its partitions."""
    return max(table.pages, table.size_bytes / _PAGE_BYTES)


def is_worth_indexing(table: Table) -> bool:
    """Tell whether a table is big enough; one that was never analysed counts by its pages."""
    return pages_of(table) >= MIN_PAGES and not 0 <= table.rows < MIN_ROWS


def is_pinned(access: Access) -> bool:
    """Tell whether a unique index finds the one row already, whatever else is asked of it."""
    compared = {equal.operand.column for equal in access.equals if equal.single}
    compared |= {tie.operand.column for tie in access.ties if tie.from_outside}
    return any(
        index.unique
        and index.valid
        and not index.predicate
        and all(key.column in compared and key.column for key in index.keys)
        for index in access.catalog.indexes_of(access.table.relation)
    )


def primary_key(table: Table, catalog: Catalog) -> tuple[str, ...]:
    """Return the columns of a table's primary key; empty without one."""
    for constraint in catalog.constraints_of(table.relation):
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            return constraint.columns
    return ()


def is_sensible(draft: Draft, catalog: Catalog) -> bool:
    """Tell whether a draft can be built, leads to little enough, and does what no existing index does."""
    if len(draft.keys) + len(draft.include) > MAX_KEYS or _is_too_wide(draft):
        return False
    if draft.method in _BOUND_METHODS and _leads_to_most(draft):
        return False
    return not any(
        serves(index, draft) or (not draft.holds_all and finds_one_row(index, draft))
        for index in catalog.indexes_of(draft.table.relation)
    )


def can_be_built(candidate: IndexCandidate, catalog: Catalog) -> bool:
    """Tell whether nothing but the role stands in the way of a candidate: who looks is seldom who builds."""
    return not refusals(candidate.change, catalog.of_owner, candidate.requires)


def _leads_to_most(draft: Draft) -> bool:
    if draft.pays_whole or draft.include or draft.where:
        return False
    column = draft.table.column(draft.keys[0].column)
    correlation = column.statistics.correlation if column and column.statistics else None
    in_order = correlation is not None and abs(correlation) >= BRIN_MIN_CORRELATION
    return draft.frac > (MAX_IN_ORDER_FRAC if in_order else MAX_PLAIN_FRAC)


def _is_too_wide(draft: Draft) -> bool:
    """Tell whether an entry would not fit, on average; what is wide by itself is left out long before."""
    if draft.method != "btree":
        return False
    columns = (draft.table.column(name) for name in draft.held)
    return sum(width_bytes(column) for column in columns if column is not None) > BTREE_KEY_MAX_BYTES // 2
