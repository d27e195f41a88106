"""What the server keeps about a table: the values in its columns, and how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """pg_stats of one column.

    Args:
        null_frac: Share of NULLs, 0 to 1.
        n_distinct: As in pg_stats: > 0 a count, < 0 minus the share of rows.
        avg_width_bytes: Average width.
        correlation: Physical order against logical order, -1 to 1; None where not orderable.
        most_common_vals: Text forms, most frequent first; row values: never print them.
        most_common_freqs: Their shares, same order.
        histogram_bounds: Text forms, ascending, may be empty; row values: never print them.
        element_freqs: Of arrays and tsvectors: shares of the rows that hold each frequent element, falling.
        element_width_bytes: Mean width of those elements' text forms; 0 where there are none.
        elements_a_row: Different elements of an array, on average; None for other types.
    """

    null_frac: float
    n_distinct: float
    avg_width_bytes: int
    correlation: float | None = None
    most_common_vals: tuple[str, ...] = ()
    most_common_freqs: tuple[float, ...] = ()
    histogram_bounds: tuple[str, ...] = ()
    element_freqs: tuple[float, ...] = ()
    element_width_bytes: float = 0.0
    elements_a_row: float | None = None

    def distinct_rows(self, rows: float) -> float:
        """Return the number of distinct values among ``rows`` rows, at least 1."""
        count = self.n_distinct if self.n_distinct > 0 else -self.n_distinct * rows
        return max(count, 1.0)


@dataclass(frozen=True, slots=True)
class TableActivity:
    """pg_stat_all_tables, cumulative since the statistics were reset."""

    seq_scans: int = 0
    seq_tup_read: int = 0
    idx_scans: int = 0
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    hot_updates: int = 0
    live_rows: int = 0
    dead_rows: int = 0
    mods_since_analyze: int = 0
    last_analyze_at: datetime | None = None
    last_vacuum_at: datetime | None = None
