"""A variant: one way to make the workload faster."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.change import Change


@dataclass(frozen=True, slots=True)
class ExpectedStatement:
    """What the planner expects of a variant for one statement. Cost, never time.

    Args:
        statement: Its name in the workload.
        cost_frac: Its planner cost with the variant as a share of the cost now, >= 0 (0.35: 65 % less).
    """

    statement: str
    cost_frac: float


@dataclass(frozen=True, slots=True)
class Variant:
    """Changes that are tried together.

    Args:
        name: Short, unique in its blueprint ("lean"); not "control" or "canary".
        title: One line for humans.
        changes: In the order in which they are applied; empty only for the baseline.
        why: What it bets on.
        expected: What the planner expects of it, for the statements that were priced, in workload order;
            empty where nobody asked.
    """

    name: str
    title: str
    changes: tuple[Change, ...]
    why: str = ""
    expected: tuple[ExpectedStatement, ...] = ()


CONTROL = Variant("control", "the database as it is", ())
CANARY = Variant("canary", "a second, hidden control", ())
