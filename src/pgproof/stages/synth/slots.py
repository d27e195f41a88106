"""Where a text form can be varied without ceasing to look like what it is: letters and digits of rare words.

Words that many values share (a domain of mail addresses, a colour) stay, so that patterns select as many rows
as they do in the source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

ALPHABETS = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789abcdef",
    "123456789",
    "01",
)
"""A character is only replaced by another one of its alphabet."""

DIGIT, LOWER, UPPER, HEX, NONZERO, BIT = range(len(ALPHABETS))

Slot = tuple[int, int]
"""Position in the text, number of the alphabet."""

_WORD = re.compile(r"[^\W_]+")
_SHARED = 0.02
"""Share of the values that hold a word which is taken for vocabulary. **Source**: judgement."""
_HEX = re.compile(r"[0-9a-f\W]{16,}")
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_ESCAPE = re.compile(r"\\+(?:u[0-9a-fA-F]{4}|.)")


def vocabulary(values: Sequence[str]) -> frozenset[str]:
    """Return the words that values of a column have in common."""
    counted = Counter(word for value in values for word in set(_WORD.findall(value)))
    least = max(2, len(values) * _SHARED)
    return frozenset(word for word, count in counted.items() if count >= least)


def is_hexadecimal(values: Sequence[str]) -> bool:
    """Tell whether all values of a column are long and made of hexadecimal digits, as hashes are."""
    return bool(values) and all(_HEX.fullmatch(value) for value in values)


def text_slots(value: str, shared: frozenset[str], *, hexadecimal: bool = False) -> list[Slot]:
    """Return the slots of a text, those that are best varied first."""
    rare: list[Slot] = []
    common: list[Slot] = []
    for word in _WORD.finditer(value):
        into = common if word[0] in shared else rare
        for position in reversed(range(*word.span())):
            alphabet = HEX if hexadecimal else _alphabet_of(value[position])
            if alphabet is not None:
                into.append((position, alphabet))
    return [*rare, *reversed(common)] if rare else list(common)


def json_slots(value: str, shared: frozenset[str]) -> list[Slot]:
    """Return the slots of a JSON document: digits but zeros, and rare words of strings that are no keys."""
    found: list[Slot] = []
    for token in _JSON.finditer(value):
        is_text = value[token.start()] == '"'
        if is_text and value[token.end() :].lstrip().startswith(":"):
            continue
        for word in _WORD.finditer(value, *token.span()):
            if not is_text or word[0] not in shared:
                found += _inside(value, *word.span(), is_text=is_text)
    return found


def array_slots(value: str, shared: frozenset[str], *, of_text: bool) -> list[Slot]:
    """Return the slots of an array's text form: digits but zeros; of texts, the letters of rare words too."""
    found: list[Slot] = []
    for word in _WORD.finditer(value):
        if word[0] not in shared and word[0].upper() != "NULL":
            found += _inside(value, *word.span(), is_text=of_text)
    return found


def byte_slots(value: str) -> list[Slot]:
    r"""Return the slots of a bytea's text form ``\x0102``, backslashes doubled or not."""
    start = value.find("x") + 1
    return [(position, HEX) for position in reversed(range(start, len(value)))]


def bit_slots(value: str) -> list[Slot]:
    """Return the slots of a bit string."""
    return [(position, BIT) for position in range(len(value))]


def _inside(value: str, start: int, end: int, *, is_text: bool) -> Iterator[Slot]:
    escaped = {i for match in _ESCAPE.finditer(value, start, end) for i in range(*match.span())}
    for position in reversed(range(start, end)):
        character = value[position]
        if position in escaped or not character.isascii():
            continue
        if character in ALPHABETS[NONZERO]:
            yield position, NONZERO
        elif is_text and character.isalpha():
            yield position, LOWER if character.islower() else UPPER


def _alphabet_of(character: str) -> int | None:
    if not character.isascii():
        return None
    if character.isdigit():
        return DIGIT
    return LOWER if character.islower() else UPPER if character.isupper() else None
