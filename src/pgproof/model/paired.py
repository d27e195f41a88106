"""One statement with and without a variant, executed in turns on two clones."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.units import Interval


@dataclass(frozen=True, slots=True)
class PairedTiming:
    """What a variant did to one statement.

    Args:
        statement: Its name.
        before_ms: Median without the variant, > 0.
        after_ms: Median with it.
        pairs: Executions of each kind.
        clock: "cpu" for the time the server worked for it, "wall" where that can't be read.
        indexes: New indexes in its plan, sorted; empty where the plan changed for another reason.
        is_slower: By more than 15 %, and beyond noise: the interval of the factor lies above 1, or two pairs
            in a row were more than twice as slow.
        is_capped: With the variant it was stopped: ``after_ms`` is a lower bound.
        was_capped: Without the variant it was stopped: ``before_ms`` is a lower bound.
        interval: Of the factor; None where one pair was enough, or too few to tell.
    """

    statement: str
    before_ms: float
    after_ms: float
    pairs: int
    clock: str
    indexes: tuple[str, ...] = ()
    is_slower: bool = False
    is_capped: bool = False
    was_capped: bool = False
    interval: Interval | None = None

    @property
    def factor(self) -> float:
        """How many times as long it takes with the variant."""
        return self.after_ms / self.before_ms if self.before_ms > 0 else 1.0
