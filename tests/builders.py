"""Catalogs and workloads written by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import (
    Column,
    Constraint,
    ConstraintKind,
    Extension,
    Index,
    IndexKey,
    RelationKind,
    RelationName,
    Setting,
    Table,
)
from pgproof.model.statistics import ColumnStatistics
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.propose.indexes import propose_indexes

ROWS = 100_000.0


def column(
    name: str,
    base_type: str = "int8",
    *,
    distinct: float = -1,
    nulls: float = 0.0,
    width: int = 8,
    common: dict[str, float] | None = None,
    not_null: bool = True,
    collation: str = "",
) -> Column:
    common = common or {}
    statistics = ColumnStatistics(
        nulls, distinct, width, 0.1, tuple(common), tuple(common.values()), histogram_bounds=()
    )
    return Column(name, base_type, base_type, not_null, statistics=statistics, collation=collation)


def table(
    name: str,
    *columns: Column,
    schema: str = "public",
    rows: float = ROWS,
    pages: int = 1000,
    kind: RelationKind = RelationKind.TABLE,
    definition: str = "",
    parent: RelationName | None = None,
) -> Table:
    return Table(
        RelationName(schema, name),
        kind,
        columns,
        rows=rows,
        pages=pages,
        size_bytes=pages * 8192,
        definition=definition,
        parent=parent,
    )


def index(
    on: str,
    *keys: str | IndexKey,
    schema: str = "public",
    unique: bool = False,
    predicate: str = "",
    include: tuple[str, ...] = (),
    method: str = "btree",
    valid: bool = True,
    name: str = "",
    constraint: str = "",
    scans: int | None = 5,
) -> Index:
    made = tuple(key if isinstance(key, IndexKey) else IndexKey(column=key) for key in keys)
    name = name or "_".join((on, *(key.column or "expr" for key in made), "existing"))
    return Index(
        RelationName(schema, name),
        RelationName(schema, on),
        method,
        made,
        include=include,
        predicate=predicate,
        unique=unique,
        valid=valid,
        constraint=constraint,
        definition=f"CREATE INDEX {name} ON {schema}.{on} ({', '.join(key.column for key in made)})",
        scans=scans,
    )


def catalog(
    *tables: Table,
    indexes: Sequence[Index] = (),
    constraints: Sequence[Constraint] = (),
    extensions: Sequence[Extension] = (Extension("pg_trgm", available_version="1.6", trusted=True),),
    settings: Sequence[Setting] = (),
) -> Catalog:
    return Catalog(
        database="shop",
        version="18.6",
        version_num=180006,
        read_at=datetime(2026, 11, 20, tzinfo=UTC),
        search_path=("public",),
        user="app",
        superuser=False,
        in_recovery=False,
        stats_reset_at=None,
        tables=tables,
        indexes=tuple(indexes),
        constraints=tuple(constraints),
        statistics=(),
        extensions=tuple(extensions),
        settings=tuple(settings),
    )


def primary_key(on: str, *columns: str) -> Constraint:
    return Constraint(f"{on}_pkey", RelationName("public", on), ConstraintKind.PRIMARY_KEY, columns)


def foreign_key(on: str, to: str, *columns: str) -> Constraint:
    return Constraint(
        f"{on}_{'_'.join(columns)}_fkey",
        RelationName("public", on),
        ConstraintKind.FOREIGN_KEY,
        columns,
        references=RelationName("public", to),
        referenced_columns=("id",),
    )


def statement(
    sql: str, *values: tuple[str | None, ...], name: str = "q", calls: float = 10
) -> WorkloadStatement:
    parsed = parse_statement(sql)
    query = Query("0" * 16, sql, StatementKind(parsed.kind), parsed.is_read_only)
    return WorkloadStatement(name, query, calls, tuple(ParameterSet(v) for v in values))


def workload(*statements: WorkloadStatement | str) -> Workload:
    made = [
        replace(statement(entry), name=f"q{place}") if isinstance(entry, str) else entry
        for place, entry in enumerate(statements)
    ]
    return Workload(tuple(made), "file")


def shown(change: CreateIndex) -> str:
    """Write an index the short way: ``orders(a, b desc) include (c) where x``."""
    keys = []
    for key in change.keys:
        words = [key.column or f"({key.expression})", key.opclass, key.descending and "desc"]
        if key.nulls_first != key.descending:
            words.append("nulls first" if key.nulls_first else "nulls last")
        keys.append(" ".join(word for word in words if word))
    method = "" if change.method == "btree" else f"{change.method} "
    include = f" include ({', '.join(change.include)})" if change.include else ""
    where = f" where {change.where}" if change.where else ""
    return f"{method}{change.table.name}({', '.join(keys)}){include}{where}"


def proposed(known: Catalog, *statements: WorkloadStatement | str, max_width: int = 4) -> set[str]:
    """Return what is proposed, the short way."""
    found = propose_indexes(known, workload(*statements), max_width=max_width)
    return {shown(candidate.change) for candidate in found}
