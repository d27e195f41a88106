"""Tables that a plan reads whole although it needs few of their rows, and the index that would spare that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgproof.model.plan import Plan
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.plan_conditions import Conditions
from pgproof.sqltext.shape import Predicate, PredicateKind
from pgproof.stages.diagnose.check import Subject
from pgproof.stages.diagnose.wanted import (
    MAX_KEYS,
    Wanted,
    find_key,
    gin_index,
    leaves_a_handful,
    order_equals,
    range_key,
    sort_keys,
)
from pgproof.stages.diagnose.whole_scans import COST_SHARE_FRAC, KEPT_FRAC, WholeScan, find_whole_scans

TOP_N_FACTOR = 20
"""Rows sorted for one row returned. Source: judgement."""

_EQUALITY = (PredicateKind.EQUALITY, PredicateKind.IN, PredicateKind.IS_NULL)
_RANGE = (PredicateKind.RANGE, PredicateKind.LIKE_PREFIX)


@dataclass(frozen=True, slots=True)
class WholeRead:
    """A table read whole, and why that need not be.

    Args:
        table: It; for a partition, the outermost partitioned table.
        wanted: Indexes that would serve; several only for alternatives of an OR, all of them needed.
        purpose: What the rows are read for, to be followed by columns: "find rows by".
        why: What is read and what is kept.
        cost_share_frac: The scan's share of the plan's cost, 0 to 1.
    """

    table: Table
    wanted: tuple[Wanted, ...]
    purpose: str
    why: str
    cost_share_frac: float


def find_whole_reads(subject: Subject, plan: Plan) -> Iterator[WholeRead]:
    """Yield what a plan reads whole and needs little of, in plan order; cheap parts of it are left out."""
    for scan in find_whole_scans(subject, plan):
        read = _read(subject, scan)
        if read is not None and read.cost_share_frac >= COST_SHARE_FRAC:
            yield read


def _read(subject: Subject, scan: WholeScan) -> WholeRead | None:
    equals = _equal_keys(scan, scan.restricting(), scan.filter)
    top = _top_rows(subject, scan, equals)
    if top is not None:
        return top
    wanted = _for_filter(scan, equals) if scan.keeps_few else ()
    if wanted:
        why = f"{scan.rows_read:,.0f} rows are read to keep about {scan.rows_kept:,.0f}"
        return WholeRead(scan.table, wanted, "find rows by", why, scan.share_frac(scan.cost))
    return _join_lookup(subject, scan)


def _equal_keys(scan: WholeScan, restricting: list[Predicate], said: Conditions) -> tuple[IndexKey, ...]:
    operands = [p.operand for p in restricting if p.kind in _EQUALITY]
    for join in said.joins:  # in a filter, the other side is a row of an enclosing query
        if join.operator == "=" and not join.in_or:
            operands += [side for side in (join.left, join.right) if scan.own(side)]
    keys = [key for operand in operands if (key := find_key(scan.table, operand)) is not None]
    return order_equals(scan.table, keys)


def _for_filter(scan: WholeScan, equals: tuple[IndexKey, ...]) -> tuple[Wanted, ...]:
    restricting = scan.restricting()
    ranged = [key for p in restricting if p.kind in _RANGE and (key := range_key(scan.table, p))]
    tail = [] if leaves_a_handful(scan.table, equals) else [key for key in ranged if key not in equals][:1]
    keys = (*equals[: MAX_KEYS - len(tail)], *tail)
    if keys:
        return (Wanted(keys, len(keys) - len(tail)),)
    gin = gin_index(scan.table, restricting)
    return (gin,) if gin else _alternatives(scan)


def _alternatives(scan: WholeScan) -> tuple[Wanted, ...]:
    """Return one index for each alternative of an OR; none where any of them could not use one."""
    wanted: dict[Wanted, None] = {}
    for predicate in (p for p in scan.filter.predicates if p.in_or and scan.own(p.operand)):
        usable = not predicate.negated and predicate.kind in (*_EQUALITY, *_RANGE)
        key = range_key(scan.table, predicate) if usable else None
        if key is None:
            return ()
        wanted[Wanted((key,), int(predicate.kind in _EQUALITY))] = None
    return () if any(join.in_or for join in scan.filter.joins) else tuple(wanted)


def _top_rows(subject: Subject, scan: WholeScan, equals: tuple[IndexKey, ...]) -> WholeRead | None:
    """Return the index that gives the first rows in order, where a whole sort is done for them."""
    sort, limit = scan.placed.sort_above, scan.placed.sort_limit_rows
    if sort is None or limit is None or scan.rows_kept < TOP_N_FACTOR * max(limit, 1.0):
        return None
    order = scan.conditions(subject, "", sort.sort_key).order
    if len(order) != len(sort.sort_key) or not all(k.operand and scan.own(k.operand) for k in order):
        return None
    single = _equal_keys(scan, [p for p in scan.restricting() if p.kind is not PredicateKind.IN], scan.filter)
    keys = tuple(key for key in sort_keys(scan.table, order) if key.column not in {k.column for k in single})
    if not keys or len(single) + len(keys) > MAX_KEYS or _reads_less_by_filter(scan, limit, equals):
        return None
    why = f"about {scan.rows_kept:,.0f} rows are sorted to return the first {limit:,.0f}"
    wanted = Wanted((*single, *keys), len(single), is_sorted=True)
    return WholeRead(scan.table, (wanted,), "return the first rows by", why, scan.share_frac(scan.cost))


def _reads_less_by_filter(scan: WholeScan, limit: float, equals: tuple[IndexKey, ...]) -> bool:
    """Whether few rows pass the filter, so that finding them beats walking the order until enough passed."""
    walked = limit * scan.rows_read / max(scan.rows_kept, 1.0)
    return not equals and scan.rows_kept <= KEPT_FRAC * scan.rows_read and scan.rows_kept < walked


def _join_lookup(subject: Subject, scan: WholeScan) -> WholeRead | None:
    """Return the index by which a join of few rows would look its partners up, instead of reading all."""
    join = scan.placed.join_above
    if join is None:
        return None
    texts = [str(join.extra.get(name, "")) for name in ("Hash Cond", "Merge Cond", "Join Filter")]
    said = scan.conditions(subject, " AND ".join(f"({t})" for t in texts if t))
    operands = [
        side
        for condition in said.joins
        if condition.operator == "=" and not condition.in_or
        for side in (condition.left, condition.right)
        if scan.own(side)
    ]
    keys = [key for operand in operands if (key := find_key(scan.table, operand)) is not None]
    keys = list(order_equals(scan.table, keys))[:MAX_KEYS]
    looked_up = scan.placed.partner_rows * _rows_a_value(scan, keys)
    if not keys or looked_up > KEPT_FRAC * scan.rows_read:
        return None
    why = (
        f"{scan.rows_read:,.0f} rows are read to join them to about {scan.placed.partner_rows:,.0f} rows, "
        f"which need about {looked_up:,.0f} of them"
    )
    share = scan.share_frac(max(scan.cost, join.cost.value))
    return WholeRead(scan.table, (Wanted(tuple(keys), len(keys)),), "join few rows by", why, share)


def _rows_a_value(scan: WholeScan, keys: list[IndexKey]) -> float:
    """Return the rows of the table for one value of its most selective key; all where nothing is known."""
    found = []
    for key in keys:
        column = scan.table.column(key.column)
        if column and column.statistics:
            found.append(scan.rows_read / column.statistics.distinct_rows(scan.rows_read))
    return min(found, default=scan.rows_read)
