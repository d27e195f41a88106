"""Data sets of the index benchmarks: files made once into a cache, then loaded into any server.

What makes the files and what the tables are stands with each set (``tpch.py``, ``tpcds.py``). Generated data
lies in ``$PGPROOF_BENCH_CACHE``, else in the user's cache folder, never in the checkout.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import platformdirs
import psycopg
from psycopg import sql

from pgproof.postgres.embedded import EmbeddedServer, start_server

SERVER_SETTINGS = {
    # Plans one process carries out: its CPU time is then the whole of a statement's CPU time.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "512MB",
}
"""What every advisor is judged with; else stock, as the peers' benchmarks had it.

**Source**: hyrise/index_selection_evaluation switches parallel plans and JIT off too.
"""

COPY_BYTES = 1 << 20
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public benchmark's data and queries.

    Args:
        name: What it is called: its database, and the files beside this one. ``NAME_schema.sql`` makes the
            tables without keys, ``NAME_keys.sql`` adds them, ``NAME_queries`` has one file a query.
        tables: In an order in which rows can be loaded with keys in place.
        copy_options: How its files look to COPY.
        suffix: Of its files, which are called after the tables.
        make: Writes the files of a scale factor into an empty folder.
        excluded: Queries that never end without indexes at scale 1, or that fail.
    """

    name: str
    tables: tuple[str, ...]
    copy_options: str
    suffix: str
    make: Callable[[float, Path], None]
    excluded: frozenset[str]

    def queries(self) -> dict[str, str]:
        """Return the text of each query of the standard workload, by name, in order."""
        return {name: text for name, text in self.all_queries().items() if name not in self.excluded}

    def all_queries(self) -> dict[str, str]:
        """Return the text of each query, by name, in order."""
        files = sorted((HERE / f"{self.name}_queries").glob("*.sql"))
        return {file.stem: file.read_text(encoding="utf-8").strip().rstrip(";") for file in files}


def cache_folder() -> Path:
    """Return where generated data is kept."""
    named = os.environ.get("PGPROOF_BENCH_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("pgproof")) / "bench"


def data_folder(dataset: Dataset, scale: float) -> Path:
    """Return the folder with the files of a scale factor, made on first use."""
    folder = cache_folder() / f"{dataset.name}{scale:g}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as unfinished:
        made = Path(unfinished) / "data"
        made.mkdir()
        dataset.make(scale, made)
        made.rename(folder)
    return folder


def load(dataset: Dataset, dsn: str, scale: float, *, keys: bool = False) -> None:
    """Make the tables in an empty database and fill them.

    Args:
        dataset: What to load.
        dsn: The database.
        scale: Scale factor; 1 is about 1 GB.
        keys: Add primary and foreign keys too.
    """
    folder = data_folder(dataset, scale)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((HERE / f"{dataset.name}_schema.sql").read_bytes())
        for table in dataset.tables:
            _copy(connection, table, folder / f"{table}{dataset.suffix}", dataset.copy_options)
        if keys:
            connection.execute((HERE / f"{dataset.name}_keys.sql").read_bytes())
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str, file: Path, options: str) -> None:
    # Created or truncated in the same transaction: the rows need no WAL, and VACUUM finds them all visible.
    statement = sql.SQL("COPY {} FROM STDIN WITH ({}, FREEZE)").format(
        sql.Identifier(table),
        sql.SQL(options),
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        with cursor.copy(statement) as copy, file.open("rb") as lines:
            while block := lines.read(COPY_BYTES):
                copy.write(block)


def create_database(server: EmbeddedServer, name: str) -> str:
    """Make an empty database and return its connection string."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.dsn(name)


def stop_cleanly() -> None:
    """Treat SIGTERM as Ctrl-C, so that the servers of a benchmark end with it; only the first one counts."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for other in (signal.SIGTERM, signal.SIGINT):
            signal.signal(other, signal.SIG_IGN)  # a second one would interrupt the removal
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)


def serve(dataset: Dataset, settings: Mapping[str, str] = SERVER_SETTINGS) -> None:
    """Load a data set into a server of its own and keep that running until SIGINT or SIGTERM."""
    options = argparse.ArgumentParser(
        description=f"Keep a server with {dataset.name} running; print its DSN."
    )
    options.add_argument("--scale", type=float, default=1.0, help="scale factor (default 1)")
    options.add_argument("--short", action="store_true", help="scale factor 0.1")
    options.add_argument("--keys", action="store_true", help="add primary and foreign keys")
    options.add_argument("--home", type=Path, default=None, help="where the server's folder goes")
    asked = options.parse_args()
    stop_cleanly()
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as fallback:
        home = asked.home or Path(fallback)
        with start_server(home=home, label=dataset.name, settings=settings, durable=False) as server:
            dsn = create_database(server, dataset.name)
            load(dataset, dsn, 0.1 if asked.short else asked.scale, keys=asked.keys)
            print(dsn, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
