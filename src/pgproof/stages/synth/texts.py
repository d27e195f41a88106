"""Made-up texts: each is a known one with a few letters and digits exchanged, behind what sets it apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pgproof.stages.synth.chance import Longs, mixed
from pgproof.stages.synth.ladder import PREPARED_MAX, Rungs
from pgproof.stages.synth.numbers import Texts, texts
from pgproof.stages.synth.slots import ALPHABETS, DIGIT, LOWER, Slot

ENDLESS = 2**53
"""Stands for any number of variants."""

_SUFFIX = 9
_CELLS = 4_000_000
"""Characters worked on at once: 16 MB. **Source**: judgement."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_Cells = npt.NDArray[np.uint32]


def escaped(value: str) -> str:
    """Return a text form as COPY wants it.

    **Source**: PostgreSQL 18, sql-copy, "Text Format".
    """
    return value.translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class Template:
    """A known text and where it may be varied.

    Args:
        known: The text itself, ready for COPY.
        varied: What variants are made from: the same, perhaps with something behind it.
        slots: Positions in ``varied`` with their alphabets; the first are exchanged most.
    """

    known: str
    varied: str
    slots: tuple[Slot, ...]

    @property
    def variants(self) -> int:
        """How many different texts can be made of it, itself left out."""
        found = 1
        for _, alphabet in self.slots:
            found *= len(ALPHABETS[alphabet])
            if found >= ENDLESS:
                return ENDLESS
        return found - (1 if self.varied == self.known else 0)


def make_templates(
    values: Sequence[str],
    slots: Sequence[Sequence[Slot]],
    *,
    needed: int,
    limit: int = 0,
    longer_by: int = 0,
    open_ended: bool,
) -> list[Template]:
    """Find out where each of a column's known texts may be varied, so that no two become the same.

    A variant keeps the beginning by which its text differs from all others, hence sorts beside it.

    Args:
        values: Known texts ready for COPY, all different.
        slots: Of each value.
        needed: Variants of each that suffice; with fewer, something is put behind the text.
        limit: Characters at most; 0 where there is no limit.
        longer_by: Characters that variants are to be longer than known texts.
        open_ended: Something may stand behind the text: it is plain text, nothing with a form of its own.
    """
    alone = _distinguishing_lengths(values)
    separator = next((mark for mark in "~-_. " if not any(mark in value for value in values)), "~")
    found = []
    for value, own, candidates in zip(values, alone, slots, strict=True):
        usable = [slot for slot in candidates if slot[0] >= own]
        varied = value
        room = limit - len(value) if limit else ENDLESS
        if open_ended and longer_by > _SUFFIX and room > longer_by:
            filler = _filler(value, longer_by - 1)
            usable += [(len(value) + 1 + place, LOWER) for place in range(min(_SUFFIX, len(filler)))]
            varied = f"{value}{separator}{filler}"
        elif open_ended and len(usable) < _SUFFIX and room > 1:
            short = Template(value, value, tuple(usable))
            digits = min(len(str(needed // max(short.variants, 1))), room - 1)
            if short.variants < needed:
                usable = [*usable, *((len(value) + 1 + place, DIGIT) for place in range(digits))]
                varied = f"{value}{separator}{'0' * digits}"
        found.append(Template(value, varied, tuple(usable[: _SUFFIX + 6])))
    return found


def _distinguishing_lengths(values: Sequence[str]) -> list[int]:
    """Return how much of each text's beginning no other one has; neighbours in the order suffice for that."""
    order = sorted(range(len(values)), key=values.__getitem__)
    needed = [0] * len(values)
    for left, right in pairwise(order):
        shared = _shared_length(values[left], values[right]) + 1
        needed[left], needed[right] = max(needed[left], shared), max(needed[right], shared)
    return needed


def _shared_length(left: str, right: str) -> int:
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return length


def _filler(value: str, length: int) -> str:
    """Return letters and blanks that hardly compress, the same for the same text."""
    numbers = mixed(np.arange(length, dtype=np.int64), sum(map(ord, value)) + len(value))
    letters = (numbers % np.uint64(26) + np.uint64(97)).astype(np.uint8)
    letters[5::7] = 32
    return letters.tobytes().decode()


@dataclass(frozen=True)  # without slots: what is worked out once is kept in the instance
class TextLadder:
    """Texts: known ones, and variants of each behind it.

    Args:
        rungs: Where the known ones stand.
        templates: One a known text, in order.
        known: Codes by text form as the server writes it.
    """

    rungs: Rungs
    templates: Sequence[Template]
    known: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.rungs.size

    def code_of(self, value: str) -> int | None:
        """Return the code of a known value."""
        return self.known.get(value)

    def texts(self, codes: Longs) -> Texts:
        """Return text forms ready for COPY."""
        if self.size <= PREPARED_MAX:
            return self._prepared[codes]
        return self._written(codes)

    @cached_property
    def _prepared(self) -> Texts:
        return self._written(np.arange(self.size, dtype=np.int64))

    def _written(self, codes: Longs) -> Texts:
        at_once = max(_CELLS // max(self._cells.shape[1], 1), 1)
        parts = [self._vary(codes[start : start + at_once]) for start in range(0, len(codes), at_once)]
        return texts([text for part in parts for text in part])

    def _vary(self, codes: Longs) -> list[str]:
        rung, offset = self.rungs.split(codes)
        row = np.where(offset > 0, rung + len(self.templates), rung)
        cells = self._cells[row]
        position, alphabet = self._slots
        rest = offset.copy()
        every = np.arange(len(codes))
        for slot in range(position.shape[1]):
            here = position[rung, slot]
            active = (here >= 0) & (rest > 0)
            if not active.any():
                break
            which = alphabet[rung, slot]
            radix = _RADIX[which]
            old = cells[every, here]
            new = _LETTERS[which, (_PLACES[which, old & 127] + rest % radix) % radix]
            cells[every, here] = np.where(active, new, old)
            rest = np.where(active, rest // radix, rest)
        width = cells.shape[1]
        found: list[str] = np.ascontiguousarray(cells).view(f"U{width}").ravel().tolist()
        return found

    @cached_property
    def _cells(self) -> _Cells:
        """Characters of the known texts, then of what variants are made from."""
        both = [t.known for t in self.templates] + [t.varied for t in self.templates]
        array = np.array(both, dtype=np.str_)
        width = max(array.dtype.itemsize // 4, 1)
        return array.astype(f"U{width}").view(np.uint32).reshape(len(both), width)

    @cached_property
    def _slots(self) -> tuple[Longs, Longs]:
        """Positions and alphabets; -1 where a text has fewer slots than others."""
        most = max((len(template.slots) for template in self.templates), default=0)
        position = np.full((len(self.templates), most), -1, dtype=np.int64)
        alphabet = np.zeros_like(position)
        for row, template in enumerate(self.templates):
            for place, (where, which) in enumerate(template.slots):
                position[row, place], alphabet[row, place] = where, which
        return position, alphabet


_RADIX = np.array([len(alphabet) for alphabet in ALPHABETS], dtype=np.int64)
_LETTERS = np.zeros((len(ALPHABETS), max(map(len, ALPHABETS))), dtype=np.uint32)
_PLACES = np.zeros((len(ALPHABETS), 128), dtype=np.int64)
for _number, _alphabet in enumerate(ALPHABETS):
    for _place, _letter in enumerate(_alphabet):
        _LETTERS[_number, _place] = ord(_letter)
        _PLACES[_number, ord(_letter)] = _place
