"""``pgproof advise``: propose variants and write them as a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.blueprint_file import write_blueprint
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile, parse_bytes
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report import terminal
from pgproof.model.candidate import IndexBudget


def advise(
    dsn: Dsn = "",
    workload: WorkloadFile = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the blueprint.")] = Path(
        "blueprint.yaml"
    ),
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="SIZE", help="New index bytes allowed, for example 500MB."),
    ] = None,
    max_width: Annotated[int, typer.Option("--max-width", min=1, max=8, help="Key columns of an index.")] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")] = 1,
    json: Json = None,
) -> None:
    """Propose ways to make the workload faster, priced by the planner on a clone."""
    budget_bytes = parse_bytes(budget)
    screen = Screen(json)
    screen.check_writable()
    demand_writable_file(out, "--out")
    with screen.progress() as progress:
        advice = pipeline.advise(
            read_settings(),
            dsn,
            workload_file=workload,
            budget=None if budget_bytes is None else IndexBudget(budget_bytes),
            max_width=max_width,
            seed=seed,
            progress=progress,
        )
    written = ""
    if advice.blueprint.variants:
        write_blueprint(advice.blueprint, out)
        written = str(out)
    terminal.print_advice(
        screen.text, advice.blueprint, advice.sql, advice.estimates, advice.notes, written, dsn
    )
    screen.emit(
        AdviseDocument(
            run=advice.run,
            blueprint=written,
            variants=advice.blueprint.variants,
            sql=dict(advice.sql),
            estimates=advice.estimates,
            notes=advice.notes,
        )
    )
