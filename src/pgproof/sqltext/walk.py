"""Read a statement level by level: which relations, which conditions, which order, which columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgproof.sqltext.changes import read_change
from pgproof.sqltext.clauses import group_keys, is_star, read_distinct, read_tail
from pgproof.sqltext.level import OpenLevel
from pgproof.sqltext.names import output_name
from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.reading import Columns, Ctes, Here, Reading, read_condition, read_expression
from pgproof.sqltext.scope import Scope
from pgproof.sqltext.shape import Clause, ColumnLookup, JoinType, Level, Output, QueryShape
from pgproof.sqltext.sources import read_source, reference
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, strings, unwrap
from pgproof.sqltext.uses import ParameterUse
from pgproof.sqltext.windows import find_window_orders

_HOLDERS = ("ExplainStmt", "CreateTableAsStmt", "DeclareCursorStmt", "PrepareStmt", "CopyStmt", "ViewStmt")
_COMMANDS = ("select", "insert", "update", "delete", "merge")


def no_columns(_schema: str | None, _table: str, /) -> None:
    """Look nothing up: the text alone has to tell."""


def find_shapes(statement: Statement, columns_of: ColumnLookup = no_columns) -> tuple[QueryShape, ...]:
    """Describe what a statement asks of its relations, one value for each level.

    EXPLAIN, CREATE TABLE AS, DECLARE, PREPARE, COPY (query) and CREATE VIEW are described by the query in
    them.

    Args:
        statement: What `parse_statement` gave.
        columns_of: Tells the columns of a table or view; without it unqualified names resolve only where
            there is a single relation.

    Returns:
        The statement first, every level before those inside it, otherwise in text order; empty for commands
        without a query. Whatever does not resolve is left out, never guessed.
    """
    return tuple(level.close() for level in _read(statement, columns_of))


def find_parameters(statement: Statement, columns_of: ColumnLookup = no_columns) -> tuple[ParameterUse, ...]:
    """Tell what each ``$n`` of a statement is for.

    Args:
        statement: What `parse_statement` gave.
        columns_of: As for `find_shapes`.

    Returns:
        One value for each place of a parameter, by number, then in text order; empty without parameters.
    """
    uses = [item for level in _read(statement, columns_of) for item in level.uses.items()]
    return tuple(use for _, use in sorted(uses, key=lambda item: (item[1].number, item[0])))


def _read(statement: Statement, columns_of: ColumnLookup) -> list[OpenLevel]:
    message = statement.tree.message
    while kind_of(message) in _HOLDERS and is_set(message, "query"):
        message = unwrap(message.query)
    reading = Reading(columns_of, read_query, [])
    read_query(message, reading, None, {}, Level.STATEMENT, "", 0)
    return reading.levels


def read_query(
    message: Message, reading: Reading, parent: Scope | None, ctes: Ctes, place: Level, name: str, depth: int
) -> Columns:
    """Read a query or a change of rows as a level of its own.

    Args:
        message: The statement message.
        reading: Where levels are collected.
        parent: The scope around it, whose relations it may read.
        ctes: Common table expressions it sees.
        place: Where it stands.
        name: Of the CTE or subquery, else empty.
        depth: Levels around it.

    Returns:
        Names of the columns it gives.
    """
    message = unwrap(message)
    command = kind_of(message).removesuffix("Stmt").lower()
    if command not in _COMMANDS:
        return None
    level = OpenLevel(command, place, name, depth, Scope(parent))
    reading.levels.append(level)
    if is_set(message, "with_clause"):
        ctes = _read_ctes(message.with_clause, Here(level, reading, ctes))
    here = Here(level, reading, ctes)
    if command != "select":
        return read_change(message, here)
    if enum_name("SetOperation", message.op) != "SETOP_NONE":
        return _read_set_operation(message, here)
    if message.values_lists:
        return _read_values(message, here)
    return _read_select(message, here)


def _read_ctes(clause: Message, here: Here) -> Ctes:
    """Read a WITH clause; return the names visible behind it."""
    visible = dict(here.ctes)
    for node in clause.ctes:
        cte = unwrap(node)
        renamed = strings(cte.aliascolnames)
        inside = visible | {cte.ctename: renamed or None} if clause.recursive else visible
        # a CTE sees what surrounds its statement, not the relations of the statement it serves
        columns = Here(here.level, here.reading, inside).enter(
            cte.ctequery, here.level.scope.parent, Level.CTE, cte.ctename
        )
        visible[cte.ctename] = _rename(columns, renamed)
    return visible


def _rename(columns: Columns, renamed: Sequence[str]) -> Columns:
    """Apply a column alias list, which may be shorter than the columns."""
    return None if columns is None else (*renamed, *columns[len(renamed) :])


def _read_set_operation(message: Message, here: Here) -> Columns:
    """Read UNION, INTERSECT or EXCEPT; its columns are those of the first branch."""
    words = enum_name("SetOperation", message.op).removeprefix("SETOP_").lower()
    here.level.set_operation = f"{words} all" if message.all else words
    given = [here.enter(branch, here.level.scope.parent, Level.SET_BRANCH) for branch in _branches(message)]
    read_tail(message, here)
    return given[0]


def _branches(message: Message) -> Iterator[Message]:
    """Yield the branches of a left-deep chain of one set operation, left to right."""
    left = message.larg
    is_bare = not left.sort_clause and not any(
        is_set(left, f) for f in ("limit_count", "limit_offset", "with_clause")
    )
    if (left.op, left.all) == (message.op, message.all) and is_bare:
        yield from _branches(left)
    else:
        yield left
    yield message.rarg


def _read_values(message: Message, here: Here) -> Columns:
    here.level.command = "values"
    for row in message.values_lists:
        read_expression(row, here)
    read_tail(message, here)
    return tuple(f"column{n + 1}" for n in range(len(unwrap(message.values_lists[0]).items)))


def _read_select(message: Message, here: Here) -> Columns:
    level = here.level
    for item in message.from_clause:
        read_source(item, here, JoinType.FROM)
    for target in message.target_list:
        read_expression(unwrap(target).val, here)
    if is_set(message, "where_clause"):
        read_condition(message.where_clause, Clause.WHERE, here)
    level.group_by = tuple(group_keys(message.group_clause, message, here))
    if is_set(message, "having_clause"):
        read_condition(message.having_clause, Clause.HAVING, here)
    for window in message.window_clause:
        read_expression(window, here)
    read_distinct(message, here)
    read_tail(message, here)
    level.window_orders = find_window_orders(message, level.scope)
    outputs = _outputs(message, level.scope)
    level.outputs = outputs or ()
    return None if outputs is None else tuple(output.name for output in outputs)


def _outputs(message: Message, scope: Scope) -> tuple[Output, ...] | None:
    """Return the columns of a SELECT, ``None`` where a star stands for columns that are not known."""
    found: list[Output] = []
    for target in message.target_list:
        value = unwrap(unwrap(target).val)
        if kind_of(value) != "ColumnRef" or not is_star(value):
            found.append(Output(output_name(target), operand_of(value, scope)))
            continue
        qualifier = strings(value.fields)
        for entry in scope.entries:
            if qualifier and entry.relation.alias != qualifier[-1]:
                continue
            if entry.columns is None:
                return None
            found.extend(
                Output(name, operand_of(reference(entry, name), scope))
                for name in entry.columns
                if qualifier or scope.merged.get(name, entry) is entry
            )
    return tuple(found)
