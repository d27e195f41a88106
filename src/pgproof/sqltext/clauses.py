"""The clauses behind FROM and WHERE: GROUP BY, DISTINCT, ORDER BY, LIMIT, locks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pgproof.sqltext.expressions import expression_text, is_constant
from pgproof.sqltext.names import output_name
from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.reading import Here, read_expression
from pgproof.sqltext.shape import Bound, Distinct, GroupKey, Nulls, Operand, SortKey
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, strings, unwrap
from pgproof.sqltext.uses import ParameterRole, note_value

_DISTANCE = re.compile(r"<+[-#]>+")


def read_distinct(message: Message, here: Here) -> None:
    """Read DISTINCT and DISTINCT ON."""
    if not message.distinct_clause:
        return
    keys = [key for key in message.distinct_clause if kind_of(key) != "Node"]
    here.level.distinct = Distinct.ON if keys else Distinct.ALL
    here.level.distinct_on = tuple(group_keys(keys, message, here))


def read_tail(message: Message, here: Here) -> None:
    """Read what a SELECT, a VALUES and a UNION have in common: order, limit, locks."""
    here.level.order_by = tuple(_sort_key(key, message, here) for key in message.sort_clause)
    here.level.limit = _bound(message, "limit_count")
    here.level.offset = _bound(message, "limit_offset")
    here.level.locks_rows = len(message.locking_clause) > 0
    bounds = ((message.limit_count, ParameterRole.LIMIT), (message.limit_offset, ParameterRole.OFFSET))
    for bound, role in bounds:
        note_value(bound, role, None, here.level.scope, here.level.uses)
        read_expression(bound, here)


def _bound(message: Message, field: str) -> Bound | None:
    if not is_set(message, field):
        return None
    node = unwrap(getattr(message, field))
    if kind_of(node) == "A_Const" and node.isnull:
        return None  # LIMIT ALL
    parameter = node.number if kind_of(node) == "ParamRef" else None
    return Bound(_row_count(node), parameter, expression_text(node))


def _row_count(node: Message) -> int | None:
    if kind_of(node) != "A_Const":
        return None
    digits = str(node.ival.ival) if node.HasField("ival") else node.sval.sval or node.fval.fval
    return int(digits) if digits.isascii() and digits.isdigit() else None


def group_keys(keys: Sequence[Message], message: Message, here: Here) -> Iterator[GroupKey]:
    """Read the keys of a GROUP BY or DISTINCT ON, grouping sets flattened, in text order."""
    for key in keys:
        if kind_of(key) == "GroupingSet":
            here.level.has_grouping_sets = True
            yield from group_keys(unwrap(key).content, message, here)
            continue
        if kind_of(key) == "RowExpr":
            yield from group_keys(unwrap(key).args, message, here)
            continue
        operand = operand_of(key, here.level.scope)
        node = key if operand else _select_item(key, message)
        read_expression(node, here)
        yield GroupKey(operand or operand_of(node, here.level.scope), expression_text(node))


def _sort_key(sort: Message, message: Message, here: Here) -> SortKey:
    sort = unwrap(sort)
    node = _select_item(sort.node, message)
    operand, nearest = None, None
    if not here.level.set_operation:  # the keys of a UNION are its output names: no relation of any level
        read_expression(node, here)
        operand = operand_of(node, here.level.scope)
        nearest = _measured(node, here)
    return SortKey(
        operand=operand,
        expression=expression_text(node),
        ascending=enum_name("SortByDir", sort.sortby_dir) in ("SORTBY_DEFAULT", "SORTBY_ASC"),
        nulls=Nulls(enum_name("SortByNulls", sort.sortby_nulls).removeprefix("SORTBY_NULLS_").lower()),
        nearest=nearest,
        distance=strings(unwrap(node).name)[-1] if nearest else "",
    )


def _measured(node: Message, here: Here) -> Operand | None:
    """Return the side of ``place <-> $1`` that is a column or an expression, if the other is a constant."""
    node = unwrap(node)
    if kind_of(node) != "A_Expr" or not node.name or not is_set(node, "lexpr"):
        return None
    if not _DISTANCE.fullmatch(strings(node.name)[-1]):
        return None
    sides = (node.lexpr, node.rexpr)
    operands = [operand_of(side, here.level.scope) for side in sides if not is_constant(side)]
    return operands[0] if len(operands) == 1 and any(map(is_constant, sides)) else None


def _select_item(key: Message, message: Message) -> Message:
    """Resolve a position or an output name of ORDER BY or GROUP BY to the select-list item it stands for."""
    node = unwrap(key)
    targets = [unwrap(target) for target in message.target_list]
    stars = [
        n for n, target in enumerate(targets) if kind_of(target.val) == "ColumnRef" and is_star(target.val)
    ]
    if kind_of(node) == "A_Const" and node.HasField("ival"):
        position = node.ival.ival
        is_known = 1 <= position <= (stars[0] if stars else len(targets))
        return targets[position - 1].val if is_known else node
    if kind_of(node) == "ColumnRef" and len(node.fields) == 1:
        named = [target for target in targets if output_name(target) == strings(node.fields)[0]]
        return named[0].val if named else node
    return node


def is_star(reference: Message) -> bool:
    """Tell whether a ``ColumnRef`` is ``*`` or ``alias.*``."""
    return kind_of(unwrap(reference).fields[-1]) == "A_Star"
