"""Numbers that must not be mixed: planner cost, intervals, quantiles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class PlannerCost:
    """What the planner thinks a statement costs, in units of one sequential page read.

    Never milliseconds: only another cost can be added to it or divided by it.

    Args:
        value: Cost, >= 0.
    """

    value: float

    def __add__(self, other: PlannerCost) -> PlannerCost:
        if not isinstance(other, PlannerCost):
            return NotImplemented
        return PlannerCost(self.value + other.value)

    def times(self, calls: float) -> PlannerCost:
        """Return the cost of that many calls."""
        return PlannerCost(self.value * calls)

    def saved_frac(self, after: PlannerCost) -> float:
        """Return the share of this cost that ``after`` saves: 0.0 none, 1.0 all, negative when dearer."""
        return 0.0 if self.value == 0 else 1.0 - after.value / self.value


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval around an estimate.

    Args:
        low: Lower end.
        high: Upper end, >= low.
        confidence: Nominal coverage, 0 to 1.
    """

    low: float
    high: float
    confidence: float = 0.95

    def excludes(self, value: float) -> bool:
        """Return whether ``value`` lies outside."""
        return value < self.low or value > self.high

    def within(self, low: float, high: float) -> bool:
        """Return whether the whole interval lies inside [low, high]."""
        return self.low >= low and self.high <= high
