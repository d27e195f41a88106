"""Indexes that are there and might go, what they cost meanwhile, and why others have to stay."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.change import DropIndex
from pgproof.model.finding import Evidence
from pgproof.model.relation import RelationName


class DropCase(StrEnum):
    """What speaks against an index, surest first."""

    DUPLICATE = "duplicate"
    REDUNDANT = "redundant"
    SUPERSEDED = "superseded"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class IndexUpkeep:
    """What an existing index costs those who write to its table.

    Args:
        statements: Names of the workload's statements that write entries into it, in workload order.
        rows: Entries they write in the workload's window; for UPDATE, at most so many.
        counted_rows: Entries written since the server's counters began, by all statements (rows inserted, and
            rows updated in another way than HOT); None where the counters can't be read.
        hot_prevented: Names of UPDATE statements that could leave all indexes alone (HOT) without this one.
    """

    statements: tuple[str, ...] = ()
    rows: float = 0.0
    counted_rows: int | None = None
    hot_prevented: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DropCandidate:
    """An existing index that may be proposed for dropping; the planner's costs decide whether it is.

    Args:
        change: The removal.
        case: What speaks against it.
        reason: The same in words, without a full stop.
        evidence: Facts, at least the definition; no row values.
        size_bytes: What dropping it frees.
        upkeep: What it costs those who write.
        keeper: The index that serves its plans afterwards, for a superseded one a new index; None where it is
            unused.
    """

    change: DropIndex
    case: DropCase
    reason: str
    evidence: tuple[Evidence, ...]
    size_bytes: int
    upkeep: IndexUpkeep
    keeper: RelationName | None = None

    @property
    def name(self) -> str:
        """Name of the index with its schema, as it stands among the names of candidates."""
        return str(self.change.index)


@dataclass(frozen=True, slots=True)
class KeptIndex:
    """An index against which something speaks, and which has to stay all the same.

    Args:
        index: Its name.
        case: What spoke against it.
        reason: Why it stays: the danger, in plain words.
        hint: The safe recipe; may be empty.
    """

    index: RelationName
    case: DropCase
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DropReview:
    """What came of looking for indexes that may go.

    Args:
        candidates: Those that may, duplicates first, then redundant and unused ones, each by name. Any of
            them may go together: what one of them is kept for, no other one of them does alone.
        kept: Those that may not, in the same order.
        notes: What could not be judged at all, and how it could; may be empty.
    """

    candidates: tuple[DropCandidate, ...] = ()
    kept: tuple[KeptIndex, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standbys:
    """Servers that may read the same indexes and count their scans themselves.

    Args:
        connected: Receivers of the write-ahead log that are connected now; an archiver of it counts as one.
        slots: Physical replication slots that nobody uses now: a standby that is down, or was removed.
    """

    connected: int
    slots: int
