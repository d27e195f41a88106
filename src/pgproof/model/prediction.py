"""What the planner predicted of a variant beside what the race measured, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.units import Interval


class Exactness(StrEnum):
    """What a measured change says of the true one: executions stopped by the timeout bound it."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class StatementPrediction:
    """One statement of a workload, predicted and measured. Shares of two things: cost, and time.

    Args:
        statement: Its name.
        weight_frac: Its share of the time that the measured statements take on the control, by calls; None
            where it was not measured.
        cost_change_frac: Predicted change of its planner cost (-0.65: 65 % less); None where it was not
            priced.
        time_change_frac: Measured change of its time, paired with the control's; None where it was not
            measured, or was stopped by the timeout on both arms.
        exactness: Of the measured change: at least that where executions were stopped on the arm, at most
            that where they were on the control.
        interval: Of the measured change; None while there are too few rounds to say.
    """

    statement: str
    weight_frac: float | None
    cost_change_frac: float | None
    time_change_frac: float | None
    exactness: Exactness = Exactness.EXACT
    interval: Interval | None = None

    @property
    def error_frac(self) -> float | None:
        """How far the prediction is off, >= 0 (0.17: 17 points); None unless both figures are exact."""
        if self.cost_change_frac is None or self.time_change_frac is None:
            return None
        if self.exactness is not Exactness.EXACT:
            return None
        return abs(self.time_change_frac - self.cost_change_frac)

    @property
    def is_off(self) -> bool:
        """Whether the prediction is off by more than the noise of the measurement."""
        if self.error_frac is None or self.cost_change_frac is None or self.interval is None:
            return False
        return self.interval.excludes(self.cost_change_frac)


@dataclass(frozen=True, slots=True)
class Predictions:
    """A variant as predicted and as measured.

    Args:
        statements: Those that take most time on the control first, those that were not measured last.
        compared: How many of them were priced, and measured to their end on both arms; the figures below are
            of these.
        cost_change_frac: Predicted change of their cost, each weighted by the time it takes on the control.
        time_change_frac: Measured change of their time.
        median_error_frac: How far a prediction is off in the median.
        worst: The statement whose prediction is furthest off, of those that are off by more than the noise;
            the heaviest of several. Empty where there is none.

    The figures are None where none could be compared.
    """

    statements: tuple[StatementPrediction, ...]
    compared: int
    cost_change_frac: float | None = None
    time_change_frac: float | None = None
    median_error_frac: float | None = None
    worst: str = ""
