"""Which values an application asks for, told from how many rows its calls return. Pure.

pg_stat_statements forgets values, so candidates follow the rows: where 99 % of the orders are 'sent', most
sets ask for 'sent', though the application may only ever ask for the few that are 'open'. But the server
counts the rows of all calls, and their mean tells the two apart: 1,000 rows a call where 'sent' would give
99,000.

So, where candidates disagree with the counted mean, each gets the rows that the planner expects of it, and
the candidates are weighted anew: of all weightings whose expected rows have the counted mean, the one that
assumes least (maximum entropy: weights are exponential in the rows). Expected rows within a factor of two
are taken as equal, for the planner is not more exact; a mean outside the candidates' range gives all weight
to the nearest ones.

What this can't see: statements that always return as many rows (an aggregate, a LIMIT that is always
reached), and which of several values with as many rows is asked for.

**Source**: Jaynes (1957), "Information Theory and Statistical Mechanics", Physical Review 106, 620: the
distribution of maximum entropy under a given mean is exponential.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

from pgproof.model.plan import Plan
from pgproof.model.query import StatementKind
from pgproof.model.workload import WorkloadStatement

AGREES_FACTOR = 2.0
"""Planner and counters agree within this factor. **Source**: Leis et al. (2015), "How Good Are Query
Optimizers, Really?", PVLDB 9, 204, table 1: nine of ten estimates of one table are about within it."""

_PAGES = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
_LEAST_ROWS = 0.5
"""Below so many rows a call, a LIMIT was seldom reached: nothing is told of it."""
_STEPS = 80
_LAST_LIMIT = re.compile(r"\blimit\s+\$\d+(\s+offset\s+\$\d+)?(\s+for\s+[a-z\s]+)?\s*;?\s*$", re.IGNORECASE)


def counted_rows(statement: WorkloadStatement) -> float | None:
    """Return the mean rows a call returned or changed; None where that tells nothing of its values."""
    if statement.counters is None or not statement.counters.calls:
        return None
    return None if statement.query.kind is StatementKind.INSERT else statement.counters.rows_a_call


def expected_rows(plan: Plan) -> float:
    """Return the rows that the planner expects a statement to return, or to change."""
    root = plan.root
    if root.node_type == "ModifyTable" and root.children:
        return root.children[0].plan_rows
    return root.plan_rows


def disagree(expected: Sequence[float], weights: Sequence[float], counted: float) -> bool:
    """Tell whether candidates differ in their rows, and by weight are far from the counted mean.

    Args:
        expected: Rows of each candidate, by the planner; at least one.
        weights: Of the candidates.
        counted: Rows a call.
    """
    if max(expected) <= AGREES_FACTOR * max(min(expected), 1.0):
        return False
    mean = sum(e * w for e, w in zip(expected, weights, strict=True)) / sum(weights)
    one, other = sorted((max(mean, 1.0), max(counted, 1.0)))
    return other > AGREES_FACTOR * one


def weigh(expected: Sequence[float], counted: float) -> list[float]:
    """Weigh candidates so that their expected rows have the counted mean.

    Args:
        expected: Rows of each candidate, by the planner; at least one.
        counted: Rows a call.

    Returns:
        Weights in the same order; their sum is 1.
    """
    classes: dict[int, list[int]] = defaultdict(list)
    for place, rows in enumerate(expected):
        classes[math.floor(math.log(max(rows, 1.0), AGREES_FACTOR))].append(place)
    members = list(classes.values())
    means = [sum(max(expected[place], 1.0) for place in group) / len(group) for group in members]
    shares = _tilt(means, [len(group) for group in members], max(counted, 1.0))
    weights = [0.0] * len(expected)
    for group, share in zip(members, shares, strict=True):
        for place in group:
            weights[place] = share / len(group)
    return weights


def _tilt(means: Sequence[float], sizes: Sequence[int], goal: float) -> list[float]:
    """Return shares proportional to size * exp(slope * mean), with the slope whose mean is the goal."""
    if goal <= min(means) or goal >= max(means):
        nearest = min(means, key=lambda mean: abs(math.log(mean / goal)))
        return [float(mean == nearest) for mean in means]
    scale = max(means)

    def shares(slope: float) -> list[float]:
        exponents = [slope * mean / scale for mean in means]
        top = max(exponents)
        raw = [size * math.exp(e - top) for size, e in zip(sizes, exponents, strict=True)]
        return [share / sum(raw) for share in raw]

    # exp(slope * mean) tells two classes apart once the slope exceeds scale / (their distance)
    low, high = -700.0 * scale, 700.0 * scale
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if sum(share * mean for share, mean in zip(shares(middle), means, strict=True)) < goal:
            low = middle
        else:
            high = middle
    return shares((low + high) / 2.0)


def pick(weights: Sequence[float], count: int) -> dict[int, int]:
    """Draw candidates at even steps through their weights.

    Args:
        weights: Their sum is 1.
        count: Draws, >= 1.

    Returns:
        How often each was drawn, by place; those that were not are left out.

    **Source**: systematic sampling: Madow (1949), Annals of Mathematical Statistics 20, 333.
    """
    drawn: dict[int, int] = defaultdict(int)
    place, passed = 0, weights[0]
    for k in range(count):
        goal = (k + 0.5) / count
        while passed < goal and place < len(weights) - 1:
            place += 1
            passed += weights[place]
        drawn[place] += 1
    return dict(drawn)


def infer_limit(statement: WorkloadStatement) -> int | None:
    """Tell the LIMIT of a whole statement from the rows of its calls: the usual page size they fit into.

    Returns:
        None where the last LIMIT is no parameter, or too few rows were counted.
    """
    counted = counted_rows(statement)
    if counted is None or counted < _LEAST_ROWS or not _LAST_LIMIT.search(statement.query.sql):
        return None
    return next((page for page in _PAGES if counted <= page), math.ceil(counted))
