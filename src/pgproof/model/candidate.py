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
        asks: What each statement asks for, in words, by its name: ``statements`` in full.
        updated: Columns of the index that the workload's UPDATEs set, by name: those stop being HOT.
    """

    change: CreateIndex
    statements: tuple[str, ...]
    reason: str
    requires: tuple[CreateExtension, ...] = ()
    analyze: bool = False
    pages_hint: float = 0.0
    asks: tuple[tuple[str, str], ...] = ()
    updated: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the index."""
        return self.change.name


@dataclass(frozen=True, slots=True)
class IndexBudget:
    """What a set of new indexes may take; None means no limit.

    Args:
        size_bytes: Of all of them, once built.
        count: How many.
        build_s: Seconds to build them, one after the other.
        write_frac: Their upkeep, as a share of what the workload's writes cost without them.
    """

    size_bytes: int | None = None
    count: int | None = None
    build_s: float | None = None
    write_frac: float | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a real run taught: with these indexes a statement doesn't do what the planner expects.

    Args:
        statement: Its name.
        used: Indexes of the plan that was measured.
        cost_factor: The statement costs that many times what it costs without new indexes.
    """

    statement: str
    used: frozenset[str]
    cost_factor: float


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
        dropped: Existing indexes ("schema.name") that go with it, sorted; no plan misses them.
    """

    ambition: Ambition
    names: tuple[str, ...]
    before: PlannerCost
    after: PlannerCost
    index_bytes: int
    write_penalty: PlannerCost
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """How far a set may be from the best one.

    Args:
        saved_frac: Share of the workload's cost that it saves, upkeep and 0.001 % for each index taken off:
            an index that saves less is not worth having.
        bound_frac: No set within the budget saves more, reckoned alike, up to the planner's own noise.
        rounds: Integer programs solved.
        planner_calls: Questions asked until then.
        seconds: Wall time of the search that proves it.
        first_s: Wall time to the first set.
        best_frac: What the best set found saves, reckoned alike: indexes may be worth having and not worth
            their space.
        best_indexes: How many it has.
        best_bytes: And their size.
    """

    saved_frac: float
    bound_frac: float
    rounds: int
    planner_calls: int
    seconds: float
    first_s: float
    best_frac: float = 0.0
    best_indexes: int = 0
    best_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """What came of choosing among the candidates.

    Args:
        sets: Least ambitious first, no two with the same indexes; empty where no index helps.
        reason: Why there are none, or how far indexes can go at all; one or two sentences.
        before: Weighted cost of the workload as it is.
        floor: And with every candidate there at once: no set of them can do better.
        proof: How good the broadest set is; None where there is none.
        refused: Why candidates could not be estimated: each reason once, behind the names of some.
        planner_calls: How often the planner was asked.
    """

    sets: tuple[IndexSet, ...]
    reason: str
    before: PlannerCost
    floor: PlannerCost
    refused: tuple[str, ...] = ()
    planner_calls: int = 0
    proof: Proof | None = None
