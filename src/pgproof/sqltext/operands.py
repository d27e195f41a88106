"""One side of a condition: a column, an expression over one relation, or nothing an index could serve."""

from __future__ import annotations

from pgproof.sqltext.expressions import expression_text
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.scope import Found, Scope, resolve
from pgproof.sqltext.shape import Operand
from pgproof.sqltext.tree import Message, copy_of, kind_of, new_message, unwrap, walk


def operand_of(node: Message, scope: Scope) -> Operand | None:
    """Read an expression as an operand.

    Args:
        node: The expression.
        scope: Where it stands.

    Returns:
        ``None`` for one that reads no column, several relations, a whole row, a subquery, or a name that
        does not resolve.
    """
    node = unwrap(node)
    nodes = list(walk(node))
    if any(kind_of(below) == "SubLink" for below in nodes):
        return None
    found = [resolve(below, scope) for below in nodes if kind_of(below) == "ColumnRef"]
    known = [place for place in found if place is not None and place.column is not None]
    if not known or len(known) < len(found) or len({id(place.entry) for place in known}) > 1:
        return None
    return _operand(node, known, scope)


def _operand(node: Message, found: list[Found], scope: Scope) -> Operand:
    columns = tuple(dict.fromkeys(place.column for place in found if place.column is not None))
    is_column = kind_of(node) == "ColumnRef"
    return Operand(
        relation=found[0].entry.relation.alias,
        column=columns[0] if is_column else None,
        columns=columns,
        expression=quote_identifier(columns[0]) if is_column else _with_bare_columns(node, scope),
        is_outer=found[0].owner is not scope,
    )


def _with_bare_columns(node: Message, scope: Scope) -> str:
    """Write an expression with the catalog's column names and without aliases."""
    copy = copy_of(node)
    for below in walk(copy):
        if kind_of(below) != "ColumnRef":
            continue
        found = resolve(below, scope)
        if found is not None and found.column is not None:
            name = new_message("Node")
            name.string.sval = found.column
            del below.fields[:]
            below.fields.append(name)
    return expression_text(copy)
