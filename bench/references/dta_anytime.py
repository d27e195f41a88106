"""Anytime: what each statement would use, merged pairwise, then a greedy from every single index as a seed.

Chaudhuri, Narasayya: Anytime Algorithm of Database Tuning Advisor for Microsoft SQL Server, 2020; the merging
from Chaudhuri, Narasayya: Index Merging, ICDE 1999.

Parameters:
    budget_bytes: Limit of the set's size.

The time limit is that of the cost interface: statements are looked at dearest first and seeds best first, so
that what was found in time is what matters most. Merged indexes wider than the widest candidate are not made.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.references.costs import Names, WhatIf


def choose(what_if: WhatIf, budget_bytes: int) -> Names:
    """Return the best set that a greedy from any seed ends with."""
    pool = sorted(_merged(what_if, _winners(what_if)))
    fitting = [name for name in pool if what_if.size([name]) <= budget_bytes]
    alone = dict(zip(fitting, what_if.totals([frozenset((name,)) for name in fitting]), strict=True))
    best: Names = frozenset()
    for seed in sorted(fitting, key=lambda name: (alone[name], name)):
        found = greedy(what_if, frozenset((seed,)), fitting, budget_bytes)
        if what_if.total(found) < what_if.total(best):
            best = found
        if what_if.late:
            break
    return best


def greedy(what_if: WhatIf, seed: Names, pool: Sequence[str], budget_bytes: int) -> Names:
    """Add the index that saves most until none saves anything or fits.

    Args:
        what_if: Who is asked.
        seed: Where to begin.
        pool: What may be added; of equal ones the first is taken.
        budget_bytes: Limit of the set's size.
    """
    chosen, now = seed, what_if.total(seed)
    while not what_if.late:
        steps = [chosen | {name} for name in pool if name not in chosen]
        steps = [step for step in steps if what_if.size(step) <= budget_bytes]
        totals = what_if.totals(steps)
        if not steps or min(totals) >= now:
            break
        now = min(totals)
        chosen = steps[totals.index(now)]
    return chosen


def _winners(what_if: WhatIf) -> Names:
    """Return the indexes that each statement would use if it had all of its candidates, dearest first."""
    nothing: Names = frozenset()
    dearest = sorted(what_if.statements, key=lambda name: (-what_if.costs(name, [nothing])[0], name))
    found: Names = frozenset()
    for statement in dearest:
        if what_if.late:
            break
        found |= what_if.used(statement, what_if.made_for(statement))
    return found


def _merged(what_if: WhatIf, names: Names) -> Names:
    """Add the merger of each pair of one table: the first one's columns, then the other's that it lacks."""
    places = {what_if.columns(name): name for name in what_if.indexes}
    found = set(names)
    for one in names:
        table, columns = what_if.columns(one)
        for other in names:
            its_table, its_columns = what_if.columns(other)
            rest = tuple(column for column in its_columns if column not in columns)
            if table == its_table and (table, columns + rest) in places:
                found.add(places[table, columns + rest])
    return frozenset(found)
