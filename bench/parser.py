"""What reading SQL costs: operations per second of CPU, on the statements of the scenario shop.

Prints JSON lines. Caches are passed by: every call does the work.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from pgproof.scenarios import load_scenario, read_workload_spec
from pgproof.sqltext.fingerprint import fingerprint, normalise
from pgproof.sqltext.parameters import literals_to_parameters
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes

VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
LONG_LIST = 1_000


def read_texts() -> dict[str, list[str]]:
    """The corpora: everyday statements, and one with a long list, as object-relational mappers write it."""
    shop = [statement.query.sql for statement in read_workload_spec(load_scenario("shop")).statements]
    numbers = ", ".join(map(str, range(LONG_LIST)))
    return {"shop": shop, f"list of {LONG_LIST}": [f"SELECT * FROM orders WHERE id IN ({numbers})"]}


OPERATIONS: dict[str, Callable[[str], object]] = {
    "parse": parse_statement,
    "parse and find shapes": lambda sql: find_shapes(parse_statement(sql)),
    "fingerprint": fingerprint.__wrapped__,
    "normalise": normalise.__wrapped__,
    "literals to parameters": literals_to_parameters,
    "regular expression (peer)": lambda sql: VALUES.sub("?", sql),
}


def rate(operation: Callable[[str], object], texts: Sequence[str], seconds: float) -> float:
    """Calls per second of CPU time."""
    done, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        for text in texts:
            operation(text)
        done += len(texts)
    return done / spent


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="3 rounds of 0.05 s instead of 7 of 0.5 s")
    short = options.parse_args().short
    rounds, seconds = (3, 0.05) if short else (7, 0.5)
    for corpus, texts in read_texts().items():
        rates: dict[str, list[float]] = {name: [] for name in OPERATIONS}
        for _ in range(rounds):
            for name, operation in OPERATIONS.items():
                rates[name].append(rate(operation, texts, seconds))
        length = statistics.mean(map(len, texts))
        for name, measured in rates.items():
            median = statistics.median(measured)
            line = {
                "bench": "parser",
                "what": name,
                "corpus": corpus,
                "statements": len(texts),
                "mean_length_chars": round(length),
                "per_cpu_s": round(median),
                "cpu_us": round(1e6 / median, 1),
                "spread_frac": round((max(measured) - min(measured)) / median, 3),
                "rounds": rounds,
            }
            print(json.dumps(line))
    print(
        json.dumps(
            {
                "bench": "parser",
                "what": "ran on",
                "machine": platform.machine(),
                "python": platform.python_version(),
                "postgast": version("postgast"),
            }
        )
    )


if __name__ == "__main__":
    main()
