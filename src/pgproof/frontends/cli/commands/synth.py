"""``pgproof synth``: a database like another one, made from its statistics alone."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import synth_document
from pgproof.frontends.report.synthesis import print_synthesis
from pgproof.model.synthesis import Synthesis

_SCALE_MIN = 1e-6


def synth(
    dsn: Dsn = "",
    to: Annotated[
        str, typer.Option("--to", metavar="DSN", help="Fill this database, which must be empty.")
    ] = "",
    serve: Annotated[
        bool, typer.Option("--serve", help="Make it on a server of pgproof's own, which runs until Ctrl-C.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write files and a script for psql; must be empty."),
    ] = None,
    scale: Annotated[
        float, typer.Option("--scale", metavar="X", min=_SCALE_MIN, help="Rows to make, of the source's.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all chance; same seed, same rows.")] = 1,
    mask: Annotated[
        bool,
        typer.Option(
            "--mask", help="Replace the values that statistics hold by others of the same order and length."
        ),
    ] = False,
    workload: WorkloadFile = None,
    no_compare: Annotated[
        bool, typer.Option("--no-compare", help="Make the database only; compare no plans.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Exit with 1 when fewer statements have plans of equal shape.",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave what is half made when something fails or on Ctrl-C.")
    ] = False,
    json: Json = None,
) -> int:
    """Make a database with made-up rows that follow another one's statistics, and tell how alike it plans.

    Of the source only the catalog is read, no row. But its statistics hold values: the most common ones
    and samples. They are in the copy too, unless --mask replaces them.
    """
    screen = Screen(json)
    screen.check_writable()
    wishes = pipeline.SynthesisWishes(
        to=to,
        serve=serve,
        out=out,
        scale=scale,
        seed=seed,
        masked=mask,
        workload=workload,
        compare=not no_compare,
        keep=keep,
    )
    with ExitStack() as stack:
        with screen.progress() as progress:
            made = stack.enter_context(pipeline.synthesised(read_settings(), dsn, wishes, progress=progress))
        print_synthesis(screen.text, made.synthesis)
        screen.emit(synth_document(made.synthesis))
        if serve:
            screen.text.print(f"serving until Ctrl-C: {made.dsn}", soft_wrap=True, markup=False)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    return _judge(made.synthesis, fail_under)


def _judge(synthesis: Synthesis, fail_under: float | None) -> int:
    """Return 1 where plans agree less than wanted, or where nobody could tell."""
    if fail_under is None:
        return 0
    found = synthesis.agreement
    share = found.shape_equal_frac if found is not None else None
    return 0 if share is not None and share * 100 >= fail_under else 1
