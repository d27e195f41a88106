"""What GIN keeps of a text: its trigrams, or its words."""

from __future__ import annotations

import re

from pgproof.stages.estimate.sizes.layout import SHORT_VARLENA_MAX_BYTES

TRIGRAM_BYTES = 4
_WORD = re.compile(r"\w+")
_UNDERSCORE = "_"


def trigrams(text: str) -> dict[str, int]:
    """Return the different trigrams of a text, each with its width in an index.

    **Source**: documentation of pg_trgm, PostgreSQL 18: words of letters and digits in lower case, two blanks
    before and one behind.
    """
    found: dict[str, int] = {}
    for word in _WORD.findall(text.lower().replace(_UNDERSCORE, " ")):
        padded = f"  {word} "
        for place in range(len(padded) - 2):
            found[padded[place : place + 3]] = TRIGRAM_BYTES
    return found


def words(text: str) -> dict[str, int]:
    """Return the different words of a text in lower case, each with its width in an index."""
    return {word: text_key_bytes(word) for word in _WORD.findall(text.lower())}


def text_key_bytes(key: str) -> int:
    """Return how many bytes a text takes as a key, header included."""
    length = len(key.encode())
    return length + (1 if length < SHORT_VARLENA_MAX_BYTES else 4)
