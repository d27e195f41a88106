"""A view in a FROM clause, replaced by what the view reads: the planner does the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pgproof.model.relation import Table
from pgproof.sqltext.shape import (
    ColumnsRead,
    Distinct,
    GroupKey,
    Join,
    Operand,
    Predicate,
    QueryShape,
    SortKey,
)

Outputs = Mapping[str, Operand]
"""What a view's columns stand for, those only that are a plain column or an expression of one relation."""


_Owner = Callable[[Operand], Operand | None]


def pull_up_view(
    shape: QueryShape, alias: str, view: Table, below: tuple[QueryShape, ...]
) -> tuple[QueryShape, tuple[QueryShape, ...]]:
    """Merge a view into the level that reads it.

    **Source**: ``is_simple_subquery`` in src/backend/optimizer/prep/prepjointree.c says which views are
    pulled up; conditions on GROUP BY keys are pushed into the others (``qual_is_pushdown_safe``).

    Args:
        shape: The level.
        alias: Of the view in it.
        view: The view.
        below: The view's own levels, its first one ordered by the view's columns in their order.

    Returns:
        The level without the view where that could be merged, and the levels that stay on their own.
    """
    top, *inner = below
    if top.limit is not None or top.set_operation or top.has_grouping_sets or top.windows:
        return shape, below
    outputs = _outputs(top, alias, view)
    if top.group_by or top.aggregates or top.distinct is not Distinct.NO:
        return shape, (_push_into(shape, alias, top, outputs), *inner)
    return _merge(shape, alias, top, outputs), tuple(_rename_outer(level, alias) for level in inner)


def _prefixed(alias: str, operand: Operand) -> Operand:
    return replace(operand, relation=f"{alias}.{operand.relation}") if operand.relation else operand


def _outputs(top: QueryShape, alias: str, view: Table) -> dict[str, Operand]:
    return {
        column.name: _prefixed(alias, key.operand)
        for column, key in zip(view.columns, top.order_by, strict=False)
        if key.operand is not None and not key.operand.is_outer
    }


def _push_into(shape: QueryShape, alias: str, top: QueryShape, outputs: Outputs) -> QueryShape:
    """Give a grouped view the conditions on its GROUP BY keys."""
    keys = {(key.operand.relation, key.operand.expression) for key in top.group_by if key.operand}
    pushed: list[Predicate] = []
    for predicate in shape.predicates:
        target = outputs.get(predicate.operand.column or "")
        if predicate.operand.relation != alias or target is None or predicate.in_or:
            continue
        own = replace(target, relation=target.relation.removeprefix(f"{alias}."))
        if (own.relation, own.expression) in keys:
            pushed.append(replace(predicate, operand=own))
    return replace(top, predicates=(*top.predicates, *pushed), order_by=())


def _merge(shape: QueryShape, alias: str, top: QueryShape, outputs: Outputs) -> QueryShape:
    """Put a plain view's relations, conditions and columns in the place of the view."""

    def own(operand: Operand) -> Operand | None:
        if operand.relation != alias or operand.is_outer:
            return operand
        return outputs.get(operand.column or "")

    predicates = [
        replace(predicate, operand=operand)
        for predicate in shape.predicates
        if (operand := own(predicate.operand)) is not None
    ]
    joins = [
        replace(join, left=left, right=right)
        for join in shape.joins
        if (left := own(join.left)) is not None and (right := own(join.right)) is not None
    ]
    place = next(index for index, relation in enumerate(shape.relations) if relation.alias == alias)
    relations = [replace(relation, alias=f"{alias}.{relation.alias}") for relation in top.relations]
    return replace(
        shape,
        relations=(*shape.relations[:place], *relations, *shape.relations[place + 1 :]),
        predicates=(*predicates, *(_predicate(alias, predicate) for predicate in top.predicates)),
        joins=(*joins, *(_join(alias, join) for join in top.joins)),
        order_by=tuple(_sort_key(key, own) for key in shape.order_by),
        group_by=tuple(_group_key(key, own) for key in shape.group_by),
        distinct_on=tuple(_group_key(key, own) for key in shape.distinct_on),
        reads=(*(read for read in shape.reads if read.relation != alias), *_reads(alias, top)),
    )


def _predicate(alias: str, predicate: Predicate) -> Predicate:
    return replace(predicate, operand=_prefixed(alias, predicate.operand))


def _join(alias: str, join: Join) -> Join:
    return replace(join, left=_prefixed(alias, join.left), right=_prefixed(alias, join.right))


def _sort_key(key: SortKey, own: _Owner) -> SortKey:
    return replace(key, operand=own(key.operand)) if key.operand else key


def _group_key(key: GroupKey, own: _Owner) -> GroupKey:
    return replace(key, operand=own(key.operand)) if key.operand else key


def _reads(alias: str, top: QueryShape) -> tuple[ColumnsRead, ...]:
    """Return the columns read of each of the view's relations, those of outputs nobody asks for included."""
    return tuple(replace(read, relation=f"{alias}.{read.relation}") for read in top.reads)


def _rename_outer(level: QueryShape, alias: str) -> QueryShape:
    """Let a subquery of the view find the renamed relations it is tied to."""
    joins = tuple(
        replace(join, right=_prefixed(alias, join.right)) if join.right.is_outer else join
        for join in level.joins
    )
    return replace(level, joins=joins)
