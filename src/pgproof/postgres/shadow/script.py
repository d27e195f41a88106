"""Cuts a plain dump into statements, and writes statements so that less of them is needed. Pure.

The parser of `pgproof.sqltext` is not asked: a dump may hold syntax of a later version than it knows, and one
such statement would cost all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A word is looked at only where it decides whether a semicolon ends a statement.
_TOKEN = re.compile(
    r"""
    (?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*')
  | (?P<literal>'[^']*')
  | (?P<name>"[^"]*")
  | (?P<dollar>(?<![\w$])\$(?P<tag>[^\W\d]?\w*)\$.*?\$(?P=tag)\$)
  | (?P<line>--[^\n]*)
  | (?P<block>/\*.*?\*/)
  | (?P<body>\bBEGIN\s+ATOMIC\b)
  | (?P<word>\b(?:CASE|END)\b)
  | (?P<mark>[;()])
    """,
    re.VERBOSE | re.DOTALL,
)
_META_COMMAND = re.compile(r"\\[^\n]*\n")  # psql's own; pg_dump of late writes \restrict
_SHOWN_CHARS = 100
# What decides nothing that the planner does, or would reach out of the shadow: to other servers, to programs.
_UNWANTED = re.compile(
    r"(CREATE|ALTER)\s+(EVENT\s+TRIGGER|SUBSCRIPTION|PUBLICATION|SERVER|USER\s+MAPPING|FOREIGN\s+DATA\s+WRAPPER)"
    r"|COMMENT\s+ON|SECURITY\s+LABEL|GRANT|REVOKE|ALTER\s+DEFAULT\s+PRIVILEGES|REFRESH"
    r"|ALTER\s+.{1,300}?\s+OWNER\s+TO|ALTER\s+TABLE\s+.{1,300}?\s(ENABLE|DISABLE)\s+.{0,9}TRIGGER",
    re.IGNORECASE | re.DOTALL,
)
_FOREIGN_TABLE = re.compile(r"(CREATE|ALTER)\s+FOREIGN\s+TABLE\s", re.IGNORECASE)
_DEFAULT = re.compile(r" DEFAULT .*?(?= NOT NULL,?$|,?$)")
_GENERATED = re.compile(r" GENERATED ALWAYS AS \(.*\)( STORED| VIRTUAL)?(?= NOT NULL,?$|,?$)")
_CONSTRAINT = re.compile(r"^\s*CONSTRAINT .*$")
_OPTIONS = re.compile(r"\s+WITH \([^)]*\)")
_SILENT = re.compile(
    r"CREATE\s+(CONSTRAINT\s+)?TRIGGER\s|ALTER\s+TABLE\s.*\sALTER\s+COLUMN\s.*\sSET\s+DEFAULT\s"
    r"|SELECT\s|CREATE\s+EXTENSION\s",
    re.IGNORECASE | re.DOTALL,
)


def split_dump(text: str) -> Iterator[str]:
    """Yield the statements of a dump in order, without comments before them and without semicolons.

    Args:
        text: What ``pg_dump --format=plain`` wrote; ``standard_conforming_strings`` is on in it.
    """
    start = depth = atomic = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "tag":
            continue
        if kind in ("line", "block") and not text[start : token.start()].strip():
            start = token.end()
        elif kind == "body":
            atomic = 1
        elif kind == "word" and atomic:
            atomic += 1 if token["word"].upper() == "CASE" else -1
        elif kind == "mark":
            mark = token["mark"]
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if mark == ";" and depth <= 0 and not atomic:
                yield from _cleaned(text[start : token.start()])
                start, depth = token.end(), 0
    yield from _cleaned(text[start:])


def _cleaned(piece: str) -> Iterator[str]:
    statement = piece.strip()
    while statement.startswith("\\"):
        statement = _META_COMMAND.sub("", statement + "\n", count=1).strip()
    if statement:
        yield statement


def is_wanted(statement: str) -> bool:
    """Tell whether a statement of a dump has a place in a shadow."""
    return not _UNWANTED.match(statement)


def is_foreign_table(statement: str) -> bool:
    """Tell whether a statement is about a table that lies on another server."""
    return bool(_FOREIGN_TABLE.match(statement))


def headline(statement: str) -> str:
    """Return the start of a statement on one line, to name it in a message."""
    line = " ".join(statement.split("\n", 1)[0].split()).rstrip(" (;")
    return line if len(line) <= _SHOWN_CHARS else line[: _SHOWN_CHARS - 1] + "…"


def leave_out_at(statement: str, position: int) -> str:
    """Take a default, a generating expression or a constraint out of the line where an error stands.

    Args:
        statement: CREATE TABLE as pg_dump writes it, one column a line.
        position: Of the error, in characters from 1; 0 where the server gave none.

    Returns:
        The shorter statement; the same where there is nothing to take out.
    """
    if position <= 0 or not statement.startswith("CREATE"):
        return statement
    first = statement.rfind("\n", 0, position - 1) + 1
    end = statement.find("\n", first)
    end = len(statement) if end < 0 else end
    line = statement[first:end]
    for pattern in (_GENERATED, _DEFAULT):
        shorter = pattern.sub("", line, count=1)
        if shorter != line:
            return statement[:first] + shorter + statement[end:]
    if _CONSTRAINT.match(line):
        before = statement[:first].rstrip()
        if not line.rstrip().endswith(","):
            before = before.removesuffix(",")
        return before + "\n" + statement[end:].lstrip("\n")
    return statement


def without_options(statement: str) -> str:
    """Take out the storage options of a table or an index."""
    return _OPTIONS.sub("", statement, count=1)


def is_worth_telling(statement: str) -> bool:
    """Tell whether plans may differ without a statement.

    None depends on triggers and defaults, and statistics are missing only where their relation is.
    """
    return not _SILENT.match(statement)
