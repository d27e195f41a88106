"""An estimate: what the planner expects of a variant. Cost, never time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.units import PlannerCost

BLOCK_BYTES = 8192
"""Size of a block (source: the default BLCKSZ, which every packaged server has)."""


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


class Confidence(StrEnum):
    """How far a size is to be believed, most first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class IndexSize:
    """How large an index would be once built.

    Args:
        size_bytes: Its main fork, partitions summed.
        confidence: How far to believe it.
        reason: What that rests on, in words; no row values.
    """

    size_bytes: int
    confidence: Confidence
    reason: str


@dataclass(frozen=True, slots=True)
class GinPages:
    """What a GIN index's metapage says of it.

    Args:
        entry_pages: Pages of the tree of keys.
        data_pages: Pages of posting trees, of keys too frequent for a list beside the key.
        entries: Distinct keys.
    """

    entry_pages: int
    data_pages: int
    entries: int


@dataclass(frozen=True, slots=True)
class IndexShape:
    """How an index would look once built, in all that the planner reads from it.

    Args:
        pages: Blocks of 8 KiB, the metapage included; partitions summed.
        tuples: Index entries, as reltuples counts them.
        tree_level: Level of a B-tree's root, 0 where the root is a leaf; 0 for other methods. Of a
            partitioned index, the highest.
        confidence: How far to believe it.
        reason: What that rests on, in words; no row values.
        gin: Of a GIN index only.
        revmap_pages: Of a BRIN index: pages that say where a range's summary stands; else 0.
    """

    pages: int
    tuples: float
    tree_level: int
    confidence: Confidence
    reason: str
    gin: GinPages | None = None
    revmap_pages: int = 0

    @property
    def size_bytes(self) -> int:
        """Size of the main fork."""
        return self.pages * BLOCK_BYTES

    @property
    def size(self) -> IndexSize:
        """The size alone, with what it rests on."""
        return IndexSize(self.size_bytes, self.confidence, self.reason)
