"""Keep the answer of a query as a table of its own, with the indexes it needs."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes.index import CREATE_INDEX
from pgproof.changes.kind import Kind
from pgproof.changes.materialized_view_guard import refuse_view
from pgproof.changes.statistics import analyze_step
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateMaterializedView, LockMode, Step
from pgproof.model.relation import RelationKind
from pgproof.sqltext.quote import qualify, quote_literal
from pgproof.sqltext.view_query import read_view_query


def create_view_sql(change: CreateMaterializedView, *, with_data: bool = True) -> str:
    """Render CREATE MATERIALIZED VIEW.

    Args:
        change: The view.
        with_data: Run its query; without, the planner can be asked about it, and nobody can read it.

    Raises:
        UsageError, ParseError: Its query is not one SELECT without parameters.
    """
    query = read_view_query(change.query)
    if not query.is_select or query.parameters:
        raise UsageError(
            f"The query of {change.view} is not a SELECT without parameters that writes nothing",
            hint="Write the values into the query.",
        )
    name = qualify(change.view.schema, change.view.name)
    return f"CREATE MATERIALIZED VIEW {name} AS {query.text}" + ("" if with_data else " WITH NO DATA")


def refresh_sql(change: CreateMaterializedView) -> str:
    """Render the statement that brings a view up to date; readers go on meanwhile where an index allows it.

    **Source**: documentation of REFRESH MATERIALIZED VIEW: CONCURRENTLY needs a unique index on columns
    alone, over all rows.
    """
    unique = any(
        index.unique and not index.where and all(key.column for key in index.keys) for index in change.indexes
    )
    how = "CONCURRENTLY " if unique else ""
    return f"REFRESH MATERIALIZED VIEW {how}{qualify(change.view.schema, change.view.name)}"


def _apply(change: CreateMaterializedView, _: Catalog | None) -> tuple[Step, ...]:
    return (*_view_step(change), *_index_steps(change), analyze_step(change.view))


def _view_step(change: CreateMaterializedView) -> Iterator[Step]:
    # Readers and writers of its tables go on; their owners can't alter them before it is filled.
    yield Step(
        sql=create_view_sql(change),
        lock_mode=LockMode.ACCESS_SHARE,
        transactional=True,
        purpose=f"fill materialized view {change.view}",
    )


def _index_steps(change: CreateMaterializedView) -> Iterator[Step]:
    for index in change.indexes:
        yield from (step for step in CREATE_INDEX.apply(index, None) if not step.repeatable)


def _revert(change: CreateMaterializedView, _: Catalog | None) -> tuple[Step, ...]:
    return (
        Step(
            sql=f"DROP MATERIALIZED VIEW {qualify(change.view.schema, change.view.name)}",
            lock_mode=LockMode.ACCESS_EXCLUSIVE,
            transactional=True,
            purpose=f"drop materialized view {change.view} with its indexes",
        ),
    )


def _verify(change: CreateMaterializedView) -> tuple[Step, ...]:
    """Ask about the view alone: its indexes are asked about as they are built, and go when it goes."""
    columns = ", ".join(map(quote_literal, read_view_query(change.query).columns))
    same_columns = f"""
   AND ARRAY(SELECT a.attname::text
               FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum) = ARRAY[{columns}]::text[]"""
    sql = f"""SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = {quote_literal(change.view.schema)} AND c.relname = {quote_literal(change.view.name)}
   AND c.relkind = 'm' AND c.relispopulated{same_columns if columns else ""}"""
    return (
        Step(
            sql=sql,
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"materialized view {change.view} is there and filled",
            verifies=True,
        ),
    )


def _simulate(change: CreateMaterializedView) -> tuple[Step, ...]:
    built = (step for index in change.indexes for step in _plain(CREATE_INDEX.simulate(index)))
    return (*_view_step(change), *built, analyze_step(change.view))


def _plain(steps: object) -> tuple[Step, ...]:
    return steps if isinstance(steps, tuple) else ()


def _is_so(change: CreateMaterializedView, catalog: Catalog) -> bool:
    """Tell whether a view of that name gives the same columns from the same tables.

    The server prints a query in words of its own, so texts can't be compared.
    """
    found = catalog.find_table(change.view.name, change.view.schema)
    if found is None or found.kind is not RelationKind.MATVIEW:
        return False
    try:
        wanted, is_there = read_view_query(change.query), read_view_query(found.definition)
    except (ParseError, UsageError):
        return False
    names = tuple(column.name for column in found.columns)
    have = {index.relation.name for index in catalog.indexes_of(change.view) if index.valid}
    return (
        wanted.columns in ((), names)
        and {name for _, name in wanted.relations} == {name for _, name in is_there.relations}
        and {index.name for index in change.indexes} <= have
    )


def _describe(change: CreateMaterializedView) -> str:
    count = len(change.indexes)
    indexes = f" with {count} index{'' if count == 1 else 'es'}" if count else ""
    return f"materialized view {change.view}{indexes}"


CREATE_MATERIALIZED_VIEW = Kind(
    change=CreateMaterializedView,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=refuse_view,
    is_so=_is_so,
    describe=_describe,
)
