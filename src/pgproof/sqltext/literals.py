"""Which constants of a statement are values, and which belong to its shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pgproof.sqltext.expressions import is_constant
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, strings, token_name, unwrap, walk

_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_ORDERING = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
_PATTERNS = frozenset({"~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "^@", "%", "<%", "%>"})
_CONTAINMENT = frozenset({"@>", "<@", "&&", "?", "?|", "?&", "@@", "@@@", "@?"})
_COMPARISONS = _ORDERING | _PATTERNS | _CONTAINMENT
_COMPARING_BY_OPERATOR = ("AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL")
_SYNTAX_FUNCTIONS_WITH_VALUES = ("timezone",)
_FUNCTIONS_OF_NAMES = ("nextval", "currval", "setval")
_INT8_MAX = 2**63 - 1


class Place(Enum):
    """What surrounds an expression, which decides what a bare constant there may become."""

    UNTYPED = auto()  # an operand of a comparison, an inserted or assigned value: the type comes from outside
    TYPED = auto()  # an array element or an argument of a constant call: a number keeps its type
    SHAPE = auto()  # elsewhere in a condition: only constants with a type of their own are values
    FIXED = auto()  # nothing here is a value


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal that is a value.

    Args:
        start: Byte offset in the text.
        end: Byte offset of its end.
        value: In text form, ``None`` for NULL.
        cast: What its parameter needs behind it to mean the same, e.g. ``::numeric``; else empty.
    """

    start: int
    end: int
    value: str | None
    cast: str


def find_literals(message: Message, text: ByteText, tokens: Sequence[Message]) -> tuple[Literal, ...]:
    """Find the values of a statement.

    Args:
        message: A parsed SELECT, INSERT, UPDATE, DELETE or MERGE.
        text: Its text.
        tokens: The scanner's tokens of that text.

    Returns:
        In text order, none inside another.
    """
    words = {
        token.start: (token, following)
        for token, following in _with_next([t for t in tokens if token_name(t) not in _COMMENTS])
    }
    found: dict[int, Literal] = {}
    for root, place in _roots(message):
        for constant, cast, where in _values(root, place):
            literal = _literal(constant, cast, where, text, words)
            if literal is not None:
                found[literal.start] = literal
    return tuple(found[start] for start in sorted(found))


_Found = tuple[Message, Message | None, Place]


def _with_next(tokens: list[Message]) -> Iterator[tuple[Message, Message | None]]:
    return zip(tokens, [*tokens[1:], None], strict=True)


def _roots(message: Message) -> Iterator[tuple[Message, Place]]:
    """Yield the expressions of a statement in which there may be values, at every level."""
    for node in walk(message):
        kind = kind_of(node)
        for field in ("where_clause", "having_clause", "quals", "join_condition", "condition"):
            if field in node.DESCRIPTOR.fields_by_name and is_set(node, field):
                yield getattr(node, field), Place.SHAPE
        if kind == "SelectStmt":
            for bound in (node.limit_count, node.limit_offset):
                # LIMIT ALL is a NULL constant to the parser
                if kind_of(bound) == "A_Const" and not unwrap(bound).isnull:
                    yield bound, Place.UNTYPED
        elif kind == "InsertStmt":
            for row in unwrap(node.select_stmt).values_lists if is_set(node, "select_stmt") else ():
                yield from ((item, Place.UNTYPED) for item in unwrap(row).items)
        elif kind in ("UpdateStmt", "OnConflictClause", "MergeWhenClause"):
            yield from ((unwrap(target).val, Place.UNTYPED) for target in node.target_list)
            yield from ((item, Place.UNTYPED) for item in getattr(node, "values", ()))


def _values(node: Message, place: Place) -> Iterator[_Found]:
    """Yield the constants below an expression that are values, each with its cast and its place."""
    node = unwrap(node)
    match kind_of(node):
        case "A_Const":
            if place in (Place.UNTYPED, Place.TYPED):
                yield node, None, place
        case "TypeCast":
            yield from _cast_values(node, place)
        case "A_Expr":
            yield from _operator_values(node, place)
        case "FuncCall":
            yield from _call_values(node, place)
        case "BoolExpr":
            yield from _each(node.args, Place.SHAPE if place is not Place.FIXED else place)
        case "NullTest" | "BooleanTest":
            yield from _values(node.arg, Place.SHAPE if place is not Place.FIXED else place)
        case "List":
            yield from _each(node.items, place)
        case "RowExpr":
            yield from _each(node.args, place)
        case "A_ArrayExpr":
            yield from _each(node.elements, Place.TYPED if place is Place.UNTYPED else place)
        case "CollateClause" | "NamedArgExpr":
            yield from _values(node.arg, place)
        case "MultiAssignRef":
            yield from _values(node.source, place)
        case "SubLink":
            yield from _values(node.testexpr, Place.UNTYPED if place is not Place.FIXED else place)


def _each(nodes: Sequence[Message], place: Place) -> Iterator[_Found]:
    for node in nodes:
        yield from _values(node, place)


