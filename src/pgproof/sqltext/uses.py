"""What each ``$n`` of a statement is for, so that somebody can find a value for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from pgproof.sqltext.expressions import expression_text, is_constant
from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.predicates import COMMUTED
from pgproof.sqltext.scope import Entry, Scope
from pgproof.sqltext.shape import Operand, SourceKind
from pgproof.sqltext.tree import Message, enum_name, kind_of, strings, unwrap


class ParameterRole(StrEnum):
    """What a parameter does where it stands.

    ``COMPARISON`` is the other side of an operator, ``IN_LIST`` one item of an IN list, ``ARRAY`` a whole
    array (``= ANY ($1)``), ``PATTERN`` all or part of a LIKE pattern or regular expression, ``KEY`` a path
    into a JSON document; ``LOW`` and ``HIGH`` are the bounds of BETWEEN, ``INSERT`` and ``UPDATE`` give a
    column its value.
    """

    COMPARISON = "comparison"
    IN_LIST = "in_list"
    ARRAY = "array"
    PATTERN = "pattern"
    LOW = "low"
    HIGH = "high"
    LIMIT = "limit"
    OFFSET = "offset"
    INSERT = "insert"
    UPDATE = "update"
    KEY = "key"
    ARITHMETIC = "arithmetic"
    ARGUMENT = "argument"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """One place of a parameter in a statement; ``$1`` used twice gives two.

    Args:
        number: Its number, from 1.
        role: What it does there.
        operand: The column or expression it meets, ``None`` where the text does not tell.
        schema: Of the operand's table as written, ``None`` where the search path decides.
        table: The operand's table, ``None`` for a column of a CTE, subquery or function.
        operator: With the operand on its left (``<``, ``~~``, ``@>``); empty without one.
        cast: Type it is cast to as written (``date``, ``int[]``), empty without a cast.
        function: The call it is an argument of, empty without one.
        argument: 1-based place among that call's arguments, 0 without one.
    """

    number: int
    role: ParameterRole
    operand: Operand | None = None
    schema: str | None = None
    table: str | None = None
    operator: str = ""
    cast: str = ""
    function: str = ""
    argument: int = 0


Uses = dict[int, ParameterUse]
"""Uses by the place of the parameter in the text; the outermost expression around it speaks first."""

_PATTERN_OPERATORS = ("~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*")
_PATH_OPERATORS = ("->", "->>", "#>", "#>>")
_ARITHMETIC = ("+", "-", "*", "/", "%", "||", "^")
_CONCATENATION = "||"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A parameter below an expression, and what lies between."""

    node: Message
    cast: str = ""
    function: str = ""
    argument: int = 0


def note_uses(node: Message, scope: Scope, uses: Uses) -> None:
    """Note the parameters that an expression node gives a meaning.

    Args:
        node: An unwrapped node; its children come later, by calls of their own.
        scope: Where it stands.
        uses: Filled; what is there already stays.
    """
    match kind_of(node):
        case "A_Expr":
            _note_operator(node, scope, uses)
        case "FuncCall":
            _note_arguments(node, scope, uses)
        case "TypeCast":
            for seen in _parameters(node):
                _note(seen, ParameterRole.OTHER, None, "", scope, uses)
        case "SubLink":
            for seen in _parameters(node.testexpr):
                _note(seen, ParameterRole.COMPARISON, None, "", scope, uses)
        case "ParamRef":
            _note(_Seen(node), ParameterRole.OTHER, None, "", scope, uses)


def _note_arguments(call: Message, scope: Scope, uses: Uses) -> None:
    name = strings(call.funcname)[-1]
    for n, argument in enumerate(call.args):
        for seen in _parameters(argument):
            if not seen.function:
                seen = replace(seen, function=name, argument=n + 1)
            _note(seen, ParameterRole.ARGUMENT, None, "", scope, uses)


def note_value(node: Message, role: ParameterRole, column: Operand | None, scope: Scope, uses: Uses) -> None:
    """Note the parameters of a value given to a column, or of a LIMIT or OFFSET."""
    for seen in _parameters(node):
        _note(seen, role, column, "", scope, uses)


