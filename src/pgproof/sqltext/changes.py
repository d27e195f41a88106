"""INSERT, UPDATE, DELETE and MERGE: what is changed, and what is read to find it."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.sqltext.names import output_name
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.reading import Columns, Here, read_condition, read_expression
from pgproof.sqltext.scope import Entry
from pgproof.sqltext.shape import Clause, JoinType, Level, Operand, Relation, SourceKind
from pgproof.sqltext.sources import read_source, table_entry
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, unwrap
from pgproof.sqltext.uses import ParameterRole, note_value


def read_change(message: Message, here: Here) -> Columns:
    """Read a change of rows into its level.

    Args:
        message: INSERT, UPDATE, DELETE or MERGE.
        here: Its level, open and empty.

    Returns:
        Names of the columns RETURNING gives; empty without it.
    """
    target = table_entry(message.relation, here, JoinType.FROM, is_target=True)
    here.level.target = target
    match kind_of(message):
        case "InsertStmt":
            _read_insert(message, target, here)
        case "UpdateStmt":
            _read_update(message, target, here)
        case "DeleteStmt":
            for item in message.using_clause:
                read_source(item, here, JoinType.FROM)
        case "MergeStmt":
            _read_merge(message, target, here)
    if "where_clause" in message.DESCRIPTOR.fields_by_name and is_set(message, "where_clause"):
        read_condition(message.where_clause, Clause.WHERE, here)
    return _read_returning(message, here)


def _read_insert(message: Message, target: Entry, here: Here) -> None:
    """Read what is inserted; the target itself is not scanned, so it is no relation of the level."""
    here.level.relations.clear()
    written = tuple(unwrap(column).name for column in message.cols) or target.columns or ()
    if is_set(message, "select_stmt"):
        rows = unwrap(message.select_stmt).values_lists
        if rows:
            _note_inserted(rows, written, target, here)
            _read_rows(rows, here)
        else:
            here.enter(message.select_stmt, here.level.scope.parent, Level.SOURCE)
    if is_set(message, "on_conflict_clause"):
        written += _read_on_conflict(message.on_conflict_clause, target, here)
    here.level.columns_written = tuple(dict.fromkeys(written))


def _read_rows(rows: Sequence[Message], here: Here) -> None:
    """Read inserted rows, which see no relation of the level."""
    entries = here.level.scope.entries[:]
    here.level.scope.entries.clear()
    for row in rows:
        read_expression(row, here)
    here.level.scope.entries.extend(entries)


def _note_inserted(rows: Sequence[Message], columns: Sequence[str], target: Entry, here: Here) -> None:
    """Note which column each inserted parameter is for."""
    for row in rows:
        for column, value in zip(columns, unwrap(row).items, strict=False):
            _note_assigned(column, value, ParameterRole.INSERT, target, here)


def _note_assigned(column: str, value: Message, role: ParameterRole, target: Entry, here: Here) -> None:
    operand = Operand(target.relation.alias, column, (column,), quote_identifier(column))
    note_value(value, role, operand, here.level.scope, here.level.uses)


def _read_on_conflict(clause: Message, target: Entry, here: Here) -> tuple[str, ...]:
    """Read ON CONFLICT; return the columns DO UPDATE writes."""
    relation = Relation("excluded", None, target.relation.name, SourceKind.TABLE)
    here.level.scope.entries.append(Entry(relation, target.columns, hidden=True))
    for element in clause.infer.index_elems:
        _read_index_element(unwrap(element), target, here)
    if is_set(clause, "where_clause"):
        read_condition(clause.where_clause, Clause.WHERE, here)
    return _read_assignments(clause.target_list, target, here)


def _read_index_element(element: Message, target: Entry, here: Here) -> None:
    if element.name:
        target.read.add(element.name)
    elif is_set(element, "expr"):
        read_expression(element.expr, here)


def _read_update(message: Message, target: Entry, here: Here) -> None:
    for item in message.from_clause:
        read_source(item, here, JoinType.FROM)
    here.level.columns_written = _read_assignments(message.target_list, target, here)


def _read_assignments(targets: Sequence[Message], target: Entry, here: Here) -> tuple[str, ...]:
    """Read ``SET a = .., (b, c) = (..)``; return the columns written."""
    for node in targets:
        value = unwrap(unwrap(node).val)
        if kind_of(value) == "MultiAssignRef":
            is_first = value.colno == 1  # each column of (a, b) = (..) repeats the whole source
            whole = unwrap(value.source)
            # ROW(t.*) has fewer entries than columns: which is whose, only the server knows
            if kind_of(whole) == "RowExpr" and len(whole.args) == value.ncolumns:
                value, is_first = unwrap(whole.args[value.colno - 1]), True
            elif is_first:
                value = whole
            if not is_first:
                continue
        _note_assigned(unwrap(node).name, value, ParameterRole.UPDATE, target, here)
        read_expression(value, here)
    return tuple(dict.fromkeys(unwrap(node).name for node in targets))


def _read_merge(message: Message, target: Entry, here: Here) -> None:
    read_source(message.source_relation, here, JoinType.INNER)
    read_condition(message.join_condition, Clause.ON, here)
    written: dict[str, None] = {}
    for node in message.merge_when_clauses:
        branch = unwrap(node)
        if is_set(branch, "condition"):
            read_expression(branch.condition, here)
        if enum_name("CmdType", branch.command_type) == "CMD_INSERT":
            columns = tuple(unwrap(t).name for t in branch.target_list) or target.columns or ()
            for column, value in zip(columns, branch.values, strict=False):
                _note_assigned(column, value, ParameterRole.INSERT, target, here)
            for value in branch.values:
                read_expression(value, here)
        else:
            columns = _read_assignments(branch.target_list, target, here)
        written |= dict.fromkeys(columns)
    here.level.columns_written = tuple(written)


def _read_returning(message: Message, here: Here) -> Columns:
    for target in message.returning_clause.exprs:
        read_expression(unwrap(target).val, here)
    names = tuple(output_name(target) for target in message.returning_clause.exprs)
    return None if any(_is_star(target) for target in message.returning_clause.exprs) else names


def _is_star(target: Message) -> bool:
    value = unwrap(unwrap(target).val)
    return kind_of(value) == "ColumnRef" and kind_of(value.fields[-1]) == "A_Star"
