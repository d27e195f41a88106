"""How far a search has come, told by the clock: its own figures start anew with every set it looks for."""

from __future__ import annotations

from time import monotonic

from pgproof.model.progress import Progress


def by_time(progress: Progress, purpose: str, limit_s: float) -> Progress:
    """Return a listener that passes on how much of a time limit is used, whatever it is told.

    Args:
        progress: Told in the end; what it hears never goes back.
        purpose: What it is told that is being done.
        limit_s: Of the search, from now on.
    """
    began = monotonic()

    def show(task: str, done: float = 0, total: float = 0) -> None:
        del task, done, total
        progress(purpose, min(monotonic() - began, limit_s), limit_s)

    return show
