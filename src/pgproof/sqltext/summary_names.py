"""Names in a query that sums up: which tables it reads, and every column under its table's alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pgproof.sqltext.names import output_name
from pgproof.sqltext.tree import Message, is_set, kind_of, new_message, strings, unwrap, walk


class TableLookup(Protocol):
    """How a summary learns of tables; the caller answers from its catalog."""

    def __call__(self, schema: str | None, name: str, /) -> tuple[str, Sequence[str]] | None:
        """Return a table's schema and columns, ``None`` for what is no table whose rows all may see."""
        ...


@dataclass(slots=True)
class FromTables:
    """The relations of a FROM clause.

    Args:
        columns: By alias.
        tables: Schema and name by alias.
        merged: Columns that USING made one of.
    """

    columns: dict[str, Sequence[str]] = field(default_factory=dict)
    tables: dict[str, tuple[str, str]] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)


def read_from_item(item: Message, relations: FromTables, table_of: TableLookup, ctes: frozenset[str]) -> bool:
    """Note the tables of a FROM item, and write their schemas out; False where it is more than that."""
    item = unwrap(item)
    if kind_of(item) == "JoinExpr":
        if item.is_natural or is_set(item, "alias") or is_set(item, "join_using_alias"):
            return False
        relations.merged.update(strings(item.using_clause))
        return all(read_from_item(side, relations, table_of, ctes) for side in (item.larg, item.rarg))
    if kind_of(item) != "RangeVar" or (not item.schemaname and item.relname in ctes):
        return False
    found = table_of(item.schemaname or None, item.relname)
    alias = str(item.alias.aliasname) if is_set(item, "alias") else item.relname
    if found is None or alias in relations.columns or item.catalogname or item.alias.colnames:
        return False
    item.schemaname = found[0]
    relations.columns[alias] = found[1]
    relations.tables[alias] = (found[0], item.relname)
    return True


def spell_out_keys(select: Message, relations: FromTables) -> bool:
    """Put what they stand for in the place of positions and output names in GROUP BY.

    **Source**: ``findTargetlistEntrySQL92`` (src/backend/parser/parse_clause.c): in GROUP BY, a bare name is
    a column of FROM before it is an output name.
    """
    targets = [unwrap(target) for target in select.target_list]
    for key in select.group_clause:
        node = unwrap(key)
        if kind_of(node) == "A_Const" and is_set(node, "ival"):
            if not 1 <= node.ival.ival <= len(targets):
                return False
            key.CopyFrom(targets[node.ival.ival - 1].val)
        elif kind_of(node) == "ColumnRef" and len(node.fields) == 1:
            name = (strings(node.fields) or ("",))[0]
            if any(name in columns for columns in relations.columns.values()):
                continue
            named = [target for target in targets if output_name(target) == name]
            if not named:
                return False
            key.CopyFrom(named[0].val)
    return True


def qualify_columns(select: Message, relations: FromTables) -> bool:
    """Write every column with its relation's alias; False where one is not of these relations."""
    outputs = {output_name(target) for target in select.target_list}
    bare_keys = [unwrap(unwrap(key).node) for key in select.sort_clause]
    parts = [*select.target_list, *select.from_clause, *select.group_clause]
    parts += [getattr(select, name) for name in ("where_clause", "having_clause") if is_set(select, name)]
    parts += [key for key in bare_keys if not is_output(key, outputs)]
    return all(
        _qualify_one(node, relations)
        for part in parts
        for node in list(walk(part))
        if kind_of(node) == "ColumnRef"
    )


def is_output(key: Message, outputs: set[str]) -> bool:
    """Tell whether a key of ORDER BY is the name or the position of an output column, which goes first."""
    if kind_of(key) == "A_Const":
        return True
    return kind_of(key) == "ColumnRef" and len(key.fields) == 1 and set(strings(key.fields)) <= outputs


def _qualify_one(reference: Message, relations: FromTables) -> bool:
    names = strings(reference.fields)
    if len(names) != len(reference.fields):
        return False  # a star
    if len(names) == 1:
        owners = [alias for alias, columns in relations.columns.items() if names[0] in columns]
        if names[0] in relations.merged:
            return bool(owners)  # one column made of two: its bare name is its only one
        if len(owners) != 1:
            return False
        alias, name = owners[0], names[0]
    else:
        *_, alias, name = names
        if len(names) == 3 and relations.tables.get(alias) != (names[0], alias):
            return False
    if len(names) > 3 or name not in relations.columns.get(alias, ()):
        return False
    reference.CopyFrom(column_reference(alias, name))
    return True


def column_reference(alias: str, name: str) -> Message:
    """Make a ``ColumnRef`` of an alias and a column."""
    reference = new_message("ColumnRef")
    for part in (alias, name):
        reference.fields.add().string.sval = part
    return reference
