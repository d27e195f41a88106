"""Queries that sum up: taken apart into what a materialised view could hold, and what is asked of it.

Only what can be proven from the text is taken: tables joined by name, grouping by plain keys, aggregates that
don't depend on the order of rows. A condition that compares keys alone may as well be asked of the groups, so
it does not belong to the view; every other condition does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgproof.sqltext.calls import FunctionName
from pgproof.sqltext.expressions import expression_text, is_constant, literal_text, parameters_in
from pgproof.sqltext.level import is_aggregate
from pgproof.sqltext.names import output_name
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.summary_names import (
    FromTables,
    TableLookup,
    column_reference,
    qualify_columns,
    read_from_item,
    spell_out_keys,
)
from pgproof.sqltext.tree import (
    Message,
    copy_of,
    deparse_message,
    enum_name,
    is_set,
    kind_of,
    new_message,
    replace_nodes,
    strings,
    unwrap,
    walk,
    wrap,
)

_NOT_SUMMED = ("window_clause", "values_lists", "distinct_clause", "locking_clause")
_MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})
# They collect values in the order in which rows come.
_ORDERED = frozenset({"array_agg", "string_agg", "xmlagg", "json_agg", "jsonb_agg", "json_object_agg"}) | {
    "jsonb_object_agg",
    "json_agg_strict",
    "jsonb_agg_strict",
    "any_value",
}


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """What a view would hold in one column.

    Args:
        expression: A key or an aggregate, as the parser writes it, columns with their relation's alias.
        name: What a statement calls it.
        is_key: The view has one row for each combination of its keys.
        table: Schema and name of the table where it is a plain column, else ``None``.
        column: That column, else empty.
    """

    expression: str
    name: str
    is_key: bool
    table: tuple[str, str] | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One query that sums up, as far as a view could serve it.

    Args:
        source: FROM, WHERE and GROUP BY of the view. Two queries of the same text can read one view.
        columns: The keys in the order of ``source``, then the aggregates in text order.
        tables: Schema and name of every table read, sorted.
        conditions: WHERE of the view, condition by condition.
        functions: Called in the view, aggregates left out; sorted.
        parameters: Numbers of the ``$n`` in the view: such a view serves one set of values only.
        pinned: Those of the keys that the query itself does not group by: it asks for one value of each.
        filters_sums: It keeps only groups whose aggregates meet a condition (HAVING).
    """

    source: str
    columns: tuple[StoredColumn, ...]
    tables: tuple[tuple[str, str], ...]
    conditions: tuple[str, ...]
    functions: tuple[FunctionName, ...]
    parameters: tuple[int, ...]
    pinned: tuple[str, ...] = ()
    filters_sums: bool = False

    @property
    def keys(self) -> tuple[StoredColumn, ...]:
        """The columns that are grouped by; empty for a view of one row."""
        return tuple(column for column in self.columns if column.is_key)


def find_summaries(statement: Statement, table_of: TableLookup) -> tuple[Summary, ...]:
    """Find the queries in a statement that a view could serve: itself, subqueries, CTEs.

    Args:
        statement: What `parse_statement` gave.
        table_of: Tells the tables.

    Returns:
        In text order; empty for a statement that writes or locks rows.
    """
    return tuple(query.summary for query in find_summed(statement, table_of))


@dataclass(slots=True, eq=False)
class SummedQuery:
    """A query that sums up, with the tree it was read from.

    Args:
        place: Which of the statement's queries it is, counted from 0 in the order of `walk`.
        select: The query as written.
        qualified: The same with every column under its relation's alias, GROUP BY spelled out.
        asked: Conditions of ``qualified`` that compare keys alone.
        summary: What the view would hold.
        aliases: Of its relations.
        is_one_row: It groups by nothing, so it gives a row even where no row of its tables fits.
    """

    place: int
    select: Message
    qualified: Message
    asked: list[Message]
    summary: Summary
    aliases: frozenset[str]
    is_one_row: bool = False


def find_summed(statement: Statement, table_of: TableLookup) -> list[SummedQuery]:
    """Find the same with their trees, for `pgproof.sqltext.summary_reading`."""
    message = statement.tree.message
    if not statement.is_read_only or kind_of(message) != "SelectStmt":
        return []
    nodes = list(walk(message))
    ctes = frozenset(node.ctename for node in nodes if kind_of(node) == "CommonTableExpr")
    selects = [node for node in nodes if kind_of(node) == "SelectStmt"]
    found = [_take_apart(place, select, table_of, ctes) for place, select in enumerate(selects)]
    return [query for query in found if query is not None]


