"""What ANALYZE would find in a materialised view that sums up, from the statistics of its tables. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pgproof.model.catalog import Catalog
from pgproof.model.larger_change import ViewCandidate, ViewColumn
from pgproof.model.relation import Column
from pgproof.postgres.shadow.planted import DerivedColumn
from pgproof.stages.estimate.sizes.widths import UNKNOWN_WIDTH_BYTES

_PAGE_BYTES = 8192
_PAGE_HEADER_BYTES = 24
_ROW_HEADER_BYTES = 24 + 4  # the tuple's header, aligned, and its line pointer
_INDEX_ROW_HEADER_BYTES = 8 + 4
_LEAF_FILL_FRAC = 0.9
_ALIGNMENT_BYTES = 8

NUMERIC_BYTES = 10
"""Of a sum or a mean. **Source**: struct NumericShort: 3 bytes, and 2 for each 4 digits; up to 16 of them."""


def derive_statistics(candidate: ViewCandidate, catalog: Catalog, rows: float) -> Iterator[DerivedColumn]:
    """Yield the keys that hold the values of a table's column.

    A lone key is different in each row. One of several holds its column's values, about equally often: how
    often each comes, nobody knows. Aggregates and expressions have no statistics, as they would have none
    before an ANALYZE.

    Args:
        candidate: The view.
        catalog: Has its tables' statistics.
        rows: Of the view.
    """
    keys = [column for column in candidate.columns if column.is_key]
    for key in keys:
        column = _column_of(key, catalog)
        if key.table is None or column is None or column.statistics is None:
            continue
        table = catalog.find_table(key.table.name, key.table.schema)
        distinct = column.statistics.distinct_rows(max(table.rows, 1.0)) if table else rows
        has_nulls = column.statistics.null_frac > 0
        yield DerivedColumn(
            view=candidate.change.view,
            name=key.name,
            table=key.table,
            column=key.column,
            null_frac=1 / (distinct + 1) if has_nulls else 0.0,
            n_distinct=-1.0 if len(keys) == 1 else min(distinct, rows),
        )


def heap_pages(rows: float, width_bytes: int) -> int:
    """Return the pages of a table without dead rows.

    Args:
        rows: Of it, >= 0.
        width_bytes: Mean width of a row's values.
    """
    per_row = _aligned(width_bytes) + _ROW_HEADER_BYTES
    per_page = max((_PAGE_BYTES - _PAGE_HEADER_BYTES) // per_row, 1)
    return math.ceil(rows / per_page)


def unique_index_pages(rows: float, key_bytes: int) -> int:
    """Return the pages of a B-tree in which no key comes twice, its metapage included.

    Args:
        rows: Of its table.
        key_bytes: Mean width of its keys.
    """
    per_row = _aligned(key_bytes) + _INDEX_ROW_HEADER_BYTES
    per_page = max(int((_PAGE_BYTES - _PAGE_HEADER_BYTES - 16) * _LEAF_FILL_FRAC) // per_row, 2)
    pages, level = 1, math.ceil(max(rows, 1) / per_page)
    while level > 1:
        pages += level
        level = math.ceil(level / per_page)
    return pages + 1


def column_widths(
    candidate: ViewCandidate, catalog: Catalog, types: Mapping[str, tuple[str, int]]
) -> Mapping[str, int]:
    """Return the mean width in bytes of each of a view's columns.

    Args:
        candidate: The view.
        catalog: Has its tables' statistics.
        types: Of its columns by name: ``pg_type.typname``, and the length, below 0 where it varies.
    """
    widths = {}
    for column in candidate.columns:
        type_name, length = types.get(column.name, ("", -1))
        found = _column_of(column, catalog)
        if length > 0:
            widths[column.name] = length
        elif found is not None and found.statistics is not None:
            widths[column.name] = found.statistics.avg_width_bytes
        else:
            widths[column.name] = NUMERIC_BYTES if type_name == "numeric" else UNKNOWN_WIDTH_BYTES
    return widths


def _column_of(key: ViewColumn, catalog: Catalog) -> Column | None:
    table = catalog.find_table(key.table.name, key.table.schema) if key.table else None
    return table.column(key.column) if table else None


def _aligned(width: int) -> int:
    return -(-width // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
