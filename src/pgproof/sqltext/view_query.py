"""The query of a view, read as far as making the view needs it."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.sqltext.names import output_name
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import SourceKind
from pgproof.sqltext.tree import kind_of, strings, unwrap, walk
from pgproof.sqltext.walk import find_shapes


@dataclass(frozen=True, slots=True)
class ViewQuery:
    """What a view's query gives and reads.

    Args:
        text: The statement without its semicolon.
        is_select: It is a SELECT that writes and locks nothing.
        columns: Names of what it gives, in order; empty where a ``*`` hides them.
        relations: Schema as written (``None`` where the search path decides) and name, in text order.
        parameters: It holds ``$n``.
    """

    text: str
    is_select: bool
    columns: tuple[str, ...]
    relations: tuple[tuple[str | None, str], ...]
    parameters: bool


def read_view_query(sql: str) -> ViewQuery:
    """Read a view's query.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    statement = parse_statement(sql)
    message = statement.tree.message
    is_select = kind_of(message) == "SelectStmt" and statement.is_read_only
    first = message
    while kind_of(first) == "SelectStmt" and not first.target_list and first.HasField("larg"):
        first = first.larg  # the names of a UNION are those of its first branch
    targets = [unwrap(target) for target in first.target_list] if is_select else []
    hidden = any(
        kind_of(target.val) == "ColumnRef"
        and len(strings(unwrap(target.val).fields)) < len(unwrap(target.val).fields)
        for target in targets
    )
    relations = [
        (relation.schema, relation.name)
        for shape in find_shapes(statement)
        for relation in shape.relations
        if relation.kind is SourceKind.TABLE
    ]
    return ViewQuery(
        text=statement.text,
        is_select=is_select,
        columns=() if hidden else tuple(map(output_name, targets)),
        relations=tuple(dict.fromkeys(relations)),
        parameters=any(kind_of(node) == "ParamRef" for node in walk(message)),
    )
