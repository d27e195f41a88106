"""On which processor a turn is run: the same one for every arm.

A server process that wakes up goes back to where it ran last, so each arm's process may stay on one processor
for the whole race. Processors are not equally fast: on a virtual machine, one may share its core with a busy
neighbour. Identical clones then differ, in wall and in on-CPU time alike, and no interval shows it. So all
arms take a turn on one processor, and another one is drawn for the next turn.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Sequence
from pathlib import Path


def find_server_process(pid: int, database: str) -> Path | None:
    """Find the folder in /proc of the process that serves a session.

    Args:
        pid: As the server names it.
        database: The session's, which a server process shows in its title.

    Returns:
        None where there is no such process here: the server is on another host, in another PID namespace,
        or hides its title. A process of that number that is somebody else's is never returned.
    """
    folder = Path("/proc") / str(pid)
    try:
        title = (folder / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return None
    return folder if title.startswith("postgres") and f" {database} " in title.partition("\0")[0] else None


class Placement:
    """Moves the server processes of a race to one processor after another, all of them together.

    Args:
        pids: Server processes on this host; empty where they are elsewhere.
        seed: Of the order of processors.

    **Source**: sched_setaffinity(2), Linux. Elsewhere, and where this user may not move the server's
    processes, nothing is moved.
    """

    def __init__(self, pids: Sequence[int], seed: int) -> None:
        self._random = random.Random(seed)
        self._pids = tuple(pids)
        self._cpus = _shared_cpus(self._pids)
        self._current = -1

    @property
    def moves(self) -> bool:
        """Whether there is more than one processor to choose from, and we may choose."""
        return len(self._cpus) > 1

    def next_turn(self) -> None:
        """Draw the processor of the next turn and move everybody there."""
        if not self.moves:
            return
        cpu = self._random.choice(self._cpus)
        if cpu != self._current:
            self._current = cpu
            for pid in self._pids:
                # A process that has just ended is the race's to find out.
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(pid, {cpu})


def _shared_cpus(pids: Sequence[int]) -> tuple[int, ...]:
    """Return the processors that all of the processes may use; empty where they can't be moved."""
    if not pids or not hasattr(os, "sched_setaffinity"):
        return ()
    try:
        allowed = [os.sched_getaffinity(pid) for pid in pids]
        for pid, cpus in zip(pids, allowed, strict=True):
            os.sched_setaffinity(pid, cpus)  # as it is: only to learn whether we may
    except OSError:
        return ()
    return tuple(sorted(set.intersection(*map(set, allowed))))