def _note(
    seen: _Seen, role: ParameterRole, operand: Operand | None, operator: str, scope: Scope, uses: Uses
) -> None:
    entry = _entry_of(operand, scope) if operand is not None else None
    relation = entry.relation if entry is not None and entry.relation.kind is SourceKind.TABLE else None
    use = ParameterUse(
        number=seen.node.number,
        role=role,
        operand=operand,
        schema=relation.schema if relation else None,
        table=relation.name if relation else None,
        operator=operator,
        cast=seen.cast,
        function=seen.function,
        argument=seen.argument,
    )
    uses.setdefault(seen.node.location, use)


def _entry_of(operand: Operand, scope: Scope) -> Entry | None:
    for level in scope.chain():
        if level is scope and operand.is_outer:
            continue
        for entry in level.entries:
            if entry.relation.alias == operand.relation:
                return entry
    return None


def _parameters(node: Message) -> Iterator[_Seen]:
    """Yield the parameters an expression consists of: bare, cast, joined by ||, listed or arguments."""
    node = unwrap(node)
    match kind_of(node):
        case "ParamRef":
            yield _Seen(node)
        case "TypeCast" if kind_of(node.arg) == "ParamRef":
            yield _Seen(unwrap(node.arg), cast=_type_text(node))
        case "TypeCast" | "CollateClause" | "NamedArgExpr":
            yield from _parameters(node.arg)
        case "List":
            for item in node.items:
                yield from _parameters(item)
        case "A_ArrayExpr":
            for item in node.elements:
                yield from _parameters(item)
        case "FuncCall" if is_constant(node):
            name = strings(node.funcname)[-1]
            for n, argument in enumerate(node.args):
                for seen in _parameters(argument):
                    yield _Seen(seen.node, seen.cast, seen.function or name, seen.argument or n + 1)
        case "A_Expr" if strings(node.name)[-1:] == (_CONCATENATION,):
            yield from _parameters(node.lexpr)
            yield from _parameters(node.rexpr)


def _type_text(cast: Message) -> str:
    return expression_text(cast).rpartition("::")[2]


def _note_operator(node: Message, scope: Scope, uses: Uses) -> None:
    left, right = unwrap(node.lexpr), unwrap(node.rexpr)
    operator = strings(node.name)[-1]
    kind = enum_name("A_Expr_Kind", node.kind)
    if kind_of(left) == "RowExpr" and kind_of(right) == "RowExpr":
        for one, other in zip(left.args, right.args, strict=False):
            _note_sides(one, operator, other, ParameterRole.COMPARISON, scope, uses)
    elif "BETWEEN" in kind and kind_of(right) == "List":
        for role, bound, word in zip(
            (ParameterRole.LOW, ParameterRole.HIGH), right.items, (">=", "<="), strict=True
        ):
            _note_sides(left, word, bound, role, scope, uses)
    else:
        _note_sides(left, operator, right, _role(kind, operator, right), scope, uses)


def _role(kind: str, operator: str, right: Message) -> ParameterRole:
    if kind == "AEXPR_IN":
        return ParameterRole.IN_LIST
    if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL") and kind_of(right) != "A_ArrayExpr":
        return ParameterRole.ARRAY
    if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        return ParameterRole.IN_LIST
    if operator in _PATTERN_OPERATORS or kind in ("AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"):
        return ParameterRole.PATTERN
    if operator in _PATH_OPERATORS:
        return ParameterRole.KEY
    if operator in _ARITHMETIC:
        return ParameterRole.ARITHMETIC
    return ParameterRole.COMPARISON


def _note_sides(
    left: Message, operator: str, right: Message, role: ParameterRole, scope: Scope, uses: Uses
) -> None:
    for seen in _parameters(right):
        _note(seen, role, operand_of(left, scope), operator, scope, uses)
    for seen in _parameters(left):
        if role is ParameterRole.ARRAY:  # $1 = ANY (tags): one element of the column's array
            role = ParameterRole.COMPARISON
        _note(seen, role, operand_of(right, scope), COMMUTED.get(operator, operator), scope, uses)
