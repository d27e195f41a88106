"""A variant: one way to make the workload faster."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.change import Change


@dataclass(frozen=True, slots=True)
class Variant:
    """Changes that are tried together.

    Args:
        name: Short, unique in its blueprint ("lean"); not "control" or "canary".
        title: One line for humans.
        changes: In the order in which they are applied; empty only for the baseline.
        why: What it bets on.
    """

    name: str
    title: str
    changes: tuple[Change, ...]
    why: str = ""


CONTROL = Variant("control", "the database as it is", ())
CANARY = Variant("canary", "a second, hidden control", ())
