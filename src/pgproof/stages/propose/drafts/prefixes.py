"""The first columns of a draft, as a draft of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from pgproof.stages.propose.drafts.draft import Draft


def prefixes(draft: Draft) -> Iterator[Draft]:
    """Yield a draft's proper prefixes, longest first: what serves less may serve enough for its size.

    A prefix of equality columns leads to a known share of the table; one that ends within the wanted order
    leaves less to sort.
    """
    for width in range(len(draft.keys) - 1, 0, -1):
        if width > draft.free and not draft.pays_whole:
            continue
        free = min(draft.free, width)
        yield replace(
            draft,
            keys=draft.keys[:width],
            asks=f"{draft.asks}, by the first {width} of {len(draft.keys)} columns",
            rank=draft.rank + 3,
            free=free,
            frac=prod(draft.fracs[:free]) if draft.fracs[:free] else 1.0,
            fracs=draft.fracs[:free],
            pays_whole=width > free,
        )
