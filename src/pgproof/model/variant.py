"""A variant: one way to make the workload faster."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.change import Change
from pgproof.model.freshness import CachePolicy, Refresh


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
class ReplacedStatement:
    """Another text for a statement of the workload, with the same placeholders and the same answer.

    Args:
        statement: Its name in the workload.
        sql: What the application sends instead, with ``$1``... placeholders.
    """

    statement: str
    sql: str


@dataclass(frozen=True, slots=True)
class Variant:
    """What is tried together: changes of the database first of all.

    Args:
        name: Short, unique in its blueprint ("lean"); not "control" or "canary".
        title: One line for humans.
        changes: In the order in which they are applied; empty for the baseline, and where only the
            application changes.
        why: What it bets on.
        expected: What the planner expects of it, for the statements that were priced, in workload order;
            empty where nobody asked.
        details: Points of the approach, for readers.
        statements: What the application sends instead of statements of the workload.
        cache: In front of statements; None means none.
        refreshes: Of materialized views, by the clock.
        max_staleness_s: How old an answer may be, in seconds; None means never older than the last commit.
        patch: File of a change to the application's code, relative to the blueprint; empty means none.
    """

    name: str
    title: str
    changes: tuple[Change, ...]
    why: str = ""
    expected: tuple[ExpectedStatement, ...] = ()
    details: tuple[str, ...] = ()
    statements: tuple[ReplacedStatement, ...] = ()
    cache: CachePolicy | None = None
    refreshes: tuple[Refresh, ...] = ()
    max_staleness_s: float | None = None
    patch: str = ""


CONTROL = Variant("control", "the database as it is", ())
CANARY = Variant("canary", "a second, hidden control", ())
