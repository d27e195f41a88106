"""Conditions taken apart: what restricts one relation, and what ties two together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.sqltext.expressions import expression_text, is_constant, literal_items, parameters_in
from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.scope import Scope
from pgproof.sqltext.shape import Clause, Comparand, Join, Operand, Predicate, PredicateKind
from pgproof.sqltext.tree import Message, enum_name, kind_of, strings, unwrap

COMMUTED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "@>": "<@", "<@": "@>", "<%": "%>", "%>": "<%"}
COMMUTED |= {"<<": ">>", ">>": "<<", "<<=": ">>=", ">>=": "<<="}
_SYMMETRIC = ("=", "<>", "&&", "%")
_KINDS = {
    "=": PredicateKind.EQUALITY,
    "<": PredicateKind.RANGE,
    "<=": PredicateKind.RANGE,
    ">": PredicateKind.RANGE,
    ">=": PredicateKind.RANGE,
    "~": PredicateKind.REGEX,
    "~*": PredicateKind.REGEX,
    "^@": PredicateKind.LIKE_PREFIX,
    "%": PredicateKind.SIMILARITY,
    "<%": PredicateKind.SIMILARITY,
    "%>": PredicateKind.SIMILARITY,
    "@>": PredicateKind.CONTAINS,
    "<@": PredicateKind.CONTAINS,
    "&&": PredicateKind.OVERLAPS,
    "?": PredicateKind.HAS_KEY,
    "?|": PredicateKind.HAS_KEY,
    "?&": PredicateKind.HAS_KEY,
    "@@": PredicateKind.FULL_TEXT,
}
_NEGATIONS = {"!~~": "~~", "!~~*": "~~*", "!~": "~", "!~*": "~*"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a condition stands.

    Args:
        scope: Its names.
        clause: Its clause.
        negated: Under an odd number of NOTs.
        in_or: One of several alternatives.
    """

    scope: Scope
    clause: Clause
    negated: bool = False
    in_or: bool = False


def find_conditions(node: Message, around: Surroundings) -> Iterator[Predicate | Join]:
    """Take a condition apart.

    Args:
        node: A WHERE, ON or HAVING expression.
        around: Where it stands.

    Yields:
        Predicates and joins in text order. Parts that read several relations otherwise than by comparing
        two of them, or whose names don't resolve, are left out.
    """
    node = unwrap(node)
    match kind_of(node):
        case "BoolExpr":
            yield from _boolean(node, around)
        case "A_Expr":
            yield from _operator(node, around)
        case "NullTest":
            yield from _null_test(node, around)
        case "BooleanTest":
            yield from _boolean_test(node, around)
        case "SubLink":
            yield from _sublink(node, around)
        case "ColumnRef":
            yield from _boolean_column(node, around)
        case "CollateClause":
            yield from find_conditions(node.arg, around)
        case "FuncCall":
            yield from _call(node, around)


def _boolean(node: Message, around: Surroundings) -> Iterator[Predicate | Join]:
    operator = enum_name("BoolExprType", node.boolop)
    if operator == "NOT_EXPR":
        around = replace(around, negated=not around.negated)
    elif (operator == "OR_EXPR") != around.negated:  # NOT (a OR b) asks for both
        around = replace(around, in_or=True)
    for part in node.args:
        yield from find_conditions(part, around)


def _predicate(
    operand: Operand,
    operator: str,
    kind: PredicateKind,
    other: Message | None,
    around: Surroundings,
    *,
    negated: bool = False,
    comparand: Comparand | None = None,
    same: Operand | None = None,
) -> Predicate:
    is_written = other is not None and comparand is not Comparand.SUBQUERY
    parameters = parameters_in(other) if is_written else ()
    if comparand is None:
        comparand = Comparand.PARAMETER if parameters else Comparand.CONSTANT
    return Predicate(
        operand=operand,
        operator=operator,
        kind=kind,
        comparand=comparand,
        constant=_constant_text(other) if is_written else None,
        parameters=parameters,
        negated=negated != around.negated,
        in_or=around.in_or,
        clause=around.clause,
        items=literal_items(other) if is_written and same is None else (),
        other=same,
    )


def _constant_text(node: Message) -> str:
    """Write the other side; the bounds of BETWEEN and the items of IN are lists to the parser."""
    if kind_of(node) != "List":
        return expression_text(node)
    return ", ".join(expression_text(item) for item in unwrap(node).items)


