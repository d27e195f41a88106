"""Partial B-tree drafts: conditions whose constant stands in the statement's text.

A condition on a parameter never makes one, whatever value it mostly has: a generic plan can't prove that
``status = $1`` implies ``status = 'open'``, so the index would be ignored from the sixth execution on.

**Source**: PostgreSQL documentation 11.8; ``predicate_implied_by`` in src/backend/optimizer/util/predtest.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgproof.model.relation import Column, IndexKey, Table
from pgproof.sqltext.predicates import COMMUTED
from pgproof.sqltext.quote import quote_literal
from pgproof.sqltext.shape import Comparand, Predicate, PredicateKind
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.btree import filter_drafts
from pgproof.stages.propose.drafts.covering import covering_drafts
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.drafts.joins import join_drafts
from pgproof.stages.propose.drafts.prefixes import prefixes
from pgproof.stages.propose.immutable import TEXTS, immutable_type
from pgproof.stages.propose.literals import literal_values
from pgproof.stages.propose.selectivity import (
    UNKNOWN_RANGE_FRAC,
    as_statistics_write_it,
    equality_frac,
    predicate_frac,
)

MAX_PARTIAL_FRAC = 0.5
"""A partial index over more of the table saves too little. **Source**: judgement."""

MAX_STATES = 100
"""Distinct values of a column that holds states. **Source**: judgement; the default statistics target."""

MAX_DRAFT_RANK = 2
"""Drafts that fit their access less well get no partial form. **Source**: judgement; keeps candidates few."""

MAX_TEXT = 500
"""Characters of a predicate. **Source**: judgement; what is longer is a list of one day's values."""

MIN_RECURRING = 2
"""Statements in whose text a bound or a pattern must stand to be taken for a fixed one. **Source**:
judgement: in one statement it may as well be a sample."""

_NAMED = {"~~": "LIKE", "~~*": "ILIKE"}
_COMPARES = ("=", "<>", "<", "<=", ">", ">=")
_ALWAYS_FIXED_BOUNDS = ("0", "1")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A condition that may become the predicate of an index.

    Args:
        text: As SQL.
        frac: Share of the rows that meet it, 0 to 1.
        predicate: The condition.
        recurs_only: It counts only where several statements have it.
    """

    text: str
    frac: float
    predicate: Predicate
    recurs_only: bool = False


def fixed_conditions(access: Access) -> Iterator[Fixed]:
    """Yield the conditions of an access that an index could be limited to, none met by most rows."""
    for predicate in access.conditions:
        text = _text(predicate, access.table)
        if (
            not text
            or len(text) > MAX_TEXT
            or not (frac := _frac(access, predicate))
            or frac > MAX_PARTIAL_FRAC
        ):
            continue
        recurs_only = _may_be_a_sample(access.table, predicate)
        if recurs_only is not None and immutable_type(text, access.table, access.catalog) == "bool":
            yield Fixed(text, frac, predicate, recurs_only)


def partial_drafts(
    access: Access, fixed: tuple[Fixed, ...], max_width: int, id_columns: tuple[str, ...]
) -> Iterator[Draft]:
    """Yield drafts of partial indexes for an access, the one made for it first.

    Args:
        access: What is asked of the table.
        fixed: Those of its conditions that may become predicates.
        max_width: Most key columns, >= 1.
        id_columns: The table's primary key, for an index that needs no other key.
    """
    wholes = [fixed] if fixed else []
    singles = [(one,) for one in fixed] if len(fixed) > 1 else []
    for place, chosen in enumerate((*wholes, *singles)):
        yield from _limited_to(access, chosen, max_width, id_columns, 0 if place == 0 else 2)


def _limited_to(
    access: Access, chosen: tuple[Fixed, ...], max_width: int, id_columns: tuple[str, ...], rank: int
) -> Iterator[Draft]:
    texts = sorted({one.text for one in chosen})
    frac = min(one.frac for one in chosen)
    where = " AND ".join(texts)
    named = tuple(dict.fromkeys(name for one in chosen for name in _columns(one.predicate)))
    rest = _without(access, chosen)
    drafts = [draft for draft in _whole_drafts(rest, max_width) if draft.rank <= MAX_DRAFT_RANK]
    if not drafts:
        keys = [name for name in id_columns if name not in named] or [chosen[0].predicate.operand.columns[0]]
        drafts = [Draft(access.table, tuple(IndexKey(column=name) for name in keys[:1]), "", 1)]
    for draft in drafts:
        asks = ", ".join(part for part in (draft.asks, f"only where {where}") if part)
        limited = replace(
            draft,
            where=where,
            where_columns=named,
            frac=min(frac, draft.frac),
            asks=asks,
            rank=draft.rank + rank,
        )
        yield limited
        yield from prefixes(limited)
        yield from covering_drafts(rest, limited, max_width)


def _columns(predicate: Predicate) -> tuple[str, ...]:
    return predicate.operand.columns + (predicate.other.columns if predicate.other else ())


def _whole_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    yield from filter_drafts(access, max_width)
    yield from join_drafts(access, max_width)


def _without(access: Access, chosen: tuple[Fixed, ...]) -> Access:
    """Return an access without conditions that a predicate sees to, and without those on its columns."""
    gone = {one.predicate for one in chosen}
    columns = {one.predicate.operand.column for one in chosen if one.predicate.operand.column}
    equals = tuple(e for e in access.equals if e.predicate not in gone and e.operand.column not in columns)
    ranges = tuple(r for r in access.ranges if r.predicate not in gone and r.operand.column not in columns)
    return replace(access, equals=equals, ranges=ranges)


def _text(predicate: Predicate, table: Table) -> str:
    """Write a condition as the predicate of an index; empty for one that has no fixed text."""
    expression, constant, negated = predicate.operand.expression, predicate.constant, predicate.negated
    if predicate.comparand is Comparand.NOTHING:
        return "" if negated else f"{expression} {predicate.operator}"
    if predicate.comparand is Comparand.COLUMN:
        other = predicate.other
        if other is None or negated or predicate.operator not in _COMPARES:
            return ""
        return _one_way(expression, predicate.operator, other.expression)
    if predicate.comparand is not Comparand.CONSTANT or not literal_values(predicate):
        return ""
    if predicate.operator in ("=", "<>", "IN"):
        constant = _without_casts(predicate, table)
    if predicate.operator == "IN":
        return f"{expression} {'NOT ' * negated}IN ({constant})"
    if predicate.operator in _NAMED:
        return f"{expression} {'NOT ' * negated}{_NAMED[predicate.operator]} {constant}"
    is_plain = predicate.operator in _COMPARES and not negated
    return f"{expression} {predicate.operator} {constant}" if is_plain else ""


def _without_casts(predicate: Predicate, table: Table) -> str | None:
    """Write text compared with text the one way, whether a person wrote it or a view's definition says it."""
    column = table.column(predicate.operand.column or "")
    if column is None or column.base_type not in TEXTS:
        return predicate.constant
    return ", ".join(quote_literal(value) for value in literal_values(predicate))


