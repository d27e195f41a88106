"""``pgproof selfcheck``: what this host can measure."""

from __future__ import annotations

from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.cli.options import Json
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.competition_documents import arm_document
from pgproof.frontends.documents import SelfcheckDocument
from pgproof.frontends.report import terminal


def selfcheck(
    arms: Annotated[int, typer.Option("--arms", min=2, max=8, help="Identical arms that race.")] = 4,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="SECONDS", min=5, help="Budget of the whole check.")
    ] = 60.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")] = 1,
    json: Json = None,
) -> int:
    """Race identical arms on this host: nobody may win, and the smallest provable effect is told."""
    screen = Screen(json)
    screen.check_writable()
    with screen.progress() as progress:
        competition = pipeline.selfcheck(
            read_settings(), arms=arms, time_limit_s=time_limit, seed=seed, progress=progress
        )
    document = SelfcheckDocument(
        arms=arms,
        winner=competition.winner,
        detectable_effect_frac=competition.detectable_effect_frac,
        rounds=competition.rounds,
        seconds=competition.seconds,
        comparisons=tuple(arm_document(arm) for arm in competition.arms if arm.comparison),
        notes=competition.notes,
    )
    terminal.print_selfcheck(screen.text, document)
    screen.emit(document)
    return 1 if competition.winner is not None else 0
