"""How true a shadow is: its plans, costs and sizes against a server where the same indexes are really built.

For each database: the plans without any further index; then sets of indexes drawn from the candidates, all of
them really built on the source, where a set is shown to its planner by marking the other indexes invalid. The
shadow is made when they are marked so, and pg_dump leaves invalid indexes out: it knows nothing of them.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench._datasets import SERVER_SETTINGS, create_database, load
from bench.tpch import TPCH
from pgproof.changes import simulate_steps
from pgproof.config import Settings
from pgproof.errors import PgproofError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.pipeline.loading import loaded_scenario
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import find_binaries, list_binaries, start_server
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.server import open_shadow
from pgproof.scenarios import SCENARIOS
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.parameters import literals_to_parameters
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import qualify
from pgproof.stages.estimate.provider import PlanRequest
from pgproof.stages.estimate.shadow import ShadowCosts, open_shadow_costs
from pgproof.stages.propose.indexes import propose_indexes

SEED = 1
SET_SIZE_MAX = 6
CANDIDATES_ALIVE = 50
EQUAL_COST = 0.01
"""Costs are shown with two digits."""
LEAVES = """\
SELECT c.oid::text, c.relname::text, pg_relation_size(c.oid)
  FROM pg_class AS c
 WHERE c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass)
   AND c.relkind = 'i'"""
SWITCH = """\
UPDATE pg_index SET indisvalid = (indexrelid = ANY ($1::oid[])) WHERE indexrelid = ANY ($2::oid[])"""


@dataclass(frozen=True, slots=True)
class Case:
    """A database with a workload.

    Args:
        name: Of the case.
        dsn: Where it is loaded; indexes are built there.
        workload: Its statements.
        version: Of its server.
    """

    name: str
    dsn: str
    workload: Workload
    version: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One statement planned in both places.

    Args:
        shape_equal: The same nodes, relations and indexes in the same tree.
        error_frac: Difference of the costs, of the source's.
        indexes: Drawn indexes that either plan uses.
    """

    statement: str
    shape_equal: bool
    error_frac: float
    indexes: frozenset[str]


def tpch_workload() -> Workload:
    statements = []
    for name, text in TPCH.queries().items():
        sql, values = literals_to_parameters(text)
        query = Query(fingerprint(sql), sql, StatementKind(parse_statement(sql).kind), True)
        statements.append(WorkloadStatement(name, query, 1.0, (ParameterSet(values),)))
    return Workload(tuple(statements), "file")


@contextmanager
def tpch_case(home: Path, scale: float, major: int, keys: bool) -> Iterator[Case]:
    with start_server(
        find_binaries(major), home=home, label=f"tpch{major}", settings=SERVER_SETTINGS, durable=False
    ) as server:
        dsn = create_database(server, "tpch")
        load(TPCH, dsn, scale, keys=keys)
        yield Case(f"tpch-{scale:g}-from-{major}", dsn, tpch_workload(), server.version)


@contextmanager
def scenario_case(home: Path, name: str, scale: float) -> Iterator[Case]:
    with loaded_scenario(Settings(home=home), name, scale) as loaded:
        yield Case(name, loaded.dsn, loaded.workload, loaded.server.version)


def requests_of(workload: Workload) -> list[tuple[str, PlanRequest]]:
    """The heaviest values of each statement."""
    found = []
    for statement in workload.statements:
        sets = sorted(statement.parameter_sets, key=lambda s: -s.weight)[:2] or [ParameterSet(())]
        found += [(statement.name, PlanRequest(statement.query.sql, given.values)) for given in sets]
    return found


@dataclass(frozen=True, slots=True)
class Built:
    """A candidate that was really built.

    Args:
        oids: Of its indexes, those of partitions too.
        leaf_names: Their names.
        size_bytes: Together.
    """

    candidate: IndexCandidate
    oids: tuple[str, ...]
    leaf_names: tuple[str, ...]
    size_bytes: int


def build(session: Session, candidates: Sequence[IndexCandidate], seconds: float) -> dict[str, Built]:
    """Really build candidates until the time is used up, and hide them again."""
    built: dict[str, Built] = {}
    ends_at = time.monotonic() + seconds
    for candidate in candidates:
        if time.monotonic() > ends_at:
            break
        try:
            for change in (*candidate.requires, candidate.change):
                for step in simulate_steps(change):
                    session.run(step.sql.replace("CREATE EXTENSION", "CREATE EXTENSION IF NOT EXISTS"))
        except PgproofError as error:
            print(f"not built: {candidate.name}: {error}", file=sys.stderr)
            continue
        name = qualify(candidate.change.table.schema, candidate.name)
        rows = session.run(LEAVES, (name,)).rows
        built[candidate.name] = Built(
            candidate, tuple(r[0] for r in rows), tuple(r[1] for r in rows), sum(r[2] for r in rows)
        )
    with_expression = {
        one.candidate.change.table
        for one in built.values()
        if any(k.expression for k in one.candidate.change.keys)
    }
    for table in sorted(with_expression):
        session.run(f"ANALYZE {qualify(table.schema, table.name)}")
    show(session, built, frozenset())
    return built


