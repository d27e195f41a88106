"""A scenario on a server of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgproof.config import Settings
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.workload import Workload
from pgproof.pipeline.memory import make_home
from pgproof.postgres.embedded import EmbeddedServer, find_binaries, start_server
from pgproof.postgres.session import open_session
from pgproof.scenarios import Scenario, load_scenario, read_schema_sql, read_workload_spec, render_data_sql
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.capture.resolve import resolve_generators


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario that stands ready.

    Args:
        scenario: Which one.
        server: It runs on.
        dsn: Of its database.
        workload: Its statements, with values drawn from the loaded rows.
    """

    scenario: Scenario
    server: EmbeddedServer
    dsn: str
    workload: Workload


@contextmanager
def loaded_scenario(
    settings: Settings, name: str, scale: float, *, seed: int = 1, progress: Progress = ignore_progress
) -> Iterator[LoadedScenario]:
    """Load a scenario into an embedded server for as long as the block lasts.

    Args:
        settings: Home, binaries.
        name: Of the scenario.
        scale: 1 is the size its README names.
        seed: Of its parameter values.
        progress: Told what is being done.

    Raises:
        UsageError: There is no such scenario, or the scale is not above 0.
        EmbeddedServerError: No server could be started, or the data did not load.
    """
    scenario = load_scenario(name)
    script = f"{read_schema_sql(scenario)}\n{render_data_sql(scenario, scale)}\n"
    make_home(settings)
    progress(f"starting PostgreSQL for {scenario.name}")
    binaries = find_binaries(bindir=settings.bindir) if settings.bindir else find_binaries()
    with start_server(binaries, home=settings.home, label=scenario.name) as server:
        with open_session(server.dsn(), read_only=False) as admin:
            admin.run(f"CREATE DATABASE {quote_identifier(scenario.name)}")
        dsn = server.dsn(scenario.name)
        progress(f"loading {scenario.name} at scale {scale:g}")
        _load(server, dsn, script)
        with open_session(dsn, statement_timeout_ms=0) as session:
            workload = resolve_generators(session, read_workload_spec(scenario), seed)
        yield LoadedScenario(scenario, server, dsn, workload)


def _load(server: EmbeddedServer, dsn: str, script: str) -> None:
    with tempfile.TemporaryDirectory(prefix="pgproof-") as folder:
        file = Path(folder) / "load.sql"
        file.write_text(script, encoding="utf-8")
        server.run_tool("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-f", str(file)])
    with open_session(dsn, read_only=False, statement_timeout_ms=0) as session:
        session.run("CREATE EXTENSION pg_stat_statements")
        session.run("VACUUM")  # no ANALYZE: statistics are the data script's to gather, old ones included
