"""What an expression is made of: a small tree of plain values, without the parser's types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pgproof.errors import ParseError, UsageError
from pgproof.sqltext.expressions import literal_text
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, strings, unwrap

_CACHE_ENTRIES = 16_384


class TermKind(StrEnum):
    """What a piece of an expression is.

    ``COLUMN`` is a bare column; ``LITERAL`` a string, number or truth value, ``NULL`` the null; ``CALL`` a
    function, COALESCE, NULLIF, GREATEST and LEAST too; ``OPERATOR`` also LIKE (``~~``), IN, ``= ANY`` and
    BETWEEN; ``TEST`` is IS NULL and its like; ``OTHER`` is the rest: parameters, subqueries, CURRENT_DATE.
    """

    COLUMN = "column"
    LITERAL = "literal"
    NULL = "null"
    CALL = "call"
    OPERATOR = "operator"
    CAST = "cast"
    LOGIC = "logic"
    TEST = "test"
    CASE = "case"
    COLLATE = "collate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of an expression.

    Args:
        kind: What it is.
        name: Of the column, function, operator, type cast to, or collation; text of a string or number.
        schema: Of the function, as written; else empty. ``number`` or ``boolean`` for such a literal.
        args: What is below it, left to right; of CASE its conditions, then its results.
    """

    kind: TermKind
    name: str = ""
    schema: str = ""
    args: tuple[Term, ...] = ()


@lru_cache(maxsize=_CACHE_ENTRIES)
def read_term(expression: str) -> Term | None:
    """Take an expression apart.

    Args:
        expression: SQL with bare column names, as operands and index keys have it.

    Returns:
        ``None`` for what does not parse as one expression.
    """
    try:
        message = parse_statement(f"SELECT ({expression})").tree.message
    except (ParseError, UsageError):
        return None
    if kind_of(message) != "SelectStmt" or len(message.target_list) != 1:
        return None
    return _term(unwrap(message.target_list[0]).val)


def _term(node: Message) -> Term:
    node = unwrap(node)
    match kind_of(node):
        case "ColumnRef":
            names = strings(node.fields)
            return Term(TermKind.COLUMN, names[0]) if len(names) == len(node.fields) == 1 else _OTHER
        case "A_Const":
            return _literal(node)
        case "FuncCall":
            return _call(node)
        case "A_Expr":
            return _operator(node)
        case "TypeCast":
            return Term(TermKind.CAST, _type_name(node.type_name), "", (_term(node.arg),))
        case "BoolExpr":
            word = enum_name("BoolExprType", node.boolop).removesuffix("_EXPR")
            return Term(TermKind.LOGIC, word, "", _terms(node.args))
        case "NullTest" | "BooleanTest":
            return Term(TermKind.TEST, "", "", (_term(node.arg),))
        case "CoalesceExpr":
            return Term(TermKind.CALL, "coalesce", "", _terms(node.args))
        case "MinMaxExpr":
            return Term(TermKind.CALL, "greatest", "", _terms(node.args))
        case "CollateClause":
            return Term(TermKind.COLLATE, strings(node.collname)[-1], "", (_term(node.arg),))
        case "CaseExpr":
            return _case(node)
        case "A_ArrayExpr":
            return Term(TermKind.CALL, "array", "", _terms(node.elements))
    return _OTHER


_OTHER = Term(TermKind.OTHER)


def _terms(nodes: Message) -> tuple[Term, ...]:
    return tuple(_term(node) for node in nodes)


def _literal(node: Message) -> Term:
    text = literal_text(node)
    if text is None:
        return Term(TermKind.NULL) if node.isnull else _OTHER
    if is_set(node, "boolval"):
        return Term(TermKind.LITERAL, text, "boolean")
    return Term(TermKind.LITERAL, text, "" if is_set(node, "sval") else "number")


def _call(node: Message) -> Term:
    plain = not (node.agg_star or node.agg_distinct or node.agg_order or node.func_variadic)
    if not plain or is_set(node, "over") or is_set(node, "agg_filter"):
        return _OTHER
    *schema, name = strings(node.funcname)
    return Term(TermKind.CALL, name, schema[-1] if schema else "", _terms(node.args))


def _operator(node: Message) -> Term:
    kind = enum_name("A_Expr_Kind", node.kind).removeprefix("AEXPR_")
    name = strings(node.name)[-1] if node.name else ""
    sides = [side for side in (node.lexpr, node.rexpr) if kind_of(side) != "Node"]
    match kind:
        case "OP" | "LIKE" | "ILIKE":
            return Term(TermKind.OPERATOR, name, "", _terms(sides))
        case "OP_ANY" | "OP_ALL":
            return Term(TermKind.OPERATOR, f"{name} {kind.removeprefix('OP_')}", "", _terms(sides))
        case "IN" | "BETWEEN" | "NOT_BETWEEN":
            items = unwrap(node.rexpr).items
            return Term(TermKind.OPERATOR, "IN", "", (_term(node.lexpr), *_terms(items)))
        case "NULLIF":
            return Term(TermKind.CALL, "nullif", "", _terms(sides))
    return _OTHER


def _type_name(type_name: Message) -> str:
    """Return a type's last name with ``[]`` for an array: ``int4``, ``text[]``."""
    return strings(type_name.names)[-1] + ("[]" if type_name.array_bounds else "")


def _case(node: Message) -> Term:
    whens = [unwrap(when) for when in node.args]
    tests = [_term(when.expr) for when in whens]
    if is_set(node, "arg"):
        tests = [Term(TermKind.OPERATOR, "=", "", (_term(node.arg), test)) for test in tests]
    results = [_term(when.result) for when in whens]
    if is_set(node, "defresult"):
        results.append(_term(node.defresult))
    return Term(TermKind.CASE, "", "", (Term(TermKind.LOGIC, "AND", "", tuple(tests)), *results))
