"""Extend: greedy by saving a byte; an index is added with one column, or a chosen one gets one column more.

Schlosser, Kossmann, Boissier: Efficient Scalable Multi-attribute Index Selection Using Recursive Strategies,
ICDE 2019.

Parameters:
    budget_bytes: Limit of the set's size.
    least_gain_frac: A step that saves a smaller share of the cost left is not taken. The paper has none; the
        public benchmark takes 0.003 (``min_cost_improvement`` 1.003). Without it, small tables' indexes, each
        next to nothing in bytes and saving, come first by ratio and do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.references.costs import Names, WhatIf

LEAST_GAIN_FRAC = 0.003


def choose(what_if: WhatIf, budget_bytes: int, *, least_gain_frac: float = LEAST_GAIN_FRAC) -> Names:
    """Return the set that Extend ends with."""
    chosen: Names = frozenset()
    while not what_if.late:
        step = _best_step(what_if, chosen, budget_bytes, least_gain_frac)
        if step is None:
            break
        chosen = step
    return chosen


def _best_step(what_if: WhatIf, chosen: Names, budget_bytes: int, least_gain_frac: float) -> Names | None:
    """Return the set after the step that saves most a byte; of equal ones the first by name."""
    now, size_now = what_if.total(chosen), what_if.size(chosen)
    steps = sorted(
        (step for step in set(_steps(what_if, chosen)) if what_if.size(step) <= budget_bytes), key=sorted
    )
    best, best_ratio = None, 0.0
    for step, total in zip(steps, what_if.totals(steps), strict=True):
        saved = now - total
        # Sizes are estimates: one column more may look as if it took nothing.
        ratio = saved / max(what_if.size(step) - size_now, 1)
        if saved > least_gain_frac * now and ratio > best_ratio:
            best, best_ratio = step, ratio
    return best


def _steps(what_if: WhatIf, chosen: Names) -> Iterator[Names]:
    places = {what_if.columns(name): name for name in what_if.indexes}
    for (table, columns), name in places.items():
        if name in chosen:
            continue
        shorter = places.get((table, columns[:-1]))
        if len(columns) == 1:
            yield chosen | {name}
        elif shorter in chosen:
            yield chosen - {shorter} | {name}
