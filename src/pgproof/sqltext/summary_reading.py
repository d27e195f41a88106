"""Statements that read a materialised view in the place of the query it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.names import output_name
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import quote_identifier, truncate_identifier
from pgproof.sqltext.summary import (
    StoredColumn,
    Summary,
    SummedQuery,
    expression_text_of,
    find_summed,
)
from pgproof.sqltext.summary_names import TableLookup, column_reference, is_output
from pgproof.sqltext.tree import (
    Message,
    Tree,
    copy_of,
    enum_value,
    is_set,
    kind_of,
    new_message,
    replace_nodes,
    strings,
    unwrap,
    walk,
    wrap,
)

_COUNTS = ("count", "regr_count")


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """A view that serves one or several queries.

    Args:
        source: `Summary.source` of all of them.
        columns: Keys first, each with a name of its own.
    """

    source: str
    columns: tuple[StoredColumn, ...]

    @property
    def sql(self) -> str:
        """The view's query."""
        columns = (f"{column.expression} AS {quote_identifier(column.name)}" for column in self.columns)
        return f"SELECT {', '.join(columns)} {self.source}"

    @property
    def keys(self) -> tuple[StoredColumn, ...]:
        """The columns that are grouped by; empty for a view of one row."""
        return tuple(column for column in self.columns if column.is_key)


def define_view(summaries: Sequence[Summary]) -> ViewDefinition:
    """Make one view for several queries.

    Args:
        summaries: At least one; their ``source`` is the same.
    """
    wanted = {column.expression: column for summary in summaries for column in summary.columns}
    taken: set[str] = set()
    columns = []
    for column in sorted(wanted.values(), key=lambda column: not column.is_key):
        name = _free_name(column.name, taken)
        taken.add(name)
        columns.append(StoredColumn(column.expression, name, column.is_key, column.table, column.column))
    return ViewDefinition(summaries[0].source, tuple(columns))


def _free_name(wanted: str, taken: set[str]) -> str:
    base = truncate_identifier(wanted if wanted != "?column?" else "value")
    name, number = base, 2
    while name in taken:
        name, number = truncate_identifier(base, suffix=f"_{number}"), number + 1
    return name


