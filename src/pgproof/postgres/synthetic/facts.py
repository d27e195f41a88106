"""Reads of a source what synthetic data is made from: its catalog, never a row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pgproof.model.catalog import Catalog
from pgproof.model.relation import RelationName
from pgproof.model.synthesis import (
    JointStatistics,
    SourceColumn,
    SourceTable,
    SynthesisSource,
    WholeStatistics,
)
from pgproof.postgres.session import Row, Session

FORMAT: Mapping[str, str] = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
}
"""What values are read and written in, whatever the database's own settings are."""

_TEXT_MODIFIERS = ("varchar", "bpchar")
_BIT_MODIFIERS = ("bit", "varbit")
_HEADER = 4
_CODE_POINT = ("C", "POSIX", "ucs_basic", "pg_c_utf8", "C.UTF-8", "C.UTF8", "C.utf8", "PG_UNICODE_FAST")


def read_synthesis_source(session: Session, catalog: Catalog) -> SynthesisSource:
    """Read columns and their whole statistics.

    Args:
        session: On the source; it may be read-only.
        catalog: Of the same database: constraints, indexes, and what could not be read.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the server says.
    """
    with session.rolled_back():
        for setting, value in FORMAT.items():
            session.value("SELECT pg_catalog.set_config($1, $2, true)", (setting, value))
        locale = session.query("database_locale")[0]
        by_code_point = (locale.locale_name or locale.collate_name) in _CODE_POINT
        tables = session.query("synthesis_tables")
        names = {row.oid: RelationName(row.schema_name, row.table_name) for row in tables}
        statistics = {
            (row.table_oid, row.name): _statistics(row) for row in session.query("synthesis_statistics")
        }
        columns: dict[int, list[SourceColumn]] = defaultdict(list)
        for row in session.query("synthesis_columns"):
            known = statistics.get((row.table_oid, row.name))
            columns[row.table_oid].append(_column(row, known, by_code_point))
        joint = session.query("synthesis_joint")
    return SynthesisSource(
        tables=tuple(_table(row, names, tuple(columns.get(row.oid, ()))) for row in tables),
        constraints=catalog.constraints,
        indexes=catalog.indexes,
        joint=_joint(joint, names),
        notes=catalog.notes,
    )


def _table(row: Row, names: Mapping[int, RelationName], columns: tuple[SourceColumn, ...]) -> SourceTable:
    return SourceTable(
        relation=names[row.oid],
        columns=columns,
        rows=_rows_today(row, columns),
        pages=row.pages,
        visible_frac=min(row.visible_pages / row.estimate_pages, 1.0) if row.estimate_pages > 0 else 1.0,
        analysed=any(column.statistics for column in columns),
        partitioned=row.is_partitioned,
        parent=names.get(row.parent_oid),
        strategy=row.strategy,
        fillfactor=row.fillfactor,
    )


def _rows_today(row: Row, columns: tuple[SourceColumn, ...]) -> float:
    """Count as the planner does: as dense as when somebody last counted, in a file as long as today's.

    **Source**: PostgreSQL 18, tableam.c, ``table_block_relation_estimate_size``.
    """
    if row.is_partitioned or row.pages == 0:
        return 0.0
    if row.row_estimate >= 0 and row.estimate_pages > 0:
        return float(row.row_estimate / row.estimate_pages * row.pages)
    width = 28 + sum(column.statistics.avg_width_bytes if column.statistics else 12 for column in columns)
    return float((8192 - 24) // max(width, 32) * row.pages)


def _column(row: Row, statistics: WholeStatistics | None, by_code_point: bool) -> SourceColumn:
    modifier = row.type_modifier
    has_limit = row.base_type in (*_TEXT_MODIFIERS, *_BIT_MODIFIERS) and modifier >= 0
    is_numeric = row.base_type == "numeric" and modifier >= _HEADER
    header = _HEADER if row.base_type in _TEXT_MODIFIERS else 0
    # The scale has a sign since 15: eleven bits.
    scale = (((modifier - _HEADER) & 0x7FF) ^ 1024) - 1024 if is_numeric else None
    return SourceColumn(
        name=row.name,
        number=row.number,
        type_name=row.type_name,
        base_type=row.base_type,
        kind=row.kind,
        category=row.category,
        limit=modifier - header if has_limit else 0,
        scale=scale,
        precision=((modifier - _HEADER) >> 16) & 0xFFFF if is_numeric else 0,
        element=row.element,
        labels=tuple(row.labels),
        not_null=row.not_null,
        default=row.default_text,
        generated=row.is_generated,
        code_point_order=row.collation_name in _CODE_POINT if row.collation_name else by_code_point,
        statistics=statistics,
    )


def _statistics(row: Row) -> WholeStatistics:
    return WholeStatistics(
        null_frac=row.null_frac,
        n_distinct=row.n_distinct,
        avg_width_bytes=row.avg_width_bytes,
        correlation=row.correlation,
        values=_strings(row.most_common_vals),
        freqs=tuple(row.most_common_freqs or ()),
        bounds=_strings(row.histogram_bounds),
        elements=_strings(row.elements),
        element_freqs=tuple(row.element_freqs or ()),
        elements_a_row=row.elements_a_row or 0.0,
        range_bounds=_strings(row.range_bounds),
        range_lengths=tuple(float(length) for length in row.range_lengths or ()),
        empty_frac=row.empty_frac or 0.0,
    )


def _strings(values: Iterable[str | None] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if value is not None)


def _joint(rows: Iterable[Row], names: Mapping[int, RelationName]) -> tuple[JointStatistics, ...]:
    found: dict[RelationName, JointStatistics] = {}
    for row in rows:
        if row.table_oid not in names:
            continue
        relation = RelationName(row.schema_name, row.statistics_name)
        by_number = dict(zip(row.column_numbers, row.column_names, strict=True))
        found[relation] = JointStatistics(
            relation=relation,
            table=names[row.table_oid],
            columns=tuple(row.column_names),
            combinations=tuple(tuple(values) for values in row.most_common_vals or ()),
            freqs=tuple(row.most_common_freqs or ()),
            distinct=_groups(row.n_distinct, by_number, lambda key: key.split(",")),
            dependencies=_groups(row.dependencies, by_number, lambda key: key.replace("=>", ",").split(",")),
        )
    return tuple(found.values())


def _groups(
    shown: str | None, names: Mapping[int, str], split: Callable[[str], list[str]]
) -> tuple[tuple[tuple[str, ...], float], ...]:
    """Read ``{"1, 2": 40}`` as PostgreSQL shows it, or the list of objects that later versions show."""
    content: Any = json.loads(shown) if shown else {}
    if isinstance(content, list):
        return ()
    return tuple(
        (tuple(names[int(number)] for number in split(key)), float(figure)) for key, figure in content.items()
    )
