"""Turns rows of the catalog queries into the model's nouns. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pgproof.model.function import Function
from pgproof.model.relation import (
    Column,
    Constraint,
    ConstraintKind,
    ExtendedStatistics,
    Extension,
    Index,
    IndexKey,
    RelationKind,
    RelationName,
    Setting,
    Table,
)
from pgproof.model.statistics import ColumnStatistics, TableActivity
from pgproof.postgres.dsn import mask

Names = Mapping[int, RelationName]
"""The tables of the catalog by oid; rows about others (dropped meanwhile, an extension's) are left out."""


def columns_of(rows: Iterable[Any], statistics: Iterable[Any]) -> dict[int, tuple[Column, ...]]:
    """Return each table's columns by the table's oid, in the order of the rows."""
    known = {(row.table_oid, row.name): _statistics(row) for row in statistics}
    columns: dict[int, list[Column]] = defaultdict(list)
    for row in rows:
        columns[row.table_oid].append(
            Column(
                name=row.name,
                type_name=row.type_name,
                base_type=row.base_type,
                not_null=row.not_null,
                default=row.default_text or "",
                generated=row.generated,
                collation=row.collation or "",
                statistics=known.get((row.table_oid, row.name)),
                identity=row.identity,
                statistics_target=row.statistics_target,
                orderable=row.is_orderable,
            )
        )
    return {oid: tuple(found) for oid, found in columns.items()}


def tables_of(
    rows: Sequence[Any],
    names: Names,
    columns: Mapping[int, tuple[Column, ...]],
    definitions: Mapping[int, str],
    sizes: Mapping[int, int],
) -> tuple[Table, ...]:
    """Return the tables in the order of the rows; a partitioned one gets the sums of its partitions.

    Args:
        rows: Of the query ``tables``.
        names: Of the tables.
        columns: By table oid.
        definitions: Of views, by oid.
        sizes: In bytes, by oid.
    """
    whole_bytes = _sum_up(rows, sizes)
    whole_pages = _sum_up(rows, {row.oid: row.pages for row in rows})
    # Autovacuum never analyses a partitioned table itself, so that its own estimate is missing or old.
    whole_rows = _sum_up(rows, {row.oid: max(row.row_estimate, 0.0) for row in rows})
    analysed = _sum_up(rows, {row.oid: int(row.row_estimate >= 0) for row in rows})
    return tuple(
        Table(
            relation=names[row.oid],
            kind=RelationKind(row.kind),
            columns=columns.get(row.oid, ()),
            rows=whole_rows[row.oid] if analysed[row.oid] else -1,
            pages=whole_pages[row.oid],
            size_bytes=whole_bytes[row.oid],
            activity=_activity(row),
            parent=names.get(row.parent_oid),
            partition_key=row.partition_key or "",
            definition=definitions.get(row.oid) or "",
            row_security=row.row_security,
            owned=row.owned,
            owner=row.owner,
            options=tuple(row.options),
            inherits=tuple(names[oid] for oid in row.inherited_oids if oid in names),
        )
        for row in rows
    )


def indexes_of(
    rows: Sequence[Any], names: Names, key_rows: Iterable[Any], sizes: Mapping[int, int]
) -> tuple[Index, ...]:
    """Return the indexes in the order of the rows; a partitioned one gets the size of its parts.

    Args:
        rows: Of the query ``indexes``.
        names: Of the tables.
        key_rows: Of the query ``index_keys``, in key order.
        sizes: In bytes, by oid.
    """
    parts: dict[int, list[Any]] = defaultdict(list)
    for key_row in key_rows:
        parts[key_row.index_oid].append(key_row)
    own_names = {row.oid: RelationName(row.schema_name, row.index_name) for row in rows}
    whole_bytes = _sum_up(rows, sizes)
    return tuple(
        Index(
            relation=own_names[row.oid],
            table=names[row.table_oid],
            method=row.method,
            keys=tuple(_key(part) for part in parts[row.oid] if part.is_key),
            include=tuple(part.column_name for part in parts[row.oid] if not part.is_key),
            predicate=row.predicate or "",
            unique=row.is_unique,
            primary=row.is_primary,
            constraint=row.constraint_name or "",
            valid=row.is_valid,
            ready=row.is_ready,
            replica_identity=row.is_replica_identity,
            clustered=row.is_clustered,
            parent=own_names.get(row.parent_oid),
            definition=row.definition,
            size_bytes=whole_bytes[row.oid],
            scans=row.scans,
            last_scan_at=row.last_scan_at,
            building=row.is_building,
        )
        for row in rows
        if row.table_oid in names and row.definition and parts[row.oid]
    )


def constraints_of(rows: Iterable[Any], names: Names) -> tuple[Constraint, ...]:
    """Return the constraints in the order of the rows."""
    return tuple(
        Constraint(
            name=row.name,
            table=names[row.table_oid],
            kind=ConstraintKind(row.kind),
            columns=tuple(row.columns),
            definition=row.definition,
            validated=row.is_validated,
            deferrable=row.is_deferrable,
            references=RelationName(row.referenced_schema, row.referenced_table)
            if row.referenced_table
            else None,
            referenced_columns=tuple(row.referenced_columns),
        )
        for row in rows
        if row.table_oid in names and row.definition
    )


def statistics_of(rows: Iterable[Any], names: Names) -> tuple[ExtendedStatistics, ...]:
    """Return the CREATE STATISTICS objects in the order of the rows."""
    return tuple(
        ExtendedStatistics(
            relation=RelationName(row.schema_name, row.name),
            table=names[row.table_oid],
            columns=tuple(row.columns),
            kinds=tuple(row.kinds),
            definition=row.definition,
            distinct=tuple((tuple(names_of), float(count)) for names_of, count in row.distinct_groups or ()),
        )
        for row in rows
        if row.table_oid in names and row.definition
    )


def extensions_of(rows: Iterable[Any]) -> tuple[Extension, ...]:
    """Return the extensions in the order of the rows."""
    return tuple(
        Extension(
            name=row.name,
            installed_version=row.installed_version or "",
            available_version=row.available_version or "",
            schema=row.schema_name or "",
            trusted=row.is_trusted,
        )
        for row in rows
    )


def functions_of(rows: Iterable[Any]) -> tuple[Function, ...]:
    """Return the functions in the order of the rows."""
    return tuple(Function(row.schema_name, row.name, row.return_type) for row in rows)


def settings_of(
    rows: Iterable[Any], of_database: Iterable[Any] = (), of_system: Iterable[Any] = ()
) -> tuple[Setting, ...]:
    """Return the settings in the order of the rows; passwords, as in primary_conninfo, are masked.

    Args:
        rows: Of the query ``settings``.
        of_database: Of the query ``database_settings``.
        of_system: Of the query ``system_settings``.
    """
    database_values = {row.name.lower(): mask(row.value) for row in of_database}
    system_values = {row.name.lower(): mask(row.value) for row in of_system}
    return tuple(
        Setting(
            name=row.name,
            value=mask(row.value or ""),
            unit=row.unit or "",
            source=row.source or "",
            context=row.context,
            pending_restart=row.pending_restart,
            database_value=database_values.get(row.name.lower()),
            system_value=system_values.get(row.name.lower()),
        )
        for row in rows
    )


def _statistics(row: Any) -> ColumnStatistics:
    return ColumnStatistics(
        null_frac=row.null_frac,
        n_distinct=row.n_distinct,
        avg_width_bytes=row.avg_width_bytes,
        correlation=row.correlation,
        most_common_vals=tuple(row.most_common_vals or ()),
        most_common_freqs=tuple(row.most_common_freqs or ()),
        histogram_bounds=tuple(row.histogram_bounds or ()),
        element_freqs=tuple(row.element_freqs or ()),
        element_width_bytes=row.element_width_bytes or 0.0,
        elements_a_row=row.elements_a_row,
    )


def _activity(row: Any) -> TableActivity | None:
    if row.seq_scans is None:
        return None
    return TableActivity(
        seq_scans=row.seq_scans,
        seq_tup_read=row.seq_tup_read or 0,
        idx_scans=row.idx_scans or 0,
        inserts=row.inserts or 0,
        updates=row.updates or 0,
        deletes=row.deletes or 0,
        hot_updates=row.hot_updates or 0,
        live_rows=row.live_rows or 0,
        dead_rows=row.dead_rows or 0,
        mods_since_analyze=row.mods_since_analyze or 0,
        last_analyze_at=row.last_analyze_at,
        last_vacuum_at=row.last_vacuum_at,
    )


def _key(row: Any) -> IndexKey:
    return IndexKey(
        column=row.column_name or "",
        expression=row.expression or "",
        opclass=row.opclass,
        collation=row.collation or "",
        descending=row.is_descending,
        nulls_first=row.nulls_first,
    )


def _sum_up(rows: Sequence[Any], own: Mapping[int, Any]) -> dict[int, Any]:
    """Return for each row its own figure, or for one with children the sum of its leaves' figures."""
    children: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.parent_oid is not None:
            children[row.parent_oid].append(row.oid)

    def total(oid: int) -> Any:
        return sum(total(child) for child in children[oid]) if oid in children else own[oid]

    return {row.oid: total(row.oid) for row in rows}