def show(session: Session, built: Mapping[str, Built], names: frozenset[str]) -> None:
    """Let the source's planner see some of the built indexes and no other of them."""
    shown = [oid for name in names for oid in built[name].oids]
    every = [oid for one in built.values() for oid in one.oids]
    session.run(SWITCH, ("{" + ",".join(shown) + "}", "{" + ",".join(every) + "}"))


def compare(
    source: Session,
    costs: ShadowCosts,
    requests: Sequence[tuple[str, PlanRequest]],
    built: Mapping[str, Built],
    names: frozenset[str],
) -> Iterator[Compared]:
    """Plan every statement in both places with a set of indexes there."""
    show(source, built, names)
    owners = {leaf: name for name, one in built.items() for leaf in one.leaf_names}
    for statement, request in requests:
        real = explain(source, request.sql, request.values, settings=False)
        told = costs.explain(request, names)
        if not isinstance(told, Plan):
            yield Compared(statement, False, 1.0, frozenset())
            continue
        difference = abs(told.root.cost.value - real.root.cost.value)
        used = {owners.get(node.index, node.index) for plan in (real, told) for node in plan.root.walk()}
        yield Compared(
            statement,
            shape(real.root, owners) == shape(told.root, owners),
            0.0 if difference < EQUAL_COST else difference / max(real.root.cost.value, EQUAL_COST),
            frozenset(used) & names,
        )


def shape(node: PlanNode, owners: Mapping[str, str]) -> tuple[object, ...]:
    children = tuple(shape(child, owners) for child in node.children)
    return (node.node_type, node.relation, owners.get(node.index, node.index), children)


def draw_sets(built: Mapping[str, Built], count: int) -> list[frozenset[str]]:
    """Random handfuls; every third has an index of another method than B-tree, where there is one."""
    chance, known = random.Random(SEED), sorted(built)
    others = [name for name in known if built[name].candidate.change.method != "btree"]
    sets = []
    for number in range(count if known else 0):
        drawn = set(chance.sample(known, chance.randint(1, min(SET_SIZE_MAX, len(known)))))
        if others and number % 3 == 0:
            drawn.add(chance.choice(others))
        sets.append(frozenset(drawn))
    return sets


def summarise(compared: Sequence[Compared], gin: frozenset[str]) -> dict[str, object]:
    """Figures over all plans, and over those that use a drawn index: the others are easy."""
    using = [one for one in compared if one.indexes]
    with_gin = [one.error_frac for one in compared if one.indexes & gin]
    return {
        "plans": len(compared),
        "plan_shape_equal_frac": share(one.shape_equal for one in compared),
        "median_cost_error_frac": median([one.error_frac for one in compared]),
        "plans_with_drawn_indexes": len(using),
        "plan_shape_equal_frac_of_those": share(one.shape_equal for one in using),
        "median_cost_error_frac_of_those": median([one.error_frac for one in using]),
        "p95_cost_error_frac_of_those": quantile([one.error_frac for one in using], 0.95),
        "plans_with_gin": len(with_gin),
        "median_cost_error_frac_with_gin": median(with_gin),
    }


def share(answers: Iterable[bool]) -> float | None:
    found = list(answers)
    return round(sum(found) / len(found), 4) if found else None


def median(figures: Sequence[float]) -> float | None:
    return round(statistics.median(figures), 5) if figures else None


def quantile(figures: Sequence[float], frac: float) -> float | None:
    return round(sorted(figures)[min(int(len(figures) * frac), len(figures) - 1)], 5) if figures else None


def size_errors(costs: ShadowCosts, built: Mapping[str, Built]) -> list[float]:
    sizes = costs.index_bytes
    return [
        abs(sizes[name] - one.size_bytes) / one.size_bytes
        for name, one in built.items()
        if name in sizes and one.size_bytes
    ]


