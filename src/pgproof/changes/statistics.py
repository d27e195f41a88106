"""Refresh a table's planner statistics."""

from __future__ import annotations

from pgproof.changes.kind import Kind
from pgproof.changes.table_guard import refuse_server, refuse_table
from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, Change, LockMode, Refusal, Step
from pgproof.model.relation import RelationKind, RelationName
from pgproof.sqltext.quote import qualify, quote_identifier

ANALYZABLE = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW, RelationKind.FOREIGN)


def analyze_step(table: RelationName, columns: tuple[str, ...] = ()) -> Step:
    """Return the step that analyses a table, or only some of its columns.

    Index expressions are analysed only when no columns are named.
    **Source**: ``do_analyze_rel`` in src/backend/commands/analyze.c.
    """
    names = f" ({', '.join(quote_identifier(column) for column in columns)})" if columns else ""
    return Step(
        sql=f"ANALYZE {qualify(table.schema, table.name)}{names}",
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=True,
        purpose=f"refresh statistics of {table}",
        repeatable=True,
    )


def _apply(change: AnalyzeTable, _: Catalog | None) -> tuple[Step, ...]:
    return (analyze_step(change.table, change.columns),)


def _revert(_: AnalyzeTable, __: Catalog | None) -> tuple[Step, ...]:
    return ()  # older statistics are of no use to anybody


def _verify(_: AnalyzeTable) -> tuple[Step, ...]:
    return ()  # an empty table has no statistics afterwards either


def _simulate(change: AnalyzeTable) -> tuple[Step, ...]:
    return _apply(change, None)


def _refuse(change: AnalyzeTable, catalog: Catalog, _: tuple[Change, ...]) -> tuple[Refusal, ...]:
    purpose = "refresh statistics of"
    return (
        *refuse_server(catalog),
        *refuse_table(change.table, change.columns, catalog, purpose, ANALYZABLE),
    )


def _is_so(_: AnalyzeTable, __: Catalog) -> bool:
    return False


def _describe(change: AnalyzeTable) -> str:
    columns = f" ({', '.join(change.columns)})" if change.columns else ""
    return f"analyze {change.table}{columns}"


ANALYZE_TABLE = Kind(
    change=AnalyzeTable,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=_refuse,
    is_so=_is_so,
    describe=_describe,
)
