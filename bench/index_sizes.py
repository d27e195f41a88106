"""How near the modelled size of an index comes to the real one, on each PostgreSQL at hand, by access method.

Prints JSON lines: one an index with ``estimated`` and ``real`` pages and their ``ratio``, then one for each
data set and method with the errors. Indexes are built on tables of every type and distribution
(``_index_tables.sql``), on every column and pair of neighbours in the scenarios, and on TPC-H, where nothing
tells that a pair of columns belongs together.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from bench._datasets import SERVER_SETTINGS, create_database, load, stop_cleanly
from bench.tpch import TPCH
from pgproof.changes.index_text import create_index_sql
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationKind
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer, start_server
from pgproof.postgres.session import Session, open_session
from pgproof.scenarios import SCENARIOS
from pgproof.scenarios.scenario import Scenario, read_schema_sql, render_data_sql
from pgproof.sqltext.ddl import parse_change
from pgproof.stages.estimate.sizes.estimate_index import estimate_index
from pgproof.testing.servers import installs_to_test

FEW_PAGES = 20
"""Indexes smaller than this are left out of the errors: one page more or less is more than 5 % there."""

HERE = Path(__file__).parent
UNSORTABLE = ("json", "jsonb", "point", "box", "xml", "tsvector", "circle", "polygon", "line", "lseg", "path")


def every_column_and_pair(catalog: Catalog) -> Iterator[CreateIndex]:
    """Yield a B-tree on each column that sorts, and on each with its neighbour."""
    for table in catalog.tables:
        if table.kind not in (RelationKind.TABLE, RelationKind.MATVIEW) or table.parent is not None:
            continue
        names = [c.name for c in table.columns if c.base_type not in UNSORTABLE and c.generated != "virtual"]
        for keys in (*((name,) for name in names), *pairwise(names)):
            yield CreateIndex(table.relation, "bench_size", tuple(IndexKey(column=key) for key in keys))


def written(file: str) -> Iterator[CreateIndex]:
    """Yield the indexes in a file that has what follows ON, one a line."""
    for text in (HERE / file).read_text(encoding="utf-8").splitlines():
        change = parse_change(f"CREATE INDEX bench_size ON {text}")
        assert isinstance(change, CreateIndex)
        yield change


def compare(session: Session, source: str, changes: Iterable[CreateIndex]) -> Iterator[dict[str, object]]:
    """Size each index, build it in a transaction that is rolled back, and yield a line for each."""
    catalog = read_catalog(session)
    for change in changes:
        table = catalog.find_table(change.table.name, change.table.schema)
        assert table is not None
        sql = create_index_sql(change, concurrently=False, catalog=catalog)
        started = time.process_time()
        shape = estimate_index(change, table, catalog)
        spent = time.process_time() - started
        with session.rolled_back():
            session.run(sql)
            pages = int(
                session.value(
                    "SELECT sum(pg_relation_size(relid)) / 8192 FROM pg_partition_tree($1::regclass)",
                    (f'"{change.table.schema}"."bench_size"',),
                )
                if table.kind is RelationKind.PARTITIONED
                else session.value(
                    "SELECT pg_relation_size($1::regclass) / 8192", (f'"{change.table.schema}"."bench_size"',)
                )
            )
        yield {
            "bench": "index_sizes",
            "source": source,
            "major": catalog.major,
            "method": change.method,
            "index": sql.partition(" ON ")[2],
            "estimated": shape.pages,
            "real": pages,
            "ratio": round(shape.pages / pages, 3),
            "confidence": str(shape.confidence),
            "cpu_us": round(spent * 1e6),
            "rounds": 1,
        }


def summaries(lines: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Yield the errors by source and method, and by confidence, indexes of a few pages left out."""
    groups: defaultdict[tuple[object, ...], list[float]] = defaultdict(list)
    for line in lines:
        if int(str(line["real"])) >= FEW_PAGES:
            error = abs(float(str(line["ratio"])) - 1)
            groups["source", line["source"], line["major"], line["method"]].append(error)
            groups["confidence", line["confidence"], line["major"], line["method"]].append(error)
    for (by, what, major, method), errors in sorted(groups.items(), key=str):
        yield {
            "bench": "index_sizes",
            "what": f"errors by {by}",
            str(by): what,
            "major": major,
            "method": method,
            "indexes": len(errors),
            "median_error_frac": round(statistics.median(errors), 3),
            "worst_error_frac": round(max(errors), 3),
            "within_a_quarter_frac": round(sum(error <= 0.25 for error in errors) / len(errors), 3),
            "rounds": 1,
        }


def run_script(server: EmbeddedServer, database: str, script: str) -> Session:
    """Run a script in a new database, gather statistics, and open a session there."""
    dsn = create_database(server, database)
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as folder:
        file = Path(folder) / "load.sql"
        file.write_text(script, encoding="utf-8")
        server.run_tool("psql", ["-Xqo", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-f", str(file)])
    session = open_session(dsn, read_only=False, statement_timeout_ms=0)
    session.run("VACUUM ANALYZE")
    return session


def compare_all(server: EmbeddedServer, *, short: bool) -> Iterator[dict[str, object]]:
    """Yield a line for each index on one server."""
    tables = (HERE / "_index_tables.sql").read_text(encoding="utf-8")
    with run_script(server, "made_up", tables.replace(":rows", "60000" if short else "400000")) as session:
        yield from compare(session, "made up", written("_index_sizes_made_up.txt"))
    for scenario in SCENARIOS[:1] if short else SCENARIOS:
        with open_scenario(server, scenario, 0.1 if short else 0.2) as session:
            yield from compare(session, scenario.name, every_column_and_pair(read_catalog(session)))
    scale = 0.02 if short else 1.0
    for name, keys in (("tpch", False), ("tpch with keys", True)):
        dsn = create_database(server, name)
        load(TPCH, dsn, scale, keys=keys)
        with open_session(dsn, read_only=False, statement_timeout_ms=0) as session:
            session.run("CREATE EXTENSION pg_trgm")
            yield from compare(session, name, written("_index_sizes_tpch.txt"))


def open_scenario(server: EmbeddedServer, scenario: Scenario, scale: float) -> Session:
    """Load a scenario and open a session there."""
    return run_script(
        server, scenario.name, f"{read_schema_sql(scenario)}\n{render_data_sql(scenario, scale)}\n"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="small tables, one scenario")
    short = options.parse_args().short
    stop_cleanly()
    lines: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as home:
        for binaries in installs_to_test():
            with start_server(
                binaries, home=Path(home), label="sizes", settings=SERVER_SETTINGS, durable=False
            ) as server:
                for line in compare_all(server, short=short):
                    lines.append(line)
                    print(json.dumps(line), flush=True)
    for line in summaries(lines):
        print(json.dumps(line))
    print(json.dumps({"bench": "index_sizes", "what": "ran on", "machine": platform.machine()}))


if __name__ == "__main__":
    main()
