"""Statements by their names, with the text once where the name alone says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MADE_UP = re.compile(r"_[0-9a-f]{8}$")
"""How names end that a capture made of a statement's hash."""

_LEAST_ROOM = 40


def one_line(sql: str, width: int) -> str:
    """Return a statement's text on one line, its end cut off where it is too long.

    Args:
        sql: In any layout.
        width: Characters there are, >= 1.
    """
    line = " ".join(sql.split())
    return line if len(line) <= width else line[: width - 1] + "…"


class StatementNames:
    """Tells a statement's text when its name is asked for first, and not again.

    Args:
        texts: SQL by name; names that are not among them have no text.
        width: Of the line that a text stands at the end of, in characters.
    """

    def __init__(self, texts: Mapping[str, str], width: int) -> None:
        self._texts = texts
        self._width = width
        self._told: set[str] = set()

    def introduce(self, name: str, taken: int) -> str:
        """Return a statement's text, as much as there is room for.

        Args:
            name: Of the statement.
            taken: Characters of the line that are taken already.

        Returns:
            Nothing where it was told before, where its name is its owner's own, or where nobody knows it.
        """
        if name in self._told or name not in self._texts or not _MADE_UP.search(name):
            return ""
        self._told.add(name)
        return one_line(self._texts[name], max(self._width - taken, _LEAST_ROOM))
