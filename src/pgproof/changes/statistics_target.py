"""Have ANALYZE look closer at one column."""

from __future__ import annotations

from dataclasses import replace

from pgproof.changes.kind import Kind
from pgproof.changes.statistics import ANALYZABLE, analyze_step
from pgproof.changes.table_guard import refuse_server, refuse_table
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, LockMode, Refusal, SetStatisticsTarget, Step
from pgproof.model.relation import Column
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal

MAX_TARGET = 10_000
"""**Source**: MAX_STATISTICS_TARGET, src/include/commands/vacuum.h."""

_DEFAULT = -1
"""What PostgreSQL 13 to 18 all take for "the default again"; 17 and later keep a NULL for it."""


def _alter(change: SetStatisticsTarget, target: int, purpose: str) -> Step:
    # ONLY: without it the partitions' own targets would be overwritten, and nobody could bring them back.
    return Step(
        sql=f"ALTER TABLE ONLY {qualify(change.table.schema, change.table.name)}"
        f" ALTER COLUMN {quote_identifier(change.column)} SET STATISTICS {target}",
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=True,
        purpose=purpose,
    )


def _apply(change: SetStatisticsTarget, _: Catalog | None) -> tuple[Step, ...]:
    purpose = f"statistics target {change.target} for {change.column} of {change.table}"
    return (_alter(change, change.target, purpose), analyze_step(change.table, (change.column,)))


def _revert(change: SetStatisticsTarget, _: Catalog | None) -> tuple[Step, ...]:
    before = _DEFAULT if change.previous is None else change.previous
    purpose = f"statistics target of {change.column} of {change.table} as it was"
    return (_alter(change, before, purpose), analyze_step(change.table, (change.column,)))


def _verify(change: SetStatisticsTarget) -> tuple[Step, ...]:
    sql = f"""SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE n.nspname = {quote_literal(change.table.schema)} AND t.relname = {quote_literal(change.table.name)}
   AND a.attname = {quote_literal(change.column)} AND NOT a.attisdropped
   AND a.attstattarget = {change.target}"""
    purpose = f"statistics target of {change.column} of {change.table} is {change.target}"
    return (Step(sql=sql, lock_mode=LockMode.NONE, transactional=True, purpose=purpose, verifies=True),)


def _simulate(change: SetStatisticsTarget) -> tuple[Step, ...]:
    return _apply(change, None)


def _refuse(change: SetStatisticsTarget, catalog: Catalog, _: tuple[Change, ...]) -> tuple[Refusal, ...]:
    purpose = "set a statistics target on"
    refusals = [
        *refuse_server(catalog),
        *refuse_table(change.table, (change.column,), catalog, purpose, ANALYZABLE),
    ]
    column = _column(change, catalog)
    if column is not None and column.generated == "virtual":
        refusals.append(
            Refusal(
                f"Column {change.column} of {change.table} is a virtual generated one: it has no statistics.",
                "Set the target of the columns that it is made of.",
            )
        )
    if not 0 <= change.target <= MAX_TARGET:
        refusals.append(
            Refusal(
                f"A statistics target of {change.target} is impossible: the server takes 0 to {MAX_TARGET}.",
                "1000 is a lot already: each step is one more value to look through when planning.",
            )
        )
    return tuple(refusals)


def _column(change: SetStatisticsTarget, catalog: Catalog) -> Column | None:
    table = catalog.find_table(change.table.name, change.table.schema)
    return table.column(change.column) if table else None


def _is_so(change: SetStatisticsTarget, catalog: Catalog) -> bool:
    column = _column(change, catalog)
    return column is not None and column.statistics_target == change.target


def _remember(change: SetStatisticsTarget, catalog: Catalog) -> SetStatisticsTarget:
    column = _column(change, catalog)
    return change if column is None else replace(change, previous=column.statistics_target)


def _describe(change: SetStatisticsTarget) -> str:
    return f"statistics target {change.target} for column {change.column} of {change.table}"


SET_STATISTICS_TARGET = Kind(
    change=SetStatisticsTarget,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=_refuse,
    is_so=_is_so,
    describe=_describe,
    remember=_remember,
)
