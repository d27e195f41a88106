"""Figures and statistics of relations that only a shadow has: what VACUUM and ANALYZE would find there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgproof.model.relation import RelationName
from pgproof.model.statistics import ColumnStatistics
from pgproof.postgres.shadow.lanes import Workshop
from pgproof.sqltext.quote import qualify, quote_identifier


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A column of a view that holds the values of a table's column.

    Args:
        view: Of which view.
        name: In the view.
        table: Where the values come from.
        column: That column.
        null_frac: Share of NULLs in the view, 0 to 1.
        n_distinct: As in pg_stats, of the view.
    """

    view: RelationName
    name: str
    table: RelationName
    column: str
    null_frac: float
    n_distinct: float


def set_table_figures(
    workshop: Workshop, table: RelationName, pages: int, rows: float, all_visible_pages: int = 0
) -> None:
    """Give a table or a materialised view its pages and rows.

    Args:
        workshop: It is there.
        table: Its name.
        pages: Of its main fork.
        rows: Live rows.
        all_visible_pages: Pages an index-only scan need not look into.
    """
    workshop.query(
        "shadow_table_figures",
        {
            "schema": table.schema,
            "table": table.name,
            "pages": pages,
            "rows": rows,
            "all_visible_pages": all_visible_pages,
        },
    )


def set_column_statistics(
    workshop: Workshop, table: RelationName, column: str, statistics: ColumnStatistics
) -> None:
    """Give a column statistics; those of array elements are left out."""
    common, bounds = statistics.most_common_vals, statistics.histogram_bounds
    workshop.query(
        "shadow_column_statistics",
        {
            "schema": table.schema,
            "table": table.name,
            "column": column,
            "null_frac": statistics.null_frac,
            "width_bytes": statistics.avg_width_bytes,
            "n_distinct": statistics.n_distinct,
            "common": _array(common) if common else None,
            "freqs": list(statistics.most_common_freqs) if common else None,
            "bounds": _array(bounds) if bounds else None,
            "correlation": statistics.correlation,
        },
    )


def copy_statistics(
    workshop: Workshop,
    source: RelationName,
    targets: Sequence[RelationName],
    *,
    besides: Sequence[str] = (),
    inherited: bool = False,
) -> None:
    """Give columns the statistics of the columns of the same name of another table.

    Args:
        workshop: All of them are there.
        source: It has statistics.
        targets: In the same schema; none has statistics yet.
        besides: Columns to leave out.
        inherited: As statistics of a table with all its partitions.
    """
    workshop.query(
        "shadow_copied_statistics",
        {
            "schema": source.schema,
            "source": source.name,
            "targets": [target.name for target in targets],
            "besides": list(besides),
            "inherited": inherited,
        },
    )


def derive_view_statistics(workshop: Workshop, columns: Sequence[DerivedColumn]) -> None:
    """Give columns of views the values of the tables' columns they come from, each value once.

    One whose type has no order goes without.
    """
    if not columns:
        return
    rows = workshop.query(
        "shadow_view_statistics",
        {
            "view_schemas": [column.view.schema for column in columns],
            "view_names": [column.view.name for column in columns],
            "view_columns": [column.name for column in columns],
            "null_fracs": [column.null_frac for column in columns],
            "n_distincts": [column.n_distinct for column in columns],
            "table_schemas": [column.table.schema for column in columns],
            "table_names": [column.table.name for column in columns],
            "table_columns": [column.column for column in columns],
        },
    )
    workshop.run_all([row.statement for row in rows])


def admit_reader(workshop: Workshop, tables: Sequence[RelationName], role: str) -> None:
    """Let a role read tables that came after it was let in.

    Args:
        workshop: They are there.
        tables: Their names.
        role: As whom the shadow is asked; empty for its superuser, who may read all.
    """
    if role:
        workshop.run_all(
            [
                f"GRANT ALL ON TABLE {qualify(table.schema, table.name)} TO {quote_identifier(role)}"
                for table in tables
            ]
        )


def _array(values: Sequence[str]) -> str:
    """Write values as an array's text form."""
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
