"""Named placeholders (``:store``) to numbered ones (``$1``), as drivers write and servers read them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.tree import scan_tokens, token_name


@dataclass(frozen=True, slots=True)
class NumberedText:
    """A text whose named placeholders were numbered.

    Args:
        sql: The text with ``$1``...
        names: One for each number, ``$1`` first; empty where the text had no named placeholder.
        moves: ``(offset in sql, offset in the original)`` behind each replaced placeholder, ascending.
    """

    sql: str
    names: tuple[str, ...]
    moves: tuple[tuple[int, int], ...] = ()

    def to_original(self, offset: int) -> int:
        """Turn a character offset in ``sql`` into one in the text that was handed in."""
        shift = 0
        for behind, original in self.moves:
            if offset >= behind:
                shift = original - behind
        return offset + shift


def number_placeholders(sql: str) -> NumberedText:
    """Replace each ``:name`` by ``$n``; the same name gets the same number, counted by first appearance.

    A colon counts where a word follows it without a space: ``::`` casts, strings, comments and ``:=`` are
    left alone; an array slice with a name as its upper bound needs a space (``a[1: n]``).

    Args:
        sql: Any text the scanner can read; it need not parse.

    Raises:
        ParseError: A quote or a comment is not closed.
    """
    refuse_nul(sql)
    text = ByteText(sql)
    with faults_as_parse_errors(sql):
        tokens = scan_tokens(sql)
    names: list[str] = []
    pieces: list[str] = []
    moves: list[tuple[int, int]] = []
    length = end_of_last = 0
    for colon, word in pairwise(tokens):
        name = text.cut(word.start, word.end)
        if token_name(colon) != "ASCII_58" or colon.end != word.start or not name.isidentifier():
            continue
        if name not in names:
            names.append(name)
        piece = text.cut(end_of_last, colon.start) + f"${names.index(name) + 1}"
        pieces.append(piece)
        length += len(piece)
        end_of_last = word.end
        moves.append((length, text.to_chars(word.end)))
    return NumberedText("".join([*pieces, text.cut(end_of_last)]), tuple(names), tuple(moves))
