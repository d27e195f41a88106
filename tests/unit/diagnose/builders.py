"""Small values for the checks: a catalog, statements and plans, with only what a test is about."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pgproof.model.catalog import Catalog
from pgproof.model.finding import Diagnosis, Finding
from pgproof.model.plan import Plan, PlanNode
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
from pgproof.model.statistics import ColumnStatistics, TableActivity
from pgproof.model.units import PlannerCost
from pgproof.model.workload import (
    ParameterSet,
    ParameterSource,
    StatementCounters,
    Workload,
    WorkloadStatement,
)
from pgproof.stages.diagnose import diagnose
from pgproof.stages.diagnose.check import Check

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BIG_BYTES = 8 * 1024**2
BUSY = TableActivity(seq_scans=5, live_rows=50_000, last_analyze_at=NOW - timedelta(days=1))


def column(name: str, base_type: str = "int4", distinct: float = 1000.0, null_frac: float = 0.0) -> Column:
    return Column(name, base_type, base_type, False, statistics=ColumnStatistics(null_frac, distinct, 8))


def table(name: str = "orders", *columns: Column, schema: str = "public", **parts: Any) -> Table:
    given = {
        "kind": RelationKind.TABLE,
        "rows": 50_000.0,
        "size_bytes": BIG_BYTES,
        "activity": BUSY,
        **parts,
    }
    return Table(RelationName(schema, name), columns=columns or ORDERS_COLUMNS, **given)


ORDERS_COLUMNS = (
    column("id", "int8", -1.0),
    column("customer_id"),
    column("status", "text", 5.0),
    column("created_at", "timestamptz", -0.9),
    column("day", "timestamp", 300.0),
    column("note", "text", -0.5),
    column("meta", "jsonb", -0.5),
)


def index(
    name: str, *keys: str | IndexKey, on: str = "orders", schema: str = "public", **parts: Any
) -> Index:
    made = tuple(key if isinstance(key, IndexKey) else IndexKey(column=key) for key in keys)
    unique = "UNIQUE " if parts.get("unique") else ""
    listed = ", ".join(key.column for key in made)
    given = {
        "method": "btree",
        "size_bytes": BIG_BYTES,
        "definition": f"CREATE {unique}INDEX {name} ON {schema}.{on} USING btree ({listed})",
        **parts,
    }
    return Index(RelationName(schema, name), RelationName(schema, on), keys=made, **given)


def foreign_key(*columns: str, on: str = "orders", to: str = "customers", **parts: Any) -> Constraint:
    return Constraint(
        name=f"{on}_{columns[0]}_fkey",
        table=RelationName("public", on),
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns,
        references=RelationName("public", to),
        referenced_columns=("id",) * len(columns),
        **parts,
    )


def catalog(
    *things: Table | Index | Constraint | Setting | Extension,
    stats_age: timedelta | None = timedelta(days=40),
) -> Catalog:
    def of(kind: type) -> tuple[Any, ...]:
        return tuple(thing for thing in things if isinstance(thing, kind))

    return Catalog(
        database="shop",
        version="18.6",
        version_num=180006,
        read_at=NOW,
        search_path=("public",),
        user="app",
        superuser=False,
        in_recovery=False,
        stats_reset_at=NOW - stats_age if stats_age else None,
        tables=of(Table),
        indexes=of(Index),
        constraints=of(Constraint),
        statistics=(),
        extensions=of(Extension),
        settings=of(Setting),
    )


def statement(
    name: str, sql: str, *values: tuple[str | None, ...], total_ms: float | None = None, made_up: bool = False
) -> WorkloadStatement:
    source = ParameterSource.STATISTICS if made_up else ParameterSource.DECLARED
    return WorkloadStatement(
        name=name,
        query=Query("0" * 16, sql, StatementKind.SELECT, True),
        calls=1.0,
        parameter_sets=tuple(ParameterSet(chosen, source) for chosen in values),
        counters=None if total_ms is None else StatementCounters(1, total_ms, 1),
    )


def node(
    node_type: str, *children: PlanNode, cost: float = 1000.0, rows: float = 1.0, **parts: Any
) -> PlanNode:
    named = [
        child if child.parent_relationship else replace(child, parent_relationship=("Outer", "Inner")[place])
        for place, child in enumerate(children)
    ]
    return PlanNode(node_type, PlannerCost(cost), PlannerCost(0.0), rows, 8, children=tuple(named), **parts)


def scan(filter_text: str = "", name: str = "orders", **parts: Any) -> PlanNode:
    """A sequential scan; its alias is the table's name unless said otherwise."""
    given = {"schema": "public", "alias": name, "filter": filter_text, **parts}
    return node("Seq Scan", relation=name, **given)


def check_plans(
    check: Check, of: Catalog, plans: Iterable[PlanNode] | PlanNode, *statements: WorkloadStatement
) -> Diagnosis:
    """Run one check over plans; without statements, each plan is that of a statement ``q``, ``q2``..."""
    roots = (plans,) if isinstance(plans, PlanNode) else tuple(plans)
    given = statements or tuple(
        statement("q" if place == 0 else f"q{place + 1}", "SELECT 1") for place in range(len(roots))
    )
    by_name = {one.name: (Plan(root),) for one, root in zip(given, roots, strict=False)}
    return diagnose(of, Workload(given, "file"), by_name, checks=(check,))


def check_catalog(check: Check, of: Catalog) -> Diagnosis:
    """Run one check without a workload."""
    return diagnose(of, None, {}, checks=(check,))


def titles(diagnosis: Diagnosis) -> list[str]:
    return [finding.title for finding in diagnosis.findings]


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, titles(diagnosis)
    return diagnosis.findings[0]
