"""The parser's complaints in the user's words, with the place in the text and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pgproof.errors import ParseError
from pgproof.sqltext.position import place_at
from pgproof.sqltext.tree import DepthFault, SyntaxFault

_COPY_STDIN = re.compile(r"\bcopy\b[^;]*\bfrom\s+stdin\b[^;]*;[^\S\n]*\n?\s*\Z", re.IGNORECASE)
_HINT_META = (
    "Lines that start with a backslash are commands of psql, not SQL: take them out, or write the SQL they "
    "stand for (psql -E shows it)."
)
_HINT_COPY = "What follows COPY ... FROM stdin is psql's own format: write INSERTs, or load the data before."
_HINT_VARIABLE = "psql fills in its variables (:name) before the server sees them: write the value, or $1."
_HINT_PLACEHOLDER = "Placeholders are written $1, $2, ...: replace the driver's own ? by them."
_HINT_DEPTH = "Write the long chain of operators, joins or UNIONs in fewer levels, or leave it out."


@contextmanager
def faults_as_parse_errors(text: str, source: str = "") -> Iterator[None]:
    """Turn what the parser raises into a `ParseError` with line, column and hint.

    Args:
        text: The whole text that was handed to the parser.
        source: Name of the file it came from, if any.

    Raises:
        ParseError: Inside the block the parser raised something.
    """
    try:
        yield
    except SyntaxFault as fault:
        # libpg_query counts characters here, whatever its bindings' docs say; tests hold it to that.
        offset = fault.cursorpos - 1 if fault.cursorpos else 0
        place = place_at(text, offset)
        raise ParseError(
            fault.message, line=place.line, column=place.column, source=source, hint=_hint(text, offset)
        ) from None
    except DepthFault:
        raise too_deep(1, source) from None


def too_deep(line: int, source: str = "") -> ParseError:
    """Make the error for a statement that is valid but nested beyond what the bindings can read.

    Args:
        line: 1-based line where the statement starts.
        source: Name of the file it came from, if any.
    """
    return ParseError(
        "The statement is nested too deeply to be analysed (more than about 45 operators or joins in a row)",
        line=line,
        column=1,
        source=source,
        hint=_HINT_DEPTH,
    )


def refuse_nul(text: str, source: str = "") -> None:
    """Refuse a text with a NUL character: the parser would silently stop reading there.

    Raises:
        ParseError: There is one.
    """
    offset = text.find("\0")
    if offset >= 0:
        place = place_at(text, offset)
        raise ParseError(
            "The text holds a NUL character, which PostgreSQL cannot store",
            line=place.line,
            column=place.column,
            source=source,
            hint="Save the file as UTF-8 (UTF-16 files look like this).",
        )


def _hint(text: str, offset: int) -> str:
    """Guess what a text that is not SQL was meant to be."""
    before, rest = text[:offset], text[offset:]
    if _COPY_STDIN.search(before):
        return _HINT_COPY
    if rest.startswith("\\"):
        return _HINT_META
    if re.match(r":['\"]?\w", rest):
        return _HINT_VARIABLE
    if re.search(r"\?\s*\Z", before) or rest.startswith("?"):
        return _HINT_PLACEHOLDER
    return ""
