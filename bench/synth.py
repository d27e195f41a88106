"""How true synthetic data is: plans of TPC-H and of the scenarios on a copy made from statistics alone.

For each database: the copy is made on a server of the source's version; every statement is planned on both,
with the values that the real rows gave; and how fast rows are made and loaded.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.shadow import Case, scenario_case, tpch_case
from pgproof.config import Settings
from pgproof.pipeline import SynthesisWishes, synthesised, write_workload
from pgproof.scenarios import SCENARIOS

TPCH_SCALE = 0.1


def measure(case: Case, home: Path, seed: int, masked: bool, details: bool) -> dict[str, object]:
    file = home / f"{case.name}.json"
    write_workload(case.workload, file)
    wishes = SynthesisWishes(serve=True, seed=seed, masked=masked, workload=file)
    with synthesised(Settings(home=home), case.dsn, wishes) as made:
        synthesis = made.synthesis
    found = synthesis.agreement
    if found is None:
        raise SystemExit(f"{case.name}: no plans were compared: {synthesis.notes}")
    if details:
        for line in (*synthesis.notes, *found.skipped, *found.statements):
            print(line, file=sys.stderr)
        for table in synthesis.tables:
            print(table, file=sys.stderr)
    return {
        "bench": "synth",
        "what": f"{case.name}{' masked' if masked else ''}",
        "source": case.version,
        "statements": len(found.statements),
        "plan_shape_equal_frac": None if found.shape_equal_frac is None else round(found.shape_equal_frac, 4),
        "selectivity_error_factor": None if found.rows_factor is None else round(found.rows_factor, 3),
        "compared": found.compared,
        "rows": synthesis.rows,
        "rows_per_s": round(synthesis.rows_per_s),
        "seconds": round(synthesis.seconds, 2),
        "seed": seed,
        "notes": len(synthesis.notes),
    }


def cases(home: Path, names: Sequence[str], scale: float) -> Iterator[AbstractContextManager[Case]]:
    known = {scenario.name for scenario in SCENARIOS}
    for name in names:
        if name in ("tpch", "tpch-15"):
            yield tpch_case(home, TPCH_SCALE, 18 if name == "tpch" else 15, keys=True)
        elif name in known:
            yield scenario_case(home, name, scale)
        else:
            raise SystemExit(f"{name}: unknown; known are tpch, tpch-15, {', '.join(sorted(known))}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="scenarios at a tenth of their rows, one seed")
    options.add_argument("--only", action="append", default=[], help="tpch, tpch-15, a scenario")
    options.add_argument("--scale", type=float, help="of the scenarios, instead of 1 or 0.1")
    options.add_argument("--seeds", type=int, default=0, help="how many, instead of 3 or 1")
    options.add_argument("--masked", action="store_true", help="replace the statistics' values, too")
    options.add_argument("--details", action="store_true", help="statements and notes, on standard error")
    asked = options.parse_args()
    scale = asked.scale or (0.1 if asked.short else 1.0)
    seeds = asked.seeds or (1 if asked.short else 3)
    everything = ["tpch", *(scenario.name for scenario in SCENARIOS)]
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as folder:
        home = Path(folder)
        for opened in cases(home, asked.only or everything, scale):
            with opened as case:
                for seed in range(1, seeds + 1):
                    line = measure(case, home, seed, asked.masked, asked.details)
                    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
