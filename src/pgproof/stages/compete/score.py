"""From gates and measurements to points, and from points to a decision in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgproof.model.blueprint import Weights
from pgproof.model.change import CreateExtension, CreateIndex, CreateMaterializedView, DropIndex, Step
from pgproof.model.figures import percent
from pgproof.model.trial import Comparison, Score, Verdict
from pgproof.model.variant import Variant

STEP_BURDEN = 1.0
"""A statement to review and to apply."""

OBJECT_BURDEN = 2.0
"""An index that every write keeps up to date and every upgrade rebuilds; a dropped one lightens by as
much."""

EXTENSION_BURDEN = 4.0
"""An extension to install, to keep at a version, and to have on every replica and restore."""

SPECIAL_BURDEN = 1.0
"""Of each index that needs explaining: an expression, a predicate, or another method than btree."""

GROWTH_BURDEN = 10.0
"""Doubling the database's index bytes."""

HALF_BURDEN = 10.0
"""At this burden half of the points are gone."""

CLOSE_POINTS = 2.0
"""Behind the winner, in which a rival is named in the decision. **Source**: judgement."""

RIVALS_NAMED = 2
"""Most of them. **Source**: judgement."""

NOISE_FRAC = 0.05
"""Share of the draws that a rival wins, from which on the order is noise. **Source**: the customary level."""

_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class Entry:
    """A variant as the score sees it.

    Args:
        name: Of the variant.
        gates_passed: No gate failed.
        comparison: Against the control.
        p95_ms: Under load where there was load, else in the race.
        p95_draws_ms: Bootstrap draws of it; empty where there are too few samples.
        simplicity: Points, 0 to 100.
        targets_met_frac: Share of the owners' targets that it meets, 0 to 1; 1 where none are set.
    """

    name: str
    gates_passed: bool
    comparison: Comparison
    p95_ms: float
    p95_draws_ms: NDArray[np.float64]
    simplicity: float
    targets_met_frac: float = 1.0


def rate_simplicity(
    variant: Variant, steps: Sequence[Step], index_bytes: int, index_bytes_before: int
) -> float:
    """Return the points for what somebody must run and look after: 100 x 10 / (10 + burden).

    The burden is the sum of: 1 for each statement to apply; 2 for each index or materialised view that stays
    (minus 2 for each index that goes); 1 more for each index that is partial, on an expression, or not a
    btree; 4 for each extension; and 10 times the growth of all index bytes (0.1: a tenth more). It is never
    below 0.

    Args:
        variant: What is changed.
        steps: What is run.
        index_bytes: Index bytes added.
        index_bytes_before: All index bytes before.

    Returns:
        0 to 100; 100 for a variant that changes nothing.

    **Source**: our own choice; every constant has a name above.
    """
    burden = STEP_BURDEN * len(steps)
    for change in variant.changes:
        if isinstance(change, CreateIndex):
            burden += OBJECT_BURDEN
            special = change.method != "btree" or change.where or any(key.expression for key in change.keys)
            burden += SPECIAL_BURDEN if special else 0.0
        elif isinstance(change, CreateMaterializedView):
            burden += OBJECT_BURDEN * (1 + len(change.indexes))
        elif isinstance(change, DropIndex):
            burden -= OBJECT_BURDEN
        elif isinstance(change, CreateExtension):
            burden += EXTENSION_BURDEN
    if index_bytes > 0:
        burden += GROWTH_BURDEN * index_bytes / max(index_bytes_before, index_bytes)
    return 100.0 * HALF_BURDEN / (HALF_BURDEN + max(burden, 0.0))


def score_entries(entries: Sequence[Entry], weights: Weights) -> dict[str, Score]:
    """Score the variants that passed all gates.

    Points for tests are 100 x the share of the owners' targets that are met, those for p95 100 x fastest /
    own; an arm that can't be told apart from the fastest is as fast. Each
    bootstrap draw of all p95s is scored again; ``wins_frac`` is the share of draws in which the arm came
    first (shared firsts count in part).

    Args:
        entries: All variants that were raced.
        weights: Of the parts; only ratios matter.

    Returns:
        By name, in the order of ``entries``; variants with a failed gate are left out.
    """
    able = [entry for entry in entries if entry.gates_passed]
    if not able:
        return {}
    points = p95_points([e.p95_ms for e in able], [e.p95_draws_ms for e in able])
    totals = [_total(weights, p95, e) for p95, e in zip(points, able, strict=True)]
    wins = _wins(able, weights)
    return {
        entry.name: Score(
            total=total,
            tests=100.0 * entry.targets_met_frac,
            p95=p95,
            simplicity=entry.simplicity,
            wins_frac=won,
        )
        for entry, total, p95, won in zip(able, totals, points, wins, strict=True)
    }


def p95_points(p95s_ms: Sequence[float], draws_ms: Sequence[NDArray[np.float64]]) -> list[float]:
    """Return 100 x fastest / own, and 100 for everybody who can't be told apart from the fastest.

    Args:
        p95s_ms: One an arm, >= 0; at least one.
        draws_ms: Bootstrap draws of each, comparable one by one; where either is empty, the figures decide.

    Returns:
        In the order of the arguments. Two arms are told apart when 95 % of the draws' ratios lie on one side
        of 1.
    """
    best = min(range(len(p95s_ms)), key=lambda i: p95s_ms[i])
    result = []
    for value, draws in zip(p95s_ms, draws_ms, strict=True):
        tied = value <= 0 or _overlaps(draws, draws_ms[best])
        result.append(100.0 if tied else 100.0 * p95s_ms[best] / value)
    return result