def read_from_view(
    sql: str, definition: ViewDefinition, view: tuple[str, str], table_of: TableLookup
) -> str | None:
    """Write a statement so that it reads a view in the place of every query that the view holds.

    Column names, order and limits of its answer stay as they are. The answer is that of the moment when the
    view was refreshed.

    Args:
        sql: One statement.
        definition: What the view holds.
        view: Its schema and name.
        table_of: As for `pgproof.sqltext.summary.find_summaries`.

    Returns:
        The statement with its parameters' numbers as they were; ``None`` where no part of it is provably what
        the view holds.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    statement = parse_statement(sql)
    names = {column.expression: column.name for column in definition.columns}
    tree = copy_of(statement.tree.message)
    queries = [node for node in walk(tree) if kind_of(node) == "SelectStmt"]
    done = False
    for query in reversed(
        find_summed(statement, table_of)
    ):  # inner ones first: an outer one takes them along
        new = _written(query, names, view) if query.summary.source == definition.source else None
        if new is not None:
            queries[query.place].CopyFrom(new)
            done = True
    return deparse(Tree(tree)) if done else None


def _written(query: SummedQuery, names: dict[str, str], view: tuple[str, str]) -> Message | None:
    """Write one query over the view; None where something in it is not in the view."""
    if any(column.expression not in names for column in query.summary.columns):
        return None
    alias = _free_name("summary", set(query.aliases))
    outputs = [output_name(target) for target in query.select.target_list]
    new = copy_of(query.qualified)
    del new.from_clause[:], new.group_clause[:]
    new.ClearField("where_clause")
    new.ClearField("having_clause")
    conditions = list(query.asked)
    if is_set(query.qualified, "having_clause"):
        conditions.append(unwrap(query.qualified.having_clause))
    pins = conditions[: len(query.asked)] if query.is_one_row else []
    if conditions[len(pins) :]:
        new.where_clause.CopyFrom(_all_of(conditions[len(pins) :]))
    for target, name in zip(new.target_list, outputs, strict=True):
        unwrap(target).name = name
    for key in new.sort_clause:
        if is_output(unwrap(unwrap(key).node), set(outputs)):
            _hide(key)
    new.from_clause.append(_from(view, alias, pins))
    replace_nodes(new, lambda node: _column(node, names, alias, or_none=bool(pins)))
    for old, key in zip(query.qualified.sort_clause, new.sort_clause, strict=True):
        if is_output(unwrap(unwrap(old).node), set(outputs)):
            unwrap(key).node.CopyFrom(unwrap(old).node)
    own = column_reference(alias, "")
    sort = [unwrap(unwrap(key).node) for key in query.qualified.sort_clause]
    kept = sum(kind_of(key) == "ColumnRef" and is_output(key, set(outputs)) for key in sort)
    strangers = [
        node
        for node in walk(_without_with(new))
        if kind_of(node) == "ColumnRef" and node.fields[0] != own.fields[0]
    ]
    return new if len(strangers) == kept else None


def _hide(key: Message) -> None:
    """Put a constant in the place of a sort key that must not be taken for a column of the view."""
    constant = new_message("A_Const")
    constant.ival.ival = 1
    unwrap(key).node.CopyFrom(wrap(constant))


def _without_with(select: Message) -> Message:
    copy = copy_of(select)
    copy.ClearField("with_clause")
    return copy


def _all_of(conditions: Sequence[Message]) -> Message:
    if len(conditions) == 1:
        return wrap(conditions[0])
    every = new_message("BoolExpr")
    every.boolop = enum_value("BoolExprType", "AND_EXPR")
    every.args.extend(wrap(condition) for condition in conditions)
    return wrap(every)


def _column(node: Message, names: dict[str, str], alias: str, *, or_none: bool) -> Message | None:
    """Return the view's column for an expression it holds.

    Args:
        node: The expression.
        names: Of the view's columns.
        alias: Of the view.
        or_none: There may be no row: counts are 0 then, as every other aggregate is NULL.
    """
    name = names.get(expression_text_of(node))
    if name is None:
        return None
    column = column_reference(alias, name)
    if not or_none or kind_of(node) != "FuncCall" or strings(node.funcname)[-1] not in _COUNTS:
        return column
    either = new_message("CoalesceExpr")
    zero = new_message("A_Const")
    zero.ival.ival = 0
    either.args.extend([wrap(column), wrap(zero)])
    return wrap(either).coalesce_expr


def _from(view: tuple[str, str], alias: str, pins: Sequence[Message]) -> Message:
    """Return what a query reads in its tables' place: the view, or one row with the view's beside it."""
    if not pins:
        return _range(view, alias)
    one = new_message("RangeSubselect")
    number = new_message("A_Const")
    number.ival.ival = 1
    one.subquery.select_stmt.target_list.add().res_target.val.CopyFrom(wrap(number))
    one.subquery.select_stmt.limit_option = enum_value("LimitOption", "LIMIT_OPTION_DEFAULT")
    one.subquery.select_stmt.op = enum_value("SetOperation", "SETOP_NONE")
    one.alias.aliasname = "one" if alias != "one" else "one_row"
    join = new_message("JoinExpr")
    join.jointype = enum_value("JoinType", "JOIN_LEFT")
    join.larg.CopyFrom(wrap(one))
    join.rarg.CopyFrom(_range(view, alias))
    join.quals.CopyFrom(_all_of(pins))
    return wrap(join)


def _range(view: tuple[str, str], alias: str) -> Message:
    table = new_message("RangeVar")
    table.schemaname, table.relname = view
    table.inh = True
    table.relpersistence = "p"
    table.alias.aliasname = alias
    return wrap(table)