def _one_way(left: str, operator: str, right: str) -> str:
    """Write ``a < b`` and ``b > a`` alike; the server knows that they are the same."""
    if left <= right:
        return f"{left} {operator} {right}"
    return f"{right} {COMMUTED.get(operator, operator)} {left}"


def _may_be_a_sample(table: Table, predicate: Predicate) -> bool | None:
    """Tell whether a constant may be just the value of one day: bounds and patterns mostly are.

    Returns:
        None for a constant that is the name of a row, and never recurs as a state does.
    """
    column = table.column(predicate.operand.column or "")
    if predicate.comparand is Comparand.COLUMN:
        return False
    if predicate.kind in (PredicateKind.IS_NULL, PredicateKind.IS_NOT_NULL):
        return False if column is not None and column.statistics else None
    if predicate.operator in ("=", "<>", "IN") or predicate.comparand is Comparand.NOTHING:
        return False if column is not None and _has_few_values(column, table) else None
    if predicate.kind is PredicateKind.RANGE:
        return predicate.items[0] not in _ALWAYS_FIXED_BOUNDS
    return True


def _has_few_values(column: Column, table: Table) -> bool:
    """Tell whether a constant of the column is a state of its rows rather than the name of one of them."""
    statistics = column.statistics
    return statistics is not None and statistics.distinct_rows(max(table.rows, 1)) <= MAX_STATES


def _frac(access: Access, predicate: Predicate) -> float:
    """Return the share of rows that meet a condition; a guess where the statistics don't tell."""
    table = access.table
    column = table.column(predicate.operand.column or "")
    if predicate.comparand is Comparand.COLUMN or column is None:
        return UNKNOWN_RANGE_FRAC
    if predicate.operator in _NAMED:
        return 0.9 if predicate.negated else 0.1
    if predicate.operator == "<>":
        (value,) = literal_values(predicate)[:1] or ("",)
        return 1 - equality_frac(table, column, as_statistics_write_it(value, column))
    if predicate.comparand is Comparand.NOTHING and predicate.kind is PredicateKind.OTHER:
        return UNKNOWN_RANGE_FRAC
    frac = predicate_frac(access.statement, table, predicate)
    return 1 - frac if predicate.negated else frac
