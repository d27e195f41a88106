"""``pgproof capture``: record what the application asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.errors import UsageError
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import CaptureDocument
from pgproof.frontends.report import terminal


def capture(
    dsn: Dsn = "",
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the workload.")] = Path(
        "workload.json"
    ),
    source: Annotated[
        str, typer.Option("--source", help="Where to look: statements (pg_stat_statements).")
    ] = "statements",
    workload: WorkloadFile = None,
    window: Annotated[
        float,
        typer.Option(
            "--window", metavar="SECONDS", min=0, help="Watch this long; 0 takes all since the last reset."
        ),
    ] = 0.0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Keep the heaviest N statements.")] = 100,
    min_calls: Annotated[
        int | None,
        typer.Option(
            "--min-calls",
            metavar="N",
            min=1,
            help="Leave out statements with fewer calls. Left out: writes that ran once, as loads do.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sampling of parameter values.")] = 1,
    json: Json = None,
) -> None:
    """Capture a workload: statements, weights and parameter values, from a server or from a file.

    Values are drawn from rows and statistics of the database where the server does not keep them;
    the file holds such values, so treat it like the data itself.
    """
    screen = Screen(json)
    screen.check_writable()
    demand_writable_file(out, "--out")
    if source != "statements":
        raise UsageError(f"--source {source}: unknown source.", hint="Known sources: statements.")
    with screen.progress() as progress:
        captured = pipeline.capture(
            read_settings(),
            dsn,
            workload_file=workload,
            window_s=window,
            limit=limit,
            min_calls=min_calls,
            seed=seed,
            progress=progress,
        )
        pipeline.write_workload(captured, out)
    terminal.print_workload(screen.text, captured, out, dsn)
    timed = [s.counters.total_ms for s in captured.statements if s.counters]
    screen.emit(
        CaptureDocument(
            out=str(out),
            statements=len(captured.statements),
            calls=sum(s.calls for s in captured.statements),
            total_ms=sum(timed) if timed else None,
            window_s=captured.window_s,
            notes=captured.notes,
        )
    )