def _take_apart(
    place: int, select: Message, table_of: TableLookup, ctes: frozenset[str]
) -> SummedQuery | None:
    if not _is_plain(select):
        return None
    copy = copy_of(select)
    relations = FromTables()
    if not all(read_from_item(item, relations, table_of, ctes) for item in copy.from_clause):
        return None
    if not spell_out_keys(copy, relations) or not qualify_columns(copy, relations):
        return None
    keys = {expression_text(key): unwrap(key) for key in copy.group_clause}
    aggregates = _aggregates_of(copy)
    pinned = _pinned_columns(copy)
    keys |= pinned
    if any(kind_of(key) in ("A_Const", "ParamRef") for key in keys.values()) or aggregates is None:
        return None
    if not keys and not aggregates:
        return None
    asked: list[Message] = []
    kept: list[Message] = []
    for condition in conditions_of(copy):
        (asked if keys and _asks_keys(condition, keys) else kept).append(condition)
    stored = [*keys.values(), *kept, *aggregates.values(), *copy.from_clause]
    if any(_follows_the_clock(node) for part in stored for node in walk(part)):
        return None
    columns = (
        *(_stored(text, keys[text], copy, relations) for text in sorted(keys)),
        *(_stored(text, node, copy, relations) for text, node in aggregates.items()),
    )
    summary = Summary(
        source=_source(copy, kept, sorted(keys), keys),
        columns=columns,
        tables=tuple(sorted(set(relations.tables.values()))),
        conditions=tuple(sorted(map(expression_text, kept))),
        functions=_functions(stored),
        parameters=tuple(sorted({number for part in stored for number in parameters_in(part)})),
        pinned=tuple(pinned),
        filters_sums=is_set(select, "having_clause"),
    )
    return SummedQuery(
        place, select, copy, asked, summary, frozenset(relations.columns), is_one_row=not select.group_clause
    )


def _is_plain(select: Message) -> bool:
    """Tell whether a query has nothing but FROM, WHERE, GROUP BY, HAVING, ORDER BY and LIMIT."""
    if any(getattr(select, name) for name in _NOT_SUMMED) or not select.from_clause:
        return False
    if enum_name("SetOperation", select.op) != "SETOP_NONE" or is_set(select, "into_clause"):
        return False
    if select.group_distinct or any(kind_of(key) == "GroupingSet" for key in select.group_clause):
        return False
    parts = [*select.target_list, *select.from_clause, *select.group_clause, *select.sort_clause]
    parts += [getattr(select, name) for name in ("where_clause", "having_clause") if is_set(select, name)]
    return not any(kind_of(node) in ("SubLink", "GroupingFunc") for part in parts for node in walk(part))


def conditions_of(select: Message) -> Iterator[Message]:
    """Yield the conditions of WHERE that must all hold, in text order."""
    if is_set(select, "where_clause"):
        yield from _conjuncts(unwrap(select.where_clause))


def _conjuncts(node: Message) -> Iterator[Message]:
    if kind_of(node) == "BoolExpr" and enum_name("BoolExprType", node.boolop) == "AND_EXPR":
        for part in node.args:
            yield from _conjuncts(unwrap(part))
    else:
        yield node


def _pinned_columns(select: Message) -> dict[str, Message]:
    """Return the columns that a query compares with one value of a parameter, by their text.

    All rows it sums up have that value. So grouping by the column too cuts its groups into no smaller ones,
    and a view that does so serves every value.
    """
    found = {}
    for condition in conditions_of(select):
        if kind_of(condition) != "A_Expr" or strings(condition.name) != ("=",):
            continue
        if enum_name("A_Expr_Kind", condition.kind) != "AEXPR_OP" or not parameters_in(condition):
            continue
        if any(kind_of(node) == "CollateClause" for node in walk(condition)):
            continue  # values that differ may be equal under it
        sides = (unwrap(condition.lexpr), unwrap(condition.rexpr))
        columns = [side for side in sides if kind_of(side) == "ColumnRef"]
        if len(columns) == 1 and any(is_constant(side) for side in sides):
            found[expression_text(columns[0])] = columns[0]
    return found


