"""Index advisors against each other: what their sets save by the planner's word, in real bytes, in CPU time.

All ask the same planner (a shadow of the loaded database), and one judge prices all their sets by planning
every statement under each. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import _contenders, _real_sets
from bench._contenders import OURS, REFERENCES, SAME_CANDIDATES, Case, Choice, Verdict
from bench._datasets import SERVER_SETTINGS, Dataset, create_database, load, stop_cleanly
from bench._vetoes import AFTER_RUNS, choose_with_runs
from bench.tpcds import TPCDS
from bench.tpch import TPCH
from pgproof.config import Settings
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.pipeline.loading import loaded_scenario
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import start_server
from pgproof.postgres.session import open_session
from pgproof.postgres.shadow.server import Shadow, open_shadow
from pgproof.scenarios import SCENARIOS
from pgproof.sqltext.fingerprint import fingerprint

MB = 1000**2
SHORT_SCALE = 0.1
DATASETS = {dataset.name: dataset for dataset in (TPCH, TPCDS)}
PARTS = (*DATASETS, *(scenario.name for scenario in SCENARIOS))
ALGORITHMS = (OURS, AFTER_RUNS, SAME_CANDIDATES, *REFERENCES)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with one database.

    Args:
        budgets: Limits that every advisor gets, in bytes.
        time_limit_s: Of each advisor at each budget.
        build: Build the sets to learn their real bytes.
        measured: Budgets whose sets are built and run.
        measured_all: Every advisor's set is; else only ours and the best reference's.
        rounds: How often each statement runs.
        limit_s: When to stop a statement.
        rival: The reference whose set, once built, ours may not exceed after real runs; none: the budget.
    """

    budgets: tuple[int, ...]
    time_limit_s: float
    build: bool = True
    measured: tuple[int, ...] = ()
    measured_all: bool = True
    rounds: int = 3
    limit_s: float = 60.0
    rival: str = ""


LONG = {
    "tpch": Plan(
        tuple(size * MB for size in (100, 190, 250, 350, 500, 1000)), 120, measured=(190 * MB, 350 * MB)
    ),
    "tpcds": Plan((500 * MB,), 600, measured=(500 * MB,), limit_s=20.0, rival="extend"),
}
SCENARIO = Plan((50 * MB, 200 * MB), 120, build=False)
SHORT = Plan((19 * MB, 50 * MB), 10, measured=(50 * MB,), measured_all=False, rounds=2, limit_s=3.0)


def compete(case: Case, dsn: str, plan: Plan, algorithms: Sequence[str], home: Path) -> None:
    """Let the advisors choose at each budget and print what came of it."""
    with open_shadow(dsn, home=home) as shadow:
        choices: list[Choice] = []
        for choice in _all_choices(shadow, case, dsn, plan, algorithms, home):
            told = f"{case.dataset}, {(choice.budget_bytes or 0) / MB:g} MB, {choice.algorithm}"
            print(
                f"{told}: {len(choice.indexes)} indexes, {choice.seconds:.1f} s", file=sys.stderr, flush=True
            )
            choices.append(choice)
        choices.sort(key=lambda c: (c.budget_bytes or 0, ALGORITHMS.index(c.algorithm)))
        with _contenders.open_judge(shadow, case, choices) as judge:
            verdicts = [judge.judge(choice) for choice in choices]
            if judge.skipped:
                _print({"what": "statements without a plan", "dataset": case.dataset, "names": judge.skipped})
    sizes = _real_sets.real_bytes(dsn, choices) if plan.build else {}
    run = _to_run(plan, verdicts)
    for verdict in verdicts:
        if verdict not in run:
            _print(_line(case, verdict, sizes))
    _run(case, dsn, plan, run, sizes)


def _all_choices(
    shadow: Shadow, case: Case, dsn: str, plan: Plan, algorithms: Sequence[str], home: Path
) -> Iterator[Choice]:
    rivals: dict[int | None, Choice] = {}
    for choice in _contenders.all_choices(shadow, case, plan.budgets, algorithms, plan.time_limit_s):
        if choice.algorithm == plan.rival:
            rivals[choice.budget_bytes] = choice
        yield choice
    for budget in plan.measured if AFTER_RUNS in algorithms else ():
        rival = _real_sets.real_bytes(dsn, [rivals[budget]]) if budget in rivals else {}
        most_bytes = min(budget, sum(rival.values()) or budget)
        found = choose_with_runs(case, dsn, most_bytes, time_limit_s=plan.time_limit_s, home=home)
        yield replace(found, budget_bytes=budget)


