"""Sets of candidates as bits of a number: what is asked thousands of times a second has to be cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Mask = int
"""A set of candidates: bit n stands for the n-th name."""


class Names:
    """Numbers the candidates.

    Args:
        names: Of all candidates; their order doesn't matter.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.all = tuple(sorted(set(names)))
        self._bits = {name: 1 << place for place, name in enumerate(self.all)}
        self.everything: Mask = (1 << len(self.all)) - 1

    def mask(self, names: Iterable[str]) -> Mask:
        """Return the bits of names; unknown names have none."""
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def names(self, mask: Mask) -> frozenset[str]:
        """Return the names of bits."""
        return frozenset(self.listed(mask))

    def listed(self, mask: Mask) -> tuple[str, ...]:
        """Return the names of bits, sorted."""
        return tuple(self.all[place] for place in places(mask))


def places(mask: Mask) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def single_bits(mask: Mask) -> Iterator[Mask]:
    """Yield each bit that is set as a set of its own, lowest first."""
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


def mask_of(numbers: Iterable[int]) -> Mask:
    """Return the set of bits with these numbers."""
    found = 0
    for number in numbers:
        found |= 1 << number
    return found
