"""The options of ``pgproof advise``, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgproof.frontends.cli.options import parse_bytes, parse_seconds
from pgproof.model.candidate import IndexBudget
from pgproof.pipeline import WhatIf

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the blueprint.")]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="SIZE", help="New index bytes allowed, for example 500MB."),
]
MaxIndexes = Annotated[
    int | None, typer.Option("--max-indexes", metavar="N", min=0, help="New indexes allowed.")
]
MaxBuild = Annotated[
    str | None,
    typer.Option("--max-build", metavar="TIME", help="Time their builds may take, for example 10min."),
]
MaxWriteOverhead = Annotated[
    float | None,
    typer.Option(
        "--max-write-overhead",
        metavar="PERCENT",
        min=0,
        help="How much dearer the workload's writes may get, in planner cost.",
    ),
]
MaxWidth = Annotated[int, typer.Option("--max-width", min=1, max=8, help="Key columns of an index.")]
WhatIfOption = Annotated[
    WhatIf,
    typer.Option(
        "--what-if",
        help="Who prices indexes: a shadow of the planner, without rows; a clone, with rows; "
        "or HypoPG on the database itself, where it is installed.",
    ),
]
TimeLimit = Annotated[
    str,
    typer.Option("--time-limit", metavar="TIME", help="Of the choice; the best so far is taken then."),
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure",
        help="Build the sets on a clone, time every statement whose plan changes, and choose again "
        "without what makes one slower.",
    ),
]
MachineOption = Annotated[
    str | None,
    typer.Option(
        "--machine",
        metavar="SIZE",
        help="What the server runs on, for example 2cpu,4GB,ssd: settings are compared with it.",
    ),
]
StandbysChecked = Annotated[
    bool,
    typer.Option(
        "--standbys-checked", help="No standby reads an index that looks unused here: you have looked."
    ),
]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Show every index and statement of the explanation.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")]


def read_budget(
    size: str | None, count: int | None, build: str | None, write_percent: float | None
) -> IndexBudget | None:
    """Return what new indexes may take, None where nothing limits them.

    Raises:
        UsageError: A size or a time can't be read.
    """
    limits = IndexBudget(
        size_bytes=parse_bytes(size),
        count=count,
        build_s=None if build is None else parse_seconds(build),
        write_frac=None if write_percent is None else write_percent / 100,
    )
    return None if limits == IndexBudget() else limits
