"""An estimate: what the planner expects of a variant. Cost, never time."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.units import PlannerCost


@dataclass(frozen=True, slots=True)
class StatementEstimate:
    """One statement's expected cost.

    Args:
        statement: Its name in the workload.
        before: Cost without the variant, mean over its parameter sets.
        after: Cost with it.
        indexes: New indexes that its plans use, sorted.
    """

    statement: str
    before: PlannerCost
    after: PlannerCost
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A variant's expected effect.

    Args:
        variant: Its name.
        statements: In workload order; statements that could not be explained are left out.
        before: Cost of all calls without it, the look-ups of foreign keys included; where the server measured
            time, each statement counts by its share of the time.
        after: And with it, the upkeep of its indexes left out.
        index_bytes: Size of its new indexes.
        provider: Who was asked ("clone": real indexes on a clone).
        skipped: Statements left out, each with the reason.
        weighted_by: "time" or "calls": what a statement counts by in ``before`` and ``after``.
    """

    variant: str
    statements: tuple[StatementEstimate, ...]
    before: PlannerCost
    after: PlannerCost
    index_bytes: int
    provider: str
    skipped: tuple[str, ...] = ()
    weighted_by: str = "calls"

    @property
    def saved_frac(self) -> float:
        """Share of the workload's cost that is saved."""
        return self.before.saved_frac(self.after)
