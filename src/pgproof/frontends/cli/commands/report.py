"""``pgproof report``: one self-contained page of a competition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.artifacts import write_text
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.competition_documents import competition_document
from pgproof.frontends.report import terminal
from pgproof.frontends.report.page import Page, render_page


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id that compete printed, a unique beginning, or last.")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained HTML page.")
    ] = None,
    json: Json = None,
) -> None:
    """Show a competition again: on the terminal, and as one HTML page that needs no network."""
    screen = Screen(json)
    screen.check_writable()
    if html is not None:
        demand_writable_file(html, "--html")
    run_id, blueprint, competition = pipeline.find_run(read_settings(), run)
    terminal.print_competition(screen.text, run_id, competition)
    if html is not None:
        page = render_page(Page(run=run_id, competition=competition, blueprint=blueprint))
        terminal.print_artifacts(screen.text, (write_text(html, page),))
    screen.emit(competition_document(run_id, competition))