def _cast_values(cast: Message, place: Place) -> Iterator[_Found]:
    """A string with a type of its own is a value in any condition; a number with one, where numbers are."""
    argument = unwrap(cast.arg)
    if kind_of(argument) != "A_Const":
        yield from _values(argument, Place.SHAPE if place is not Place.FIXED else place)
    elif place is not Place.FIXED and is_set(argument, "sval"):
        yield argument, cast, place
    elif place in (Place.UNTYPED, Place.TYPED):
        yield argument, cast, Place.TYPED


def _operator_values(node: Message, place: Place) -> Iterator[_Found]:
    if place is Place.FIXED:
        return
    sides = (node.lexpr, node.rexpr)
    if not _compares(node):
        is_path = strings(node.name)[-1:] in (("->",), ("->>",), ("#>",), ("#>>",), ("||",))
        for side in sides:
            yield from _values(side, Place.FIXED if is_path and is_constant(side) else Place.SHAPE)
        return
    if all(is_constant(side) for side in sides):
        return  # 1 = 1 says something about the text, not about a value
    # range @> 10 and range @> range are different operators: a number says which one is meant
    is_containment = strings(node.name)[-1] in _CONTAINMENT
    for side in sides:
        yield from _values(side, Place.TYPED if is_containment else Place.UNTYPED)


def _compares(node: Message) -> bool:
    kind = enum_name("A_Expr_Kind", node.kind)
    if kind not in _COMPARING_BY_OPERATOR:
        return kind != "AEXPR_NULLIF"
    operator = strings(node.name)[-1]
    if operator == "%" and any(_is_number(side) for side in (node.lexpr, node.rexpr)):
        return False  # a remainder, not pg_trgm's similarity
    return operator in _COMPARISONS


def _is_number(node: Message) -> bool:
    return kind_of(node) == "A_Const" and unwrap(node).WhichOneof("val") in ("ival", "fval")


def _call_values(node: Message, place: Place) -> Iterator[_Found]:
    """The arguments of a call are values if none of them reads a column."""
    name = strings(node.funcname)[-1]
    is_syntax = enum_name("CoercionForm", node.funcformat) == "COERCE_SQL_SYNTAX"
    if place is Place.FIXED or name in _FUNCTIONS_OF_NAMES or not is_constant(node):
        return
    if is_syntax and name not in _SYNTAX_FUNCTIONS_WITH_VALUES:
        return  # EXTRACT(year FROM ..): the grammar wants the word itself
    yield from _each(node.args, Place.TYPED)


def _literal(
    constant: Message,
    cast: Message | None,
    place: Place,
    text: ByteText,
    words: dict[int, tuple[Message, Message | None]],
) -> Literal | None:
    """Find the words of a constant; None where they are not plain ones."""
    span = _span(constant, words)
    if span is None:
        return None
    start, end = span
    value, suffix = _value_and_cast(constant, place)
    if cast is not None and 0 <= cast.type_name.location < start:
        if _type_name(cast) == "interval" and cast.type_name.typmods:
            return None  # INTERVAL '30' DAY: the type is written on both sides
        if token_name(words[cast.type_name.location][0]) == "CAST":
            return None
        suffix = "::" + text.cut(cast.type_name.location, start).strip()
        start = cast.type_name.location
    elif cast is not None:
        suffix = ""
    return Literal(start, end, value, suffix)


def _type_name(cast: Message) -> str:
    """Name the type of a cast without its schema."""
    return strings(cast.type_name.names)[-1]


def _span(constant: Message, words: dict[int, tuple[Message, Message | None]]) -> tuple[int, int] | None:
    token, following = words.get(constant.location, (None, None))
    if token is None:
        return None
    name = token_name(token)
    if name == "ASCII_45" and following is not None:
        name, token, (_, following) = token_name(following), following, words[following.start]
        if name not in ("ICONST", "FCONST"):
            return None
    if name == "USCONST" and following is not None and token_name(following) == "UESCAPE":
        return None
    if name in ("ICONST", "FCONST", "SCONST", "USCONST", "NULL_P", "TRUE_P", "FALSE_P"):
        return constant.location, token.end
    return None


def _value_and_cast(constant: Message, place: Place) -> tuple[str | None, str]:
    """Return a constant's text form and the cast that keeps the type the literal had."""
    if constant.isnull:
        return None, ""
    match constant.WhichOneof("val"):
        case "sval":
            return constant.sval.sval, ""
        case "boolval":
            return ("true" if constant.boolval.boolval else "false"), "::boolean" * (place is Place.TYPED)
        case "ival":
            return str(constant.ival.ival), "::integer" * (place is Place.TYPED)
        case _:
            return constant.fval.fval, "::" + _numeric_type(constant.fval.fval)


def _numeric_type(digits: str) -> str:
    """Name the type PostgreSQL gives a number that is no int4. **Source**: make_const, parse_node.c."""
    try:
        return "bigint" if abs(int(digits, 0)) <= _INT8_MAX else "numeric"
    except ValueError:
        return "numeric"
