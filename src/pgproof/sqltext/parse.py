"""Text to statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pgproof.errors import UsageError
from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul, too_deep
from pgproof.sqltext.position import ByteText, place_at
from pgproof.sqltext.tree import (
    DepthFault,
    Message,
    Tree,
    is_set,
    kind_of,
    parse_messages,
    scan_tokens,
    split_texts,
    unwrap,
    walk,
)

_KINDS = {
    "SelectStmt": "select",
    "InsertStmt": "insert",
    "UpdateStmt": "update",
    "DeleteStmt": "delete",
    "MergeStmt": "merge",
    "ExplainStmt": "explain",
    "CopyStmt": "copy",
    "CallStmt": "call",
    "ExecuteStmt": "execute",
    "PrepareStmt": "prepare",
    "DeclareCursorStmt": "declare",
    "TransactionStmt": "transaction",
    "VariableSetStmt": "set",
    "VariableShowStmt": "show",
}
_WRITING = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; equal to another of the same text and line.

    Args:
        text: The exact slice of the text handed in, from its first word, without its semicolon; a planner
            hint (``/*+ .. */``) right before the first word is part of it, other comments there are not.
        line: 1-based line of its first word.
        kind: ``select`` (also VALUES and TABLE), ``insert``, ``update``, ``delete``, ``merge``,
            ``explain``, ``copy``, ``call``, ``execute``, ``prepare``, ``declare``, ``transaction``, ``set``,
            ``show``, else ``utility``.
        is_read_only: A SELECT without FOR UPDATE/SHARE, without INTO and without a data-modifying WITH. The
            functions it calls may still write.
        tree: The parsed form, for the other functions of this room.
    """

    text: str
    line: int
    kind: str
    is_read_only: bool
    tree: Tree = field(compare=False, repr=False)


def parse_statement(sql: str, source: str = "") -> Statement:
    """Parse a text that holds exactly one statement.

    Args:
        sql: The text; a trailing semicolon and comments are fine.
        source: Name of the file it came from, for messages.

    Raises:
        ParseError: It does not parse.
        UsageError: It holds no statement, or several.
    """
    statements = parse_script(sql, source)
    if len(statements) == 1:
        return statements[0]
    where = f" in {source}" if source else ""
    if not statements:
        raise UsageError(f"There is no SQL statement{where}", hint="Write one statement.")
    raise UsageError(
        f"There are {len(statements)} SQL statements{where} where one is wanted",
        hint=f"The second starts on line {statements[1].line}: keep one of them, or use separate files.",
    )


def parse_script(sql: str, source: str = "") -> tuple[Statement, ...]:
    """Parse a text that holds any number of statements.

    Args:
        sql: The text; semicolons in strings, dollar quotes and comments do not separate.
        source: Name of the file it came from, for messages.

    Returns:
        The statements in text order; empty for white space and comments.

    Raises:
        ParseError: It does not parse; line and column count from the start of the whole text.
    """
    refuse_nul(sql, source)
    with faults_as_parse_errors(sql, source):
        try:
            messages = parse_messages(sql)
        except DepthFault:
            raise too_deep(_line_of_deep_statement(sql), source) from None
        return tuple(_statements(sql, messages))


def _statements(sql: str, messages: list[Message]) -> Iterator[Statement]:
    text = ByteText(sql)
    line = offset = 0
    for raw, start in zip(messages, _starts(sql, text, messages), strict=True):
        first = text.to_chars(raw.stmt_location)
        line += sql.count("\n", offset, first)
        offset = first
        message = unwrap(raw.stmt)
        yield Statement(
            text=text.cut(start, raw.stmt_location + raw.stmt_len if raw.stmt_len else None).strip(),
            line=line + 1,
            kind=_KINDS.get(kind_of(message), "utility"),
            is_read_only=is_read_only(message),
            tree=Tree(message),
        )


def _starts(sql: str, text: ByteText, messages: list[Message]) -> Iterator[int]:
    """Yield the byte offset where each statement starts: its first word, or the planner hint before it."""
    if "/*+" not in sql:
        yield from (raw.stmt_location for raw in messages)
        return
    tokens = scan_tokens(sql)
    previous = {token.start: before for before, token in pairwise(tokens)}
    for raw in messages:
        before = previous.get(raw.stmt_location)
        is_hint = before is not None and text.cut(before.start, before.end).startswith("/*+")
        yield before.start if before is not None and is_hint else raw.stmt_location


def is_read_only(message: Message) -> bool:
    """Tell whether a statement message only reads (see `Statement.is_read_only`)."""
    if kind_of(message) != "SelectStmt":
        return False
    for node in walk(message):
        kind = kind_of(node)
        if kind in _WRITING:
            return False
        if kind == "SelectStmt" and (node.locking_clause or is_set(node, "into_clause")):
            return False
    return True


def _line_of_deep_statement(sql: str) -> int:
    """Find the statement of a script that is nested too deeply."""
    offset = 0
    for text in split_texts(sql):
        offset = sql.index(text, offset)
        try:
            parse_messages(text)
        except DepthFault:
            break
        offset += len(text)
    return place_at(sql, offset).line
