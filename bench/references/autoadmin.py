"""AutoAdmin: the best indexes of each statement by itself, then a greedy over their union; wider each round.

Chaudhuri, Narasayya: An Efficient Cost-Driven Index Selection Tool for Microsoft SQL Server, VLDB 1997:
candidate selection by statement (section 4), Greedy(m, k) (section 5), multi-column indexes from the columns
of chosen ones (section 6, MC-LEAD).

Parameters:
    budget_bytes: Limit of the set's size, in place of the paper's number of indexes k: what does not fit is
        passed over.
    seed_size: The paper's m: sets of so many indexes are all tried, before the greedy goes on from the best.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from bench.references.costs import Names, WhatIf

SEED_SIZE = 2

Totals = Callable[[Sequence[Names]], list[float]]
"""What several sets cost: the workload, or one statement."""


def choose(what_if: WhatIf, budget_bytes: int, *, seed_size: int = SEED_SIZE) -> Names:
    """Return the set that AutoAdmin ends with."""
    widths = max((len(what_if.columns(name)[1]) for name in what_if.indexes), default=0)
    chosen: Names = frozenset()
    for width in range(1, widths + 1):
        pool = chosen | frozenset(_next_wider(what_if, chosen, width))
        best_ones = _best_of_statements(what_if, pool, budget_bytes, seed_size)
        chosen = _enumerate(what_if, sorted(best_ones), what_if.totals, budget_bytes, seed_size)
        if what_if.late:
            break
    return chosen


def _next_wider(what_if: WhatIf, chosen: Names, width: int) -> Iterator[str]:
    """Yield the indexes of a width that begin with a chosen one."""
    leads = {what_if.columns(name) for name in chosen}
    for name in what_if.indexes:
        table, columns = what_if.columns(name)
        if len(columns) == width and (width == 1 or (table, columns[:-1]) in leads):
            yield name


def _best_of_statements(what_if: WhatIf, pool: Names, budget_bytes: int, seed_size: int) -> Names:
    found: Names = frozenset()
    for statement in what_if.statements:
        if what_if.late:
            break

        def totals(sets: Sequence[Names], statement: str = statement) -> list[float]:
            return what_if.costs(statement, sets)

        own = sorted(pool & what_if.made_for(statement))
        found |= _enumerate(what_if, own, totals, budget_bytes, seed_size)
    return found


def _enumerate(
    what_if: WhatIf, pool: Sequence[str], totals: Totals, budget_bytes: int, seed_size: int
) -> Names:
    """Return the set of Greedy(m, k): the best of at most ``seed_size``, then one after the other."""
    best: Names = frozenset()
    for size in range(1, seed_size + 1):
        seeds = [frozenset(names) for names in itertools.combinations(pool, size)]
        best = _cheapest(what_if, best, seeds, totals, budget_bytes)
    while not what_if.late:
        found = _cheapest(what_if, best, [best | {name} for name in pool], totals, budget_bytes)
        if found == best:
            break
        best = found
    return best


def _cheapest(
    what_if: WhatIf, best: Names, others: Sequence[Names], totals: Totals, budget_bytes: int
) -> Names:
    """Return the first of the cheapest sets that fit; the best so far unless another is cheaper."""
    sets = [best, *(names for names in others if what_if.size(names) <= budget_bytes)]
    costs = totals(sets)
    return sets[costs.index(min(costs))]
