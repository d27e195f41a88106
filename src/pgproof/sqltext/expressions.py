"""Questions about one expression that need no names resolved."""

from __future__ import annotations

from pgproof.sqltext.tree import (
    Message,
    deparse_message,
    field_of_type,
    is_set,
    kind_of,
    new_message,
    unwrap,
    walk,
)

_READS_ROWS = ("ColumnRef", "SubLink", "SelectStmt", "CurrentOfExpr")
_SELECT = "SELECT "


def is_constant(node: Message) -> bool:
    """Tell whether an expression reads no column, no subquery and counts no rows; parameters are fine."""
    return not any(_reads_rows(below) for below in walk(node))


def _reads_rows(node: Message) -> bool:
    kind = kind_of(node)
    return kind in _READS_ROWS or (kind == "FuncCall" and bool(node.agg_star))


def parameters_in(node: Message) -> tuple[int, ...]:
    """List the numbers of the parameters below an expression, in text order, repeats left out."""
    return tuple(dict.fromkeys(below.number for below in walk(node) if kind_of(below) == "ParamRef"))


def expression_text(node: Message) -> str:
    """Write an expression as SQL.

    Args:
        node: Any expression node, wrapped or not.
    """
    inner = unwrap(node)
    select = new_message("SelectStmt")
    target = select.target_list.add().res_target
    getattr(target.val, field_of_type(type(inner).DESCRIPTOR.name)).CopyFrom(inner)
    return deparse_message(select).removeprefix(_SELECT)


def literal_items(node: Message) -> tuple[str | int, ...]:
    """Read the other side of a condition piece by piece.

    Args:
        node: An expression, or the list of IN or BETWEEN.

    Returns:
        The text form of each literal as pg_stats writes it, the number of each parameter, casts peeled;
        several for a list and for ARRAY[..]. Empty where any piece is more than that, or NULL.
    """
    node = unwrap(node)
    if kind_of(node) == "TypeCast" and kind_of(node.arg) == "A_ArrayExpr":
        node = unwrap(node.arg)
    pieces = {"List": "items", "A_ArrayExpr": "elements"}.get(kind_of(node))
    items = [_item(piece) for piece in (getattr(node, pieces) if pieces else (node,))]
    known = tuple(item for item in items if item is not None)
    return known if len(known) == len(items) else ()


def _item(node: Message) -> str | int | None:
    node = unwrap(node)
    while kind_of(node) == "TypeCast":
        node = unwrap(node.arg)
    if kind_of(node) == "ParamRef":
        return int(node.number)
    return literal_text(node) if kind_of(node) == "A_Const" else None


def literal_text(constant: Message) -> str | None:
    """Return the text form of an ``A_Const``, ``None`` for NULL and bit strings."""
    if is_set(constant, "sval"):
        return str(constant.sval.sval)
    if is_set(constant, "ival"):
        return str(constant.ival.ival)
    if is_set(constant, "fval"):
        return str(constant.fval.fval)
    if is_set(constant, "boolval"):
        return "t" if constant.boolval.boolval else "f"
    return None
