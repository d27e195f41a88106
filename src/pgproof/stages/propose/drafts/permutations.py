"""Every column and every ordered pair of columns that a statement uses of a table, as B-tree drafts.

These are the candidates of the literature's advisors (Extend, DB2Advis, DTA): whatever index of one or two
columns they would find, the choice here has it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from pgproof.changes.index_cover import backwards
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.shape import Operand
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.draft import Draft, key_of, key_words
from pgproof.stages.propose.drafts.usable import order_keys, usable_operand
from pgproof.stages.propose.selectivity import equality_frac, predicate_frac

MAX_COLUMNS = 16
"""Of a table in one statement; 16 make 240 pairs. **Source**: judgement."""

MAX_GROUP_FRAC = 0.05
"""Of the table, that a group may have so that its column alone is worth an index. **Source**: judgement."""

SINGLE_RANK = 6
PAIR_RANK = 8


@dataclass(frozen=True, slots=True)
class _Used:
    """A column or expression that a statement compares, joins, sorts or groups by.

    Args:
        key: Over it.
        frac: Share of the table that one look-up by it leads to; 1 where it is only sorted or grouped by.
        in_order: It is sorted or grouped by.
        leads: An index can start with it; not where it is only compared in ways no B-tree serves (``<>``,
            patterns, with another column), which an index-only scan may still check.
    """

    key: IndexKey
    frac: float
    in_order: bool = False
    leads: bool = True


def permutation_drafts(accesses: Iterable[Access], max_width: int) -> Iterator[Draft]:
    """Yield a draft for each column and for each ordered pair of columns, singles first.

    Args:
        accesses: Of one statement, all to one table.
        max_width: Most key columns; pairs need 2.
    """
    used: dict[tuple[str, str], _Used] = {}
    tables: list[Table] = []
    for access in accesses:
        tables.append(access.table)
        for one in _used(access):
            name = (one.key.column, one.key.expression)
            known = used.get(name, one)
            used[name] = _Used(
                known.key,
                min(known.frac, one.frac),
                known.in_order or one.in_order,
                known.leads or one.leads,
            )
    columns = sorted(used.values(), key=lambda one: one.frac)[:MAX_COLUMNS]
    for one in (one for one in columns if one.leads):
        words = f"looked up or sorted by {key_words((one.key,))}"
        yield Draft(tables[0], _forwards(one.key), words, SINGLE_RANK, frac=one.frac)
    if max_width < 2:
        return
    for first, second in permutations(columns, 2):
        if not first.leads:
            continue
        keys = _forwards(first.key, second.key)
        draft = Draft(tables[0], keys, f"uses {key_words(keys)} together", PAIR_RANK)
        yield replace(draft, frac=first.frac * second.frac, pays_whole=first.in_order or second.in_order)


def _forwards(*keys: IndexKey) -> tuple[IndexKey, ...]:
    """Return keys that start in ascending order; backwards they serve as well."""
    return backwards(keys) if keys[0].descending else keys


def _used(access: Access) -> Iterator[_Used]:
    """Yield what is compared before what is sorted, whose direction counts where nothing else is asked."""
    for operand, frac in _compared(access):
        if usable_operand(access, operand):
            yield _Used(key_of(operand), frac)
    for predicate in access.others:
        for side in filter(None, (predicate.operand, predicate.other)):
            if side.column is not None and usable_operand(access, side):
                yield _Used(key_of(side), 1.0, leads=False)
    # An index-only scan can't give an expression, so that one is of no use for the order alone.
    groups = [key_of(operand) for operand in access.groups if usable_operand(access, operand)]
    for key in (*order_keys(access), *groups):
        if key.column:
            frac = equality_frac(access.table, access.table.column(key.column))
            yield _Used(key, frac if frac <= MAX_GROUP_FRAC else 1.0, in_order=True)


def _compared(access: Access) -> Iterator[tuple[Operand, float]]:
    yield from ((equal.operand, equal.frac) for equal in access.equals)
    yield from ((tie.operand, access.equal(tie.operand).frac) for tie in access.ties)
    yield from ((bounded.operand, bounded.frac) for bounded in access.ranges)
    for predicate in access.alternatives:
        yield predicate.operand, predicate_frac(access.statement, access.table, predicate)
