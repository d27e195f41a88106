"""What one level of a statement asks of one table, sorted by what an index could do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgproof.model.relation import Catalog, Column, RelationKind, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.shape import (
    Clause,
    Distinct,
    Nulls,
    Operand,
    Predicate,
    PredicateKind,
    QueryShape,
    SortKey,
    SourceKind,
)
from pgproof.stages.propose.literals import known_values
from pgproof.stages.propose.reading import ReadStatement, table_of
from pgproof.stages.propose.selectivity import equality_frac, null_frac, values_frac, with_rows

_INDEXABLE = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW)
_EQUAL = (PredicateKind.EQUALITY, PredicateKind.IN, PredicateKind.IS_NULL)
_BOUNDED = (PredicateKind.RANGE, PredicateKind.ROW_RANGE)
_EXTREME = re.compile(r"(?:min|max)\((?:[\w\"]+\.)?(\"(?:[^\"]|\"\")+\"|\w+)\)\Z")


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
class Access:
    """What one level of a statement asks of one table.

    Args:
        statement: The statement.
        table: The table.
        equals: Conditions of equality with values, most selective first.
        joined: Columns equal to another relation's that may be looked up from there, in text order.
        tied: Those of them that are equal to a column of an enclosing level: one lookup for each of its rows.
        ranges: Conditions with a bound, one an operand.
        order: The whole ORDER BY, where all of it is of this table; without keys that are equal to a value.
        limited: Only the first rows of that order are wanted.
        groups: GROUP BY or DISTINCT keys, where all are of this table.
        others: Every other condition that restricts the rows (patterns, containment).
        alternatives: Equality conditions that stand in an OR.
        reads: Columns read anywhere in the level, sorted.
        covers: An index with all of ``reads`` could spare the table (nothing is locked or changed).
    """

    statement: WorkloadStatement
    table: Table
    equals: tuple[Equal, ...] = ()
    joined: tuple[Operand, ...] = ()
    tied: tuple[Operand, ...] = ()
    ranges: tuple[Predicate, ...] = ()
    order: tuple[SortKey, ...] = ()
    limited: bool = False
    groups: tuple[Operand, ...] = ()
    others: tuple[Predicate, ...] = ()
    alternatives: tuple[Equal, ...] = ()
    reads: tuple[str, ...] = ()
    covers: bool = False


def find_accesses(read: ReadStatement, catalog: Catalog) -> Iterator[Access]:
    """Yield what a statement asks of each table it reads, level by level, in text order.

    Views, foreign tables, and relations that are not in the catalog are left out.
    """
    for shape in read.levels:
        if shape.command == "insert":
            continue
        for alias in _aliases(shape):
            table = table_of(shape, alias, catalog)
            if table is not None and table.kind in _INDEXABLE:
                yield _access(read.statement, shape, alias, with_rows(table, catalog))


def _aliases(shape: QueryShape) -> tuple[str, ...]:
    target = (shape.target.alias,) if shape.target else ()
    return tuple(dict.fromkeys((*target, *(relation.alias for relation in shape.relations))))


def _access(statement: WorkloadStatement, shape: QueryShape, alias: str, table: Table) -> Access:
    own = [p for p in shape.predicates if p.operand.relation == alias and p.clause is not Clause.HAVING]
    restricting = [p for p in own if not p.in_or and not p.negated]
    equals = _equals(statement, table, restricting)
    tied, joined = _joined(shape, alias)
    if (equals or restricting) and not _others_restrict(shape, alias):
        joined = ()  # nobody would come from the other side
    fixed = {equal.operand.expression for equal in equals if equal.single} | {o.expression for o in tied}
    order, limited = _order(shape, alias, fixed)
    reads = next((read for read in shape.reads if read.relation == alias), None)
    changes = shape.target is not None and shape.target.alias == alias
    return Access(
        statement=statement,
        table=table,
        equals=equals,
        joined=joined,
        tied=tied,
        ranges=_one_an_operand(p for p in restricting if p.kind in _BOUNDED),
        order=order,
        limited=limited,
        groups=_groups(shape, alias),
        others=tuple(p for p in restricting if p.kind not in (*_EQUAL, *_BOUNDED)),
        alternatives=_equals(statement, table, [p for p in own if p.in_or and not p.negated]),
        reads=reads.columns if reads else (),
        covers=reads is not None and not reads.has_star and not changes and not shape.locks_rows,
    )


def _equals(statement: WorkloadStatement, table: Table, predicates: list[Predicate]) -> tuple[Equal, ...]:
    found: dict[str, Equal] = {}
    for predicate in predicates:
        if predicate.kind in _EQUAL and predicate.operand.expression not in found:
            found[predicate.operand.expression] = Equal(
                operand=predicate.operand,
                frac=_frac(statement, table, predicate),
                single=predicate.kind is not PredicateKind.IN,
                predicate=predicate,
            )
    return tuple(sorted(found.values(), key=lambda equal: equal.frac))


def _frac(statement: WorkloadStatement, table: Table, predicate: Predicate) -> float:
    """Return the share of rows a condition of equality leaves; the smallest seen among the known values.

    The smallest, since an index is worth asking the planner for if any of the values is rare.
    """
    column = table.column(predicate.operand.column or "")
    if column is None:
        return equality_frac(table, _UNKNOWN_COLUMN)
    if predicate.kind is PredicateKind.IS_NULL:
        known = null_frac(column)
        return 0.1 if known is None else known
    values = [_as_statistics_write_it(value, column) for value, _ in known_values(predicate, statement)]
    if predicate.kind is PredicateKind.IN and predicate.operator == "IN" and values:
        return values_frac(table, column, values)
    return min(
        (equality_frac(table, column, value) for value in values), default=equality_frac(table, column)
    )


_UNKNOWN_COLUMN = Column("", "", "", not_null=False)


def _as_statistics_write_it(value: str, column: Column) -> str:
    if column.base_type == "bool":
        return "t" if value.lower() in ("t", "true", "on", "yes", "1") else "f"
    return value


def _joined(shape: QueryShape, alias: str) -> tuple[tuple[Operand, ...], tuple[Operand, ...]]:
    """Return the table's columns that are tied to an enclosing level, and those joined within this one."""
    tied: dict[str, Operand] = {}
    joined: dict[str, Operand] = {}
    for join in shape.joins:
        if join.operator != "=" or join.in_or:
            continue
        for one, other in ((join.left, join.right), (join.right, join.left)):
            if one.relation == alias and not one.is_outer:
                (tied if other.is_outer else joined).setdefault(one.expression, one)
    return tuple(tied.values()), tuple(joined.values())


