"""``pgproof check``: find what hurts."""

from __future__ import annotations

from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import CheckDocument
from pgproof.frontends.report import terminal
from pgproof.model.finding import Severity


def check(
    dsn: Dsn = "",
    workload: WorkloadFile = None,
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="Exit with 1 when a finding is at least this severe.")
    ] = None,
    json: Json = None,
) -> int:
    """Find what hurts, with evidence and remedy. Reads only; plans statements but never runs them."""
    screen = Screen(json)
    screen.check_writable()
    with screen.progress() as progress:
        outcome = pipeline.check(read_settings(), dsn, workload_file=workload, progress=progress)
    diagnosis = outcome.diagnosis
    terminal.print_diagnosis(screen.text, outcome.catalog, diagnosis)
    screen.emit(
        CheckDocument(
            database=outcome.catalog.database,
            server_version=outcome.catalog.version,
            findings=diagnosis.findings,
            skipped=diagnosis.skipped,
            checks=diagnosis.checks,
        )
    )
    failed = fail_on is not None and any(f.severity.rank <= fail_on.rank for f in diagnosis.findings)
    return 1 if failed else 0