def _aggregates_of(select: Message) -> dict[str, Message] | None:
    """Return the aggregates by their text, in text order; None where one depends on the order of rows."""
    found: dict[str, Message] = {}
    parts = [*select.target_list, *select.sort_clause]
    parts += [select.having_clause] if is_set(select, "having_clause") else []
    for part in parts:
        for node in walk(part):
            if kind_of(node) != "FuncCall" or is_set(node, "over") or not is_aggregate(node):
                continue
            if strings(node.funcname)[-1] in _ORDERED or node.agg_order:
                return None
            found[expression_text(node)] = node
    return found


def _asks_keys(condition: Message, keys: dict[str, Message]) -> bool:
    """Tell whether a condition compares keys as they are with what is no column.

    Values that are equal may still look different (1.0 and 1.00), so a function of a key is not taken.
    """
    probe = new_message("SelectStmt")
    probe.target_list.add().res_target.val.CopyFrom(wrap(condition))
    marked = column_reference("", "")
    replace_nodes(probe, lambda node: marked if expression_text_of(node) in keys else None)
    places = [node for node in walk(probe) if kind_of(node) == "ColumnRef"]
    if not places or any(place != marked for place in places):
        return False
    shells = [node for node in walk(probe) if kind_of(node) in ("FuncCall", "TypeCast", "CollateClause")]
    return not any(kind_of(below) == "ColumnRef" for shell in shells for below in walk(shell))


_EXPRESSIONS = frozenset({"ColumnRef", "FuncCall", "A_Expr", "TypeCast", "CaseExpr", "CoalesceExpr"}) | {
    "MinMaxExpr",
    "BoolExpr",
    "NullTest",
    "BooleanTest",
    "A_Indirection",
    "A_ArrayExpr",
    "CollateClause",
    "RowExpr",
}


def expression_text_of(node: Message) -> str:
    """Return an expression's text, empty for a node that is none."""
    return expression_text(node) if kind_of(node) in _EXPRESSIONS else ""


def _follows_the_clock(node: Message) -> bool:
    """Tell whether a node's value depends on who asks, or when."""
    if kind_of(node) == "SQLValueFunction":
        return True
    return kind_of(node) == "A_Const" and (literal_text(node) or "").strip().lower() in _MOMENTS


def _stored(text: str, node: Message, select: Message, relations: FromTables) -> StoredColumn:
    is_key = kind_of(node) != "FuncCall" or not is_aggregate(node)
    named = next((t for t in select.target_list if expression_text(unwrap(t).val) == text), None)
    target = new_message("ResTarget")
    target.val.CopyFrom(wrap(node))
    name = output_name(named) if named is not None else output_name(target)
    names = strings(node.fields) if kind_of(node) == "ColumnRef" else ()
    if len(names) == 2:
        return StoredColumn(text, name, is_key, relations.tables[names[0]], names[1])
    if names:  # of USING: either side will do
        owner = next(alias for alias, columns in relations.columns.items() if names[0] in columns)
        return StoredColumn(text, name, is_key, relations.tables[owner], names[0])
    return StoredColumn(text, name, is_key)


def _source(select: Message, kept: Sequence[Message], order: Sequence[str], keys: dict[str, Message]) -> str:
    view = new_message("SelectStmt")
    view.from_clause.extend(select.from_clause)
    conditions = sorted(kept, key=expression_text)
    if len(conditions) == 1:
        view.where_clause.CopyFrom(wrap(conditions[0]))
    elif conditions:
        every = new_message("BoolExpr")
        every.boolop = select.where_clause.bool_expr.boolop
        every.args.extend(wrap(condition) for condition in conditions)
        view.where_clause.CopyFrom(wrap(every))
    view.group_clause.extend(wrap(keys[text]) for text in order)
    return deparse_message(view).removeprefix("SELECT ")


def _functions(parts: Sequence[Message]) -> tuple[FunctionName, ...]:
    found = set()
    for part in parts:
        for node in walk(part):
            if kind_of(node) == "FuncCall" and not is_aggregate(node):
                *schema, name = strings(node.funcname)
                found.add(FunctionName(schema[-1] if schema else "", name))
    return tuple(sorted(found))
