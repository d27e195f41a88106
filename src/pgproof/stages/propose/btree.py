"""B-tree drafts: equality first, then one range or the order.

**Source**: PostgreSQL documentation 11.3 (several columns: leading equality, then one inequality),
11.4 (ORDER BY), 11.9 (INCLUDE).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from pgproof.model.relation import IndexKey
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.shape import Operand, Predicate, PredicateKind
from pgproof.stages.propose.access import Access, Equal
from pgproof.stages.propose.draft import Draft, key_of, sort_keys
from pgproof.stages.propose.immutable import may_be_indexed
from pgproof.stages.propose.selectivity import equality_frac
from pgproof.stages.propose.types import (
    INCLUDE_MAX_TOTAL_BYTES,
    can_be_btree_key,
    can_be_payload,
    width_bytes,
)

MAX_INCLUDED = 4
"""Payload columns of one index. **Source**: judgement."""

MAX_LEADING_FRAC = 0.1
"""A column that leaves more of the table leads no index where a better one can. **Source**: judgement."""

MAX_COVERED_RANK = 2
"""Drafts that fit their access less well get no payload. **Source**: judgement; keeps candidates few."""

COVER_MIN_ROWS = 20
"""Fewer rows than that are not worth an index-only scan. **Source**: judgement."""


def btree_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield B-tree drafts for an access, the one made for it first.

    Args:
        access: What is asked of the table.
        max_width: Most key columns, >= 1.
    """
    equals = _usable(access, (*access.equals, *tied_equals(access)))
    for draft in (
        *_filter_drafts(access, equals, max_width),
        *_join_drafts(access, equals, max_width),
        *_order_drafts(access, max_width),
        *_single_drafts(access, equals),
    ):
        yield draft
        covering = _covering(access, draft) if draft.rank <= MAX_COVERED_RANK else None
        if covering is not None:
            yield covering


def usable_operand(access: Access, operand: Operand) -> bool:
    """Tell whether a B-tree over a column or an expression can be built."""
    columns = [column for name in operand.columns if (column := access.table.column(name)) is not None]
    if len(columns) != len(operand.columns):
        return False
    if operand.column is not None:
        return can_be_btree_key(columns[0])
    return may_be_indexed(operand.expression, columns)


def tail_drafts(
    access: Access,
    equals: tuple[Equal, ...],
    max_width: int,
    rank: int = 0,
    leave: frozenset[str] = frozenset(),
) -> Iterator[Draft]:
    """Yield equality keys followed by the order, by each range, and alone.

    Args:
        access: What is asked of the table.
        equals: Leading keys, best first.
        max_width: Most key columns.
        rank: Of the first draft.
        leave: Names of columns that must not become keys.
    """
    single = tuple(equal for equal in equals if equal.single)
    order = _order_keys(access, leave)
    if order and len(single) + len(order) <= max_width:
        yield _draft(access, single, order, "", rank)
        rank += 1
    for predicate in access.ranges[:2]:
        ranged = tuple(key for key in _range_keys(access, predicate) if key.column not in leave)
        if ranged and order[: len(ranged)] != ranged:
            yield _draft(
                access, equals[: max_width - len(ranged)], ranged, f"{_words(ranged)} in a range", rank
            )
            rank += 1
    if equals:
        yield _draft(access, equals[:max_width], (), "", rank)


def tied_equals(access: Access) -> tuple[Equal, ...]:
    """Return the columns tied to an enclosing level as conditions of equality with one, unknown value."""
    return tuple(_as_equal(access, operand) for operand in access.tied)


def _usable(access: Access, equals: tuple[Equal, ...]) -> tuple[Equal, ...]:
    return tuple(equal for equal in equals if usable_operand(access, equal.operand))


def _as_equal(access: Access, operand: Operand) -> Equal:
    column = access.table.column(operand.column or "")
    return Equal(operand, equality_frac(access.table, column) if column else 0.005)