def _operator(node: Message, around: Surroundings) -> Iterator[Predicate | Join]:
    match enum_name("A_Expr_Kind", node.kind):
        case "AEXPR_OP":
            yield from _comparison(node, around)
        case "AEXPR_LIKE" | "AEXPR_ILIKE" | "AEXPR_SIMILAR":
            yield from _comparison(node, around)
        case "AEXPR_OP_ANY" | "AEXPR_OP_ALL" as kind:
            yield from _array_comparison(node, around, is_all=kind == "AEXPR_OP_ALL")
        case "AEXPR_IN":
            is_negated = strings(node.name)[-1] == "<>"
            yield from _listed(node, "IN", PredicateKind.IN, around, negated=is_negated)
        case "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN" as kind:
            is_negated = kind == "AEXPR_NOT_BETWEEN"
            yield from _listed(node, "BETWEEN", PredicateKind.RANGE, around, negated=is_negated)
        case "AEXPR_BETWEEN_SYM" | "AEXPR_NOT_BETWEEN_SYM" as kind:
            is_negated = kind == "AEXPR_NOT_BETWEEN_SYM"
            yield from _listed(node, "BETWEEN SYMMETRIC", PredicateKind.OTHER, around, negated=is_negated)
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT" as kind:
            is_negated = kind == "AEXPR_DISTINCT"
            yield from _pair(
                node.lexpr,
                "IS NOT DISTINCT FROM",
                node.rexpr,
                replace(around, negated=around.negated != is_negated),
            )


def _comparison(node: Message, around: Surroundings) -> Iterator[Predicate | Join]:
    left, right = unwrap(node.lexpr), unwrap(node.rexpr)
    operator = strings(node.name)[-1]
    if operator in _NEGATIONS:
        operator, around = _NEGATIONS[operator], replace(around, negated=not around.negated)
    if kind_of(left) == "RowExpr" and kind_of(right) == "RowExpr" and len(left.args) == len(right.args):
        yield from _row_comparison(left, operator, right, around)
    else:
        yield from _pair(left, operator, right, around)


def _row_comparison(
    left: Message, operator: str, right: Message, around: Surroundings
) -> Iterator[Predicate | Join]:
    if operator == "=" and not around.negated:
        for one, other in zip(left.args, right.args, strict=True):
            yield from _pair(one, operator, other, around)
        return
    for one, name, other in ((left, operator, right), (right, COMMUTED.get(operator, operator), left)):
        operand = operand_of(one, around.scope)
        if operand is not None and is_constant(other):
            kind = PredicateKind.ROW_RANGE if name in COMMUTED else PredicateKind.OTHER
            yield _predicate(operand, name, kind, other, around)
            return


def _pair(left: Message, operator: str, right: Message, around: Surroundings) -> Iterator[Predicate | Join]:
    """Compare two expressions: a predicate if one side is a constant, a join if they are of two relations."""
    sides = (operand_of(left, around.scope), operand_of(right, around.scope))
    match sides:
        case (Operand() as one, Operand() as other):
            yield from _two_operands(one, operator, other, right, around)
        case (Operand() as one, None):
            yield from _one_operand(one, operator, right, around)
        case (None, Operand() as other) if operator in COMMUTED or operator in _SYMMETRIC:
            yield from _one_operand(other, COMMUTED.get(operator, operator), left, around)
        case (None, Operand() as other) if operator in ("@@", "IS NOT DISTINCT FROM"):
            yield from _one_operand(other, operator, left, around)


def _two_operands(
    left: Operand, operator: str, right: Operand, right_node: Message, around: Surroundings
) -> Iterator[Predicate | Join]:
    if left.is_outer and right.is_outer:
        return
    if (left.relation, left.is_outer) == (right.relation, right.is_outer):
        yield _predicate(
            left, operator, PredicateKind.OTHER, right_node, around, comparand=Comparand.COLUMN, same=right
        )
    elif not around.negated:
        if left.is_outer:
            left, operator, right = right, COMMUTED.get(operator, operator), left
        yield Join(left, right, operator, around.in_or, around.clause)


def _one_operand(
    operand: Operand, operator: str, other: Message, around: Surroundings
) -> Iterator[Predicate]:
    if operand.is_outer:
        return
    if kind_of(other) == "SubLink":
        kind = _KINDS.get(operator, PredicateKind.OTHER)
        yield _predicate(operand, operator, kind, other, around, comparand=Comparand.SUBQUERY)
    elif is_constant(other):
        yield _predicate(operand, operator, _kind_of_operator(operator, other), other, around)


def _kind_of_operator(operator: str, other: Message) -> PredicateKind:
    if operator == "~~":
        return _kind_of_pattern(other)
    if operator == "~~*":
        return PredicateKind.ILIKE
    if operator == "IS NOT DISTINCT FROM" and kind_of(other) == "A_Const" and unwrap(other).isnull:
        return PredicateKind.IS_NULL
    return _KINDS.get(operator, PredicateKind.OTHER)


def _kind_of_pattern(node: Message) -> PredicateKind:
    """Class a LIKE pattern: one that starts with fixed characters can use a btree of text_pattern_ops."""
    node = unwrap(node)
    while kind_of(node) == "TypeCast":
        node = unwrap(node.arg)
    if kind_of(node) != "A_Const" or not node.HasField("sval"):
        return PredicateKind.LIKE
    return PredicateKind.LIKE_CONTAINS if node.sval.sval[:1] in ("%", "_") else PredicateKind.LIKE_PREFIX


