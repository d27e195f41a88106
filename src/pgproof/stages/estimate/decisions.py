"""What the planner said about one statement, as a tree that every set of candidates finds its way through.

A node stands for all sets without the candidates that were ``hidden`` on the way down, and with those that
were ``needed``. The planner was shown everything but the hidden ones; it used some of them. A set that has
all of those gets the very same plan (the planner is monotone: what it did not use may as well be gone). For
any other set, the first one that it lacks leads to a child in which that one is hidden too. So each set
belongs to exactly one leaf, and a leaf that nobody asked about yet has a lower bound: its parent's cost.

**Source**: atomic configurations, Finkelstein, Schkolnick, Tiberio: Physical Database Design for Relational
Databases, ACM TODS 13(1), 1988. The planner is only nearly monotone: violations of up to 3.7 % of a query's
cost were measured, so a bound made of such leaves holds up to the planner's own noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproof.stages.estimate.bits import Mask, single_bits


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the planner.

    Args:
        hidden: Candidates it could not see.
        used: Candidates in its plan.
        cost: Of the plan.
    """

    hidden: Mask
    used: Mask
    cost: float


@dataclass(frozen=True, slots=True)
class Leaf:
    """The sets that get one plan, or of which only a bound is known.

    Args:
        needs: Candidates that all of these sets have.
        lacks: Candidates that none of them has.
        cost: Of the plan; of an open leaf, less than or equal to the cost of any of its sets.
        used: Candidates in the plan; none of an open leaf.
        is_open: Nobody asked yet.
    """

    needs: Mask
    lacks: Mask
    cost: float
    used: Mask
    is_open: bool


@dataclass(slots=True)
class _Node:
    hidden: Mask
    needed: Mask
    used: Mask
    cost: float
    order: tuple[Mask, ...]
    children: list[_Node | None]


@dataclass(slots=True)
class Decisions:
    """All that is known of one statement with one set of values.

    Args:
        relevant: Candidates that its plan could use at all.
    """

    relevant: Mask
    answers: list[Answer] = field(default_factory=list)
    _root: _Node | None = None

    def record(self, answer: Answer) -> None:
        """Take note of what the planner said."""
        self.answers.append(answer)

    @property
    def least(self) -> float:
        """Cost of the cheapest plan seen: with all candidates there, but for the planner's noise."""
        return min((answer.cost for answer in self.answers), default=0.0)

    @property
    def dearest(self) -> float:
        """Cost of the dearest plan seen: without any candidate, but for the planner's noise."""
        return max((answer.cost for answer in self.answers), default=0.0)

    @property
    def favourite(self) -> Mask:
        """Return the candidates of the plan that was made with all of them there."""
        return next((answer.used for answer in self.answers if not answer.hidden & self.relevant), 0)

    def find(self, chosen: Mask) -> Answer | None:
        """Return the plan under a set, None where it takes another question."""
        own = chosen & self.relevant
        for answer in self.answers:
            if not answer.used & ~own and not own & answer.hidden:
                return answer
        return None

    def cheapest_by_use(self) -> list[Answer]:
        """Return the plans worth knowing: none that needs all that a cheaper one needs, and more."""
        kept: list[Answer] = []
        for answer in sorted(self.answers, key=lambda a: (a.cost, a.used.bit_count(), a.used)):
            if not any(not other.used & ~answer.used for other in kept):
                kept.append(answer)
        return kept

    def next_hidden(self, chosen: Mask) -> Mask | None:
        """Return what to hide in the question that raises a set's bound; None when that is its cost."""
        node, place = self._walk(chosen & self.relevant)
        if node is None:
            return 0
        return None if place is None else node.hidden | node.order[place]

    def bound(self, chosen: Mask) -> float:
        """Return what a set costs at least; 0 before the first answer."""
        node, place = self._walk(chosen & self.relevant)
        if node is None or place is None:
            return node.cost if node else 0.0
        return self._bound(node.hidden | node.order[place], node.cost)

    def leaves(self) -> Iterator[Leaf]:
        """Yield the leaves, of which every set belongs to exactly one; nothing before the first answer."""
        if self._root is None:
            self._walk(self.relevant)
        waiting = [self._root] if self._root else []
        while waiting:
            node = waiting.pop()
            needed = node.needed
            for own, child in zip(node.order, node.children, strict=True):
                if child is None:
                    lacks = node.hidden | own
                    yield Leaf(needed, lacks, self._bound(lacks, node.cost), 0, is_open=True)
                else:
                    waiting.append(child)
                needed |= own
            yield Leaf(needed, node.hidden, node.cost, node.used, is_open=False)

    def _bound(self, hidden: Mask, least: float) -> float:
        """Return the dearest plan of those that were shown at least what a set may have."""
        return max((a.cost for a in self.answers if a.hidden & ~hidden == 0), default=least)

    def _walk(self, chosen: Mask) -> tuple[_Node | None, int | None]:
        """Follow a set down to its node, and to the place in it of the child that isn't there yet."""
        if self._root is None:
            self._root = self._make(0, 0)
        node = self._root
        while node is not None:
            place = next((n for n, own in enumerate(node.order) if not chosen & own), None)
            if place is None:
                return node, None
            child = node.children[place]
            if child is None:
                needed = node.needed | _union(node.order[:place])
                child = self._make(node.hidden | node.order[place], needed)
                if child is None:
                    return node, place
                node.children[place] = child
            node = child
        return None, None

    def _make(self, hidden: Mask, needed: Mask) -> _Node | None:
        """Make a node of an answer that serves it, None where there is none yet."""
        for answer in self.answers:
            if answer.hidden & ~hidden == 0 and answer.used & hidden == 0:
                order = tuple(single_bits(answer.used & ~needed))
                return _Node(hidden, needed, answer.used, answer.cost, order, [None] * len(order))
        return None


def _union(masks: tuple[Mask, ...]) -> Mask:
    found = 0
    for mask in masks:
        found |= mask
    return found
