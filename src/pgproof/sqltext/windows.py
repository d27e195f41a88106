"""The order in which window functions want their rows."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.scope import Scope
from pgproof.sqltext.shape import Nulls, SortKey
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, unwrap, walk


def find_window_orders(select: Message, scope: Scope) -> tuple[tuple[SortKey, ...], ...]:
    """Read the windows of a SELECT: PARTITION BY sorts too, by which direction doesn't matter.

    Args:
        select: The SELECT; of its subqueries nothing is read.
        scope: Its names.

    Returns:
        The sort keys of each window, in text order, each once; windows without any are left out.
    """
    named = {unwrap(window).name: unwrap(window) for window in select.window_clause}
    found: dict[tuple[SortKey, ...], None] = {}
    for target in select.target_list:
        for node in walk(target, lambda below: kind_of(below) != "SelectStmt"):
            if kind_of(node) == "FuncCall" and is_set(node, "over"):
                found[tuple(_sort_keys(node.over, named, scope))] = None
    return tuple(keys for keys in found if keys)


def _sort_keys(window: Message, named: dict[str, Message], scope: Scope) -> Iterator[SortKey]:
    base = named.get(window.refname or window.name)
    if base is not None and base is not window:
        yield from _sort_keys(base, {}, scope)
    for node in window.partition_clause:
        operand = operand_of(node, scope)
        yield SortKey(operand, operand.expression if operand else "")
    for entry in window.order_clause:
        sort = unwrap(entry)
        operand = operand_of(sort.node, scope)
        yield SortKey(
            operand,
            operand.expression if operand else "",
            enum_name("SortByDir", sort.sortby_dir) in ("SORTBY_DEFAULT", "SORTBY_ASC"),
            Nulls(enum_name("SortByNulls", sort.sortby_nulls).removeprefix("SORTBY_NULLS_").lower()),
        )
