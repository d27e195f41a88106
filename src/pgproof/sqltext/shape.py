"""What a statement asks of its relations: plain values, no parser, for advisors and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ColumnLookup(Protocol):
    """How the walk learns a table's columns; the caller answers from its catalog."""

    def __call__(self, schema: str | None, table: str, /) -> Sequence[str] | None:
        """Return a table's or view's columns in order, ``None`` if there is no such relation.

        Args:
            schema: As written in the statement, ``None`` where the search path decides.
            table: As the catalog holds it, without quotes.
        """
        ...


class SourceKind(StrEnum):
    """What stands in a FROM clause."""

    TABLE = "table"
    CTE = "cte"
    SUBQUERY = "subquery"
    FUNCTION = "function"
    VALUES = "values"


class JoinType(StrEnum):
    """How a relation of a FROM clause meets those to its left.

    ``FROM`` is the first, or one after a comma; ``LEFT`` means that this relation may be missing (NULL rows),
    ``RIGHT`` that those to the left may.
    """

    FROM = "from"
    INNER = "inner"
    LEFT = "left"
    RIGHT = "right"
    FULL = "full"
    CROSS = "cross"


class Level(StrEnum):
    """Where a SELECT (or the statement itself) stands."""

    STATEMENT = "statement"
    CTE = "cte"
    FROM = "from"
    EXPRESSION = "expression"
    SET_BRANCH = "set_branch"
    SOURCE = "source"


class PredicateKind(StrEnum):
    """What an index would have to offer for a predicate.

    ``LIKE`` is a pattern that is not known (a parameter); ``LIKE_PREFIX`` starts with a fixed text,
    ``LIKE_CONTAINS`` with a wildcard. ``CONTAINS`` is ``@>`` or ``<@`` (jsonb, arrays, ranges), ``OVERLAPS``
    is ``&&``, ``HAS_KEY`` is ``?``, ``?|``, ``?&``, ``FULL_TEXT`` is ``@@``, ``SIMILARITY`` pg_trgm's ``%``.
    ``ROW_RANGE`` compares a row of columns: ``(a, b) > ($1, $2)``. ``CALL`` is a function that says yes or no
    of its first argument: ``st_dwithin(place, $1, 100)``.
    """

    EQUALITY = "equality"
    RANGE = "range"
    ROW_RANGE = "row_range"
    IN = "in"
    LIKE = "like"
    LIKE_PREFIX = "like_prefix"
    LIKE_CONTAINS = "like_contains"
    ILIKE = "ilike"
    REGEX = "regex"
    SIMILARITY = "similarity"
    IS_NULL = "is_null"
    IS_NOT_NULL = "is_not_null"
    CONTAINS = "contains"
    OVERLAPS = "overlaps"
    HAS_KEY = "has_key"
    FULL_TEXT = "full_text"
    CALL = "call"
    OTHER = "other"


class Comparand(StrEnum):
    """What a predicate compares with.

    ``CONSTANT`` reads no row and needs no parameter (also ``now() - interval '1 day'``), ``PARAMETER`` holds
    at least one ``$n``, ``COLUMN`` is an expression over the same relation.
    """

    CONSTANT = "constant"
    PARAMETER = "parameter"
    SUBQUERY = "subquery"
    COLUMN = "column"
    NOTHING = "nothing"


class Clause(StrEnum):
    """The clause something was found in."""

    WHERE = "where"
    ON = "on"
    HAVING = "having"


class Nulls(StrEnum):
    """Where a sort puts NULLs; ``DEFAULT`` is last for ascending, first for descending."""

    DEFAULT = "default"
    FIRST = "first"
    LAST = "last"


class Distinct(StrEnum):
    """Whether a SELECT drops duplicates."""

    NO = "no"
    ALL = "all"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of a FROM clause, or the target of a change.

    Args:
        alias: How the rest of the statement calls it; unique in its level.
        schema: As written, ``None`` where the search path decides.
        name: Table, view, CTE or function; empty for a subquery and VALUES.
        kind: What it is.
        join: How it meets the relations to its left.
        is_lateral: It may read those to its left.
    """

    alias: str
    schema: str | None
    name: str
    kind: SourceKind
    join: JoinType = JoinType.FROM
    is_lateral: bool = False


@dataclass(frozen=True, slots=True)
class Operand:
    """A column, or an expression over columns of one relation.

    Args:
        relation: Its alias; empty for an expression that reads no column.
        column: The column's name as the catalog holds it; ``None`` for an expression.
        columns: Every column in it, in text order, without repeats.
        expression: SQL with bare column names, as an index definition would have it: ``lower(email)``; it
            may hold parameters (``date_trunc($1, day)``) and, in HAVING, aggregates.
        is_outer: The relation belongs to an enclosing level.
    """

    relation: str
    column: str | None
    columns: tuple[str, ...]
    expression: str
    is_outer: bool = False


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on one relation.

    Args:
        operand: What is compared.
        operator: As an index sees it, the column on the left: ``=``, ``<``, ``BETWEEN``, ``~~``, ``IS NULL``;
            the function's name for a call.
        kind: Class of the operator.
        comparand: What it is compared with.
        constant: SQL of the other side, ``None`` for a subquery or nothing.
        parameters: Numbers of the parameters in it, in text order.
        negated: The condition holds where the predicate does not.
        in_or: It is one of several alternatives, so it alone does not restrict the rows.
        clause: Where it was found.
        items: What it is compared with, piece by piece: the text form of a literal, the number of a
            parameter; several for IN and BETWEEN. Empty where any piece is more than that.
        other: The other side where it is of the same relation.
    """

    operand: Operand
    operator: str
    kind: PredicateKind
    comparand: Comparand
    constant: str | None = None
    parameters: tuple[int, ...] = ()
    negated: bool = False
    in_or: bool = False
    clause: Clause = Clause.WHERE
    items: tuple[str | int, ...] = ()
    other: Operand | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """A condition between two relations; one side is outer where a subquery is tied to its surroundings.

    Args:
        left: One side, of this level.
        right: The other, of this level or of an enclosing one.
        operator: With ``left`` on its left; ``=`` nearly always.
        in_or: It is one of several alternatives.
        clause: Where it was found; USING and NATURAL count as ``ON``.
    """

    left: Operand
    right: Operand
    operator: str
    in_or: bool = False
    clause: Clause = Clause.ON


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an ORDER BY.

    Args:
        operand: What is sorted by, positions and output names resolved to what they stand for; ``None``
            where it reads several relations or none.
        expression: The key as SQL, with the aliases as written.
        ascending: True for ASC.
        nulls: Where NULLs go.
        nearest: What is sorted by its distance from a constant (``place <-> $1``).
        distance: The operator of that distance, else empty.
    """

    operand: Operand | None
    expression: str
    ascending: bool = True
    nulls: Nulls = Nulls.DEFAULT
    nearest: Operand | None = None
    distance: str = ""


@dataclass(frozen=True, slots=True)
class GroupKey:
    """One key of a GROUP BY or DISTINCT ON; fields as in `SortKey`."""

    operand: Operand | None
    expression: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A LIMIT or an OFFSET.

    Args:
        rows: The number, ``None`` where the text does not tell.
        parameter: Number of the parameter, ``None`` if it is none.
        expression: As SQL.
    """

    rows: int | None
    parameter: int | None
    expression: str


