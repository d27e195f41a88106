"""Texts of one shape as numbers: codes like ``AB-0042``, hashes and UUIDs, place by place.

Each place holds either the same character in every known value, or one of those seen there. The places are
the digits of a number; what would make it too large is filled by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgproof.stages.synth.chance import Longs, mixed
from pgproof.stages.synth.numbers import LIMIT, Line, Texts

_KNOWN_MIN = 20
"""Known values that show a shape. **Source**: judgement."""
_NEARLY_ALL = 0.7
"""Share of an alphabet that, once seen at a place, stands for all of it. **Source**: judgement."""
_ALPHABETS = (
    "0123456789",
    "0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
)
_CHARS_MAX = 80
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class _Shape:
    """What stands where.

    Args:
        pattern: A value; its varying places are overwritten.
        places: Positions of the number's digits, the highest first.
        alphabets: Of each of those.
        rest: Further varying positions, filled by chance.
        rest_alphabets: Of each of those.
    """

    pattern: str
    places: tuple[int, ...]
    alphabets: tuple[str, ...]
    rest: tuple[int, ...]
    rest_alphabets: tuple[str, ...]

    def read(self, text: str) -> int | None:
        if len(text) != len(self.pattern):
            return None
        number = 0
        for place, alphabet in zip(self.places, self.alphabets, strict=True):
            digit = alphabet.find(text[place])
            if digit < 0:
                return None
            number = number * len(alphabet) + digit
        return number

    def write(self, numbers: Longs) -> Texts:
        cells = np.tile(np.frombuffer(self.pattern.encode("utf-32-le"), dtype=np.uint32), (len(numbers), 1))
        left = numbers.copy()
        for place, alphabet in zip(reversed(self.places), reversed(self.alphabets), strict=True):
            cells[:, place] = _letters(alphabet)[left % len(alphabet)]
            left //= len(alphabet)
        for place, alphabet in zip(self.rest, self.rest_alphabets, strict=True):
            drawn = (mixed(numbers, place) % np.uint64(len(alphabet))).astype(np.int64)
            cells[:, place] = _letters(alphabet)[drawn]
        found: Texts = np.ascontiguousarray(cells).view(f"U{len(self.pattern)}").ravel().astype(object)
        if self.pattern != self.pattern.translate(_ESCAPES):
            found[:] = [text.translate(_ESCAPES) for text in found.tolist()]
        return found


def shaped_line(known: Sequence[str]) -> Line | None:
    """Return the line of texts of one shape; None where they have none.

    Args:
        known: Text forms, in any order.
    """
    if len(known) < _KNOWN_MIN or len(known[0]) > _CHARS_MAX or len({len(value) for value in known}) > 1:
        return None
    shape = _shape_of(known)
    if shape is None:
        return None
    numbers = {shape.read(value) for value in known}
    if None in numbers or len(numbers) < len(set(known)):
        return None
    greatest = 1
    for alphabet in shape.alphabets:
        greatest *= len(alphabet)
    return Line(shape.read, shape.write, 1, 0, greatest - 1, rounded=bool(shape.rest))


def _shape_of(known: Sequence[str]) -> _Shape | None:
    places: list[int] = []
    alphabets: list[str] = []
    rest: list[int] = []
    rest_alphabets: list[str] = []
    size = 1
    for position, seen in enumerate(map(set, zip(*known, strict=True))):
        if len(seen) == 1:
            continue
        if not all(character.isascii() and character.isalnum() for character in seen):
            return None
        alphabet = _completed(seen)
        fits = not rest and size * len(alphabet) < LIMIT
        (places if fits else rest).append(position)
        (alphabets if fits else rest_alphabets).append(alphabet)
        size *= len(alphabet) if fits else 1
    if not places:
        return None
    return _Shape(known[0], tuple(places), tuple(alphabets), tuple(rest), tuple(rest_alphabets))


def _completed(seen: set[str]) -> str:
    for alphabet in _ALPHABETS:
        if seen <= set(alphabet) and len(seen) >= _NEARLY_ALL * len(alphabet):
            return alphabet
    return "".join(sorted(seen))


def _letters(alphabet: str) -> npt.NDArray[np.uint32]:
    return np.array([ord(letter) for letter in alphabet], dtype=np.uint32)
