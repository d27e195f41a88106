"""``pgproof runs``: what the ledger remembers."""

from __future__ import annotations

from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import RunDocument, RunsDocument
from pgproof.frontends.report import terminal


def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show the newest N.")] = 20,
    json: Json = None,
) -> None:
    """List what was captured, advised, raced and shipped, newest first."""
    screen = Screen(json)
    screen.check_writable()
    found = pipeline.runs(read_settings(), limit)
    lines = tuple(
        RunDocument(record.id, record.kind, record.created_at.isoformat(timespec="seconds"), record.name)
        for record in found
    )
    terminal.print_runs(screen.text, lines)
    screen.emit(RunsDocument(lines))
