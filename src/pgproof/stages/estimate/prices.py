"""What candidates cost a question, at the prices that a relaxed program puts on what is scarce.

Each byte of a budget has a price, and an index is paid for by the questions that use it. What the program
does not charge anybody for yet may be charged to all questions that could use it, in equal parts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.stages.estimate.bits import Mask, places
from pgproof.stages.estimate.program import Relaxation

_NOBODY = float("inf")


@dataclass(frozen=True, slots=True)
class Charges:
    """Prices of one or of several relaxed programs.

    Args:
        groups: For each question, what it pays for one of a group of candidates.
        spare: What nobody pays yet for a candidate.
    """

    groups: Sequence[Mapping[Mask, float]]
    spare: Mapping[int, float]

    def mixed(self, other: Charges, other_frac: float) -> Charges:
        """Return prices between these and others; 0 leaves these."""
        groups = []
        for mine, its in zip(self.groups, other.groups, strict=True):
            found = {group: price * (1 - other_frac) for group, price in mine.items()}
            for group, price in its.items():
                found[group] = found.get(group, 0.0) + price * other_frac
            groups.append(found)
        spare = {
            item: price * (1 - other_frac) + other.spare.get(item, 0.0) * other_frac
            for item, price in self.spare.items()
        }
        return Charges(groups, spare)


def charges_of(relaxed: Relaxation) -> Charges:
    """Return the prices of a relaxed program."""
    return Charges(relaxed.prices, relaxed.dearer)


class Prices:
    """Prices of single candidates, question by question.

    Args:
        charges: What they are made of.
        relevant: For each question, the candidates that it could use.
        free: Candidates that cost nothing.
    """

    def __init__(self, charges: Charges, relevant: Sequence[Mask], free: Mask = 0) -> None:
        users: defaultdict[int, int] = defaultdict(int)
        for mask in relevant:
            for item in places(mask):
                users[item] += 1
        self._shares = {
            item: spare / max(users[item], 1) for item, spare in charges.spare.items() if not free >> item & 1
        }
        self._own = [_own(groups, free) for groups in charges.groups]
        ordered = sorted((share, item) for item, share in self._shares.items())
        self._ordered = [share for share, _ in ordered]
        self._upward = [0]
        for _, item in reversed(ordered):
            self._upward.append(self._upward[-1] | 1 << item)
        self._upward.reverse()
        self._downward = [0]
        for _, item in ordered:
            self._downward.append(self._downward[-1] | 1 << item)
        self._least: dict[tuple[int, Mask], float] = {}

    def price(self, question: int, item: int) -> float:
        """Return what a question pays for a candidate."""
        return self._own[question].get(item, 0.0) + self._shares.get(item, 0.0)

    def of(self, question: int, chosen: Mask) -> float:
        """Return what a question pays for a set."""
        return sum(self.price(question, item) for item in places(chosen))

    def least(self, question: int, group: Mask) -> float:
        """Return what a question pays for the cheapest one of a group."""
        key = question, group
        if key not in self._least:
            own = self._own[question]
            found = min((self.price(question, i) for i in own if group >> i & 1), default=_NOBODY)
            for item in own:
                group &= ~(1 << item)
            self._least[key] = min(found, self._least_share(group))
        return self._least[key]

    def at_least(self, question: int, price: float) -> Mask:
        """Return the candidates for which a question pays at least so much."""
        found = self._upward[bisect_left(self._ordered, price)]
        for item in self._own[question]:
            if self.price(question, item) >= price:
                found |= 1 << item
        return found

    def _least_share(self, group: Mask) -> float:
        """Return the least share of those of a group, of whom the question pays nothing on top."""
        if group & ~self._upward[0]:
            return 0.0  # some have no price at all
        low, high = 0, len(self._ordered)
        while low < high:
            middle = (low + high) // 2
            if self._downward[middle + 1] & group:
                high = middle
            else:
                low = middle + 1
        return self._ordered[low] if low < len(self._ordered) else _NOBODY


def _own(groups: Mapping[Mask, float], free: Mask) -> dict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    for group, price in groups.items():
        for item in places(group & ~free):
            found[item] += price
    return dict(found)