def _filter_drafts(access: Access, equals: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    if not equals and not access.ranges:
        return
    yield from tail_drafts(access, equals, max_width)
    if len(equals) > 1 and equals[1].frac <= MAX_LEADING_FRAC and not _is_boolean(access, equals[1]):
        # The other way round: what leads can serve statements that give that column alone.
        yield _draft(access, (equals[1], equals[0], *equals[2:])[:max_width], (), "", 4)


def _is_boolean(access: Access, equal: Equal) -> bool:
    column = access.table.column(equal.operand.column or "")
    return column is not None and column.base_type == "bool"


def _join_drafts(access: Access, equals: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    filters = tuple(equal for equal in equals if equal.operand not in access.joined)
    for operand in access.joined:
        if not usable_operand(access, operand):
            continue
        join = _as_equal(access, operand)
        if filters:
            yield replace(_draft(access, (join, *filters[: max_width - 1]), (), "", 1), ordered=False)
            yield _draft(access, (*filters[: max_width - 1], join), (), "", 3)
        for predicate in access.ranges[:1]:
            keys = _range_keys(access, predicate)
            if keys and 1 + len(keys) <= max_width:
                yield _draft(access, (join,), keys, f"{_words(keys)} in a range", 3)
        yield _draft(access, (join,), (), "", 0 if not filters else 2)


def _order_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield the order alone, and the grouping where an index-only scan could give it sorted."""
    order = _order_keys(access, frozenset())
    # Without a limit, an order pays where the index holds all that is read.
    holds_all = access.covers and {key.column for key in order}.issuperset(access.reads)
    if order and (access.limited or holds_all) and len(order) <= max_width:
        yield _draft(access, (), order, "", 3 if access.equals else 0)
    groups = tuple(
        key_of(operand)
        for operand in access.groups
        if usable_operand(access, operand) and operand.column is not None
    )
    single = tuple(equal for equal in _usable(access, access.equals) if equal.single)
    leading = {key_of(equal.operand) for equal in single}
    if groups and len(groups) == len(access.groups) and len(leading.union(groups)) <= max_width:
        draft = _draft(access, single, groups, f"grouped by {_words(groups)}", 4)
        held = {key.column for key in draft.keys}
        covering = draft if access.covers and held.issuperset(access.reads) else _covering(access, draft)
        if covering is not None:  # reading the table in the order of an index costs more than sorting it
            yield covering


def _single_drafts(access: Access, equals: tuple[Equal, ...]) -> Iterator[Draft]:
    for rank, equal in enumerate(equals[:2]):
        if len(equals) > 1:
            yield _draft(access, (equal,), (), "", 5 + rank)
    if len(access.alternatives) > 1:
        for equal in _usable(access, access.alternatives):
            yield replace(
                _draft(access, (equal,), (), "", 2),
                asks=f"equality on {equal.operand.expression} as one of several alternatives",
            )


def _draft(
    access: Access, equals: tuple[Equal, ...], rest: tuple[IndexKey, ...], words: str, rank: int
) -> Draft:
    leading = tuple(key_of(equal.operand) for equal in equals)
    rest = _new_keys(leading, rest)
    asks = [f"equality on {_words(leading)}"] if leading else []
    if rest:
        asks.append(words or f"sorted by {_words(rest)}")
    return Draft(
        table=access.table,
        keys=(*leading, *rest),
        asks=", ".join(asks),
        rank=rank,
        free=len(leading),
        ordered=bool(rest),
        frac=prod((equal.frac for equal in equals), start=1.0),
    )


def _new_keys(leading: tuple[IndexKey, ...], rest: tuple[IndexKey, ...]) -> tuple[IndexKey, ...]:
    """Leave out keys that came before: compared for equality or sorted by already, they add nothing."""
    kept = {(key.column, key.expression): key for key in reversed(rest)}
    for key in leading:
        kept.pop((key.column, key.expression), None)
    return tuple(key for key in rest if kept.pop((key.column, key.expression), None) is not None)


def _order_keys(access: Access, leave: frozenset[str]) -> tuple[IndexKey, ...]:
    operands = [sort.operand for sort in access.order]
    if any(o is None or not usable_operand(access, o) or leave.intersection(o.columns) for o in operands):
        return ()
    return sort_keys(access.order, access.table)


def _range_keys(access: Access, predicate: Predicate) -> tuple[IndexKey, ...]:
    if predicate.kind is PredicateKind.ROW_RANGE:
        columns = [access.table.column(name) for name in predicate.operand.columns]
        if any(column is None or not can_be_btree_key(column) for column in columns):
            return ()
        return tuple(IndexKey(column=name) for name in predicate.operand.columns)
    return (key_of(predicate.operand),) if usable_operand(access, predicate.operand) else ()


def _covering(access: Access, draft: Draft) -> Draft | None:
    """Add the other columns that are read, where an index-only scan pays and they are few and narrow."""
    if draft.include or not access.covers or not draft.keys or any(key.expression for key in draft.keys):
        return None
    wanted_in_order = draft.ordered and access.limited
    if wanted_in_order or draft.frac * max(access.table.rows, 0) < COVER_MIN_ROWS:
        return None
    keys = {key.column for key in draft.keys}
    extra = [access.table.column(name) for name in access.reads if name not in keys]
    columns = [column for column in extra if column is not None and can_be_payload(column)]
    if not columns or len(columns) != len(extra) or len(columns) > MAX_INCLUDED:
        return None
    if sum(width_bytes(column) for column in columns) > INCLUDE_MAX_TOTAL_BYTES:
        return None
    names = tuple(column.name for column in columns)
    return replace(
        draft, include=names, rank=draft.rank + 1, asks=f"{draft.asks}, with {', '.join(names)} at hand"
    )


def _words(keys: tuple[IndexKey, ...]) -> str:
    return ", ".join(
        (quote_identifier(key.column) if key.column else key.expression) + (" DESC" if key.descending else "")
        for key in keys
    )
