"""Questions about one expression that need no names resolved."""

from __future__ import annotations

from pgproof.sqltext.tree import Message, deparse_message, field_of_type, kind_of, new_message, unwrap, walk

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
