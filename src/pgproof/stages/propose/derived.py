"""A view, subquery or CTE in a FROM clause, replaced by what it reads: the planner does the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pgproof.sqltext.shape import (
    ColumnsRead,
    Distinct,
    GroupKey,
    Join,
    Level,
    Operand,
    Predicate,
    QueryShape,
    SortKey,
)

Outputs = Mapping[str, Operand]
"""What the columns of a derived table stand for, those only that are of one relation."""

_Owner = Callable[[Operand], Operand | None]


def pull_up(
    shape: QueryShape, alias: str, names: Sequence[str], below: tuple[QueryShape, ...]
) -> tuple[QueryShape, tuple[QueryShape, ...]]:
    """Merge a derived table into the level that reads it.

    **Source**: ``is_simple_subquery`` and ``is_simple_union_all`` in
    src/backend/optimizer/prep/prepjointree.c say which are pulled up; conditions on GROUP BY keys are pushed
    into the others (``qual_is_pushdown_safe``).

    Args:
        shape: The level.
        alias: Of the derived table in it.
        names: Of its columns, in order; empty where its own query names them.
        below: Its levels, its query first.

    Returns:
        The level without the derived table where that could be merged, and the levels that stay on their own.
    """
    top, *inner = below
    if top.limit is not None or top.has_grouping_sets or top.windows:
        return shape, below
    if top.set_operation:
        return shape, (top, *(_into_branch(shape, alias, names, below, level) for level in inner))
    outputs = _outputs(top, names)
    if top.group_by or top.aggregates or top.distinct is not Distinct.NO:
        return shape, (_push_into(shape, alias, top, outputs), *inner)
    merged = _merge(shape, alias, top, {name: _prefixed(alias, own) for name, own in outputs.items()})
    return merged, tuple(_rename_outer(level, alias) for level in inner)


def _prefixed(alias: str, operand: Operand) -> Operand:
    return replace(operand, relation=f"{alias}.{operand.relation}") if operand.relation else operand


def _outputs(top: QueryShape, names: Sequence[str]) -> dict[str, Operand]:
    own = [output.name for output in top.outputs]
    return {
        name: output.operand
        for name, output in zip(names or own, top.outputs, strict=False)
        if output.operand is not None and not output.operand.is_outer
    }


def _push_into(shape: QueryShape, alias: str, top: QueryShape, outputs: Outputs) -> QueryShape:
    """Give a grouped query the conditions on its GROUP BY keys."""
    keys = {(key.operand.relation, key.operand.expression) for key in top.group_by if key.operand}
    pushed = [
        predicate
        for predicate in _conditions_on(shape, alias, outputs)
        if (predicate.operand.relation, predicate.operand.expression) in keys
    ]
    return replace(top, predicates=(*top.predicates, *pushed))


def _conditions_on(shape: QueryShape, alias: str, outputs: Outputs) -> list[Predicate]:
    return [
        replace(predicate, operand=own)
        for predicate in shape.predicates
        if predicate.operand.relation == alias and not predicate.in_or
        if (own := outputs.get(predicate.operand.column or "")) is not None
    ]


def _into_branch(
    shape: QueryShape, alias: str, names: Sequence[str], below: Sequence[QueryShape], level: QueryShape
) -> QueryShape:
    """Give a branch of UNION ALL the conditions on its columns, and the joins as look-ups from outside."""
    top = below[0]
    if level.level is not Level.SET_BRANCH or level.depth != top.depth + 1 or level.group_by:
        return level
    first = next(other for other in below if other.level is Level.SET_BRANCH)
    outputs = _outputs(level, names or [output.name for output in first.outputs])
    ties = []
    for join in shape.joins:
        for one, other in ((join.left, join.right), (join.right, join.left)):
            own = outputs.get(one.column or "") if one.relation == alias and not one.is_outer else None
            if own is not None:
                ties.append(replace(join, left=own, right=replace(other, is_outer=True)))
    conditions = _conditions_on(shape, alias, outputs)
    return replace(level, predicates=(*level.predicates, *conditions), joins=(*level.joins, *ties))


def _merge(shape: QueryShape, alias: str, top: QueryShape, outputs: Outputs) -> QueryShape:
    """Put a plain query's relations, conditions and columns in the place of the derived table."""

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
        window_orders=tuple(tuple(_sort_key(key, own) for key in order) for order in shape.window_orders),
        group_by=tuple(_group_key(key, own) for key in shape.group_by),
        distinct_on=tuple(_group_key(key, own) for key in shape.distinct_on),
        outputs=tuple(
            replace(output, operand=own(output.operand) if output.operand else None)
            for output in shape.outputs
        ),
        aggregates=tuple(
            replace(call, argument=own(call.argument) if call.argument else None) for call in shape.aggregates
        ),
        reads=(*(read for read in shape.reads if read.relation != alias), *_reads(alias, top)),
    )


def _predicate(alias: str, predicate: Predicate) -> Predicate:
    return replace(predicate, operand=_prefixed(alias, predicate.operand))


def _join(alias: str, join: Join) -> Join:
    right = join.right if join.right.is_outer else _prefixed(alias, join.right)
    return replace(join, left=_prefixed(alias, join.left), right=right)


def _sort_key(key: SortKey, own: _Owner) -> SortKey:
    nearest = own(key.nearest) if key.nearest else None
    return replace(key, operand=own(key.operand) if key.operand else None, nearest=nearest)


def _group_key(key: GroupKey, own: _Owner) -> GroupKey:
    return replace(key, operand=own(key.operand)) if key.operand else key


def _reads(alias: str, top: QueryShape) -> tuple[ColumnsRead, ...]:
    """Return the columns read of each of the inner relations, those of outputs nobody asks for included."""
    return tuple(replace(read, relation=f"{alias}.{read.relation}") for read in top.reads)


def _rename_outer(level: QueryShape, alias: str) -> QueryShape:
    """Let a subquery of the derived table find the renamed relations it is tied to."""
    joins = tuple(
        replace(join, right=_prefixed(alias, join.right)) if join.right.is_outer else join
        for join in level.joins
    )
    return replace(level, joins=joins)
