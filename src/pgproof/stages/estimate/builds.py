"""How long an index takes to build: a rough figure, for budgets of build time."""

from __future__ import annotations

from math import log2

from pgproof.model.change import CreateIndex
from pgproof.model.relation import Table
from pgproof.stages.estimate.sizes.unanalysed import guess_rows

SCAN_BYTES_A_S = 400e6
"""Heap read in a second, from memory or a fast disk. **Source**: measured on TPC-H, PostgreSQL 18: 0.9 GB of
``lineitem`` in about 2 s."""

SORT_S_A_ROW = 2.2e-8
"""Per row and doubling of rows. **Source**: measured on TPC-H, PostgreSQL 18: 6 million integers in 2.9 s."""

INSERT_S_A_ROW = {"gin": 1e-5, "gist": 1e-5, "spgist": 5e-6, "hash": 1e-6, "brin": 2e-8}
"""Methods that don't sort. **Source**: judgement from single builds; GIN has an entry a key of the row."""


def build_seconds(change: CreateIndex, table: Table) -> float:
    """Return about how long building an index keeps one core busy, without waiting for others.

    Args:
        change: The index.
        table: Its table; with no rows known, as many as its length holds.
    """
    rows = table.rows if table.rows >= 0 else guess_rows(table)
    scan = table.size_bytes / SCAN_BYTES_A_S
    if change.method == "btree":
        return scan + rows * log2(rows + 2) * SORT_S_A_ROW * max(len(change.keys), 1)
    return scan + rows * INSERT_S_A_ROW.get(change.method, 1e-6)
