"""``pgproof blueprint``: start, check and show blueprints."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.errors import UsageError
from pgproof.frontends.artifacts import write_text
from pgproof.frontends.blueprint.checking import check_file
from pgproof.frontends.blueprint.markdown import render_markdown
from pgproof.frontends.blueprint.reading import read_file
from pgproof.frontends.blueprint.starting import (
    start_from_run,
    start_from_workload,
    start_plain,
    write_start,
)
from pgproof.frontends.blueprint_file import demand_blueprint
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.report import blueprint_check, terminal
from pgproof.frontends.report.tables import print_command

File = Annotated[Path, typer.Argument(metavar="FILE", help="The blueprint.")]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the blueprint.")] = Path(
        "blueprint.yaml"
    ),
    workload: Annotated[
        Path | None,
        typer.Option("--from", metavar="WORKLOAD", help="Workload file that it names, with its statements."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--from-run",
            metavar="RUN",
            help="Take variants and workload of a run of advise or compete: its id, or last:advise.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write a commented blueprint to start from; it is valid as it stands."""
    if workload is not None and run is not None:
        raise UsageError("--from and --from-run exclude each other.", hint="Name one of them.")
    screen = Screen()
    if run is not None:
        start = start_from_run(pipeline.find_blueprint(read_settings(), run), file)
    elif workload is not None:
        start = start_from_workload(workload, file)
    else:
        start = start_plain(file)
    terminal.print_artifacts(screen.text, write_start(start, replacing=force))
    print_command(screen.text, "next", f"pgproof blueprint check {quote(str(file))}", "")


def check(
    file: File,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="DSN",
            help="Also look for what a database speaks against: tables and columns that aren't there, "
            'changes that would be refused, statements that can\'t be planned. "" is the PG* environment.',
        ),
    ] = None,
    json: Json = None,
) -> int:
    """Report all that is wrong with a blueprint at once, with line and column.

    Exit code 2: the file is wrong. 1: the file is good, and the database speaks against it.
    """
    screen = Screen(json)
    screen.check_writable()
    read = read_file(file)
    objections: tuple[pipeline.Objection, ...] = ()
    if against is not None and read.blueprint is not None and read.spec is not None:
        with screen.progress() as progress:
            objections = pipeline.find_objections(
                read_settings(), read.blueprint, read.spec, against, progress=progress
            )
    document = check_file(read, objections, against is not None)
    blueprint_check.print_check(screen.text, document)
    screen.emit(document)
    return 2 if document.problems else 1 if document.objections else 0


def show(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The blueprint. Left out: the one that --run raced."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="With the results of this competition: its id, or last."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.md", help="Write it here instead of showing it.")
    ] = None,
) -> None:
    """Render a blueprint as Markdown, with the results of a competition where one is named."""
    if file is None and run is None:
        raise UsageError("Neither a file nor a run is named.", hint="Write pgproof blueprint show FILE.")
    screen = Screen()
    if out is not None:
        demand_writable_file(out, "--out")
    blueprint = demand_blueprint(file)[1] if file is not None else None
    run_id, competition = "", None
    if run is not None:
        run_id, raced, competition = pipeline.find_run(read_settings(), run)
        if blueprint is not None and blueprint.name != raced.name:
            raise UsageError(
                f"Run {run_id} raced the blueprint {raced.name!r}, and {file} is {blueprint.name!r}.",
                hint="Name a run of this blueprint, or leave the file out to show the one that was raced.",
            )
        blueprint = blueprint or raced
    assert blueprint is not None
    text = render_markdown(blueprint, run_id, competition)
    if out is None:
        sys.stdout.write(text)
    else:
        terminal.print_artifacts(screen.text, (write_text(out, text),))


COMMANDS = (("new", new), ("check", check), ("show", show))
