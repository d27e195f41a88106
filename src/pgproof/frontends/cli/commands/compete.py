"""``pgproof compete``: race a blueprint's variants on clones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.errors import UsageError
from pgproof.frontends.artifacts import write_artifacts
from pgproof.frontends.blueprint_file import demand_blueprint, demand_spec
from pgproof.frontends.cli.options import Json, parse_names
from pgproof.frontends.cli.outputs import demand_writable_folder
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.competition_documents import competition_document
from pgproof.frontends.report import terminal
from pgproof.model.blueprint import Blueprint


def compete(
    blueprint: Annotated[
        Path, typer.Argument(metavar="BLUEPRINT", help="File that advise wrote, or your own.")
    ],
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="DSN", help="The database to clone. Left out: the PG* environment."
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write report, up and down SQL and result here."),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", metavar="SECONDS", min=1, help="Budget of the measurement."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of every random choice.")] = None,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", metavar="no-winner", help="Exit with 1 when no variant wins.")
    ] = None,
    only: Annotated[
        str, typer.Option("--only", metavar="NAMES", help="Race these variants alone, separated by commas.")
    ] = "",
    json: Json = None,
) -> int:
    """Race the variants on clones under the workload, check that results are equal, and score them.

    The database itself is only read (one dump); everything else happens on an embedded server.
    """
    if fail_on not in (None, "no-winner"):
        raise UsageError(f"--fail-on {fail_on}: unknown bar.", hint="Known: no-winner.")
    screen = Screen(json)
    screen.check_writable()
    if out is not None:
        demand_writable_folder(out, "--out")
    file, read = demand_blueprint(blueprint)
    settings = read_settings()
    with screen.progress() as progress:
        ready = pipeline.make_ready(
            settings, read, demand_spec(file), against, only=parse_names(only), progress=progress
        )
        plan = _with_options(ready, time_limit, seed)
        raced = pipeline.compete(settings, plan, against, progress=progress)
    competition = raced.competition
    texts = {statement.name: statement.query.sql for statement in plan.workload.statements}
    terminal.print_competition(screen.text, raced.run, competition, against, texts)
    document = competition_document(raced.run, competition)
    if out is not None:
        terminal.print_artifacts(screen.text, write_artifacts(out, raced, document, plan))
    screen.emit(document)
    return 1 if competition.void or (fail_on and competition.winner is None) else 0


def _with_options(blueprint: Blueprint, time_limit_s: float | None, seed: int | None) -> Blueprint:
    race = blueprint.race
    race = replace(race, time_limit_s=time_limit_s) if time_limit_s else race
    race = replace(race, seed=seed) if seed is not None else race
    return replace(blueprint, race=race)