def _overlaps(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    if not ours.size or ours.size != theirs.size:
        return False
    low, high = np.quantile(ours / theirs, [0.025, 0.975])
    return bool(low <= 1.0 <= high)


def choose_winner(entries: Sequence[Entry], scores: Mapping[str, Score]) -> str | None:
    """Return who has the best total of those that passed all gates and are BETTER than the control.

    Among equal totals the simpler one wins, then the earlier one. None when nobody is.
    """
    able = [e for e in entries if e.name in scores and e.comparison.verdict is Verdict.BETTER]
    if not able:
        return None
    return max(able, key=lambda e: (round(scores[e.name].total, 6), e.simplicity)).name


def explain_decision(
    entries: Sequence[Entry], scores: Mapping[str, Score], winner: str | None, void: str
) -> str:
    """Say in one sentence what was decided and why.

    Args:
        entries: All variants that were raced.
        scores: Of those that passed their gates.
        winner: Name, or None.
        void: Why nothing can be concluded, empty when something can.
    """
    if void:
        return f"The competition is void: {void}."
    if winner is not None:
        return _praise(entries, scores, winner)
    better = [e.name for e in entries if e.comparison.verdict is Verdict.BETTER]
    if better:
        return f"Nothing wins: {', '.join(better)} is faster than what you have, but failed a gate."
    if not entries:
        return "Nothing wins: no variant could be applied."
    if any(e.comparison.verdict is Verdict.INCONCLUSIVE for e in entries):
        return (
            "Undecided: no variant was shown to be faster than what you have in the time allowed, "
            "so the simplest stays: what you have."
        )
    return "Nothing is better than what you have."


def explain_no_proposal(notes: Sequence[str]) -> str:
    """Say in one sentence that there was nothing to race against the database as it is.

    Args:
        notes: Of who proposed; the first one is why.
    """
    why = f": {notes[0].rstrip('.')}" if notes else ""
    return f"Nothing wins: no variant was proposed{why}."


def _praise(entries: Sequence[Entry], scores: Mapping[str, Score], winner: str) -> str:
    won = next(e for e in entries if e.name == winner)
    interval = won.comparison.interval
    text = (
        f"{winner} wins: the workload takes {100 * won.comparison.ratio:.3g} % of the control's time "
        f"(between {100 * interval.low:.3g} % and {100 * interval.high:.3g} %), all gates passed"
    )
    rivals = _rivals(entries, scores, winner)
    text += "".join(_compare_points(scores[e.name], scores[winner], e.name) for e in rivals)
    faster = [
        e.name
        for e in entries
        if e.name in scores and e.name != winner and e.comparison.ratio < won.comparison.ratio
    ]
    if faster:
        text += f"; {', '.join(faster)} took even less time but scored fewer points in all"
    return text + "."


def _rivals(entries: Sequence[Entry], scores: Mapping[str, Score], winner: str) -> list[Entry]:
    """Return who might as well have won, by points or by draws; most points first."""
    best = scores[winner]
    able = [e for e in entries if e.name in scores and e.comparison.verdict is Verdict.BETTER]
    close = [
        e
        for e in able
        if e.name != winner
        and (best.total - scores[e.name].total <= CLOSE_POINTS or scores[e.name].wins_frac > best.wins_frac)
    ]
    return sorted(close, key=lambda e: -scores[e.name].total)[:RIVALS_NAMED]


def _compare_points(own: Score, best: Score, name: str) -> str:
    told = "is as good within the noise" if own.wins_frac >= NOISE_FRAC else "is close behind"
    text = (
        f"; {name} {told} ({own.total:.1f} points against {best.total:.1f}, "
        f"first in {percent(own.wins_frac)} of the draws against {percent(best.wins_frac)})"
    )
    return f"{text} and meets more of the targets" if own.tests > best.tests else text


def _total(weights: Weights, p95: float, entry: Entry) -> float:
    whole = weights.tests + weights.p95 + weights.simplicity
    tests = 100.0 * entry.targets_met_frac
    return (weights.tests * tests + weights.p95 * p95 + weights.simplicity * entry.simplicity) / whole


def _wins(able: Sequence[Entry], weights: Weights) -> list[float]:
    """Return the share of bootstrap draws each entry wins; where nothing can be drawn, the figures decide."""
    count = min((e.p95_draws_ms.size for e in able), default=0)
    table = np.array([e.p95_draws_ms[:count] if count else [e.p95_ms] for e in able], dtype=np.float64)
    table = np.maximum(table, 1e-9)
    points = 100.0 * table.min(axis=0) / table
    fixed = [weights.simplicity * e.simplicity + weights.tests * 100.0 * e.targets_met_frac for e in able]
    totals = weights.p95 * points + np.array([[value] for value in fixed])
    first = totals >= totals.max(axis=0) - _EVEN
    shares: NDArray[np.float64] = (first / first.sum(axis=0)).mean(axis=1)
    return [float(share) for share in shares]