def _array_comparison(node: Message, around: Surroundings, *, is_all: bool) -> Iterator[Predicate]:
    operator = strings(node.name)[-1]
    word = "ALL" if is_all else "ANY"
    operand = operand_of(node.lexpr, around.scope)
    if operand is not None and not operand.is_outer and is_constant(node.rexpr):
        is_in = (operator, is_all) in (("=", False), ("<>", True))
        kind = PredicateKind.IN if is_in else PredicateKind.OTHER
        yield _predicate(
            operand,
            "= ANY" if is_in else f"{operator} {word}",
            kind,
            node.rexpr,
            around,
            negated=is_in and is_all,
        )
        return
    array = operand_of(node.rexpr, around.scope)
    if array is not None and not array.is_outer and is_constant(node.lexpr):
        yield _predicate(array, f"{operator} {word} of column", PredicateKind.OTHER, node.lexpr, around)


def _listed(
    node: Message, operator: str, kind: PredicateKind, around: Surroundings, *, negated: bool
) -> Iterator[Predicate]:
    operand = operand_of(node.lexpr, around.scope)
    if operand is not None and not operand.is_outer and is_constant(node.rexpr):
        yield _predicate(operand, operator, kind, node.rexpr, around, negated=negated)


def _null_test(node: Message, around: Surroundings) -> Iterator[Predicate]:
    operand = operand_of(node.arg, around.scope)
    if operand is None or operand.is_outer:
        return
    is_null = (enum_name("NullTestType", node.nulltesttype) == "IS_NULL") != around.negated
    kind = PredicateKind.IS_NULL if is_null else PredicateKind.IS_NOT_NULL
    yield _predicate(
        operand,
        "IS NULL" if is_null else "IS NOT NULL",
        kind,
        None,
        replace(around, negated=False),
        comparand=Comparand.NOTHING,
    )


def _boolean_test(node: Message, around: Surroundings) -> Iterator[Predicate]:
    operand = operand_of(node.arg, around.scope)
    if operand is None or operand.is_outer:
        return
    words = enum_name("BoolTestType", node.booltesttype).replace("_", " ")
    if words in ("IS TRUE", "IS FALSE") and not around.negated:
        yield _equals_boolean(operand, words == "IS TRUE", around)
        return
    yield _predicate(operand, words, PredicateKind.OTHER, None, around, comparand=Comparand.NOTHING)


def _boolean_column(node: Message, around: Surroundings) -> Iterator[Predicate]:
    """Read ``WHERE active`` as ``active = true`` and ``NOT active`` as ``active = false``."""
    operand = operand_of(node, around.scope)
    if operand is not None and not operand.is_outer:
        yield _equals_boolean(operand, not around.negated, around)


def _call(node: Message, around: Surroundings) -> Iterator[Predicate]:
    """Read a function that says yes or no of a column: ``st_dwithin(place, $1, 100)``."""
    operands = [operand_of(argument, around.scope) for argument in node.args]
    own = [operand for operand in operands if operand is not None and not operand.is_outer]
    rest = [argument for argument, operand in zip(node.args, operands, strict=True) if operand is None]
    if len(own) != 1 or len(own) + len(rest) != len(operands) or not all(map(is_constant, rest)):
        return
    parameters = parameters_in(node)
    yield Predicate(
        operand=own[0],
        operator=strings(node.funcname)[-1],
        kind=PredicateKind.CALL,
        comparand=Comparand.PARAMETER if parameters else Comparand.CONSTANT,
        constant=expression_text(node),
        parameters=parameters,
        negated=around.negated,
        in_or=around.in_or,
        clause=around.clause,
    )


def _equals_boolean(operand: Operand, value: bool, around: Surroundings) -> Predicate:
    return Predicate(
        operand,
        "=",
        PredicateKind.EQUALITY,
        Comparand.CONSTANT,
        constant="true" if value else "false",
        items=("t" if value else "f",),
        in_or=around.in_or,
        clause=around.clause,
    )


def _sublink(node: Message, around: Surroundings) -> Iterator[Predicate]:
    """Read ``x IN (SELECT ..)`` and ``x = ALL (SELECT ..)``; EXISTS shows as a level of its own."""
    kind = enum_name("SubLinkType", node.sub_link_type)
    if kind not in ("ANY_SUBLINK", "ALL_SUBLINK"):
        return
    operand = operand_of(node.testexpr, around.scope)
    if operand is None or operand.is_outer:
        return
    name = strings(node.oper_name)[-1] if node.oper_name else "="
    is_in = kind == "ANY_SUBLINK" and name == "="
    yield _predicate(
        operand,
        "IN" if is_in else f"{name} {'ANY' if kind == 'ANY_SUBLINK' else 'ALL'}",
        PredicateKind.IN if is_in else PredicateKind.OTHER,
        node,
        around,
        comparand=Comparand.SUBQUERY,
    )
