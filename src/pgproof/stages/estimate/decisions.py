"""What the planner said about one statement, as a tree that every set of candidates finds its way through.

A node stands for some sets of candidates. The planner was shown everything but those that all of these sets
lack, and used some of what it saw. A set that has all it used gets the very same plan (the planner is
monotone: what it did not use may as well be gone). Any other set goes on to the child in which the first one
it lacks is hidden too. So each set belongs to exactly one leaf. A leaf that nobody asked about yet has a
lower bound: what the planner said when it was shown at least as much.

**Source**: atomic configurations, Finkelstein, Schkolnick, Tiberio: Physical Database Design for Relational
Databases, ACM TODS 13(1), 1988. The planner is only nearly monotone: violations of up to 3.7 % of a query's
cost were measured, so a bound made of such leaves holds up to the planner's own noise; no bound contradicts
a plan that was seen.
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
class Place:
    """Some sets of candidates.

    Args:
        needs: Candidates that all of these sets have.
        lacks: Candidates that none of them has.
    """

    needs: Mask = 0
    lacks: Mask = 0

    def holds(self, chosen: Mask) -> bool:
        """Tell whether a set is one of these."""
        return not self.needs & ~chosen and not self.lacks & chosen

    def narrowed(self, *, needs: Mask = 0, lacks: Mask = 0) -> Place:
        """Return those of the sets for which more holds."""
        return Place(self.needs | needs, self.lacks | lacks)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Sets that get one plan, or of which only a bound is known.

    Args:
        place: The sets.
        cost: Of the plan; of an open leaf, at most the cost of any of its sets.
        used: Candidates in the plan; none of an open leaf.
        is_open: Nobody asked yet.
    """

    place: Place
    cost: float
    used: Mask
    is_open: bool


@dataclass(slots=True)
class _Node:
    place: Place
    answer: Answer
    order: tuple[Mask, ...]
    children: dict[Place, _Node] = field(default_factory=dict)


@dataclass(slots=True)
class Decisions:
    """All that is known of one statement with one set of values.

    Args:
        relevant: Candidates that its plan could use at all.
        base: What is in every set that is asked about: existing indexes.

    Attributes:
        answers: What was said, in order.
        contradictions: How often the planner found a cheaper plan when it was shown less.
    """

    relevant: Mask
    base: Mask = 0
    answers: list[Answer] = field(default_factory=list)
    contradictions: int = 0
    _floors: list[float] = field(default_factory=list)
    _asked: set[Mask] = field(default_factory=set)
    _roots: dict[Mask, _Node] = field(default_factory=dict)

    def least(self, excluded: Mask = 0) -> float:
        """Return the cost with all candidates there but some; 0 before anybody asked."""
        root = self._root(excluded)
        return root.answer.cost if root else 0.0

    @property
    def dearest(self) -> float:
        """Cost of the dearest plan seen: without any candidate, but for the planner's noise."""
        return max((answer.cost for answer in self.answers), default=0.0)

    @property
    def useful(self) -> Mask:
        """Return the candidates of all plans seen."""
        found = 0
        for answer in self.answers:
            found |= answer.used
        return found

    def record(self, answer: Answer) -> None:
        """Take note of what the planner said."""
        floor = answer.cost
        for place, (other, known) in enumerate(zip(self.answers, self._floors, strict=True)):
            if not answer.hidden & ~other.hidden:
                floor = min(floor, known)
            if not other.hidden & ~answer.hidden and answer.cost < known:
                self._floors[place] = answer.cost
                self.contradictions += 1
        self.contradictions += floor < answer.cost
        self.answers.append(answer)
        self._floors.append(floor)
        self._asked.add(answer.hidden)

    def serving(self, hidden: Mask) -> Answer | None:
        """Return the plan under all candidates but some, None where it takes a question."""
        return next((a for a in self.answers if not a.hidden & ~hidden and not a.used & hidden), None)

    def floor(self, hidden: Mask) -> float:
        """Return what every set costs at least that lacks some candidates; 0 before the first answer."""
        return self._bound(hidden, 0.0)

    def find(self, chosen: Mask) -> Answer | None:
        """Return the plan under a set, None where it takes another question."""
        own = chosen & self.relevant
        for answer in self.answers:
            if not answer.used & ~own and not own & answer.hidden:
                return answer
        return None

    def find_or_more(self, chosen: Mask) -> Answer:
        """Return the plan under a set, or the cheapest one seen that it could have: at least that good."""
        own = chosen & self.relevant
        possible = [answer for answer in self.answers if not answer.used & ~own]
        return self.find(chosen) or min(possible, key=lambda answer: (answer.cost, answer.used))

    def cheapest_by_use(self) -> list[Answer]:
        """Return the plans worth knowing: none that needs all that a cheaper one needs, and more."""
        kept: list[Answer] = []
        for answer in sorted(self.answers, key=lambda a: (a.cost, a.used.bit_count(), a.used)):
            if not any(not other.used & ~answer.used for other in kept):
                kept.append(answer)
        return kept

    def leaves(self, excluded: Mask = 0) -> Iterator[Leaf]:
        """Yield the leaves, of which every set belongs to exactly one; nothing before the first answer.

        Args:
            excluded: Candidates that no set in question has.
        """
        root = self._root(excluded)
        waiting = [root] if root else []
        while waiting:
            node = waiting.pop()
            for place in self._children(node):
                child = node.children.get(place) or self._asked_child(node, place)
                if child is not None:
                    waiting.append(child)
                else:
                    yield Leaf(place, self._bound(place.lacks, node.answer.cost), 0, is_open=True)
            own = node.place.narrowed(needs=node.answer.used)
            yield Leaf(own, node.answer.cost, node.answer.used, is_open=False)

    def _bound(self, hidden: Mask, least: float) -> float:
        """Return the dearest plan of those that were shown at least what a set may have."""
        pairs = zip(self.answers, self._floors, strict=True)
        return max((floor for a, floor in pairs if not a.hidden & ~hidden), default=least)

    def _root(self, excluded: Mask) -> _Node | None:
        """Return the node of all sets that have none of some candidates, None before anybody asked."""
        hidden = excluded & self.relevant
        if hidden not in self._roots:
            node = self._make(Place(needs=self.base, lacks=hidden))
            if node is None:
                return None
            self._roots[hidden] = node
        return self._roots[hidden]

    def _children(self, node: _Node) -> Iterator[Place]:
        """Yield the parts into which the sets that lack something of a node's plan fall."""
        needed = 0
        for own in node.order:
            yield node.place.narrowed(needs=needed, lacks=own)
            needed |= own

    def _asked_child(self, node: _Node, place: Place) -> _Node | None:
        """Make the child that a question was meant for, None where nobody asked."""
        if place.lacks not in self._asked:
            return None
        child = self._make(place)
        if child is not None:
            node.children[place] = child
        return child

    def _make(self, place: Place) -> _Node | None:
        """Make a node of an answer that serves it, None where there is none yet."""
        for answer in self.answers:
            if not answer.hidden & ~place.lacks and not answer.used & place.lacks:
                return _Node(place, answer, tuple(single_bits(answer.used & ~place.needs)))
        return None
