"""What a race measured, before anything is concluded from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pgproof.stages.compete.intervals import Stratum


@dataclass(frozen=True, slots=True)
class Sample:
    """One statement on one arm in one round.

    Args:
        arm: Its name.
        statement: Its name.
        round: From 0.
        walls_ms: Wall time of each execution that finished or timed out, in order; empty when all failed.
        cpu_ms: Mean on-CPU time of the backend per execution; None where not readable.
        errors: Executions that failed.
        timed_out: Executions stopped by the timeout; their wall time is a lower bound.
    """

    arm: str
    statement: str
    round: int
    walls_ms: tuple[float, ...]
    cpu_ms: float | None = None
    errors: int = 0
    timed_out: int = 0

    @property
    def wall_ms(self) -> float:
        """Mean wall time of an execution; 0 when all failed."""
        return sum(self.walls_ms) / len(self.walls_ms) if self.walls_ms else 0.0


class Samples:
    """Samples of a race, by arm and statement, in round order. Only ever added to."""

    def __init__(self) -> None:
        self._by: defaultdict[tuple[str, str], dict[int, Sample]] = defaultdict(dict)

    def add(self, sample: Sample) -> None:
        """Add one; a second sample of the same arm, statement and round replaces the first."""
        self._by[sample.arm, sample.statement][sample.round] = sample

    def of(self, arm: str, statement: str) -> list[Sample]:
        """Return an arm's samples of a statement in round order; empty when there are none."""
        found = self._by.get((arm, statement), {})
        return [found[r] for r in sorted(found)]

    def pairs(self, arm: str, against: str, statement: str) -> int:
        """Return in how many rounds both arms finished a statement without an error."""
        return len(self._rounds(arm, against, statement))

    def stratum(
        self, arm: str, against: str, statement: str, weight: float, cpu: bool = False
    ) -> Stratum | None:
        """Return the paired times of a statement on two arms in round order.

        Args:
            arm: Name of one.
            against: Name of the other.
            statement: Its name.
            weight: Its calls.
            cpu: On-CPU time instead of wall time.

        Returns:
            None when a pair is missing altogether, or when on-CPU time was not readable throughout.
        """
        rounds = self._rounds(arm, against, statement)
        if not rounds:
            return None
        left, right = self._by[arm, statement], self._by[against, statement]
        ours = [left[r].cpu_ms if cpu else left[r].wall_ms for r in rounds]
        theirs = [right[r].cpu_ms if cpu else right[r].wall_ms for r in rounds]
        if any(value is None or value <= 0 for value in (*ours, *theirs)):
            return None
        return Stratum(weight, np.array(ours, dtype=np.float64), np.array(theirs, dtype=np.float64))

    def timed_out(self, arm: str, statement: str) -> bool:
        """Tell whether any execution of a statement was stopped on an arm: its time is a lower bound."""
        return any(sample.timed_out for sample in self._by.get((arm, statement), {}).values())

    def _rounds(self, arm: str, against: str, statement: str) -> list[int]:
        left, right = self._by.get((arm, statement), {}), self._by.get((against, statement), {})
        whole = (r for r in left.keys() & right.keys() if not left[r].errors and not right[r].errors)
        return sorted(whole)

    def __iter__(self) -> Iterator[Sample]:
        """Yield every sample by round, then statement, then arm."""
        everything = (sample for rounds in self._by.values() for sample in rounds.values())
        return iter(sorted(everything, key=lambda s: (s.round, s.statement, s.arm)))
