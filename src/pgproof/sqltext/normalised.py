"""Texts as pg_stat_statements shows them, made into SQL a server accepts again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat

from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul
from pgproof.sqltext.grouped import unify_grouped
from pgproof.sqltext.parse import Statement, parse_statement
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.tree import Message, deparse_message, kind_of, scan_tokens, token_name, unwrap

_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_TYPES = frozenset(["date", "time", "timetz", "timestamp", "timestamptz", "interval"])
_UNITS = frozenset(["year", "month", "day", "hour", "minute", "second"])
_ZONE = ("time", "zone")
_SQUASHED = "/*, ... */"
_HOLDERS = ("PrepareStmt", "DeclareCursorStmt")


LIST_LENGTH = 3
"""Items given to a list of which PostgreSQL 18 and later keep only the first, ``IN ($1 /*, ... */)``.

**Source**: judgement. One item would be planned as ``=``, and many as a scan; a few is what ORMs send."""

ASSUMED_FIELD = "year"
"""What stands for the field in ``extract($1 FROM x)``: any gives the same plan but for indexes on it."""

_LOST_FIELD = re.compile(r"\bextract\s*\(\s*\$\d+\s+from\b", re.IGNORECASE)
_KEPT_FIELD = re.compile(r"\bextract\s*\(\s*([a-z]\w*)\s+from\b", re.IGNORECASE)
_ANY_OF_LIST = re.compile(
    r"=\s*any\s*\(\s*array\s*\[((?:\s*\$\d+\s*(?:/\*, \.\.\. \*/)?\s*,?)+)\]\s*\)", re.IGNORECASE
)
"""A list of nothing but parameters, of which the server makes an array of texts."""


def mend_normalised(sql: str) -> str:
    """Undo what normalising broke, and number the parameters without gaps.

    - ``interval $1`` stood for ``interval '1 day'`` and is no SQL: it becomes ``$1::interval``; likewise for
      the date and time types. ``interval $1 day`` becomes ``CAST($1 AS interval day)``.
    - ``extract($1 FROM x)``, which is no SQL either, becomes ``extract(year FROM x)``; where GROUP BY has
      kept the field, it is known.
    - ``x = ANY (ARRAY[$1, $2])``, whose items would be texts, becomes ``x IN ($1, $2)``.
    - ``IN ($1 /*, ... */)`` gets `LIST_LENGTH` items.
    - What a query groups by is what it selects: ``SELECT f($1, x) ... GROUP BY f($2, x)`` gets one parameter.

    Everything else keeps its text.

    Args:
        sql: One statement as pg_stat_statements shows it.

    Raises:
        ParseError: A quote or a comment is not closed.
    """
    refuse_nul(sql)
    sql = _ANY_OF_LIST.sub(r"IN (\1)", _name_fields(sql))
    text = ByteText(sql)
    with faults_as_parse_errors(sql):
        scanned = scan_tokens(sql)
    squashed = {
        before.start
        for before, after in pairwise(scanned)
        if token_name(before) == "PARAM" and text.cut(after.start, after.end) == _SQUASHED
    }
    tokens = [token for token in scanned if token_name(token) not in _COMMENTS]
    words = [text.cut(token.start, token.end).lower() for token in tokens]
    params = [i for i, token in enumerate(tokens) if token_name(token) == "PARAM"]
    edits = [_mend(i, tokens, words, text, tokens[i].start in squashed) for i in params]
    return unify_grouped(_render(text, edits))


def has_lost_field(sql: str) -> bool:
    """Tell whether the field of an ``extract`` had to be assumed."""
    return _LOST_FIELD.search(sql) is not None and _KEPT_FIELD.search(sql) is None


def _name_fields(sql: str) -> str:
    """Give each ``extract($1 FROM ..)`` a field: those that GROUP BY has kept, in their order."""
    kept = _KEPT_FIELD.findall(sql) or [ASSUMED_FIELD]
    fields = chain(kept, repeat(kept[-1]))
    return _LOST_FIELD.sub(lambda match: re.sub(r"\$\d+", next(fields), match[0]), sql)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What comes into the place of a parameter.

    Args:
        start: First byte that is replaced.
        end: Byte behind the last one.
        number: Of the parameter.
        before: Text before it.
        behind: Text behind it.
        items: Parameters in its place, separated by commas.
    """

    start: int
    end: int
    number: int
    before: str = ""
    behind: str = ""
    items: int = 1


def _mend(i: int, tokens: Sequence[Message], words: Sequence[str], text: ByteText, squashed: bool) -> _Edit:
    """Find out what the parameter at ``i`` stood for."""
    token, number = tokens[i], _number(tokens[i], text)
    if squashed:
        return _Edit(token.start, token.end, number, items=LIST_LENGTH)
    first = _type_before(words[:i])
    if first is None:
        return _Edit(token.start, token.end, number)
    start, name = tokens[first].start, text.cut(tokens[first].start, token.start).strip()
    last = _last_unit(words, i)
    if last == i:
        return _Edit(start, token.end, number, behind=f"::{name}")
    unit = text.cut(tokens[i + 1].start, tokens[last].end)
    return _Edit(start, tokens[last].end, number, "CAST(", f" AS {name} {unit})")


def _render(text: ByteText, edits: Sequence[_Edit]) -> str:
    """Put the edits into the text, parameters numbered from 1 in the order of their old numbers."""
    wanted = sorted({(edit.number, k) for edit in edits for k in range(edit.items)})
    numbers = {key: n + 1 for n, key in enumerate(wanted)}
    pieces: list[str] = []
    end_of_last = 0
    for edit in edits:
        inner = ", ".join(f"${numbers[edit.number, k]}" for k in range(edit.items))
        pieces += [text.cut(end_of_last, edit.start), edit.before, inner, edit.behind]
        end_of_last = edit.end
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


def _type_before(words: Sequence[str]) -> int | None:
    """Find the first word of a type name that ends a text, as in ``interval`` before ``$1``."""
    if not words:
        return None
    last, tail = len(words) - 1, words[-4:]
    if tail[-1] in _TYPES and not (len(tail) > 1 and tail[-2] in (".", "as", "::")):
        return last
    if len(tail) == 4 and (tail[-2], tail[-1]) == _ZONE and tail[-3] in ("with", "without"):
        return last - 3 if tail[0] in _TYPES else None
    return None


def _last_unit(words: Sequence[str], i: int) -> int:
    """Find the last word of the unit behind a parameter (``day``, ``day to second``); ``i`` without one."""
    if words[i + 1 : i + 2] and words[i + 1] in _UNITS:
        is_range = words[i + 2 : i + 3] == ["to"] and words[i + 3 : i + 4] and words[i + 3] in _UNITS
        return i + 3 if is_range else i + 1
    return i