def _others_restrict(shape: QueryShape, alias: str) -> bool:
    """Tell whether any other relation of the level is narrowed down, so that joins may start there."""
    others = {relation.alias for relation in shape.relations if relation.alias != alias}
    tied = any(join.right.is_outer and join.left.relation in others for join in shape.joins)
    kinds = {relation.kind for relation in shape.relations if relation.alias != alias}
    return (
        tied
        or bool(kinds - {SourceKind.TABLE})
        or any(p.operand.relation in others and not p.negated for p in shape.predicates)
    )


def _order(shape: QueryShape, alias: str, fixed: set[str]) -> tuple[tuple[SortKey, ...], bool]:
    """Return the sort keys an index of this table could give, and whether only the first rows are wanted."""
    if shape.group_by or shape.aggregates or shape.set_operation or shape.windows:
        return _extreme(shape, alias, fixed), True
    if shape.distinct is Distinct.ALL:
        return (), False
    keys = [key for key in shape.order_by if key.operand is None or key.operand.expression not in fixed]
    if not keys or any(key.operand is None or key.operand.relation != alias for key in keys):
        return (), False
    return tuple(keys), shape.limit is not None


def _extreme(shape: QueryShape, alias: str, fixed: set[str]) -> tuple[SortKey, ...]:
    """Read ``SELECT max(x)`` as ``ORDER BY x DESC LIMIT 1``, as the planner does.

    **Source**: src/backend/optimizer/plan/planagg.c: one relation, no GROUP BY.
    """
    if shape.group_by or len(shape.relations) != 1 or len(shape.aggregates) != 1:
        return ()
    match = _EXTREME.match(shape.aggregates[0].expression)
    read = next((read for read in shape.reads if read.relation == alias), None)
    name = (
        next((c for c in read.columns if quote_identifier(c) == match.group(1)), None)
        if match and read
        else None
    )
    if name is None or quote_identifier(name) in fixed:
        return ()
    expression = quote_identifier(name)
    return (SortKey(Operand(alias, name, (name,), expression), expression, True, Nulls.DEFAULT),)


def _groups(shape: QueryShape, alias: str) -> tuple[Operand, ...]:
    keys = shape.distinct_on or shape.group_by
    operands = [key.operand for key in keys]
    if not operands or shape.has_grouping_sets:
        return ()
    own = tuple(operand for operand in operands if operand is not None and operand.relation == alias)
    return own if len(own) == len(operands) else ()


def _one_an_operand(predicates: Iterator[Predicate]) -> tuple[Predicate, ...]:
    found: dict[str, Predicate] = {}
    for predicate in predicates:
        found.setdefault(predicate.operand.expression, predicate)
    return tuple(found.values())
