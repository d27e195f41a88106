"""Places in a text: the parser counts bytes, people count lines and columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text.

    Args:
        line: 1-based line.
        column: 1-based column in that line, in characters.
    """

    line: int
    column: int


def place_at(text: str, offset: int) -> Place:
    """Turn a character offset into a line and a column.

    Args:
        text: The whole text.
        offset: 0-based, in characters; one past the end is the place after the last character.
    """
    before = text[: max(offset, 0)]
    return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


class ByteText:
    """A text that can be cut at the byte offsets the parser gives.

    Args:
        text: Any text.
    """

    __slots__ = ("_data", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._data = text.encode() if not text.isascii() else None

    def cut(self, start: int, end: int | None = None) -> str:
        """Return the characters between two byte offsets; an absent end means the end of the text."""
        if self._data is None:
            return self.text[start:end]
        return self._data[start:end].decode()

    def to_chars(self, offset: int) -> int:
        """Turn a byte offset into a character offset."""
        return offset if self._data is None else len(self._data[:offset].decode())
