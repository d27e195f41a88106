"""How large the numbers of a blueprint may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pgproof.model.blueprint import LoadProfile, RacePlan, Target
from pgproof.model.charter import TargetDatabase
from pgproof.model.load_phase import LoadPhase


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number has to lie; always finite.

    Args:
        least: It may be this and more.
        above: It has to be more than this.
        below: It has to be less than this.
    """

    least: float = 0
    above: float | None = None
    below: float = math.inf

    def holds(self, number: float) -> bool:
        """Tell whether a number lies in it; not for one that is not a number."""
        above = self.least <= number if self.above is None else self.above < number
        return above and number < self.below

    def __str__(self) -> str:
        low = f"at least {self.least:g}" if self.above is None else f"above {self.above:g}"
        if math.isinf(self.below):
            return low
        return f"from {self.least:g} to below {self.below:g}"


ABOVE_ZERO = Range(above=0)
ONE_AND_MORE = Range(least=1)
ANY_SIZE = Range()

RANGES: dict[type, dict[str, Range]] = {
    LoadProfile: {"clients": ONE_AND_MORE, "slices": ONE_AND_MORE, "slice_s": ABOVE_ZERO, "rate": ABOVE_ZERO},
    LoadPhase: {"duration_s": ABOVE_ZERO, "clients": ONE_AND_MORE, "rate": ABOVE_ZERO},
    RacePlan: {
        "time_limit_s": ABOVE_ZERO,
        "min_rounds": Range(least=10),
        "max_rounds": Range(least=10),
        "statement_timeout_ms": ONE_AND_MORE,
        "confidence": Range(least=0.5, below=1),
    },
    Target: {"faster_frac": Range(below=1)},
    TargetDatabase: {"min_version": Range(least=13)},
}
"""Of the numbers that may not simply be 0 and more, by class and field."""


def range_of(kind: type, name: str) -> Range:
    """Return the range of a number in a class of the file."""
    return RANGES.get(kind, {}).get(name, ANY_SIZE)
