"""Tell the planner how columns belong together: CREATE STATISTICS, and the ANALYZE that fills it."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes.index_guard import NOT_ORDERABLE
from pgproof.changes.kind import Kind
from pgproof.changes.statistics import ANALYZABLE, analyze_step
from pgproof.changes.table_guard import refuse_server, refuse_table
from pgproof.errors import ConfigError, ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateStatistics, LockMode, Refusal, StatisticsKind, Step
from pgproof.model.relation import ExtendedStatistics, RelationName
from pgproof.sqltext.canonical import canonical_expression
from pgproof.sqltext.ddl import parse_change
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import IDENTIFIER_MAX_BYTES, qualify, quote_identifier, quote_literal

MAX_MEMBERS = 8
"""Columns and expressions an object may have. **Source**: STATS_MAX_DIMENSIONS, statistics/statistics.h."""

EXPRESSIONS_SINCE = 14
"""PostgreSQL version. **Source**: release notes of 14, E.15.3.1.3."""

_LETTERS = {StatisticsKind.NDISTINCT: "d", StatisticsKind.DEPENDENCIES: "f", StatisticsKind.MCV: "m"}


def create_statistics_sql(change: CreateStatistics) -> str:
    """Render CREATE STATISTICS.

    Raises:
        UsageError, ParseError: An expression is not one, or has more in it.
    """
    own = qualify(change.table.schema, change.name)
    kinds = f" ({', '.join(kind.value for kind in change.kinds)})" if change.kinds else ""
    members = [quote_identifier(column) for column in change.columns]
    members += [f"({expression})" for expression in change.expressions]
    table = qualify(change.table.schema, change.table.name)
    sql = f"CREATE STATISTICS {own}{kinds} ON {', '.join(members)} FROM {table}"
    if change.expressions and parse_statement(sql, change.name).kind != "utility":
        raise UsageError(f"The definition of {change.name} is not a CREATE STATISTICS statement")
    return sql


def _apply(change: CreateStatistics, _: Catalog | None) -> tuple[Step, ...]:
    return (
        Step(
            sql=create_statistics_sql(change),
            lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
            transactional=True,
            purpose=f"declare statistics {change.name} on {change.table}",
        ),
        # Only ANALYZE fills it. Its columns are enough, unless an expression reads others.
        analyze_step(change.table, () if change.expressions else change.columns),
    )


def _revert(change: CreateStatistics, _: Catalog | None) -> tuple[Step, ...]:
    own = RelationName(change.table.schema, change.name)
    return (
        Step(
            sql=f"DROP STATISTICS {qualify(own.schema, own.name)}",
            lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
            transactional=True,
            purpose=f"drop statistics {own}",
        ),
    )


def _verify(change: CreateStatistics) -> tuple[Step, ...]:
    letters = [quote_literal(_LETTERS[kind]) for kind in change.kinds]
    letters += [quote_literal("e")] if change.expressions else []
    columns = ", ".join(map(quote_literal, change.columns))
    sql = f"""SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified
  FROM pg_catalog.pg_statistic_ext e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace
  JOIN pg_catalog.pg_class t ON t.oid = e.stxrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname = {quote_literal(change.table.schema)} AND e.stxname = {quote_literal(change.name)}
   AND tn.nspname = {quote_literal(change.table.schema)} AND t.relname = {quote_literal(change.table.name)}
   AND e.stxkind::text[] @> ARRAY[{", ".join(letters)}]::text[]
   AND ARRAY(SELECT a.attname::text COLLATE "C"
               FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys::int2[])
              ORDER BY 1) = ARRAY(SELECT p.name COLLATE "C"
                                    FROM pg_catalog.unnest(ARRAY[{columns}]::text[]) p(name)
                                   ORDER BY 1)"""
    return (
        Step(
            sql=sql,
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"statistics {change.name} are declared as planned",
            verifies=True,
        ),
    )


def _simulate(change: CreateStatistics) -> tuple[Step, ...]:
    return _apply(change, None)


def _refuse(change: CreateStatistics, catalog: Catalog, earlier: tuple[Change, ...]) -> tuple[Refusal, ...]:
    purpose = "keep statistics of columns together for"
    refusals = [
        *refuse_server(catalog),
        *refuse_table(change.table, change.columns, catalog, purpose, ANALYZABLE),
        *_refuse_members(change, catalog),
        *_refuse_name(change, catalog, earlier),
        *_refuse_columns(change, catalog),
    ]
    try:
        create_statistics_sql(change)
    except (ParseError, UsageError) as error:
        refusals.append(
            Refusal(f"The definition of {change.name} is not valid SQL: {error.message}.", error.hint)
        )
    return tuple(refusals)


def _refuse_members(change: CreateStatistics, catalog: Catalog) -> Iterator[Refusal]:
    members = len(change.columns) + len(change.expressions)
    if members > MAX_MEMBERS or len(set(change.columns)) < len(change.columns):
        yield Refusal(
            f"Statistics {change.name} have more than {MAX_MEMBERS} columns, or one of them twice.",
            "Take those that statements compare together.",
        )
    if members < 2 and not change.expressions:
        yield Refusal(
            f"Statistics {change.name} have fewer than two columns, and each column has its own already.",
            "Name the columns that belong together, or raise the column's statistics target.",
        )
    if (members == 1) == bool(change.kinds):
        yield Refusal(
            f"Statistics {change.name}: a single expression has no kinds, several members must have some.",
            "Kinds are ndistinct, dependencies and mcv.",
        )
    if change.expressions and catalog.major < EXPRESSIONS_SINCE:
        yield Refusal(
            f"PostgreSQL {catalog.major} keeps no statistics of expressions.",
            "Build an index on the expression: ANALYZE keeps statistics of it.",
        )


def _refuse_name(
    change: CreateStatistics, catalog: Catalog, earlier: tuple[Change, ...]
) -> Iterator[Refusal]:
    own = RelationName(change.table.schema, change.name)
    if len(change.name.encode()) > IDENTIFIER_MAX_BYTES:
        yield Refusal(
            f"The name {change.name} is longer than {IDENTIFIER_MAX_BYTES} bytes: the server would cut it,"
            " and pgproof would not find its statistics again.",
            "Choose a shorter name.",
        )
    taken = catalog.find_statistics(own)
    if taken is not None:
        yield Refusal(
            f"The name {own} is taken by other statistics, on {taken.table}.", "Choose another name."
        )
    names = [(o.table.schema, o.name) for o in earlier if isinstance(o, CreateStatistics)]
    if (own.schema, own.name) in names:
        yield Refusal(
            f"Two changes of the same variant make statistics named {own}.",
            "Give one of them another name.",
        )


def _refuse_columns(change: CreateStatistics, catalog: Catalog) -> Iterator[Refusal]:
    table = catalog.find_table(change.table.name, change.table.schema)
    for name in change.columns:
        column = table.column(name) if table else None
        if column is not None and (column.base_type in NOT_ORDERABLE or not column.orderable):
            yield Refusal(
                f"Column {name} of {change.table} has type {column.type_name}, which has no order: the server"
                " keeps no statistics of it together with others.",
                "Leave it out.",
            )
        if column is not None and column.generated == "virtual":
            yield Refusal(
                f"Column {name} of {change.table} is a virtual generated one: it has no statistics.",
                "Name the columns that it is made of.",
            )


def _is_so(change: CreateStatistics, catalog: Catalog) -> bool:
    return any(_holds(found, change) for found in catalog.statistics if found.table == change.table)


def _holds(found: ExtendedStatistics, change: CreateStatistics) -> bool:
    """Tell whether statistics that are there hold all that the change would add, whatever they are called."""
    wanted = {kind.value for kind in change.kinds} | ({"expressions"} if change.expressions else set())
    if set(found.columns) != set(change.columns) or not wanted <= set(found.kinds):
        return False
    if "expressions" not in found.kinds:
        return True
    try:
        own = parse_change(found.definition)
    except (ConfigError, ParseError):
        return False
    expressions = own.expressions if isinstance(own, CreateStatistics) else ()
    return {canonical_expression(text) for text in expressions} == {
        canonical_expression(text) for text in change.expressions
    }


def _describe(change: CreateStatistics) -> str:
    kinds = f" ({', '.join(kind.value for kind in change.kinds)})" if change.kinds else ""
    members = ", ".join((*change.columns, *change.expressions))
    return f"statistics {change.name}{kinds} on {members} of {change.table}"


CREATE_STATISTICS = Kind(
    change=CreateStatistics,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=_refuse,
    is_so=_is_so,
    describe=_describe,
)
