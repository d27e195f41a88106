"""``pgproof advise``: propose variants and write them as a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.blueprint_file import write_blueprint
from pgproof.frontends.cli.machine import parse_machine
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile, parse_bytes, parse_seconds
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report import terminal
from pgproof.model.candidate import IndexBudget
from pgproof.pipeline import WhatIf, Wishes


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
    max_indexes: Annotated[
        int | None, typer.Option("--max-indexes", metavar="N", min=0, help="New indexes allowed.")
    ] = None,
    max_build: Annotated[
        str | None,
        typer.Option("--max-build", metavar="TIME", help="Time their builds may take, for example 10min."),
    ] = None,
    max_write_overhead: Annotated[
        float | None,
        typer.Option(
            "--max-write-overhead",
            metavar="PERCENT",
            min=0,
            help="How much dearer the workload's writes may get, in planner cost.",
        ),
    ] = None,
    max_width: Annotated[int, typer.Option("--max-width", min=1, max=8, help="Key columns of an index.")] = 4,
    what_if: Annotated[
        WhatIf,
        typer.Option(
            "--what-if",
            help="Who prices indexes: a shadow of the planner, without rows; a clone, with rows; "
            "or HypoPG on the database itself, where it is installed.",
        ),
    ] = WhatIf.SHADOW,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="Of the choice; the best so far is taken then."),
    ] = "60s",
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Build the sets on a clone, time every statement whose plan changes, and choose again "
            "without what makes one slower.",
        ),
    ] = False,
    machine: Annotated[
        str | None,
        typer.Option(
            "--machine",
            metavar="SIZE",
            help="What the server runs on, for example 2cpu,4GB,ssd: settings are compared with it.",
        ),
    ] = None,
    standbys_checked: Annotated[
        bool,
        typer.Option(
            "--standbys-checked", help="No standby reads an index that looks unused here: you have looked."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show every index and statement of the explanation.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")] = 1,
    json: Json = None,
) -> None:
    """Propose ways to make the workload faster, priced by the planner."""
    limits = IndexBudget(
        size_bytes=parse_bytes(budget),
        count=max_indexes,
        build_s=None if max_build is None else parse_seconds(max_build),
        write_frac=None if max_write_overhead is None else max_write_overhead / 100,
    )
    wishes = Wishes(
        budget=None if limits == IndexBudget() else limits,
        max_width=max_width,
        what_if=what_if,
        time_limit_s=parse_seconds(time_limit),
        measure=measure,
        machine=None if machine is None else parse_machine(machine),
        standbys_asked=standbys_checked,
        seed=seed,
    )
    screen = Screen(json)
    screen.check_writable()
    demand_writable_file(out, "--out")
    with screen.progress() as progress:
        advice = pipeline.advise(
            read_settings(), dsn, workload_file=workload, wishes=wishes, progress=progress
        )
    written = ""
    if advice.blueprint.variants:
        write_blueprint(advice.blueprint, out)
        written = str(out)
    document = AdviseDocument(
        run=advice.run,
        blueprint=written,
        variants=advice.blueprint.variants,
        sql=dict(advice.sql),
        estimates=advice.estimates,
        notes=advice.notes,
        explanations=dict(advice.explanations),
        drops=advice.drops,
        proof=advice.proof,
        measured=dict(advice.measured),
        statistics=advice.beside.statistics,
        statistics_checks=advice.beside.checks,
        settings=advice.beside.settings,
    )
    terminal.print_advice(screen.text, document, dsn, everything=verbose)
    screen.emit(document)
