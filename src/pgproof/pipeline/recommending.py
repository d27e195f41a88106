"""Which of several variants comes first: for whoever has time for one only."""

from __future__ import annotations

from collections.abc import Iterable

from pgproof.model.candidate import Ambition
from pgproof.model.variant import Variant

_LAST = Ambition.ALTERNATIVE.value


def recommended_first(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Return variants of indexes in the order in which they are recommended.

    Args:
        variants: Least ambitious first, as `pgproof.pipeline.advise` lists them.

    Returns:
        The one that saves most first; the one that does without the best index last, since it is there to
        give the first a rival.
    """
    ranked = tuple(reversed(tuple(variants)))
    return (*(v for v in ranked if v.name != _LAST), *(v for v in ranked if v.name == _LAST))
