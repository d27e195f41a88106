"""FROM clauses: tables, subqueries, functions, and how they are joined."""

from __future__ import annotations

from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.reading import Columns, Here, read_condition, read_expression
from pgproof.sqltext.scope import Entry
from pgproof.sqltext.shape import Clause, Join, JoinType, Level, Relation, SourceKind
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, new_message, strings, unwrap

# Functions whose single result column is called by the relation's alias.
_SCALAR_SETS = (
    "generate_series",
    "unnest",
    "regexp_split_to_table",
    "string_to_table",
    "generate_subscripts",
)
_JOIN_TYPES = {
    "JOIN_INNER": JoinType.INNER,
    "JOIN_LEFT": JoinType.LEFT,
    "JOIN_RIGHT": JoinType.RIGHT,
    "JOIN_FULL": JoinType.FULL,
}


def read_source(item: Message, here: Here, join: JoinType) -> list[Entry]:
    """Read one item of a FROM clause.

    Args:
        item: A table, subquery, function or join.
        here: The level it belongs to, which gets its relations and conditions.
        join: How it meets what is to its left.

    Returns:
        The relations it brought, in text order.
    """
    item = unwrap(item)
    match kind_of(item):
        case "RangeVar":
            return [table_entry(item, here, join)]
        case "RangeSubselect":
            return [_subquery(item, here, join)]
        case "RangeFunction":
            return [_function(item, here, join)]
        case "RangeTableFunc" | "JsonTable":
            return [_table_function(item, here, join)]
        case "RangeTableSample":
            here.level.samples = True
            for argument in (*item.args, item.repeatable):
                read_expression(argument, here)
            return read_source(item.relation, here, join)
        case "JoinExpr":
            return _join(item, here, join)
    return []


def table_entry(node: Message, here: Here, join: JoinType, *, is_target: bool = False) -> Entry:
    """Make the relation of a ``RangeVar`` and put it into the level.

    Args:
        node: The ``RangeVar``.
        here: The level.
        join: How it meets what is to its left.
        is_target: It is the target of a change, which is never a common table expression.
    """
    is_cte = not is_target and not node.schemaname and node.relname in here.ctes
    if is_cte:
        columns = here.ctes[node.relname]
    else:
        found = here.reading.columns_of(node.schemaname or None, node.relname)
        columns = None if found is None else tuple(found)
    kind = SourceKind.CTE if is_cte else SourceKind.TABLE
    relation = Relation(_alias(node) or node.relname, node.schemaname or None, node.relname, kind, join)
    visible, real_names = _rename(columns, strings(node.alias.colnames))
    entry = Entry(relation, visible, real_names)
    here.level.add(entry)
    return entry


def _alias(node: Message) -> str:
    return str(node.alias.aliasname) if is_set(node, "alias") else ""


def _rename(columns: Columns, renamed: tuple[str, ...]) -> tuple[Columns, dict[str, str]]:
    """Apply a column alias list: the names to see, and the catalog's for those that are renamed."""
    if columns is None:
        return (renamed or None), {}
    visible = (*renamed, *columns[len(renamed) :])
    return visible, {new: old for new, old in zip(renamed, columns, strict=False) if new != old}


def _subquery(node: Message, here: Here, join: JoinType) -> Entry:
    scope = here.level.scope
    alias = _alias(node)
    columns = here.enter(node.subquery, scope if node.lateral else scope.parent, Level.FROM, alias)
    is_values = kind_of(node.subquery) == "SelectStmt" and len(unwrap(node.subquery).values_lists) > 0
    kind = SourceKind.VALUES if is_values else SourceKind.SUBQUERY
    visible, _ = _rename(columns, strings(node.alias.colnames))
    entry = Entry(Relation(alias, None, "", kind, join, node.lateral), visible)
    here.level.add(entry)
    return entry


