"""Small changes of a query that comparing results needs."""

from __future__ import annotations

from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.names import output_name
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import Message, Tree, copy_of, enum_name, is_set, kind_of, strings, unwrap

SORT_KEY_ALIAS = "pgproof_sort_key_"
"""Start of the aliases that `with_sort_keys` gives, followed by 1, 2, ..."""


def with_sort_keys(sql: str) -> str | None:
    """Append a query's ORDER BY expressions to its select list, to see if two answers are sorted alike.

    Args:
        sql: One statement.

    Returns:
        The query with columns ``pgproof_sort_key_1``, ... behind its own, one for each key; ``None`` where
        that would change the answer or can't be told: no SELECT, no ORDER BY, DISTINCT, a set operation, or
        a key that may be any column of a ``*`` over several relations.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    message = parse_statement(sql).tree.message
    if not _takes_sort_keys(message):
        return None
    select = copy_of(message)
    items = [_sorted_item(unwrap(key).node, message) for key in message.sort_clause]
    if any(item is None for item in items):
        return None
    for n, item in enumerate(items):
        target = select.target_list.add().res_target
        target.name = f"{SORT_KEY_ALIAS}{n + 1}"
        target.val.CopyFrom(item)
    return deparse(Tree(select))


def _takes_sort_keys(message: Message) -> bool:
    if kind_of(message) != "SelectStmt" or not message.sort_clause or message.values_lists:
        return False
    if message.distinct_clause or enum_name("SetOperation", message.op) != "SETOP_NONE":
        return False
    return not (is_set(message, "into_clause") or any(unwrap(key).use_op for key in message.sort_clause))


def _sorted_item(key: Message, message: Message) -> Message | None:
    """Find the expression a sort key stands for; a ``Node``, ready to be selected once more."""
    targets = [unwrap(target) for target in message.target_list]
    node = unwrap(key)
    if kind_of(node) == "A_Const":
        return _at_position(node, targets)
    if kind_of(node) == "ColumnRef" and len(node.fields) == 1:
        named = [t for t in targets if not _is_star(t) and output_name(t) == strings(node.fields)[0]]
        if named:
            return named[0].val
        if any(_is_star(target) for target in targets) and _has_several_sources(message):
            return None  # the name is one of the star's columns; in the select list it may be ambiguous
    return key


def _has_several_sources(message: Message) -> bool:
    return len(message.from_clause) > 1 or any(kind_of(item) == "JoinExpr" for item in message.from_clause)


def _at_position(node: Message, targets: list[Message]) -> Message | None:
    position = node.ival.ival if node.HasField("ival") else 0
    before = targets[: max(position, 0)]
    if len(before) < position or position < 1 or any(_is_star(target) for target in before):
        return None
    return before[-1].val


def _is_star(target: Message) -> bool:
    value = unwrap(target.val)
    return kind_of(value) == "ColumnRef" and kind_of(value.fields[-1]) == "A_Star"
