"""The functions that a statement's text calls."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import kind_of, strings, walk


@dataclass(frozen=True, slots=True, order=True)
class FunctionName:
    """The name of a called function.

    Args:
        schema: As written; empty where the search path decides.
        name: Lower case unless quoted.
    """

    schema: str
    name: str


def called_functions(sql: str) -> tuple[FunctionName, ...]:
    """List the functions that a statement calls by name, aggregates and window functions included.

    Operators, casts and the bodies of views call functions, too; the text does not show those.

    Args:
        sql: One statement.

    Returns:
        Sorted, each once; may be empty.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    found = set()
    for node in walk(parse_statement(sql).tree.message):
        if kind_of(node) == "FuncCall":
            *schema, name = strings(node.funcname)
            found.add(FunctionName(schema[-1] if schema else "", name))
    return tuple(sorted(found))
