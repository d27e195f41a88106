"""``pgproof deploy``, ``revert`` and ``resume``: a winner's way into a database, and out again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.errors import Cancelled, UsageError
from pgproof.frontends.artifacts import write_migration_files
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.outputs import demand_writable_folder
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import rollout_document
from pgproof.frontends.report import terminal

Rollout = Annotated[
    str, typer.Argument(metavar="ROLLOUT", help="Id that deploy printed, a unique beginning of it, or last.")
]
Target = Annotated[
    str,
    typer.Option("--to", metavar="DSN", help="The database. Left out: the PG* environment."),
]


def deploy(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id that compete printed, a unique beginning, or last.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="DSN", help="The database. Left out: the PG* environment.")
    ] = "",
    variant: Annotated[
        str | None,
        typer.Option("--variant", help="Another variant than the winner; its gates must have passed."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and show the SQL; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before the first change.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write the up and down SQL files here.")
    ] = None,
    json: Json = None,
) -> None:
    """Ship the winner: checks first, then CREATE INDEX CONCURRENTLY step by step, journalled and verified."""
    screen = Screen(json)
    screen.check_writable()
    if out is not None:
        demand_writable_folder(out, "--out")
    settings = read_settings()
    with screen.progress() as progress:
        plan = pipeline.plan_deploy(settings, run, to, variant=variant, progress=progress)
    terminal.print_deploy_plan(screen.text, plan.target, plan.variant, plan.sql, plan.notes)
    if out is not None:
        terminal.print_artifacts(screen.text, write_migration_files(out, plan.up_sql, plan.down_sql))
    if dry_run or plan.is_done:
        if plan.is_done:
            screen.text.print("Nothing to do: the database has all of it already. No rollout was made.")
        screen.emit(rollout_document(plan.rollout, plan.sql, (), plan.notes))
        return
    _confirm(yes, screen)
    with screen.progress() as progress:
        shipped = pipeline.deploy(settings, plan, to, progress=progress)
    news = [note for note in shipped.notes if note not in plan.notes]
    terminal.print_rollout(screen.text, shipped.rollout, shipped.effects, news, to)
    screen.emit(rollout_document(shipped.rollout, plan.sql, shipped.effects, shipped.notes))


def revert(rollout: Rollout, to: Target = "", json: Json = None) -> None:
    """Take a rollout back: inverse steps in reverse order; the schema must end byte-equal to before."""
    screen = Screen(json)
    screen.check_writable()
    with screen.progress() as progress:
        taken = pipeline.revert(read_settings(), rollout, to, progress=progress)
    terminal.print_rollout(screen.text, taken.rollout, (), taken.notes, to)
    screen.emit(rollout_document(taken.rollout, taken.sql, (), taken.notes))


def resume(rollout: Rollout, to: Target = "", json: Json = None) -> None:
    """Go on with a rollout that was interrupted: read the catalog, clean up, finish the open steps."""
    screen = Screen(json)
    screen.check_writable()
    with screen.progress() as progress:
        taken = pipeline.resume(read_settings(), rollout, to, progress=progress)
    terminal.print_rollout(screen.text, taken.rollout, (), taken.notes, to)
    screen.emit(rollout_document(taken.rollout, taken.sql, (), taken.notes))


def _confirm(yes: bool, screen: Screen) -> None:
    if yes:
        return
    if not (screen.errors.is_terminal and sys.stdin.isatty()):
        raise UsageError(
            "deploy changes the database and nobody is there to say yes.",
            hint="Look at the SQL with --dry-run, then give --yes.",
        )
    if not typer.confirm("Apply these changes?", err=True):
        raise Cancelled("Not deployed.", hint="Nothing was changed.")