@dataclass(frozen=True, slots=True)
class ColumnsRead:
    """The columns of a relation that a level and its subqueries read anywhere.

    Args:
        relation: Alias.
        columns: Sorted.
        has_star: ``*`` or the whole row is read; ``columns`` then holds all of them where they are known.
    """

    relation: str
    columns: tuple[str, ...]
    has_star: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function.

    Args:
        name: Without schema, lower case unless quoted.
        expression: The whole call as SQL.
        argument: Its one argument, where that is a column or an expression over one relation.
        distinct: DISTINCT stands before it.
    """

    name: str
    expression: str
    argument: Operand | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A column that a query gives.

    Args:
        name: As the surrounding query sees it.
        operand: What it stands for, ``None`` where it reads several relations or none.
    """

    name: str
    operand: Operand | None


@dataclass(frozen=True, slots=True)
class QueryShape:
    """One level of a statement: the statement itself, a subquery, a CTE, a branch of a UNION.

    Args:
        command: ``select``, ``insert``, ``update``, ``delete``, ``merge`` or ``values``; a level that
            combines branches (UNION ..) is a ``select`` without relations.
        level: Where it stands.
        name: Of a CTE or an aliased subquery, else empty.
        depth: 0 for the statement; branches of a UNION count as one deeper.
        correlated: It, or something in it, reads a row of an enclosing level.
        relations: In text order.
        predicates: On one relation each, in text order. Conditions whose names don't resolve are left out.
        joins: Between two relations.
        order_by: Of this level.
        group_by: Of this level, grouping sets flattened.
        distinct: Whether duplicates are dropped.
        distinct_on: Keys of DISTINCT ON.
        limit: ``None`` for none.
        offset: ``None`` for none.
        reads: One for each relation in their order, and for the target of an INSERT.
        aggregates: Aggregate calls, window calls left out.
        windows: Calls with OVER.
        volatile: Calls whose result changes from call to call or from transaction to transaction.
        target: The changed relation of INSERT, UPDATE, DELETE, MERGE.
        columns_written: Of the target; all its columns for an INSERT without a list, where they are known.
        set_operation: ``union``, ``union all``, ``intersect``, ``except`` ..., else empty.
        has_grouping_sets: GROUPING SETS, ROLLUP or CUBE.
        locks_rows: FOR UPDATE or FOR SHARE.
        samples: TABLESAMPLE.
        window_orders: For each window the keys it sorts by, PARTITION BY first.
        outputs: Columns of a SELECT in order; empty where ``*`` hides what they are, and for other commands.
    """

    command: str
    level: Level
    name: str
    depth: int
    correlated: bool
    relations: tuple[Relation, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    joins: tuple[Join, ...] = ()
    order_by: tuple[SortKey, ...] = ()
    group_by: tuple[GroupKey, ...] = ()
    distinct: Distinct = Distinct.NO
    distinct_on: tuple[GroupKey, ...] = ()
    limit: Bound | None = None
    offset: Bound | None = None
    reads: tuple[ColumnsRead, ...] = ()
    aggregates: tuple[Call, ...] = ()
    windows: tuple[Call, ...] = ()
    volatile: tuple[Call, ...] = ()
    target: Relation | None = None
    columns_written: tuple[str, ...] = ()
    set_operation: str = ""
    has_grouping_sets: bool = False
    locks_rows: bool = False
    samples: bool = False
    window_orders: tuple[tuple[SortKey, ...], ...] = ()
    outputs: tuple[Output, ...] = ()

    def relation(self, alias: str) -> Relation | None:
        """Return the relation of that alias, ``None`` if this level has none."""
        return next((r for r in (*self.relations, self.target) if r and r.alias == alias), None)
