"""CREATE STATISTICS, read as a change."""

from __future__ import annotations

from pgproof.model.change import CreateStatistics, StatisticsKind
from pgproof.model.relation import RelationName
from pgproof.sqltext.deparse import expression_text
from pgproof.sqltext.tree import Message, is_set, kind_of, strings, unwrap


def parse_create_statistics(message: Message, default_schema: str) -> CreateStatistics | None:
    """Read a ``CreateStatsStmt``.

    Args:
        message: The statement.
        default_schema: Of a table without one.

    Returns:
        The change; None without a name, over more than one table, or with the statistics in another schema
        than the table: pgproof can't make these.
    """
    own = strings(message.defnames)
    if not own or len(message.relations) != 1 or kind_of(message.relations[0]) != "RangeVar":
        return None
    table = unwrap(message.relations[0])
    schema = table.schemaname or default_schema
    if len(own) > 1 and own[-2] != schema:
        return None
    members = [unwrap(member) for member in message.exprs]
    # A bracketed column name is a column: the server stores it as one.
    columns = [member.name or _column(member.expr) for member in members]
    expressions = tuple(
        expression_text(member.expr)
        for member, column in zip(members, columns, strict=True)
        if not column and is_set(member, "expr")
    )
    named = tuple(
        StatisticsKind(kind) for kind in strings(message.stat_types) if kind in list(StatisticsKind)
    )
    if len(named) < len(message.stat_types):
        return None
    alone = len(members) == 1
    return CreateStatistics(
        table=RelationName(schema, table.relname),
        name=own[-1],
        columns=tuple(column for column in columns if column),
        expressions=expressions,
        kinds=named or (() if alone else tuple(StatisticsKind)),
    )


def _column(expression: Message) -> str:
    node = unwrap(expression)
    if kind_of(node) == "ColumnRef" and len(node.fields) == 1 and kind_of(node.fields[0]) == "String":
        return str(unwrap(node.fields[0]).sval)
    return ""