def _to_run(plan: Plan, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the sets whose statements are to be run."""
    found = []
    for budget in plan.measured:
        rivals = [verdict for verdict in verdicts if verdict.choice.budget_bytes == budget]
        references = [verdict for verdict in rivals if verdict.choice.algorithm in REFERENCES]
        best = max(references, key=lambda verdict: verdict.saved_frac, default=None)
        found += [
            v for v in rivals if plan.measured_all or v is best or v.choice.algorithm in (OURS, AFTER_RUNS)
        ]
    return found


def _line(case: Case, verdict: Verdict, sizes: Mapping[str, int]) -> dict[str, object]:
    choice = verdict.choice
    return {
        "what": "set",
        "dataset": case.dataset,
        "algorithm": choice.algorithm,
        "budget_bytes": choice.budget_bytes,
        "cost_saved_frac": round(verdict.saved_frac, 5),
        "indexes": len(choice.indexes),
        "index_bytes": verdict.index_bytes,
        "real_bytes": sum(sizes[name] for name in choice.names) if sizes else None,
        "planner_calls": choice.planner_calls,
        "seconds": round(choice.seconds, 3),
        "advisor_cpu_s": round(choice.cpu_s, 3),
        **({"late": True} if choice.late else {}),
        **choice.proof,
    }


def _run(case: Case, dsn: str, plan: Plan, verdicts: Sequence[Verdict], sizes: Mapping[str, int]) -> None:
    """Run the statements under sets, and print each set's line and each statement's."""
    choices = [verdict.choice for verdict in verdicts]
    statements = case.workload.statements
    measured = _real_sets.measure(dsn, statements, choices, rounds=plan.rounds, limit_s=plan.limit_s)
    for verdict, found in zip(verdicts, measured, strict=True):
        _print(
            _line(case, verdict, sizes)
            | {
                "measured_saved_frac": round(1 - found.after_s / found.before_s, 4),
                "cpu_s": round(found.after_s, 3),
                "cpu_before_s": round(found.before_s, 3),
                "slower_statements": found.slower(),
                "capped_statements": sorted(found.times.capped - found.unknown),
                "unknown_statements": sorted(found.unknown),
            }
        )
        for name in sorted(found.times.by_statement.keys() - found.unknown):
            before_s, after_s = found.without.median_s(name), found.times.median_s(name)
            _print(_statement_line(case, verdict, name, before_s, after_s))


def _statement_line(
    case: Case, verdict: Verdict, statement: str, before_s: float, after_s: float
) -> dict[str, object]:
    return {
        "what": "statement",
        "dataset": case.dataset,
        "algorithm": verdict.choice.algorithm,
        "budget_bytes": verdict.choice.budget_bytes,
        "statement": statement,
        "cost_saved_frac": round(verdict.saved_fracs.get(statement, 0.0), 4),
        "measured_saved_frac": round(1 - after_s / before_s, 4) if before_s else 0.0,
        "cpu_before_s": round(before_s, 4),
        "cpu_s": round(after_s, 4),
    }


def _print(line: dict[str, object]) -> None:
    print(json.dumps({"bench": "advisor", **line}), flush=True)


@contextmanager
def loaded(dataset: Dataset, scale: float, home: Path) -> Iterator[str]:
    """Load a data set into a server of its own."""
    with start_server(home=home, label=dataset.name, settings=SERVER_SETTINGS, durable=False) as server:
        dsn = create_database(server, dataset.name)
        load(dataset, dsn, scale)
        yield dsn


def dataset_case(dataset: Dataset, dsn: str) -> Case:
    """Return a data set's standard workload, each query once."""
    statements = tuple(
        WorkloadStatement(name, Query(fingerprint(text), text, StatementKind.SELECT, True), 1.0)
        for name, text in dataset.queries().items()
    )
    with open_session(dsn) as session:
        catalog = read_catalog(session)
    return _contenders.make_case(dataset.name, catalog, Workload(statements, "file"))


def run_dataset(
    dataset: Dataset, scale: float, plan: Plan, algorithms: Sequence[str], home: Path, dsn: str
) -> None:
    """Load a data set, unless it is loaded, and let the advisors compete on it."""
    with ExitStack() as stack:
        dsn = dsn or stack.enter_context(loaded(dataset, scale, home))
        compete(dataset_case(dataset, dsn), dsn, plan, algorithms, home)


def run_scenario(name: str, plan: Plan, algorithms: Sequence[str], home: Path) -> None:
    """Let the advisors compete on a scenario that ships, at its own size."""
    with loaded_scenario(Settings(home=home), name, 1.0) as ready:
        with open_session(ready.dsn) as session:
            catalog = read_catalog(session)
        compete(_contenders.make_case(name, catalog, ready.workload), ready.dsn, plan, algorithms, home)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="TPC-H at scale 0.1 only: about two minutes")
    options.add_argument("--only", choices=PARTS, help="one part of the long form")
    options.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=ALGORITHMS)
    options.add_argument("--budgets", nargs="+", type=float, metavar="MB", help="instead of the usual ones")
    options.add_argument("--time-limit", type=float, metavar="S", help="of each advisor at each budget")
    options.add_argument("--no-measure", action="store_true", help="build, but run no statement")
    options.add_argument("--no-build", action="store_true", help="the planner's word only")
    options.add_argument("--dsn", default="", help="of a database that is loaded already (with --only)")
    return options.parse_args()


def adapted(plan: Plan, asked: argparse.Namespace) -> Plan:
    """Return a plan as the command line wants it."""
    budgets = tuple(round(size * MB) for size in asked.budgets) if asked.budgets else plan.budgets
    measured = () if asked.no_measure or asked.no_build else plan.measured
    if asked.budgets and measured:
        measured = budgets
    build = plan.build and not asked.no_build
    limit_s = asked.time_limit or plan.time_limit_s
    return replace(plan, budgets=budgets, build=build, measured=measured, time_limit_s=limit_s)


def main() -> None:
    """Run what is asked for."""
    asked, began = read_options(), time.perf_counter()
    stop_cleanly()
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as folder:
        home = Path(folder)
        if asked.short:
            run_dataset(TPCH, SHORT_SCALE, adapted(SHORT, asked), asked.algorithms, home, asked.dsn)
        for part in () if asked.short else PARTS:
            if asked.only not in (None, part):
                continue
            plan = adapted(LONG.get(part, SCENARIO), asked)
            if part in DATASETS:
                run_dataset(DATASETS[part], 1.0, plan, asked.algorithms, home, asked.dsn)
            else:
                run_scenario(part, plan, asked.algorithms, home)
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "lanes": _contenders.LANES}
    _print({"what": "ran on", **machine, "seconds": round(time.perf_counter() - began, 1)})


if __name__ == "__main__":
    main()
