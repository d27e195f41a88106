"""What became of a workload from one window to a later one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.trial import Verdict
from pgproof.model.units import Interval
from pgproof.model.workload import StatementCounters


class Presence(StrEnum):
    """In which of two windows a statement was seen."""

    BOTH = "both"
    NEW = "new"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class StatementShift:
    """One statement in two windows.

    Args:
        fingerprint: Of its shape.
        name: In the later window; in the earlier one where it vanished.
        presence: Where it was seen.
        verdict: On its mean time, later against earlier. INCONCLUSIVE unless it was seen in both.
        difference_ms: Mean later - mean earlier; None where it can't be told.
        share_frac: Of all measured time, in the window where its share is larger.
        heavy: Its share is large enough to matter.
        before: Counters of the earlier window, None where it was not measured.
        after: Counters of the later window, likewise.
        notes: Why the verdict is open, or what else changed about the statement; may be empty.
    """

    fingerprint: str
    name: str
    presence: Presence
    verdict: Verdict
    difference_ms: Interval | None
    share_frac: float
    heavy: bool
    before: StatementCounters | None
    after: StatementCounters | None
    notes: tuple[str, ...] = ()

    @property
    def added_ms(self) -> float:
        """Time the later window spends more (less: negative) on its own calls than at the earlier mean.

        All its time where it is new, minus all of it where it vanished, 0 where it was not measured.
        """
        if self.presence is Presence.NEW:
            return self.after.total_ms if self.after else 0.0
        if self.presence is Presence.VANISHED:
            return -self.before.total_ms if self.before else 0.0
        if self.before is None or self.after is None:
            return 0.0
        return (self.after.mean_ms - self.before.mean_ms) * self.after.calls


@dataclass(frozen=True, slots=True)
class WorkloadShift:
    """A workload in two windows.

    Args:
        shifts: One a shape; those that added most time first, then by name.
        notes: What limits trust in the comparison as a whole, may be empty.
    """

    shifts: tuple[StatementShift, ...]
    notes: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[StatementShift, ...]:
        """Heavy statements that became worse, in the order of ``shifts``."""
        return tuple(s for s in self.shifts if s.heavy and s.verdict is Verdict.WORSE)

    def seen(self, presence: Presence) -> tuple[StatementShift, ...]:
        """Return the statements of that presence, in the order of ``shifts``."""
        return tuple(s for s in self.shifts if s.presence is presence)
