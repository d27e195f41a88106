"""Parts of a load: busy and quiet hours, caches warm and cold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Start(StrEnum):
    """What the caches hold when the load begins."""

    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class LoadPhase:
    """A stretch of one kind of load.

    Args:
        duration_s: Its length in seconds, > 0.
        name: For reports; may be empty.
        clients: Connections; null means those of the profile.
        rate: Statements that arrive a second; null means that of the profile.
    """

    duration_s: float
    name: str = ""
    clients: int | None = None
    rate: float | None = None
