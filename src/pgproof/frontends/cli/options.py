"""Options that several commands share, and the values they take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pgproof.errors import UsageError

Dsn = Annotated[
    str,
    typer.Argument(
        metavar="DSN",
        help="Connection string as libpq takes it: a URL, key=value pairs or service=NAME. "
        "Left out: the PG* environment variables.",
    ),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - means standard output."),
]
WorkloadFile = Annotated[
    Path | None,
    typer.Option(
        "--workload", metavar="FILE", help="Workload file (YAML, JSON or SQL) instead of pg_stat_statements."
    ),
]

_UNITS = {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}


def parse_bytes(text: str | None) -> int | None:
    """Return a size such as ``500MB`` in bytes (1 kB = 1024 bytes, as PostgreSQL counts).

    Raises:
        UsageError: Not a size.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    unit = match.group(2).lower().replace("ib", "b") if match else "?"
    if match is None or unit not in _UNITS:
        raise UsageError(f"{text!r} is not a size.", hint="Write a number and a unit: 500MB, 2GB, 800kB.")
    return int(float(match.group(1)) * _UNITS[unit])


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names of a list separated by commas, in order; empty without any."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


_TIMES = {"": 1.0, "s": 1.0, "ms": 0.001, "min": 60.0, "m": 60.0, "h": 3600.0}


def parse_seconds(text: str) -> float:
    """Return a time such as ``90s``, ``10min`` or ``1h`` in seconds; a plain number is seconds.

    Raises:
        UsageError: Not a time.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    unit = match.group(2).lower() if match else "?"
    if match is None or unit not in _TIMES:
        raise UsageError(f"{text!r} is not a time.", hint="Write a number and a unit: 90s, 10min, 1h.")
    return float(match.group(1)) * _TIMES[unit]
