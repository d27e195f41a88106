"""B-tree drafts for look-ups from other relations: joins in either direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from pgproof.stages.propose.drafts.access import Access, Equal
from pgproof.stages.propose.drafts.btree import make_draft, range_draft
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.drafts.usable import order_keys, range_keys, usable_equals, usable_operand

MAX_JOINED = 3
"""Columns that tie a table to one other relation and are tried in every order. **Source**: judgement."""


def join_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield drafts for each relation that may look this table's rows up, in text order.

    Whether anybody comes from there is for the planner to say: a join can start at either side.

    Args:
        access: What is asked of the table.
        max_width: Most key columns, >= 1.
    """
    filters = usable_equals(access, access.equals)
    for columns in _by_relation(access):
        head = columns[:MAX_JOINED]
        if len(head) > 1:
            for order in permutations(head):
                yield _lookup(access, order[:max_width], 1 if order == head else 3)
            if filters:
                yield _lookup(access, (*head, *filters)[:max_width], 2)
        for join in columns:
            yield from _one_column(access, join, filters, max_width)


def _by_relation(access: Access) -> list[tuple[Equal, ...]]:
    """Return the columns that tie the table to each other relation, most selective first."""
    found: defaultdict[tuple[int, str], list[Equal]] = defaultdict(list)
    for tie in access.ties:
        if usable_operand(access, tie.operand):
            found[tie.other].append(access.equal(tie.operand))
    return [tuple(sorted(columns, key=lambda equal: equal.frac)) for columns in found.values()]


def _one_column(access: Access, join: Equal, filters: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    filters = tuple(equal for equal in filters if equal.operand.expression != join.operand.expression)
    yield _lookup(access, (join,), 0 if not filters else 2)
    if filters:
        yield _lookup(access, (join, *filters)[:max_width], 1)
        yield _lookup(access, (*filters[: max_width - 1], join), 3)
    for bounded in access.ranges:
        keys = range_keys(access, bounded.predicate)
        if keys and 1 + len(keys) <= max_width and bounded.operand.expression != join.operand.expression:
            yield range_draft(access, (join,), bounded, keys, 2)
            if filters and 2 + len(keys) <= max_width:
                yield range_draft(access, (*filters[:1], join), bounded, keys, 4)
    order = order_keys(access)
    if order and 1 + len(order) <= max_width:
        yield make_draft(access, (join,), order, "", 3)


def _lookup(access: Access, columns: tuple[Equal, ...], rank: int) -> Draft:
    draft = make_draft(access, columns, (), "", rank)
    return replace(draft, asks=f"looked up by {draft.asks.removeprefix('equality on ')}", pays_whole=True)
