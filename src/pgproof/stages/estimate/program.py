"""The choice of indexes as an integer program: which candidates, so that statements go the cheapest ways.

A variable for each candidate (there or not), and one for each way to answer each question. Of each
question's ways one is taken, and only by a set that has all it needs, one of each group it speaks of, and
none of what it lacks. With ways that no set's plan is cheaper than, the program's optimum is a lower bound of
what any set can reach; with plans that were seen, an upper bound that is known to be reached.

**Source**: the formulation with atomic configurations follows Dash, Polyzotis, Ailamaki: CoPhy, PVLDB 4(6),
2011; solved by HiGHS (Huangfu, Hall: Math. Prog. Comp. 10, 2018).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from pgproof.stages.estimate.bits import Mask, places, single_bits

_INTEGER = highspy.HighsVarType.kInteger
_SEED = 1
_FEASIBLE = 2  # highspy.SolutionStatus.kSolutionStatusFeasible
_NOTHING = 1e-9
_SOME = 1e-4


@dataclass(frozen=True, slots=True)
class Way:
    """One way to answer a question.

    Args:
        needs: Candidates it takes.
        lacks: Candidates that must be absent.
        value: What it costs, in the program's unit.
        hits: Of each of these sets at least one candidate must be there.
    """

    needs: Mask
    lacks: Mask
    value: float
    hits: tuple[Mask, ...] = ()

    def takes(self, group: Mask) -> bool:
        """Tell whether no set goes this way that has none of a group."""
        return bool(self.needs & group) or any(not hit & ~group for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Limit:
    """Something of which a set may take only so much.

    Args:
        amounts: What each candidate takes; those that are absent take nothing.
        most: Of all of them together.
    """

    amounts: Mapping[int, float]
    most: float


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be solved.

    Args:
        ways: For each question all ways to answer it; at least one.
        prices: What each candidate costs by being there, by its number; absent means nothing.
        limits: What the set has to keep.
        most_value: What ways and ``burdens`` may cost together; None asks nothing.
        burdens: What each candidate adds to that.
        way_weight: How much the value of ways counts beside the prices.
    """

    ways: Sequence[Sequence[Way]]
    prices: Mapping[int, float]
    limits: Sequence[Limit] = ()
    most_value: float | None = None
    burdens: Mapping[int, float] = field(default_factory=dict)
    way_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Solution:
    """What came of it.

    Args:
        chosen: The set.
        value: What it costs, in the program's unit.
        bound: No set costs less.
    """

    chosen: Mask
    value: float
    bound: float


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What came of the program when candidates may be there in part.

    Args:
        bound: No set costs less.
        parts: How much of each candidate is there, up to 1; those that are absent are left out.
        dearer: By how much more a set costs at least that has an absent candidate; others have 0.
        prices: For each question, what it pays for each group of candidates of which its ways take one.
    """

    bound: float
    parts: Mapping[int, float]
    dearer: Mapping[int, float]
    prices: Sequence[Mapping[Mask, float]]


def items_of(ways: Sequence[Sequence[Way]]) -> list[int]:
    """Return the candidates that any way speaks of, by number, in order."""
    named = 0
    for group in ways:
        for way in group:
            named |= way.needs | way.lacks
            for hit in way.hits:
                named |= hit
    return list(places(named))


def rounded(parts: Mapping[int, float], limits: Sequence[Limit]) -> Mask:
    """Return a set of what is there in part, largest parts first, as far as the limits allow."""
    chosen, left = 0, [limit.most for limit in limits]
    for item in sorted(parts, key=lambda item: (-parts[item], item)):
        taken = [limit.amounts.get(item, 0.0) for limit in limits]
        if all(amount <= most for amount, most in zip(taken, left, strict=True)):
            chosen |= 1 << item
            left = [most - amount for amount, most in zip(taken, left, strict=True)]
    return chosen


def relax(program: Program) -> Relaxation | None:
    """Solve the program with candidates that may be there in part: quick, and its bound is nearly as good.

    Measured on TPC-H with 295 candidates: 0.03 s instead of 1 to 2 s, and 0.1 % of the cost below.

    Args:
        program: What to solve; every candidate that is to be priced has an entry in ``prices``.

    Returns:
        None where no set keeps the limits.
    """
    columns = _Columns(program, every_price=True, with_lacks=False)
    model = columns.model()
    model.integrality_ = []
    solver = _solver()
    solver.passModel(model)
    while True:
        solver.run()
        if solver.getInfo().primal_solution_status != _FEASIBLE:
            return None
        solution = solver.getSolution()
        values = solution.col_value
        # Few of these rows ever matter, and there is one for each question and candidate.
        broken = columns.broken_lacks(values)
        if not broken:
            break
        for entries in broken:
            solver.addRow(-highspy.kHighsInf, 1.0, len(entries), list(entries), list(entries.values()))
    return columns.relaxation(solver.getInfo().objective_function_value, solution)


def solve(program: Program, *, gap_frac: float, time_limit_s: float, start: Mask = 0) -> Solution | None:
    """Choose the set that costs least.

    Args:
        program: What to solve.
        gap_frac: Stop when the value is that close to the bound, as a share of the value.
        time_limit_s: Stop in any case.
        start: A good set, to begin with.

    Returns:
        The best set found, None where none keeps the limits (or none was found in time). The same program
        gives the same answer unless the time limit cuts it short.
    """
    columns = _Columns(program)
    if not columns.items:
        value = sum(min(way.value for way in ways) for ways in program.ways)
        return Solution(0, value, value)
    solver = _solver()
    solver.setOptionValue("mip_rel_gap", gap_frac)
    solver.setOptionValue("time_limit", max(time_limit_s, 0.01))
    solver.passModel(columns.model())
    if start:
        solver.setSolution(columns.start(start))
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != _FEASIBLE:
        return None
    value = info.objective_function_value
    return Solution(columns.likely(solver.getSolution().col_value), value, min(info.mip_dual_bound, value))


def _solver() -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no types
    for name, value in (("output_flag", False), ("threads", 1), ("random_seed", _SEED)):
        solver.setOptionValue(name, value)
    return solver


def _taken(ways: Sequence[Way], first: int) -> dict[Mask, list[int]]:
    """Return the columns of the ways that take one of each group that any way speaks of."""
    columns: defaultdict[Mask, list[int]] = defaultdict(list)
    for column, way in enumerate(ways, first):
        for own in single_bits(way.needs):
            columns[own].append(column)
        for hit in way.hits:
            columns[hit] = []
    for group, found in columns.items():
        if group & (group - 1):  # of several; a way that takes one of a part of them counts too
            found += [column for column, way in enumerate(ways, first) if way.takes(group)]
    return columns


class _Columns:
    """The program as columns and rows: first the candidates, then the ways."""

    def __init__(self, program: Program, *, every_price: bool = False, with_lacks: bool = True) -> None:
        self.program = program
        named = 0
        for ways in program.ways:
            for way in ways:
                named |= way.needs | (way.lacks if with_lacks else 0)
                for hit in way.hits:
                    named |= hit
        # A candidate that no way speaks of helps nobody; it is there only if being there pays by itself.
        priced = (item for item, price in program.prices.items() if every_price or price < 0)
        self.items = sorted({*places(named), *priced})
        self._with_lacks = with_lacks
        self._lacks: set[tuple[int, int]] = set()
        self._groups: list[tuple[int, Mask, int]] = []
        self._first: list[int] = []
        self._column = {item: place for place, item in enumerate(self.items)}
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._costs = [program.prices.get(item, 0.0) for item in self.items]
        self._cap: dict[int, float] = {}
        for ways in program.ways:
            self._add_question(ways)
        if program.most_value is not None:
            burdens = {self._column[i]: b for i, b in program.burdens.items() if i in self._column}
            self._rows.append((self._cap | burdens, -highspy.kHighsInf, program.most_value))
        for limit in program.limits:
            taken = {
                self._column[item]: amount for item, amount in limit.amounts.items() if item in self._column
            }
            self._rows.append((taken, -highspy.kHighsInf, limit.most))

    def _add_question(self, ways: Sequence[Way]) -> None:
        first, number = len(self._costs), len(self._first)
        self._first.append(first)
        named = 0
        for column, way in enumerate(ways, first):
            self._costs.append(way.value * self.program.way_weight)
            self._cap[column] = way.value
            named |= way.lacks
        self._rows.append((dict.fromkeys(range(first, first + len(ways)), 1.0), 1.0, 1.0))
        for group, columns in _taken(ways, first).items():
            entries = dict.fromkeys(columns, 1.0) | {self._column[item]: -1.0 for item in places(group)}
            self._groups.append((number, group, len(self._rows)))
            self._rows.append((entries, -highspy.kHighsInf, 0.0))
        for item in places(named) if self._with_lacks else ():
            self._rows.append((self._lacking(number, item), -highspy.kHighsInf, 1.0))

    def _lacking(self, number: int, item: int) -> dict[int, float]:
        """Return the row by which no way is taken that lacks a candidate which is there."""
        ways = self.program.ways[number]
        columns = [c for c, way in enumerate(ways, self._first[number]) if way.lacks >> item & 1]
        return dict.fromkeys(columns, 1.0) | {self._column[item]: 1.0}

    def broken_lacks(self, values: Sequence[float]) -> list[dict[int, float]]:
        """Return the rows about absent candidates that a solution breaks; each is returned once."""
        broken: list[dict[int, float]] = []
        there = [(item, values[self._column[item]]) for item in self.items]
        there = [(item, amount) for item, amount in there if amount > _SOME]
        for number, (first, ways) in enumerate(zip(self._first, self.program.ways, strict=True)):
            taken = [
                (way, values[column]) for column, way in enumerate(ways, first) if values[column] > _SOME
            ]
            for item, amount in there:
                lacking = sum(share for way, share in taken if way.lacks >> item & 1)
                if lacking > 1 - amount + _SOME and (number, item) not in self._lacks:
                    self._lacks.add((number, item))
                    broken.append(self._lacking(number, item))
        return broken

    def relaxation(self, bound: float, solution: highspy.HighsSolution) -> Relaxation:
        """Put together what a solution in parts says."""
        values, duals, rows = solution.col_value, solution.col_dual, solution.row_dual
        dearer = {item: max(duals[place], 0.0) for place, item in enumerate(self.items)}
        parts = {item: values[place] for place, item in enumerate(self.items) if values[place] > _NOTHING}
        prices: list[dict[Mask, float]] = [{} for _ in self.program.ways]
        for number, group, row in self._groups:
            if rows[row] < -_NOTHING:
                prices[number][group] = -rows[row]
        return Relaxation(bound, parts, dearer, prices)

    def model(self) -> highspy.HighsLp:
        """Return the program as the solver takes it."""
        lp = highspy.HighsLp()
        lp.num_col_ = len(self._costs)
        lp.num_row_ = len(self._rows)
        lp.col_cost_ = np.array(self._costs)
        lp.col_lower_ = np.zeros(len(self._costs))
        lp.col_upper_ = np.ones(len(self._costs))
        lp.row_lower_ = np.array([low for _, low, _ in self._rows])
        lp.row_upper_ = np.array([high for _, _, high in self._rows])
        lengths = [len(entries) for entries, _, _ in self._rows]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        lp.a_matrix_.index_ = np.array([c for entries, _, _ in self._rows for c in entries], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([v for entries, _, _ in self._rows for v in entries.values()])
        kinds = [_INTEGER] * len(self.items)
        lp.integrality_ = kinds + [highspy.HighsVarType.kContinuous] * (len(self._costs) - len(kinds))
        return lp

    def likely(self, values: Sequence[float]) -> Mask:
        """Return the candidates that are there for more than half."""
        chosen = 0
        for item, value in zip(self.items, values, strict=False):
            if value > 0.5:
                chosen |= 1 << item
        return chosen

    def start(self, chosen: Mask) -> highspy.HighsSolution:
        """Return a set as a point to begin with: for each question the cheapest way that it admits."""
        values = [1.0 if chosen >> item & 1 else 0.0 for item in self.items]
        for ways in self.program.ways:
            possible = [
                (way.value, place)
                for place, way in enumerate(ways)
                if not way.needs & ~chosen
                and not way.lacks & chosen
                and all(hit & chosen for hit in way.hits)
            ]
            best = min(possible, default=(0.0, -1))[1]
            values.extend(1.0 if place == best else 0.0 for place in range(len(ways)))
        solution = highspy.HighsSolution()
        solution.col_value = values
        return solution
