"""``pgproof demo``: the whole line on an embedded server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.errors import UsageError
from pgproof.frontends.artifacts import write_demo_artifacts
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.outputs import demand_writable_folder
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.demo_document import demo_document
from pgproof.frontends.report import terminal
from pgproof.scenarios import SCENARIOS

_NAMES = ", ".join(scenario.name for scenario in SCENARIOS)


def demo(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help=f"One of {_NAMES}.")] = "shop",
    scale: Annotated[float, typer.Option("--scale", help="1 is the size the scenario's README names.")] = 1.0,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where the report, the SQL and the blueprint go.")
    ] = Path("out"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")] = 1,
    json: Json = None,
) -> None:
    """Show the whole line, from capture to revert and report, on an embedded PostgreSQL."""
    if not 0 < scale < float("inf"):
        raise UsageError(
            f"--scale {scale:g}: must be above 0.", hint="0.1 takes about a minute, 1 about three."
        )
    screen = Screen(json)
    screen.check_writable()
    demand_writable_folder(out, "--out")
    with screen.progress() as progress:
        result = pipeline.demo(read_settings(), scenario, scale=scale, seed=seed, progress=progress)
    files = write_demo_artifacts(out, result)
    terminal.print_demo(screen.text, result)
    terminal.print_artifacts(screen.text, files)
    screen.emit(demo_document(result, str(files[0])))
