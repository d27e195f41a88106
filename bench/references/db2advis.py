"""DB2 Advisor: one question a statement with all candidates there, then a knapsack by benefit a byte.

Valentin, Zuliani, Zilio, Lohman, Skelley: DB2 Advisor: An Optimizer Smart Enough to Recommend Its Own
Indexes, ICDE 2000.

Parameters:
    budget_bytes: Limit of the set's size.
    variations: Random exchanges tried at the end (the paper's TRY_VARIATION, which has a time limit instead:
        a number gives the same answer on every machine).
    seed: Of the random exchanges.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from bench.references.costs import Names, WhatIf

VARIATIONS = 500
MOST_EXCHANGED = 4
"""Indexes that a variation takes out at most. **Source**: judgement; the paper says "a small set"."""


def choose(what_if: WhatIf, budget_bytes: int, *, variations: int = VARIATIONS, seed: int = 1) -> Names:
    """Return the set that DB2 Advisor ends with."""
    benefits = _benefits(what_if)
    ratios = {name: benefit / max(what_if.size([name]), 1) for name, benefit in benefits.items()}
    ranked = sorted(ratios, key=lambda name: (-ratios[name], name))
    kept = _combined(what_if, ranked)
    chosen = _packed(what_if, kept, budget_bytes)
    return _varied(what_if, kept, chosen, budget_bytes, variations, random.Random(seed))


def _benefits(what_if: WhatIf) -> Mapping[str, float]:
    """Return what each used index saves: every statement credits each index with all it saved."""
    found: dict[str, float] = {}
    for statement in what_if.statements:
        if what_if.late:
            break
        own = what_if.made_for(statement)
        before, after = what_if.costs(statement, [frozenset(), own])
        for name in what_if.used(statement, own):
            found[name] = found.get(name, 0.0) + before - after
    return {name: benefit for name, benefit in found.items() if benefit > 0}


def _combined(what_if: WhatIf, ranked: Sequence[str]) -> list[str]:
    """Leave out each index that another one of higher ratio begins with."""
    kept: list[str] = []
    for name in ranked:
        table, columns = what_if.columns(name)
        its = [what_if.columns(other) for other in kept]
        if not any(table == t and columns == c[: len(columns)] for t, c in its):
            kept.append(name)
    return kept


def _packed(what_if: WhatIf, ranked: Sequence[str], budget_bytes: int) -> Names:
    chosen: Names = frozenset()
    for name in ranked:
        if what_if.size(chosen | {name}) <= budget_bytes:
            chosen |= {name}
    return chosen


def _varied(
    what_if: WhatIf,
    ranked: Sequence[str],
    chosen: Names,
    budget_bytes: int,
    variations: int,
    chance: random.Random,
) -> Names:
    """Exchange a few chosen indexes for a few others at random; keep what is cheaper."""
    best, cost = chosen, what_if.total(chosen)
    for _ in range(variations):
        inside, outside = sorted(best), [name for name in ranked if name not in best]
        if what_if.late or not outside:
            break
        gone = chance.sample(inside, min(len(inside), chance.randint(1, MOST_EXCHANGED)))
        left = best - frozenset(gone)
        new = chance.sample(outside, min(len(outside), chance.randint(1, MOST_EXCHANGED)))
        tried = left | _packed_beside(what_if, left, new, budget_bytes)
        if tried != best and (total := what_if.total(tried)) < cost:
            best, cost = tried, total
    return best


def _packed_beside(what_if: WhatIf, there: Names, new: Sequence[str], budget_bytes: int) -> Names:
    return _packed(what_if, new, budget_bytes - what_if.size(there))