def _function(node: Message, here: Here, join: JoinType) -> Entry:
    calls = [unwrap(unwrap(item).items[0]) for item in node.functions]
    for call in calls:
        read_expression(call, here)
    name = strings(calls[0].funcname)[-1] if kind_of(calls[0]) == "FuncCall" else ""
    schema = strings(calls[0].funcname)[:-1] if name else ()
    alias = _alias(node) or name
    columns = strings(node.alias.colnames) or tuple(unwrap(item).colname for item in node.coldeflist) or None
    if columns is None and len(calls) == 1 and name in _SCALAR_SETS:
        columns = (alias, "ordinality") if node.ordinality else (alias,)
    # a function may read what is to its left with or without the word LATERAL
    relation = Relation(alias, schema[-1] if schema else None, name, SourceKind.FUNCTION, join, True)
    entry = Entry(relation, columns)
    here.level.add(entry)
    return entry


def _table_function(node: Message, here: Here, join: JoinType) -> Entry:
    """Read XMLTABLE or JSON_TABLE; nested columns make its columns unknown."""
    for field in ("docexpr", "rowexpr", "context_item"):
        if field in node.DESCRIPTOR.fields_by_name and is_set(node, field):
            read_expression(getattr(node, field), here)
    items = [unwrap(item) for item in node.columns]
    names = tuple(item.name if kind_of(item) == "JsonTableColumn" else item.colname for item in items)
    columns = strings(node.alias.colnames) or (names if all(names) else None)
    name = "xmltable" if kind_of(node) == "RangeTableFunc" else "json_table"
    entry = Entry(Relation(_alias(node) or name, None, name, SourceKind.FUNCTION, join, True), columns)
    here.level.add(entry)
    return entry


def _join(node: Message, here: Here, join: JoinType) -> list[Entry]:
    left = read_source(node.larg, here, join)
    is_cross = not (is_set(node, "quals") or node.using_clause or node.is_natural)
    kind = _JOIN_TYPES.get(enum_name("JoinType", node.jointype), JoinType.INNER)
    right = read_source(node.rarg, here, JoinType.CROSS if is_cross and kind is JoinType.INNER else kind)
    for column in _shared_columns(node, left, right):
        _merge(column, left, right, kind, here)
    if is_set(node, "quals"):
        read_condition(node.quals, Clause.ON, here)
    return [*left, *right]


def _shared_columns(node: Message, left: list[Entry], right: list[Entry]) -> tuple[str, ...]:
    """Name the columns of USING; of NATURAL, where both sides are known."""
    if not node.is_natural:
        return strings(node.using_clause)
    if any(entry.columns is None for entry in (*left, *right)):
        return ()
    on_right = {name for entry in right for name in entry.columns or ()}
    on_left = dict.fromkeys(name for entry in left for name in entry.columns or ())
    return tuple(name for name in on_left if name in on_right)


def _merge(column: str, left: list[Entry], right: list[Entry], kind: JoinType, here: Here) -> None:
    """Note ``left.column = right.column``, and which of them the bare name stands for."""
    scope = here.level.scope
    already = scope.merged.get(column)
    one = already if already in left else _owner(column, left)
    other = _owner(column, right)
    if one is None or other is None:
        return
    scope.merged[column] = other if kind is JoinType.RIGHT else one
    sides = [operand_of(reference(entry, column), scope) for entry in (one, other)]
    if sides[0] is not None and sides[1] is not None:
        here.level.conditions.append(Join(sides[0], sides[1], "="))


def _owner(column: str, entries: list[Entry]) -> Entry | None:
    """Find the one relation that has a column; a lone relation with unknown columns must have it."""
    owners = [entry for entry in entries if entry.columns is not None and column in entry.columns]
    if not owners and len(entries) == 1 and entries[0].columns is None:
        owners = entries
    return owners[0] if len(owners) == 1 else None


def reference(entry: Entry, column: str) -> Message:
    """Return a ``ColumnRef`` to a column of a relation."""
    made = new_message("ColumnRef")
    for name in (entry.relation.alias, column):
        made.fields.add().string.sval = name
    return made
