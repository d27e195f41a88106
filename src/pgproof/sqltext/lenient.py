"""Scripts of which a statement or two don't parse: the others are read all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.errors import ParseError
from pgproof.sqltext.parse import Statement, parse_script
from pgproof.sqltext.position import ByteText, place_at
from pgproof.sqltext.tree import SyntaxFault, scan_tokens, token_name

_BEFORE_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)

_SEMICOLON = "ASCII_59"
_COMMENTS = ("SQL_COMMENT", "C_COMMENT")


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A piece of a script between semicolons that is no SQL.

    Args:
        text: From its first word, without its semicolon.
        line: 1-based line of its first word.
        error: What the parser said, with the place in the whole script.
    """

    text: str
    line: int
    error: ParseError


def parse_leniently(sql: str, source: str = "") -> tuple[Statement | Unparsed, ...]:
    """Parse a script; where it doesn't parse as a whole, each statement by itself.

    Args:
        sql: Statements separated by semicolons.
        source: Name of the file it came from, for messages.

    Returns:
        In text order. What follows a quote that is never closed is one piece with the statement it is in.
    """
    try:
        return parse_script(sql, source)
    except ParseError:
        return tuple(_read_pieces(sql, source))


def _read_pieces(sql: str, source: str) -> Iterator[Statement | Unparsed]:
    for offset, piece in _pieces(sql):
        line = sql.count("\n", 0, offset)
        try:
            found = parse_script(piece)
        except ParseError as error:
            start = _BEFORE_FIRST_WORD.match(piece)
            first = start.end() if start else 0
            text = piece[first:].rstrip()
            yield Unparsed(
                text, line + piece.count("\n", 0, first) + 1, _moved(error, sql, offset, piece, source)
            )
        else:
            yield from (replace(statement, line=statement.line + line) for statement in found)


def _pieces(sql: str) -> Iterator[tuple[int, str]]:
    """Yield what stands between semicolons, with its offset; pieces without a word are left out."""
    readable, is_whole = sql, True
    try:
        tokens = scan_tokens(sql)
    except SyntaxFault as fault:  # a quote or a comment without an end: up to there words can be told apart
        readable, is_whole = sql[: max(fault.cursorpos - 1, 0)], False
        tokens = scan_tokens(readable)
    text = ByteText(readable)
    start, has_words = 0, False
    for token in tokens:
        if token_name(token) != _SEMICOLON:
            has_words |= token_name(token) not in _COMMENTS
            continue
        end = text.to_chars(token.start)
        if has_words:
            yield start, sql[start:end]
        start, has_words = end + 1, False
    if has_words or not is_whole:
        yield start, sql[start:]


def _moved(error: ParseError, sql: str, offset: int, piece: str, source: str) -> ParseError:
    """Move the parser's complaint about a piece to its place in the script."""
    lines = piece.split("\n")
    inside = sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1
    place = place_at(sql, offset + inside)
    message = error.message.removeprefix(f"line {error.line}, column {error.column}: ")
    return ParseError(message, line=place.line, column=place.column, source=source, hint=error.hint)
