"""Which order of its rows a level wants from a table."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.sqltext.shape import Distinct, Nulls, Operand, QueryShape, SortKey

_EXTREMES = ("min", "max")


def find_order(shape: QueryShape, alias: str, fixed: set[str]) -> tuple[tuple[SortKey, ...], bool]:
    """Return the sort keys an index of a table could give, and whether only the first rows are wanted.

    Args:
        shape: The level.
        alias: Of the table in it.
        fixed: Expressions that are equal to a value, so that sorting by them changes nothing.

    Returns:
        No keys where another relation, or none, decides the order.
    """
    if shape.group_by or shape.aggregates or shape.set_operation:
        return _extreme(shape, alias, fixed), True
    if shape.distinct is Distinct.ALL:
        return (), False
    if shape.windows:  # they see all rows before ORDER BY and LIMIT do
        return next((keys for order in shape.window_orders if (keys := _own(order, alias, fixed))), ()), False
    return _own(shape.order_by, alias, fixed), shape.limit is not None


def _own(order: tuple[SortKey, ...], alias: str, fixed: set[str]) -> tuple[SortKey, ...]:
    """Return sort keys without those that are fixed; none where any is not of the table."""
    keys = [key for key in order if key.operand is None or key.operand.expression not in fixed]
    is_own = all(key.operand is not None and key.operand.relation == alias for key in keys)
    return tuple(keys) if is_own else ()


def _extreme(shape: QueryShape, alias: str, fixed: set[str]) -> tuple[SortKey, ...]:
    """Read ``SELECT max(x)`` as ``ORDER BY x DESC LIMIT 1``, as the planner does.

    **Source**: src/backend/optimizer/plan/planagg.c: one relation, no GROUP BY, nothing but min and max.
    """
    if shape.group_by or len(shape.relations) != 1 or not shape.aggregates:
        return ()
    operands = [call.argument for call in shape.aggregates if call.name in _EXTREMES]
    known = [operand for operand in operands if operand is not None and operand.relation == alias]
    if len(known) < len(shape.aggregates) or known[0].expression in fixed:
        return ()
    return (SortKey(known[0], known[0].expression, True, Nulls.DEFAULT),)


def find_nearest(shape: QueryShape, alias: str) -> SortKey | None:
    """Return the key of ``ORDER BY place <-> $1 LIMIT 10``, None where nothing of the kind is asked."""
    if len(shape.order_by) != 1 or shape.limit is None or shape.group_by or shape.aggregates:
        return None
    (key,) = shape.order_by
    return key if key.nearest is not None and key.nearest.relation == alias and key.ascending else None


def find_groups(shape: QueryShape, alias: str) -> tuple[tuple[Operand, ...], bool]:
    """Return the keys of GROUP BY, DISTINCT ON or DISTINCT that are of a table, and whether they are all.

    An index that gives them sorted spares the sort or the hash table.
    """
    operands = list(_group_operands(shape))
    own = tuple(operand for operand in operands if operand is not None and operand.relation == alias)
    return own, bool(own) and len(own) == len(operands) and not shape.has_grouping_sets


def _group_operands(shape: QueryShape) -> Iterator[Operand | None]:
    keys = shape.distinct_on or shape.group_by
    if keys:
        yield from (key.operand for key in keys)
    elif shape.distinct is Distinct.ALL and not shape.aggregates:
        yield from (output.operand for output in shape.outputs)
    else:
        for call in shape.aggregates:  # count(DISTINCT x) sorts by x
            if call.distinct and call.argument is not None:
                yield call.argument
