"""Index candidates, and the sets of them that were found worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.change import CreateExtension, CreateIndex
from pgproof.model.units import PlannerCost


@dataclass(frozen=True, slots=True)
class IndexCandidate:
    """An index that might help, with nobody asked yet.

    Args:
        change: The index; its name is unique among the candidates and in the catalog.
        statements: Names of the workload statements it was proposed for, in workload order.
        reason: What in those statements asks for it, in words; no row values.
        requires: Extensions that have to exist before it, in order; mostly empty.
        analyze: Its table needs ANALYZE after it was built (an expression has no statistics before).
        pages_hint: Heap pages the statements would no longer read, summed over their calls: a rough order
            of merit for limits, never a promise.
    """

    change: CreateIndex
    statements: tuple[str, ...]
    reason: str
    requires: tuple[CreateExtension, ...] = ()
    analyze: bool = False
    pages_hint: float = 0.0

    @property
    def name(self) -> str:
        """Name of the index."""
        return self.change.name


class Ambition(StrEnum):
    """How far a set of indexes goes; least far first."""

    LEAN = "lean"
    BALANCED = "balanced"
    BROAD = "broad"
    ALTERNATIVE = "alternative"


@dataclass(frozen=True, slots=True)
class IndexSet:
    """Candidates chosen to be tried together.

    Args:
        ambition: How far it goes.
        names: Names of the candidates, most useful first; at least one.
        before: Weighted cost of the workload without them.
        after: And with them, the penalty for writes left out.
        index_bytes: Their size.
        write_penalty: What keeping them up to date is thought to cost, in the same weights.
    """

    ambition: Ambition
    names: tuple[str, ...]
    before: PlannerCost
    after: PlannerCost
    index_bytes: int
    write_penalty: PlannerCost


@dataclass(frozen=True, slots=True)
class Selection:
    """What came of choosing among the candidates.

    Args:
        sets: Least ambitious first, no two with the same indexes; empty where no index helps.
        reason: Why there are none, or how far indexes can go at all; one or two sentences.
        before: Weighted cost of the workload as it is.
        floor: And with every candidate there at once: no set of them can do better.
        refused: Candidates that could not be estimated, each with the reason.
        planner_calls: How often the planner was asked.
    """

    sets: tuple[IndexSet, ...]
    reason: str
    before: PlannerCost
    floor: PlannerCost
    refused: tuple[str, ...] = ()
    planner_calls: int = 0
