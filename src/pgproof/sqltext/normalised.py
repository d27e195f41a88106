"""Texts as pg_stat_statements shows them, made into SQL a server accepts again."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul
from pgproof.sqltext.parse import Statement, parse_statement
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.tree import Message, deparse_message, kind_of, scan_tokens, token_name, unwrap

_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_TYPES = frozenset(["date", "time", "timetz", "timestamp", "timestamptz", "interval"])
_UNITS = frozenset(["year", "month", "day", "hour", "minute", "second"])
_ZONE = ("time", "zone")
_HOLDERS = ("PrepareStmt", "DeclareCursorStmt")


def mend_normalised(sql: str) -> str:
    """Undo what normalising broke, and number the parameters without gaps.

    ``interval $1`` stood for ``interval '1 day'`` and is no SQL: it becomes ``$1::interval``; likewise for
    the date and time types. Everything else keeps its text (``interval $1 day`` too, which can't be mended).

    Args:
        sql: One statement as pg_stat_statements shows it.

    Raises:
        ParseError: A quote or a comment is not closed.
    """
    refuse_nul(sql)
    text = ByteText(sql)
    with faults_as_parse_errors(sql):
        tokens = [token for token in scan_tokens(sql) if token_name(token) not in _COMMENTS]
    numbers = sorted({_number(token, text) for token in tokens if token_name(token) == "PARAM"})
    pieces: list[str] = []
    end_of_last = 0
    for i, token in enumerate(tokens):
        if token_name(token) != "PARAM":
            continue
        has_unit = i + 1 < len(tokens) and text.cut(tokens[i + 1].start, tokens[i + 1].end).lower() in _UNITS
        first = None if has_unit else _type_before(tokens[:i], text)
        start = tokens[first].start if first is not None else token.start
        cast = "::" + text.cut(start, token.start).strip() if first is not None else ""
        pieces += [text.cut(end_of_last, start), f"${numbers.index(_number(token, text)) + 1}{cast}"]
        end_of_last = token.end
    return "".join([*pieces, text.cut(end_of_last)])


def inner_statement(statement: Statement) -> Statement:
    """Return the query that PREPARE or DECLARE CURSOR holds; any other statement as it is.

    The server counts an EXECUTE under the text of its PREPARE.

    Raises:
        ParseError: The deparser does not know the query's form.
    """
    message = statement.tree.message
    if kind_of(message) not in _HOLDERS:
        return statement
    with faults_as_parse_errors(statement.text):
        return parse_statement(deparse_message(unwrap(message.query)))


def _number(token: Message, text: ByteText) -> int:
    return int(text.cut(token.start + 1, token.end))


def _type_before(tokens: Sequence[Message], text: ByteText) -> int | None:
    """Find the first word of a type name that stands right before a parameter, as in ``interval $1``."""
    words = [text.cut(token.start, token.end).lower() for token in tokens[-4:]]
    if not words:
        return None
    last = len(tokens) - 1
    if words[-1] in _TYPES and not (len(words) > 1 and words[-2] in (".", "as", "::")):
        return last
    if len(words) == 4 and (words[-2], words[-1]) == _ZONE and words[-3] in ("with", "without"):
        return last - 3 if words[0] in _TYPES else None
    return None
