"""The machine a server runs on: what its settings have to fit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Storage(StrEnum):
    """What the data lies on."""

    SSD = "ssd"
    HDD = "hdd"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine.

    Args:
        cores: That PostgreSQL may use, >= 1.
        memory_bytes: Of the whole machine, > 0.
        storage: What the data lies on.
        connections: Sessions expected at once; None where nobody said.
        shared: The application runs on it too, so only half of the memory is PostgreSQL's.
    """

    cores: int
    memory_bytes: int
    storage: Storage = Storage.UNKNOWN
    connections: int | None = None
    shared: bool = False

    @property
    def share_bytes(self) -> int:
        """Memory that PostgreSQL and the operating system's cache for it may have."""
        return self.memory_bytes // 2 if self.shared else self.memory_bytes
