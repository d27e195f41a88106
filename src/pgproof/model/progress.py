"""How a long-running verb says where it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Somebody who wants to know how far a verb has come.

    Args of a call:
        task: What is being done, a short present participle ("building variant b").
        done: Units finished so far, >= 0.
        total: Units in all; 0 when unknown.
    """

    def __call__(self, task: str, done: float = 0, total: float = 0) -> None:
        """Take note of it; must return quickly and never raise."""
        ...


def ignore_progress(task: str, done: float = 0, total: float = 0) -> None:
    """Listen to nobody: the default of every ``progress`` argument."""
