"""What a big catalog costs: reading, proposing and checking with 500 tables and with ten times as many.

Prints JSON lines. The catalog is made up: every table has the same columns and three indexes, and refers to
the next one. What grows faster than the tables shows as ``growth`` above 10.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pgproof.model.catalog import Catalog
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
    Table,
)
from pgproof.model.statistics import ColumnStatistics, TableActivity
from pgproof.model.units import PlannerCost
from pgproof.model.workload import ParameterSet, StatementCounters, Workload, WorkloadStatement
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.diagnose import diagnose
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import propose_indexes

ROWS = 100_000.0
PAGES = 2_000
READ_AT = datetime(2026, 11, 20, tzinfo=UTC)
COLUMNS = tuple(
    Column(name, "bigint", "int8", True, statistics=ColumnStatistics(0.0, -0.5, 8, 0.1))
    for name in ("id", "a", "b", "c", "d", "e", "f", "g", "h", "next_id")
)
ACTIVITY = TableActivity(live_rows=int(ROWS), inserts=10, deletes=10, last_analyze_at=READ_AT)


def named(place: int, suffix: str = "") -> RelationName:
    """The name of a table, or of something that belongs to it."""
    return RelationName("public", f"table_{place:05}{suffix}")


def make_catalog(tables: int) -> Catalog:
    """As many tables as asked for, each with a primary key, two more indexes and a foreign key."""
    indexes, constraints = [], []
    for place in range(tables):
        own, following = named(place), named((place + 1) % tables)
        for key in ("id", "a", "b"):
            index = named(place, f"_{key}")
            definition = f"CREATE INDEX {index.name} ON {own} USING btree ({key})"
            constraint = index.name if key == "id" else ""
            keys = (IndexKey(key),)
            indexes.append(
                Index(index, own, "btree", keys, unique=key == "id", constraint=constraint, scans=0,
                      definition=definition, size_bytes=5_000_000)
            )  # fmt: skip
        foreign = ConstraintKind.FOREIGN_KEY
        constraints += [
            Constraint(f"{own.name}_id", own, ConstraintKind.PRIMARY_KEY, ("id",)),
            Constraint(f"{own.name}_next", own, foreign, ("next_id",), references=following,
                       referenced_columns=("id",)),
        ]  # fmt: skip
    return Catalog(
        database="big",
        version="18.6",
        version_num=180006,
        read_at=READ_AT,
        search_path=("public",),
        user="app",
        superuser=False,
        in_recovery=False,
        stats_reset_at=datetime(2026, 1, 1, tzinfo=UTC),
        tables=tuple(
            Table(named(place), RelationKind.TABLE, COLUMNS, ROWS, PAGES, PAGES * 8192, ACTIVITY)
            for place in range(tables)
        ),
        indexes=tuple(indexes),
        constraints=tuple(constraints),
        statistics=(),
        extensions=(Extension("pg_trgm"),),
        settings=(),
    )


def make_workload(statements: int, tables: int) -> tuple[Workload, dict[str, tuple[Plan, ...]]]:
    """Joins and deletes, spread over the tables, with a plan for each that reads a table whole."""
    found, plans = [], {}
    for number in range(statements):
        one, other = named(number * 7 % tables), named((number * 7 + 1) % tables)
        sql = (
            f"SELECT x.a, y.b FROM {one} x JOIN {other} y ON y.id = x.next_id"
            " WHERE x.c = $1 AND y.d > $2 ORDER BY x.e LIMIT 10"
            if number % 3
            else f"DELETE FROM {one} WHERE c = $1"
        )
        parsed = parse_statement(sql)
        query = Query(fingerprint(sql), sql, StatementKind(parsed.kind), parsed.is_read_only)
        values = ParameterSet(("5", "6") if number % 3 else ("5",))
        counters = StatementCounters(10, 100.0, 10)
        found.append(WorkloadStatement(f"q{number}", query, 10, (values,), counters))
        scan = PlanNode("Seq Scan", PlannerCost(3000.0), PlannerCost(0.0), 50, 8, schema="public",
                        relation=one.name, alias="x", filter="(x.c = '5'::bigint)")  # fmt: skip
        plans[f"q{number}"] = (Plan(scan),)
    return Workload(tuple(found), "bench"), plans


def operations_on(
    catalog: Catalog, workload: Workload, plans: dict[str, tuple[Plan, ...]]
) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    texts = [statement.query.sql for statement in workload.statements]
    return {
        "find shapes": lambda: [find_shapes(parse_statement(sql), catalog.column_names) for sql in texts],
        "propose indexes": lambda: propose_indexes(catalog, workload),
        "foreign key checks": lambda: foreign_key_checks(catalog, workload),
        "diagnose": lambda: diagnose(catalog, workload, plans),
    }


def seconds_of_cpu(operation: Callable[[], object], rounds: int) -> list[float]:
    """CPU time of each of some rounds."""
    spent = []
    for _ in range(rounds):
        started = time.process_time()
        operation()
        spent.append(time.process_time() - started)
    return spent


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="100 statements, one round")
    short = options.parse_args().short
    statements, rounds = (100, 1) if short else (1_000, 3)
    before: dict[str, float] = {}
    for tables in (500, 5_000):
        catalog = make_catalog(tables)
        workload, plans = make_workload(statements, tables)
        for what, operation in operations_on(catalog, workload, plans).items():
            spent = seconds_of_cpu(operation, rounds)
            median = statistics.median(spent)
            line = {
                "bench": "catalog",
                "what": what,
                "tables": tables,
                "statements": statements,
                "cpu_s": round(median, 3),
                "growth": round(median / before[what], 1) if what in before else None,
                "spread_frac": round((max(spent) - min(spent)) / median, 3),
                "rounds": rounds,
            }
            before[what] = median
            print(json.dumps(line))
    machine, python = platform.machine(), platform.python_version()
    print(json.dumps({"bench": "catalog", "what": "ran on", "machine": machine, "python": python}))


if __name__ == "__main__":
    main()
