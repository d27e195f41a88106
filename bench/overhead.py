"""What the load generator adds to a statement: ours against pgbench, the same statement on the same server.

Both look up one row by its key, plan each execution anew, and run as many clients; they take turns. Prints
JSON lines. Medians are compared: on a busy machine the mean is made by a few waits for a processor.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgproof.model.blueprint import LoadProfile
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.embedded import EmbeddedServer, start_server
from pgproof.postgres.session import open_session
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.stages.compete.load import LoadTarget, run_load

SQL = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"
ROWS = 100_000  # of pgbench's tables at scale 1
VALUES = 2_000
CLIENTS = (1, 4)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one contender in one round."""

    per_s: float
    p50_us: float
    p99_us: float
    client_cpu_frac: float | None = None


def figures(latencies_us: Sequence[float], seconds: float, client_cpu_frac: float | None = None) -> Figures:
    """Figures of one round from every latency in it."""
    percentiles = statistics.quantiles(latencies_us, n=100)
    return Figures(len(latencies_us) / seconds, percentiles[49], percentiles[98], client_cpu_frac)


def statement() -> WorkloadStatement:
    """The look-up with random keys."""
    chance = random.Random(1)
    sets = tuple(ParameterSet((str(chance.randint(1, ROWS)),)) for _ in range(VALUES))
    return WorkloadStatement("lookup", Query(fingerprint(SQL), SQL, StatementKind.SELECT, True), 1.0, sets)


def run_ours(server: EmbeddedServer, clients: int, seconds: float) -> Figures:
    """A slice of our generator."""
    profile = LoadProfile(clients=clients, slice_s=seconds, slices=1)
    outcome = run_load(
        [LoadTarget("only", server.dsn())],
        [statement()],
        profile,
        seed=1,
        time_limit_s=seconds * 3,
        statement_timeout_ms=0,
    )
    log = outcome.logs["only"]
    if log.errors or not log.finished:
        raise SystemExit(f"the load failed: {log.errors} errors, {log.finished} statements finished")
    return figures([ms * 1000 for ms in log.latencies_ms], log.duration_s, outcome.health.cpu_frac)


def run_pgbench(server: EmbeddedServer, clients: int, seconds: float) -> Figures:
    """The same from pgbench; the time to connect is left out on both sides."""
    whole = max(1, round(seconds))
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as folder:
        arguments = ["-n", "-S", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(whole)]
        logged = ["-l", f"--log-prefix={folder}/log"]
        server.run_tool("pgbench", [*arguments, *logged], timeout_s=60 + seconds)
        lines = [line for file in Path(folder).iterdir() for line in file.read_text("utf-8").splitlines()]
    return figures([float(line.split()[2]) for line in lines], whole)


def line(what: str, clients: int, measured: list[Figures]) -> dict[str, object]:
    """A contender's rounds as one JSON line."""
    medians = [one.p50_us for one in measured]
    cpu = [one.client_cpu_frac for one in measured if one.client_cpu_frac is not None]
    return {
        "bench": "overhead",
        "what": what,
        "clients": clients,
        "per_s": round(statistics.median(one.per_s for one in measured)),
        "p50_us": round(statistics.median(medians), 1),
        "p99_us": round(statistics.median(one.p99_us for one in measured), 1),
        "client_cpu_frac": round(statistics.median(cpu), 3) if cpu else None,
        "spread_frac": round((max(medians) - min(medians)) / statistics.median(medians), 3),
        "rounds": len(measured),
    }


def compare(server: EmbeddedServer, clients: int, rounds: int, seconds: float) -> None:
    """Let both take turns and print what came of it."""
    run_ours(server, clients, 1.0)  # warms the cache for both
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(run_ours(server, clients, seconds))
        theirs.append(run_pgbench(server, clients, seconds))
    print(json.dumps(line("pgproof load", clients, ours)))
    print(json.dumps(line("pgbench (peer)", clients, theirs)))
    added = [a.p50_us - b.p50_us for a, b in zip(ours, theirs, strict=True)]
    difference = {
        "bench": "overhead",
        "what": "added by pgproof",
        "clients": clients,
        "p50_us": round(statistics.median(added), 1),
        "least_us": round(min(added), 1),
        "most_us": round(max(added), 1),
        "rounds": rounds,
    }
    print(json.dumps(difference))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="2 rounds of 1 s instead of 5 of 5 s")
    rounds, seconds = (2, 1.0) if options.parse_args().short else (5, 5.0)
    with (
        tempfile.TemporaryDirectory(prefix="pgproof-bench-") as home,
        start_server(home=Path(home), label="bench", durable=False) as server,
    ):
        server.run_tool("pgbench", ["-i", "-q", "-s", "1"], timeout_s=120)
        with open_session(server.dsn(), read_only=False) as session:
            # our generator lets the server plan each execution with its values; pgbench shall pay for it too
            session.run("ALTER DATABASE postgres SET plan_cache_mode = force_custom_plan")
        for clients in CLIENTS:
            compare(server, clients, rounds, seconds)
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "postgresql": server.version}
        print(json.dumps({"bench": "overhead", "what": "ran on", **machine}))


if __name__ == "__main__":
    main()
