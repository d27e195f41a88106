"""What one level of a statement asks of one table, sorted by what an index could do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgproof.model.catalog import Catalog
from pgproof.model.relation import RelationKind, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import (
    Clause,
    Comparand,
    Join,
    Operand,
    Predicate,
    PredicateKind,
    QueryShape,
    SortKey,
)
from pgproof.stages.propose.drafts.orders import find_groups, find_nearest, find_order
from pgproof.stages.propose.drafts.ties import Tie, find_ties
from pgproof.stages.propose.reading import ReadStatement, table_of
from pgproof.stages.propose.selectivity import equality_frac, predicate_frac, with_rows

INDEXABLE = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW)
"""Kinds of relation that take indexes."""

_EQUAL = (PredicateKind.EQUALITY, PredicateKind.IN, PredicateKind.IS_NULL)
_BOUNDED = (PredicateKind.RANGE, PredicateKind.ROW_RANGE, PredicateKind.IS_NOT_NULL)


@dataclass(frozen=True, slots=True)
class Equal:
    """A column or expression compared for equality.

    Args:
        operand: It.
        frac: Share of the table's rows that one comparison leaves, 0 to 1.
        single: Compared with one value; False for IN, after which the rows of an index have no order.
        predicate: Where it comes from; None for a join.
    """

    operand: Operand
    frac: float
    single: bool = True
    predicate: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Bounded:
    """A column or expression with a bound.

    Args:
        operand: It.
        frac: Share of the table's rows within all its bounds, 0 to 1.
        predicate: The first condition on it.
    """

    operand: Operand
    frac: float
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Access:
    """What one level of a statement asks of one table.

    Args:
        statement: The statement.
        catalog: Of the database.
        table: The table.
        equals: Conditions of equality with values, most selective first.
        ties: Columns equal to those of other relations, which may be looked up from there, in text order.
        ranges: Conditions with a bound, one an operand, most selective first.
        order: The whole ORDER BY, where all of it is of this table; without keys that are equal to a value.
        limited: Only the first rows of that order are wanted.
        groups: GROUP BY or DISTINCT keys of this table.
        grouped_whole: Those are all the keys there are.
        nearest: Sorted by distance from a constant, and only the first rows are wanted.
        others: Every other condition that restricts the rows (patterns, containment, negations).
        alternatives: Conditions that stand in an OR.
        reads: Columns read anywhere in the level, sorted.
        covers: An index with all of ``reads`` could spare the table (nothing is locked or changed).
    """

    statement: WorkloadStatement
    catalog: Catalog
    table: Table
    equals: tuple[Equal, ...] = ()
    ties: tuple[Tie, ...] = ()
    ranges: tuple[Bounded, ...] = ()
    order: tuple[SortKey, ...] = ()
    limited: bool = False
    groups: tuple[Operand, ...] = ()
    grouped_whole: bool = False
    nearest: SortKey | None = None
    others: tuple[Predicate, ...] = ()
    alternatives: tuple[Predicate, ...] = ()
    reads: tuple[str, ...] = ()
    covers: bool = False

    @property
    def conditions(self) -> Iterator[Predicate]:
        """Every condition that each wanted row meets."""
        yield from (equal.predicate for equal in self.equals if equal.predicate is not None)
        yield from (bounded.predicate for bounded in self.ranges)
        yield from self.others

    def equal(self, operand: Operand) -> Equal:
        """Return an operand as one compared with a single, unknown value: so a join looks it up."""
        column = self.table.column(operand.column or "")
        return Equal(operand, equality_frac(self.table, column))


def find_accesses(read: ReadStatement, catalog: Catalog) -> Iterator[Access]:
    """Yield what a statement asks of each table it reads, level by level, in text order.

    Tables that inherit from one that is read are read as well, and each needs indexes of its own. Views,
    foreign tables, and relations that are not in the catalog are left out.
    """
    ties = find_ties(read.levels)
    for place, shape in enumerate(read.levels):
        if shape.command == "insert":
            continue
        for alias in _aliases(shape):
            table = table_of(shape, alias, catalog)
            heirs = catalog.heirs_of(table.relation) if table is not None else ()
            for one in (table, *heirs):
                if one is not None and one.kind in INDEXABLE:
                    own = ties.get((place, alias), ())
                    yield _access(read.statement, catalog, shape, alias, with_rows(one, catalog), own)


def _aliases(shape: QueryShape) -> tuple[str, ...]:
    target = (shape.target.alias,) if shape.target else ()
    return tuple(dict.fromkeys((*target, *(relation.alias for relation in shape.relations))))


def _access(
    statement: WorkloadStatement,
    catalog: Catalog,
    shape: QueryShape,
    alias: str,
    table: Table,
    ties: tuple[Tie, ...],
) -> Access:
    own = [p for p in shape.predicates if p.operand.relation == alias and p.clause is not Clause.HAVING]
    own += _carried_over(shape, alias, {p.operand.expression for p in own if p.kind in _EQUAL})
    certain = [p for p in own if not p.in_or]
    restricting = [p for p in certain if not p.negated and not _is_semijoin(p)]
    equals = _equals(statement, table, restricting)
    fixed = {equal.operand.expression for equal in equals if equal.single}
    fixed |= {tie.operand.expression for tie in ties if tie.from_outside}
    order, limited = find_order(shape, alias, fixed)
    groups, grouped_whole = find_groups(shape, alias)
    reads = next((read for read in shape.reads if read.relation == alias), None)
    changes = shape.target is not None and shape.target.alias == alias
    return Access(
        statement=statement,
        catalog=catalog,
        table=table,
        equals=equals,
        ties=ties,
        ranges=_ranges(statement, table, [p for p in restricting if p.kind in _BOUNDED]),
        order=order,
        limited=limited,
        groups=groups,
        grouped_whole=grouped_whole,
        nearest=find_nearest(shape, alias),
        others=tuple(p for p in certain if p.negated or p.kind not in (*_EQUAL, *_BOUNDED)),
        alternatives=tuple(p for p in own if p.in_or and not p.negated),
        reads=reads.columns if reads else (),
        covers=reads is not None and not reads.has_star and not changes and not shape.locks_rows,
    )


def _is_semijoin(predicate: Predicate) -> bool:
    """Tell whether a condition is ``x IN (SELECT ..)``: a join, which `find_ties` reads."""
    return predicate.kind is PredicateKind.IN and predicate.comparand is Comparand.SUBQUERY


def _carried_over(shape: QueryShape, alias: str, known: set[str]) -> list[Predicate]:
    """Return equalities that a join carries over: of ``a.x = b.y AND b.y = 5``, ``a.x = 5``.

    **Source**: ``generate_base_implied_equalities`` in src/backend/optimizer/path/equivclass.c.
    """
    found = []
    for join in _plain_joins(shape):
        for one, other in ((join.left, join.right), (join.right, join.left)):
            if one.relation != alias or one.is_outer or other.is_outer or one.expression in known:
                continue
            found += [
                Predicate(one, "=", p.kind, p.comparand, p.constant, p.parameters, items=p.items)
                for p in shape.predicates
                if p.kind is PredicateKind.EQUALITY
                and (p.operand.relation, p.operand.expression) == (other.relation, other.expression)
                and not p.in_or
                and not p.negated
            ]
    return found


def _plain_joins(shape: QueryShape) -> Iterator[Join]:
    return (join for join in shape.joins if join.operator == "=" and not join.in_or)


def _equals(statement: WorkloadStatement, table: Table, predicates: Iterable[Predicate]) -> tuple[Equal, ...]:
    found: dict[str, Equal] = {}
    for predicate in predicates:
        if predicate.kind in _EQUAL and predicate.operand.expression not in found:
            found[predicate.operand.expression] = Equal(
                operand=predicate.operand,
                frac=predicate_frac(statement, table, predicate),
                single=predicate.kind is not PredicateKind.IN,
                predicate=predicate,
            )
    return tuple(sorted(found.values(), key=lambda equal: equal.frac))


def _ranges(statement: WorkloadStatement, table: Table, predicates: list[Predicate]) -> tuple[Bounded, ...]:
    """Return one value an operand: a lower and an upper bound leave what both leave."""
    found: dict[str, Bounded] = {}
    for predicate in predicates:
        frac = predicate_frac(statement, table, predicate)
        name = predicate.operand.expression
        if name not in found:
            found[name] = Bounded(predicate.operand, frac, predicate)
        elif found[name].predicate.kind is PredicateKind.IS_NOT_NULL:
            found[name] = Bounded(predicate.operand, min(found[name].frac, frac), predicate)
        else:
            both = max(found[name].frac + frac - 1, found[name].frac * frac / 10)
            found[name] = Bounded(predicate.operand, both, found[name].predicate)
    return tuple(sorted(found.values(), key=lambda bounded: bounded.frac))
