"""Values into a text and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgproof.errors import UsageError
from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul
from pgproof.sqltext.literals import find_literals
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.quote import quote_literal
from pgproof.sqltext.tree import kind_of, scan_tokens, token_name, walk

_PARAMETRISED = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def parameter_numbers(sql: str) -> tuple[int, ...]:
    """List the numbers of the ``$n`` parameters of a text.

    Args:
        sql: Any text the scanner can read, a normalised one with ``interval $1`` too.

    Returns:
        Each number once, ascending; empty without parameters.

    Raises:
        ParseError: A quote or a comment is not closed.
    """
    return tuple(sorted({number for _, _, number in _placeholders(sql)}))


def bind_literals(sql: str, values: Sequence[str | None]) -> str:
    """Replace the parameters of a text by literals, for EXPLAIN with real values.

    Each value becomes an untyped literal (``'5'``), whose type the server infers from its place by the
    same rules as a parameter's; an int column, LIMIT and ``$1::date`` all accept it. Strings, comments and
    the rest of the text stay as they are.

    Args:
        sql: A text with ``$1`` ... as the application or pg_stat_statements writes it.
        values: ``$1`` first, in each type's text form, ``None`` for NULL; more than needed are fine.

    Raises:
        ParseError: A quote or a comment is not closed.
        UsageError: There is a parameter without a value.
    """
    text = ByteText(sql)
    pieces, end_of_last = [], 0
    for start, end, number in _placeholders(sql):
        if not 1 <= number <= len(values):
            raise UsageError(
                f"The statement has a parameter ${number}, but the parameter set has {len(values)} values",
                hint="Give a value (or null) for every parameter of the statement.",
            )
        pieces += [text.cut(end_of_last, start), quote_literal(values[number - 1])]
        end_of_last = end
    return "".join([*pieces, text.cut(end_of_last)])


def bind_some(sql: str, values: Mapping[int, str | None]) -> tuple[str, tuple[int, ...]]:
    """Replace some parameters of a text by literals, and number the others anew without gaps.

    Args:
        sql: A text with ``$1`` ...
        values: By the parameter's number, in text form; may be empty.

    Returns:
        The text, and the old number of each parameter left, ``$1`` first.

    Raises:
        ParseError: A quote or a comment is not closed.
    """
    text = ByteText(sql)
    places = _placeholders(sql)
    left = sorted({number for _, _, number in places if number not in values})
    pieces, end_of_last = [], 0
    for start, end, number in places:
        word = quote_literal(values[number]) if number in values else f"${left.index(number) + 1}"
        pieces += [text.cut(end_of_last, start), word]
        end_of_last = end
    return "".join([*pieces, text.cut(end_of_last)]), tuple(left)


def literals_to_parameters(sql: str) -> tuple[str, tuple[str | None, ...]]:
    """Take the values out of a statement: the way back from `bind_literals`.

    Only values are taken: what is compared, inserted, assigned, or given to LIMIT and OFFSET. Constants
    that belong to the shape of the query stay in the text: the select list, GROUP BY and ORDER BY, the
    ``'day'`` of ``date_trunc('day', created_at)``, the key of ``doc->>'key'``, arithmetic, CASE. Where an
    untyped parameter could mean something else than the literal did, its type goes with it (``9.99`` becomes
    ``$1::numeric``, ``date '2024-01-01'`` becomes ``$1::date``), so that binding the values again gives a
    statement with the same fingerprint and the same meaning.

    Args:
        sql: One statement.

    Returns:
        The text with parameters numbered from 1 in text order, and their values. A statement that has
        parameters already, or that is neither a query nor a change of rows, comes back as it is with ``()``.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    statement = parse_statement(sql)
    message = statement.tree.message
    if kind_of(message) not in _PARAMETRISED or any(kind_of(node) == "ParamRef" for node in walk(message)):
        return statement.text, ()
    text = ByteText(statement.text)
    message = parse_statement(statement.text).tree.message if statement.text != sql else message
    pieces: list[str] = []
    values: list[str | None] = []
    end_of_last = 0
    for literal in find_literals(message, text, scan_tokens(statement.text)):
        values.append(literal.value)
        pieces += [text.cut(end_of_last, literal.start), f"${len(values)}{literal.cast}"]
        end_of_last = literal.end
    return "".join([*pieces, text.cut(end_of_last)]), tuple(values)


def _placeholders(sql: str) -> list[tuple[int, int, int]]:
    """List start and end (bytes) and number of each placeholder in text order."""
    refuse_nul(sql)
    text = ByteText(sql)
    with faults_as_parse_errors(sql):
        tokens = scan_tokens(sql)
    return [
        (token.start, token.end, int(text.cut(token.start + 1, token.end)))
        for token in tokens
        if token_name(token) == "PARAM"
    ]
