"""How many rows a table may hold that was never analysed: its length is known, and how wide its columns are.

**Source**: the planner does the same with such a table, estimate_rel_size and get_typavgwidth (plancat.c,
lsyscache.c).
"""

from __future__ import annotations

from pgproof.model.relation import Table
from pgproof.stages.estimate.sizes.layout import align, layout_of
from pgproof.stages.estimate.sizes.widths import UNKNOWN_WIDTH_BYTES, declared_width

PAGE_BYTES = 8192
_PAGE_HEADER_BYTES = 24
_ROW_HEADER_BYTES = 24 + 4  # the tuple's header, aligned, and its line pointer


def guess_rows(table: Table) -> float:
    """Return about how many rows fit into a table's pages, 0 where it has none; bloat counts as rows."""
    width = sum(
        layout_of(column.base_type, 0).length_bytes or declared_width(column) or UNKNOWN_WIDTH_BYTES
        for column in table.columns
    )
    rows_a_page = (PAGE_BYTES - _PAGE_HEADER_BYTES) // (align(width) + _ROW_HEADER_BYTES)
    return float(table.size_bytes // PAGE_BYTES * max(rows_a_page, 1))
