"""Names of what the ledger remembers."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def new_run_id(letter: str, now: datetime) -> str:
    """Make an id that sorts by time: ``r-20261120-101530-ab12``.

    Args:
        letter: What it names: "r" a run, "d" a rollout.
        now: Aware; becomes UTC, to the second. The digits behind it tell apart what began in the same one.
    """
    return f"{letter}-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
