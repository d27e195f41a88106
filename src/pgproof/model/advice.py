"""Why these indexes: what each is worth, what came second, and which statements no index helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.drop import DropCandidate
from pgproof.model.estimate import IndexSize
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost


@dataclass(frozen=True, slots=True)
class StatementGain:
    """What one index does to one statement, the other indexes of its set being there.

    Args:
        statement: Its name in the workload.
        now: Cost of one call as the database is.
        without: With the set, but for this index.
        after: With the whole set.
        calls: How often it is called in the workload's window.
        share_frac: Its share of the workload's cost as the database is, 0 to 1.
    """

    statement: str
    now: PlannerCost
    without: PlannerCost
    after: PlannerCost
    calls: float
    share_frac: float


@dataclass(frozen=True, slots=True)
class Rival:
    """The candidate that would have taken an index's place in its set.

    Args:
        index: Its name.
        sql: What would build it.
        saved_frac: Share of the workload's cost that the set saves with it instead, upkeep taken off.
        size_bytes: Its size.
        reason: Why it was not chosen, without a full stop.
    """

    index: str
    sql: str
    saved_frac: float
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class IndexExplanation:
    """Why an index is in a set.

    Args:
        index: Its name.
        table: What it is on.
        sql: What builds it.
        reason: What in the statements asks for it; no row values.
        saved_frac: Share of the workload's cost that goes when it is added to the rest of the set, its upkeep
            taken off; None where there was no time to ask.
        set_frac: Share that the whole set saves, for comparison with the rival's.
        statements: Those whose plans get cheaper by it, the one that saves most first; may be empty.
        size: How large it will be.
        upkeep_frac: What keeping it up to date costs, as a share of the workload's cost.
        build_s: About how long it takes to build; None where unknown.
        supersedes: Existing indexes that serve no plan any more once it is there, by name; they may still
            enforce something.
        rival: The next best; None where there is none.
        rival_note: Why there is none, or why others were not looked at; empty otherwise.
    """

    index: str
    table: RelationName
    sql: str
    reason: str
    saved_frac: float | None
    set_frac: float
    statements: tuple[StatementGain, ...]
    size: IndexSize
    upkeep_frac: float
    build_s: float | None = None
    supersedes: tuple[RelationName, ...] = ()
    rival: Rival | None = None
    rival_note: str = ""


class OutlookCase(StrEnum):
    """Why a statement stays heavy."""

    NO_INDEX = "no_index"
    EXHAUSTED = "exhausted"
    LEFT_OUT = "left_out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StatementOutlook:
    """What indexes can still do for a statement that stays heavy.

    Args:
        statement: Its name.
        case: No index helps; indexes have done what they can; one that would help was left out; or nobody
            could tell.
        left_frac: Its share of the workload's cost with the set, 0 to 1; None for a statement that costs more
            than all others together and was left aside, so that it doesn't hide them.
        now: Cost of one call as the database is.
        after: With the set.
        floor: With every candidate at once: less is not to be had by any of them.
        helper: The candidate that would help most on top of the set; empty unless one was left out.
        helped: Cost with the set and that one; None without.
        reason: All of that in words.
    """

    statement: str
    case: OutlookCase
    left_frac: float | None
    now: PlannerCost
    after: PlannerCost
    floor: PlannerCost
    reason: str
    helper: str = ""
    helped: PlannerCost | None = None


@dataclass(frozen=True, slots=True)
class DropExplanation:
    """What dropping an existing index does.

    Args:
        drop: What speaks against it.
        saved_frac: Share of the workload's cost that goes with it, its upkeep included; negative where plans
            get dearer. None where nobody could plan without it.
        dearer: Statements that cost more without it, worst first; may be empty. ``after`` is without it,
            ``without`` the cost with it kept.
    """

    drop: DropCandidate
    saved_frac: float | None
    dearer: tuple[StatementGain, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoiceExplanation:
    """Why a set of indexes was chosen.

    Args:
        indexes: Its new indexes, those first that save most.
        outlooks: Statements that stay heavy, heaviest first; empty where none does.
        drops: Existing indexes that go, in the order they were found.
    """

    indexes: tuple[IndexExplanation, ...] = ()
    outlooks: tuple[StatementOutlook, ...] = ()
    drops: tuple[DropExplanation, ...] = ()

    @property
    def left_heavy_frac(self) -> float:
        """Share of the workload's cost, with the set, that the heavy statements have."""
        return sum(outlook.left_frac or 0.0 for outlook in self.outlooks)
