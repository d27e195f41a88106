"""How densely a table's pages are filled: the planner goes by the length of the file, and tables bloat."""

from __future__ import annotations

from pgproof.model.synthesis import SourceTable

_PAGE_BYTES, _PAGE_HEADER_BYTES = 8192, 24
_ROW_HEADER_BYTES, _POINTER_BYTES = 24, 4
_ALIGNMENT = 8
_BLOATED = 0.85
"""Share of full pages below which a file counts as bloated. **Source**: judgement; widths are averages."""
_PAGES_MIN = 8
_LEAST, _FULL = 10, 100


def fill_percent(table: SourceTable) -> int:
    """Return how full to make a table's pages, so that its file becomes as long as the source's.

    Args:
        table: With the widths of its columns and the length of its file.

    Returns:
        A fillfactor: the table's own unless its file is longer than its rows need.

    **Source**: PostgreSQL 18, storage-page-layout; fillfactor in sql-createtable.
    """
    if table.pages < _PAGES_MIN or not table.analysed:
        return table.fillfactor
    width = _ROW_HEADER_BYTES
    for column in table.columns:
        if column.statistics is not None:
            width += round(column.statistics.avg_width_bytes * (1 - column.statistics.null_frac))
    width = -(-width // _ALIGNMENT) * _ALIGNMENT + _POINTER_BYTES
    full_pages = table.rows * width / (_PAGE_BYTES - _PAGE_HEADER_BYTES)
    percent = round(_FULL * full_pages / table.pages)
    if percent >= _BLOATED * table.fillfactor:
        return table.fillfactor
    return max(percent, _LEAST)
