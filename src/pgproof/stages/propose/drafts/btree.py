"""B-tree drafts made for an access: equality first, then one range or the order.

**Source**: PostgreSQL documentation 11.3 (several columns: leading equality, then one inequality) and 11.4
(ORDER BY).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from math import prod

from pgproof.model.relation import IndexKey
from pgproof.sqltext.shape import PredicateKind
from pgproof.stages.propose.drafts.access import Access, Bounded, Equal
from pgproof.stages.propose.drafts.draft import Draft, key_of, key_words, new_keys
from pgproof.stages.propose.drafts.usable import order_keys, range_keys, usable_equals, usable_operand
from pgproof.stages.propose.selectivity import predicate_frac

MAX_PERMUTED = 3
"""Columns compared for equality that are tried in every order. **Source**: judgement; 3! is 6, 4! is 24."""


def filter_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield drafts for the conditions of an access, its order and its groups, the one made for it first.

    Args:
        access: What is asked of the table.
        max_width: Most key columns, >= 1.
    """
    equals = looked_up(access)
    if equals or access.ranges:
        yield from tail_drafts(access, equals, max_width)
        yield from _permuted(access, equals, max_width)
    yield from _order_drafts(access, max_width)
    yield from _group_drafts(access, equals, max_width)
    yield from _alternative_drafts(access, equals, max_width)


def looked_up(access: Access) -> tuple[Equal, ...]:
    """Return what is compared for equality with values, or with columns of an enclosing level."""
    tied = (access.equal(tie.operand) for tie in access.ties if tie.from_outside)
    found = {equal.operand.expression: equal for equal in (*tied, *access.equals)}
    return usable_equals(access, found.values())


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
    order = order_keys(access, leave)
    if order and len(single) + len(order) <= max_width:
        yield make_draft(access, single, order, "", rank)
        rank += 1
    for bounded in access.ranges:
        keys = range_keys(access, bounded.predicate)
        if keys and not leave.intersection(bounded.operand.columns) and order[: len(keys)] != keys:
            yield range_draft(access, equals[: max_width - len(keys)], bounded, keys, rank)
            rank += 1
    if equals:
        yield make_draft(access, equals[:max_width], (), "", rank)


def range_draft(
    access: Access, equals: tuple[Equal, ...], bounded: Bounded, keys: tuple[IndexKey, ...], rank: int
) -> Draft:
    """Return equality keys followed by those of a range."""
    is_known = bounded.predicate.kind is PredicateKind.IS_NOT_NULL
    words = f"{key_words(keys)} {'is known' if is_known else 'in a range'}"
    draft = make_draft(access, equals, keys, words, rank)
    return replace(draft, frac=draft.frac * bounded.frac, pays_whole=False)


def make_draft(
    access: Access, equals: tuple[Equal, ...], rest: tuple[IndexKey, ...], words: str, rank: int
) -> Draft:
    """Return a draft of equality keys and what follows them.

    Args:
        access: What is asked of the table.
        equals: Leading keys in order.
        rest: Keys behind them; where they repeat a leading one they are left out.
        words: What those are for; empty for the wanted order.
        rank: Of the draft.
    """
    leading = new_keys((), tuple(key_of(equal.operand) for equal in equals))
    rest = new_keys(leading, rest)
    asks = [f"equality on {key_words(leading)}"] if leading else []
    if rest:
        asks.append(words or f"sorted by {key_words(rest)}")
    return Draft(
        table=access.table,
        keys=(*leading, *rest),
        asks=", ".join(asks),
        rank=rank,
        free=len(leading),
        frac=prod((equal.frac for equal in equals), start=1.0),
        fracs=tuple(equal.frac for equal in equals),
        pays_whole=bool(rest) and not words,
    )


def _permuted(access: Access, equals: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    """Yield the first equality columns in every other order: what leads decides what else an index serves."""
    head = equals[: min(MAX_PERMUTED, max_width)]
    for order in permutations(head):
        if order != head:
            yield replace(make_draft(access, order, (), "", 4), free=0)


def _order_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield the order alone, and followed by what filters the rows it gives."""
    order = order_keys(access)
    if not order or len(order) > max_width:
        return
    # Without a limit, an order pays where the index holds all that is read, as its covering form.
    holds_all = access.covers and {key.column for key in order}.issuperset(access.reads)
    pays = access.limited or holds_all
    yield replace(make_draft(access, (), order, "", 3 if access.equals else 0), pays_whole=pays)
    if not pays:
        return
    filters = tuple(key_of(equal.operand) for equal in usable_equals(access, access.equals))
    ranges = tuple(key for bounded in access.ranges for key in range_keys(access, bounded.predicate))
    longer = (*order, *new_keys(order, (*filters, *ranges)))[:max_width]
    if len(longer) > len(order):
        words = f"sorted by {key_words(order)}, filtered by {key_words(longer[len(order) :])}"
        yield replace(make_draft(access, (), longer, words, 4), pays_whole=True)


def _group_drafts(access: Access, equals: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    """Yield the groups in order; reading the table in that order mostly costs more than sorting its rows."""
    groups = tuple(key_of(operand) for operand in access.groups if usable_operand(access, operand))
    if not access.grouped_whole or len(groups) != len(access.groups):
        return
    single = tuple(equal for equal in equals if equal.single)
    if len(single) + len(groups) <= max_width:
        yield make_draft(access, single, groups, f"grouped by {key_words(groups)}", 2)


def _alternative_drafts(access: Access, equals: tuple[Equal, ...], max_width: int) -> Iterator[Draft]:
    """Yield an index for each arm of an OR, which the server combines; also behind what all arms share."""
    for predicate in access.alternatives:
        keys = range_keys(access, predicate) if predicate.kind in _ARMS else ()
        if not keys:
            continue
        frac = predicate_frac(access.statement, access.table, predicate)
        words = f"{_kind_words(predicate.kind)} {predicate.operand.expression} as one of several alternatives"
        for leading in dict.fromkeys(((), equals[:1])):
            draft = make_draft(access, leading[: max_width - len(keys)], keys, words, 2)
            yield replace(draft, frac=draft.frac * frac, pays_whole=False)


_ARMS = (
    PredicateKind.EQUALITY,
    PredicateKind.IN,
    PredicateKind.IS_NULL,
    PredicateKind.RANGE,
    PredicateKind.ROW_RANGE,
)


def _kind_words(kind: PredicateKind) -> str:
    return "a range of" if kind in (PredicateKind.RANGE, PredicateKind.ROW_RANGE) else "equality on"
