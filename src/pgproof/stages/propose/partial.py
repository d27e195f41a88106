"""Partial B-tree drafts: conditions whose constant stands in the statement's text.

A condition on a parameter never makes one: a generic plan can't prove that ``status = $1`` implies
``status = 'open'``, so the index would be ignored from the sixth execution on.

**Source**: PostgreSQL documentation 11.8; ``predicate_implied_by`` in src/backend/optimizer/util/predtest.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.model.relation import Column, IndexKey, Table
from pgproof.sqltext.shape import Comparand, Predicate, PredicateKind
from pgproof.stages.propose.access import Access
from pgproof.stages.propose.btree import tail_drafts, tied_equals, usable_operand
from pgproof.stages.propose.draft import Draft
from pgproof.stages.propose.literals import literal_values
from pgproof.stages.propose.selectivity import null_frac

MAX_PARTIAL_FRAC = 0.3
"""A partial index over more of the table saves too little. **Source**: judgement."""

MAX_STATES = 100
"""Distinct values of a column that holds states. **Source**: judgement; the default statistics target."""


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A condition that may become the predicate of an index: its text, and the share of rows that meet it."""

    text: str
    frac: float
    column: str


def partial_drafts(access: Access, max_width: int, id_columns: tuple[str, ...]) -> Iterator[Draft]:
    """Yield drafts of partial indexes for an access, the one made for it first.

    Args:
        access: What is asked of the table.
        max_width: Most key columns, >= 1.
        id_columns: The table's primary key, for an index that needs no other key.
    """
    fixed = [known for known in _fixed(access) if known.frac <= MAX_PARTIAL_FRAC]
    if not fixed:
        return
    frac = min(known.frac for known in fixed)
    where = " AND ".join(known.text for known in fixed)
    named = tuple(dict.fromkeys(known.column for known in fixed))
    columns = frozenset(named)
    equals = tuple(
        equal
        for equal in (*access.equals, *tied_equals(access))
        if equal.operand.column not in columns and usable_operand(access, equal.operand)
    )
    drafts = list(tail_drafts(access, equals, max_width, leave=columns))
    if not drafts:
        keys = [name for name in id_columns if name not in columns] or [fixed[0].column]
        drafts = [Draft(access.table, tuple(IndexKey(column=name) for name in keys[:1]), "", 1)]
    for draft in drafts:
        asks = ", ".join(part for part in (draft.asks, f"only where {where}") if part)
        yield replace(draft, where=where, where_columns=named, frac=min(frac, draft.frac), asks=asks)


def _fixed(access: Access) -> Iterator[_Fixed]:
    for equal in access.equals:
        if equal.predicate is not None and equal.operand.column is not None and _is_fixed(equal.predicate):
            column = access.table.column(equal.operand.column)
            is_null = (
                equal.predicate.kind is PredicateKind.IS_NULL and column is not None and column.statistics
            )
            if column is not None and (is_null or _has_few_values(column, access.table)):
                yield _Fixed(_text(equal.predicate), equal.frac, column.name)
    for predicate in access.others:
        column = access.table.column(predicate.operand.column or "")
        if predicate.kind is PredicateKind.IS_NOT_NULL and column is not None:
            nulls = null_frac(column)
            if nulls is not None:
                yield _Fixed(_text(predicate), 1 - nulls, column.name)


def _is_fixed(predicate: Predicate) -> bool:
    if predicate.kind is PredicateKind.IS_NULL:
        return True
    return predicate.comparand is Comparand.CONSTANT and bool(literal_values(predicate))


def _has_few_values(column: Column, table: Table) -> bool:
    """Tell whether a constant of the column is a state of its rows rather than the name of one of them."""
    statistics = column.statistics
    if statistics is None:
        return False
    return statistics.distinct_rows(max(table.rows, 1)) <= MAX_STATES


def _text(predicate: Predicate) -> str:
    expression = predicate.operand.expression
    if predicate.comparand is Comparand.NOTHING:
        return f"{expression} {predicate.operator}"
    if predicate.kind is PredicateKind.IN:
        return f"{expression} IN ({predicate.constant})"
    return f"{expression} = {predicate.constant}"
