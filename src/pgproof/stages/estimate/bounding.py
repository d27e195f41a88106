"""The bound of a search: no set costs less than what a program over cells says.

Which cells are worth a question is told by prices. A cell whose sets cost at least so much, with what they
have to have, that a plan seen is no worse, matters to nobody. So what is dear enough to make up for the
difference is hidden at once, whatever it would be good for; what is left is asked about one by one.

**Source**: Dantzig, Wolfe: Decomposition principle for linear programs, Oper. Res. 8(1), 1960; a question
is what finds the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from time import monotonic

from pgproof.stages.estimate.bits import Mask, single_bits
from pgproof.stages.estimate.cells import Cell, Cells
from pgproof.stages.estimate.costs import Question, WorkloadCosts
from pgproof.stages.estimate.prices import Prices
from pgproof.stages.estimate.program import Way

STEPS = 6
"""Times that cells are split at the same prices. **Source**: judgement; 12 were no better in one run on
TPC-H: prices are followed that turn out wrong."""

WIDTH = 4
"""Cells of a question that are split at once. **Source**: judgement."""

_BATCH = 500

Value = Callable[[Question, float, Mask], float]
"""What a plan of some cost, that uses some candidates, counts as a share of the workload's cost."""


class Bounds:
    """The cells of all questions.

    Args:
        costs: Answers; each question was asked what its plan costs with all but what is excluded.
        value: What a plan counts; more for a dearer plan.
        pool: Candidates that sets may have.
        excluded: Candidates that they may not have.
    """

    def __init__(self, costs: WorkloadCosts, value: Value, pool: Mask, excluded: Mask) -> None:
        self._costs = costs
        self._value = value
        self._pool = pool
        self.questions = list(costs.questions)
        self._cells = [Cells(question, excluded) for question in self.questions]

    @property
    def relevant(self) -> list[Mask]:
        """Return for each question the candidates that it could use."""
        return [question.decisions.relevant & self._pool for question in self.questions]

    def ways(self) -> list[list[Way]]:
        """Return each question's cells as ways of a program whose optimum no set stays below."""
        return [self._ways_of(number) for number in range(len(self.questions))]

    def exclude(self, gone: Mask) -> None:
        """Leave out sets that have any of some candidates, since they are proved to be no better."""
        self._pool &= ~gone
        for cells in self._cells:
            cells.exclude(gone)

    def explore(self, prices: Prices, targets: Sequence[float], *, slack: float, ends_at: float) -> bool:
        """Split the cells that may hold something better than is known, and ask what that takes.

        Args:
            prices: Of candidates.
            targets: For each question, what a plan that was seen costs it at these prices.
            slack: How much better something has to be.
            ends_at: When to stop, by `time.monotonic`.

        Returns:
            Whether any cell was split.
        """
        fronts = [
            _Front(number, cells, prices, target)
            for number, (cells, target) in enumerate(zip(self._cells, targets, strict=True))
        ]
        for front in fronts:
            front.cells.refresh()
            front.waiting = [self._waiting(front, cell) for cell in front.cells.open]
            heapify(front.waiting)
        for step in range(STEPS):
            picked = [(front, *pick) for front in fronts for pick in self._pick(front, slack)]
            self._ask(picked, ends_at)
            for front, cell, group in picked:
                self._split(front, cell, group)
            if not picked or monotonic() >= ends_at:
                return step > 0 or bool(picked)
        return True

    def _ways_of(self, number: int) -> list[Way]:
        question, base = self.questions[number], self._costs.base
        return [
            Way(
                cell.needs & ~base,
                cell.lacks & self._pool,
                self._value(question, cell.cost, cell.used if cell.is_closed else 0),
                cell.hits,
            )
            for cell in self._cells[number].all
        ]

    def _waiting(self, front: _Front, cell: Cell) -> tuple[float, int, Cell]:
        """Return a cell with what its sets cost at least, what they have to have included."""
        prices, number = front.prices, front.number
        cost = self._value(self.questions[number], cell.cost, cell.used if cell.is_closed else 0)
        cost += prices.of(number, cell.needs & ~self._costs.base)
        cost += sum(prices.least(number, hit) for hit in cell.hits)
        return cost, next(front.order), cell

    def _pick(self, front: _Front, slack: float) -> list[tuple[Cell, Mask]]:
        """Take the cells of a question that matter most out of those that wait, each with a group."""
        picked: list[tuple[Cell, Mask]] = []
        while len(picked) < WIDTH and front.waiting and front.waiting[0][0] < front.target - slack:
            least, _, cell = heappop(front.waiting)
            if cell.is_closed:
                front.target = min(front.target, least)
            else:
                picked.append((cell, self._group(front, cell, front.target - least)))
        return picked

    def _group(self, front: _Front, cell: Cell, missing: float) -> Mask:
        """Return what to split a cell by.

        Args:
            front: Of its question.
            cell: Of which the planner's plan uses something that not all its sets have.
            missing: How much dearer its sets would have to be not to matter.
        """
        used = cell.used & ~cell.needs
        if used & cell.lacks:
            return 0
        number = front.number
        free = self.questions[number].decisions.relevant & self._pool & ~cell.needs & ~cell.lacks
        dear = front.prices.at_least(number, missing) & free
        if used & dear:
            return dear
        return max(single_bits(used), key=lambda own: (front.prices.of(number, own), -own))

    def _ask(self, picked: Sequence[tuple[_Front, Cell, Mask]], ends_at: float) -> None:
        asked: dict[tuple[int, Mask], None] = {}
        for front, cell, group in picked:
            hidden = front.cells.hidden(cell, group)
            if hidden is not None:
                asked[front.number, hidden] = None
        places = list(asked)
        for first in range(0, len(places), _BATCH):
            if monotonic() >= ends_at:
                return
            batch = places[first : first + _BATCH]
            self._costs.ask([(self.questions[number], hidden) for number, hidden in batch])

    def _split(self, front: _Front, cell: Cell, group: Mask) -> None:
        for new in front.cells.split(cell, group):
            heappush(front.waiting, self._waiting(front, new))


@dataclass(slots=True)
class _Front:
    """Where a question's cells are split.

    Args:
        number: Of the question.
        cells: Its cells.
        prices: Of candidates.
        target: What a plan that was seen costs at these prices.
        waiting: Cells, those that may hold the cheapest sets first.
        order: Decides between equal ones.
    """

    number: int
    cells: Cells
    prices: Prices
    target: float
    waiting: list[tuple[float, int, Cell]] = field(default_factory=list)
    order: count[int] = field(default_factory=count)
