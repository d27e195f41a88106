"""How far to believe a size: by how much else it might be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pgproof.model.estimate import Confidence

Thing = TypeVar("Thing")

CERTAIN_FRAC = 0.10
DOUBTFUL_FRAC = 0.50
"""Sizes that differ less than this from the likely one don't shake it. **Source**: judgement; the target for
the median error is 10 %."""


def judge(
    pages: int, others: Sequence[int], guesses: Sequence[str], *, exact: bool
) -> tuple[Confidence, str]:
    """Return how far to believe a size, and why.

    Args:
        pages: The likely size.
        others: Sizes that it might have as well, where something is uncertain.
        guesses: What had to be guessed, in words.
        exact: The statistics come from all rows.
    """
    if guesses:
        return Confidence.LOW, "; ".join(guesses)
    off = max((abs(other - pages) / max(pages, 1) for other in others), default=0.0)
    if off <= CERTAIN_FRAC:
        seen = "statistics of all rows" if exact else "column statistics"
        return Confidence.HIGH, f"from {seen}, equal keys merged as the server does"
    low, high = min((pages, *others)), max((pages, *others))
    reason = f"{low} to {high} pages, by how many different keys there are"
    return (Confidence.MEDIUM if off <= DOUBTFUL_FRAC else Confidence.LOW), reason


def least(things: Sequence[Thing], *, key: Callable[[Thing], Confidence]) -> Thing:
    """Return the first of those that are believed least; at least one must be given."""
    order = tuple(Confidence)
    return max(things, key=lambda thing: order.index(key(thing)))
