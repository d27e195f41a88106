"""TPC-H in a PostgreSQL server: data by tpchgen-cli, 22 queries with the specification's validation values.

Run by itself it loads a server and keeps it running, for looking around.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from bench._datasets import Dataset, serve

TABLES = ("region", "nation", "part", "supplier", "customer", "partsupp", "orders", "lineitem")


def make_files(scale: float, folder: Path) -> None:
    """Write the eight tables as CSV files; scale 1 takes 5 s and 1.1 GB."""
    program = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    if not program.exists():
        raise SystemExit(
            f"{program} is missing; it comes with:\n  {sys.executable} -m pip install tpchgen-cli"
        )
    subprocess.run([program, "csv", "-s", f"{scale:g}", f"--output-dir={folder}"], check=True)


TPCH = Dataset(
    name="tpch",
    tables=TABLES,
    copy_options="FORMAT csv, HEADER",
    suffix=".csv",
    make=make_files,
    # Without an index each scans a table once a row of another: minutes to hours at scale 1.
    excluded=frozenset({"q02", "q17", "q20"}),
)

if __name__ == "__main__":
    serve(TPCH)
