"""All sets of candidates in cells: what each cell costs at least, as far as it matters for the best set.

A cell holds the sets that have some candidates, have at least one of each of some groups, and lack some. The
planner was shown all but what they lack, so none of them costs less than it said. A cell is split by a group:
its sets that have none of it, about which the planner is asked anew, and the others, whose bound stays. A
group of one is what a tree of decisions splits by (``decisions.py``). A large one deals with dozens of
candidates that do much the same by one question: whoever wants one of them pays the price of the cheapest.

**Source**: for a statement that uses one index, this is the radius formulation of the p-median problem,
Garcia, Labbe, Marin: Solving large p-median problems with a radius formulation, INFORMS J. Comp. 23(4), 2011.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.stages.estimate.bits import Mask
from pgproof.stages.estimate.costs import Question


@dataclass(slots=True)
class Cell:
    """Some sets of candidates.

    Args:
        needs: Candidates that all of these sets have.
        hits: Of each of these groups they have at least one; each is of several, and none is in ``needs``.
        lacks: Candidates that none of them has.
        cost: Each of them costs at least that.
        used: What the planner used when it was shown all but ``lacks``.
    """

    needs: Mask
    hits: tuple[Mask, ...]
    lacks: Mask
    cost: float
    used: Mask

    @property
    def is_closed(self) -> bool:
        """All of these sets get that plan, and it costs that."""
        return not self.used & ~self.needs

    def holds(self, chosen: Mask) -> bool:
        """Tell whether a set is one of these."""
        hit = all(group & chosen for group in self.hits)
        return hit and not self.needs & ~chosen and not self.lacks & chosen


class Cells:
    """The cells of a question; every set without what is excluded is in exactly one of them.

    Args:
        question: It was asked what a plan costs with all but what is excluded.
        excluded: Candidates that no set in question has.

    Attributes:
        open: Cells that may be split.
        closed: Cells whose plan is known.
    """

    def __init__(self, question: Question, excluded: Mask) -> None:
        self._decisions = question.decisions
        self._excluded = excluded & self._decisions.relevant
        self._contradictions = self._decisions.contradictions
        self.open: list[Cell] = []
        self.closed: list[Cell] = []
        root = self._cell(self._decisions.base, (), self._excluded)
        assert root is not None
        self._add(root)

    @property
    def all(self) -> list[Cell]:
        """Return all cells."""
        return [*self.open, *self.closed]

    def hidden(self, cell: Cell, group: Mask) -> Mask | None:
        """Return what to hide in the question that a split takes, None where its answer is known."""
        hidden = (cell.lacks | group) & self._decisions.relevant
        return hidden if self._decisions.serving(hidden) is None else None

    def split(self, cell: Cell, group: Mask) -> list[Cell]:
        """Split an open cell into the sets that have none of a group, and the others.

        Args:
            cell: One of ``open``.
            group: Of what is neither in its ``needs`` nor in its ``lacks``; empty asks anew what was answered
                before some of it was excluded.

        Returns:
            The new cells, without those that hold no set; nothing, and nothing changes, without an answer.
        """
        if self.hidden(cell, group) is not None:
            return []
        without = self._cell(cell.needs, cell.hits, cell.lacks | group)
        found = [without] if without is not None else []
        if group:
            hits = cell.hits if group & (group - 1) else tuple(hit for hit in cell.hits if not hit & group)
            needs, own = (cell.needs, (group,)) if group & (group - 1) else (cell.needs | group, ())
            found.append(Cell(needs, (*hits, *own), cell.lacks, cell.cost, cell.used))
        self.open = [other for other in self.open if other is not cell]
        for new in found:
            self._add(new)
        return found

    def exclude(self, gone: Mask) -> None:
        """Leave out the sets that have any of some candidates."""
        gone &= self._decisions.relevant
        self._excluded |= gone
        cells, self.open, self.closed = self.all, [], []
        for cell in cells:
            needs, hits = _narrowed(cell.needs, cell.hits, gone)
            if not needs & gone and all(hits):
                self._add(Cell(needs, hits, cell.lacks | gone, cell.cost, cell.used))

    def refresh(self) -> None:
        """Lower the bounds that a new answer contradicts."""
        if self._contradictions != self._decisions.contradictions:
            self._contradictions = self._decisions.contradictions
            for cell in self.all:
                cell.cost = min(cell.cost, self._decisions.floor(cell.lacks & self._decisions.relevant))

    def _add(self, cell: Cell) -> None:
        (self.closed if cell.is_closed else self.open).append(cell)

    def _cell(self, needs: Mask, hits: tuple[Mask, ...], lacks: Mask) -> Cell | None:
        """Return the cell of a place about which the planner was asked, None where no set is in it."""
        needs, hits = _narrowed(needs, hits, lacks)
        hidden = lacks & self._decisions.relevant
        answer = self._decisions.serving(hidden)
        if answer is None or needs & lacks or not all(hits):
            return None
        return Cell(needs, hits, lacks, self._decisions.floor(hidden), answer.used)


def _narrowed(needs: Mask, hits: tuple[Mask, ...], lacks: Mask) -> tuple[Mask, tuple[Mask, ...]]:
    """Take what is absent out of groups; one of which a single candidate is left needs it."""
    left = [hit & ~lacks for hit in hits]
    for hit in left:
        if not hit & (hit - 1):
            needs |= hit
    return needs, tuple(dict.fromkeys(hit for hit in left if not hit & needs or not hit))