def configurations_per_second(costs: ShadowCosts, requests: Sequence[PlanRequest], seconds: float) -> float:
    """Random handfuls of many candidates made visible, one statement planned under each."""
    chance, done, started = random.Random(SEED), 0, time.perf_counter()
    names = sorted(costs.index_bytes)
    while (spent := time.perf_counter() - started) < seconds:
        for request in requests:
            costs.plan([request], frozenset(chance.sample(names, min(5, len(names)))))
            done += 1
    return done / spent


def measure(case: Case, home: Path, sets: int, seconds: float, details: bool) -> Iterator[dict[str, object]]:
    requests = requests_of(case.workload)
    with open_session(case.dsn, read_only=False, statement_timeout_ms=0) as source:
        catalog = read_catalog(source)
        candidates = list(propose_indexes(catalog, case.workload))
        random.Random(SEED).shuffle(candidates)
        candidates.sort(key=lambda one: one.change.method == "btree")  # the few others may not go short
        built = build(source, candidates, seconds)
        catalog = read_catalog(source)
        with open_shadow(case.dsn, home=home) as first:
            cold_s, notes = first.seconds, first.notes
        with open_shadow(case.dsn, home=home) as shadow:
            chosen = [one.candidate for one in built.values()]
            started = time.perf_counter()
            with open_shadow_costs(shadow, without_drawn(catalog, built), chosen) as costs:
                opened_s = time.perf_counter() - started
                plain = list(compare(source, costs, requests, built, frozenset()))
                drawn = [
                    one
                    for names in draw_sets(built, sets)
                    for one in compare(source, costs, requests, built, names)
                ]
                errors = size_errors(costs, built)
                rate = configurations_per_second(costs, [r for _, r in requests], 2.0)
    gin = frozenset(name for name, one in built.items() if one.candidate.change.method == "gin")
    head = {"bench": "shadow", "database": case.name, "source": case.version}
    yield {**head, "what": "no further index", **summarise(plain, gin)}
    yield {**head, "what": f"{sets} sets drawn from {len(built)} real indexes", **summarise(drawn, gin)}
    yield {**head, "what": "index sizes", "indexes": len(errors), "size_error_frac": median(errors)}
    yield {
        **head,
        "what": "speed",
        "shadow_cold_s": round(cold_s, 3),
        "shadow_kept_s": round(shadow.seconds, 3),
        "candidates_s": round(opened_s, 3),
        "candidates": len(chosen),
        "configurations_per_s": round(rate),
        "notes": len(notes),
    }
    if details:
        for one in sorted((*plain, *drawn), key=lambda one: (one.shape_equal, -one.error_frac))[:40]:
            print(one, file=sys.stderr)


def without_drawn(catalog: Catalog, built: Mapping[str, Built]) -> Catalog:
    """The catalog as it was before the indexes were built: sizes must not be looked up in them."""
    drawn = {leaf for one in built.values() for leaf in (*one.leaf_names, one.candidate.name)}
    return replace(catalog, indexes=tuple(i for i in catalog.indexes if i.relation.name not in drawn))


def cases(home: Path, names: Sequence[str], scale: float) -> Iterator[AbstractContextManager[Case]]:
    majors = {binaries.major for binaries in list_binaries()}
    for name in names:
        if name == "tpch":
            yield tpch_case(home, scale, 18, keys=False)
        elif name == "tpch-keys":
            yield tpch_case(home, scale, 18, keys=True)
        elif name == "tpch-15" and 15 in majors:
            yield tpch_case(home, scale, 15, keys=True)
        elif name in {scenario.name for scenario in SCENARIOS}:
            yield scenario_case(home, name, scale)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="a tenth of the rows, few sets")
    options.add_argument("--only", action="append", default=[], help="tpch, tpch-keys, tpch-15, a scenario")
    options.add_argument("--scale", type=float, help="of the data, instead of 1 or 0.1")
    options.add_argument("--sets", type=int, help="of indexes, instead of 50 or 12")
    options.add_argument("--build-s", type=float, help="seconds for building indexes, instead of 600 or 20")
    options.add_argument("--details", action="store_true", help="the worst plans, on standard error")
    asked = options.parse_args()
    scale, sets, seconds = (0.1, 12, 20.0) if asked.short else (1.0, 50, 600.0)
    scale, sets, seconds = asked.scale or scale, asked.sets or sets, asked.build_s or seconds
    everything = ["tpch", "tpch-keys", *(scenario.name for scenario in SCENARIOS), "tpch-15"]
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as folder:
        home = Path(folder)
        for opened in cases(home, asked.only or everything, scale):
            with opened as case:
                for line in measure(case, home, sets, seconds, asked.details):
                    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
