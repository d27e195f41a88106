"""One spelling for an expression, whether a person wrote it or the server printed it."""

from __future__ import annotations

from functools import lru_cache

from pgproof.errors import ParseError, UsageError
from pgproof.sqltext.expressions import expression_text
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import (
    Message,
    children,
    copy_of,
    enum_value,
    kind_of,
    new_message,
    peel,
    strings,
    unwrap,
)

_CACHE_ENTRIES = 16_384
_TEXT_TYPES = ("text", "varchar", "bpchar")


@lru_cache(maxsize=_CACHE_ENTRIES)
def canonical_expression(text: str) -> str:
    """Write an expression without what the server adds when it stores and prints one.

    Left out: brackets without meaning, casts of constants, casts to text. Written one way: LIKE and ``~~``,
    IN and ``= ANY (ARRAY[..])``. Every other cast stays: ``(doc ->> 'n')::int`` is not ``doc ->> 'n'``. So an
    expression that the server casts for its types' sake (an integer column plus a numeric one) is taken for
    another one: rather an index too many than one that is wrongly thought to be there.

    **Source**: ``get_rule_expr`` in src/backend/utils/adt/ruleutils.c.

    Args:
        text: An expression or a predicate; may be empty.

    Returns:
        A text to compare with others of this function, not to run; what does not parse comes back as it is.
    """
    if not text.strip():
        return ""
    try:
        statement = parse_statement(f"SELECT ({text})")
    except (ParseError, UsageError):
        return text
    select = copy_of(statement.tree.message)
    if kind_of(select) != "SelectStmt" or len(select.target_list) != 1:
        return text
    _simplify(select)
    return expression_text(unwrap(select.target_list[0]).val)


def _simplify(message: Message) -> None:
    """Change a tree in place, from the top down."""
    for _, child in children(message):
        if kind_of(child) == "A_Expr":
            _one_operator(child)
    peel(message, _is_added)
    for _, child in children(message):
        _simplify(child)


def _is_added(node: Message) -> bool:
    """Tell whether a node is a cast that the server adds by itself."""
    if kind_of(node) != "TypeCast":
        return False
    return kind_of(node.arg) == "A_Const" or strings(node.type_name.names)[-1] in _TEXT_TYPES


def _one_operator(expression: Message) -> None:
    """Write LIKE as ``~~``, and IN as ``= ANY (ARRAY[..])`` or ``<> ALL (ARRAY[..])``."""
    kind = expression.kind
    if kind in (enum_value("A_Expr_Kind", "AEXPR_LIKE"), enum_value("A_Expr_Kind", "AEXPR_ILIKE")):
        expression.kind = enum_value("A_Expr_Kind", "AEXPR_OP")
    elif kind == enum_value("A_Expr_Kind", "AEXPR_IN"):
        is_in = strings(expression.name)[-1] == "="
        expression.kind = enum_value("A_Expr_Kind", "AEXPR_OP_ANY" if is_in else "AEXPR_OP_ALL")
        array = new_message("A_ArrayExpr")
        array.elements.extend(unwrap(expression.rexpr).items)
        expression.rexpr.a_array_expr.CopyFrom(array)
