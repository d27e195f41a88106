"""Set one storage parameter of a table: fillfactor, and when autovacuum comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pgproof.changes.kind import Kind
from pgproof.changes.table_guard import refuse_server, refuse_table
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, LockMode, Refusal, SetTableOption, Step
from pgproof.model.relation import RelationKind
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal

_KINDS = (RelationKind.TABLE, RelationKind.MATVIEW)
_BLOCKING = ("user_catalog_table",)
"""Parameters whose change locks out readers. **Source**: access/common/reloptions.c of 13 to 18."""


def _set(change: SetTableOption, options: Iterable[tuple[str, str]], purpose: str) -> Step:
    pairs = ", ".join(f"{quote_identifier(name)} = {quote_literal(value)}" for name, value in options)
    return _alter(change, f"SET ({pairs})", purpose)


def _alter(change: SetTableOption, action: str, purpose: str) -> Step:
    return Step(
        sql=f"ALTER TABLE {qualify(change.table.schema, change.table.name)} {action}",
        lock_mode=LockMode.SHARE_UPDATE_EXCLUSIVE,
        transactional=True,
        purpose=purpose,
    )


def _apply(change: SetTableOption, _: Catalog | None) -> tuple[Step, ...]:
    purpose = f"{change.name} = {change.value} for {change.table}"
    return (_set(change, [(change.name, change.value)], purpose),)


def _revert(change: SetTableOption, catalog: Catalog | None) -> tuple[Step, ...]:
    purpose = f"{change.name} of {change.table} as it was"
    before = dict(_split(option) for option in change.previous)
    if change.name not in before:
        return (_alter(change, f"RESET ({quote_identifier(change.name)})", purpose),)
    # The server moves what is set to the end of its list, and pg_dump shows the list: all are set anew, in
    # the old order. What others changed meanwhile keeps their value.
    now = dict(_split(option) for option in _options(change, catalog)) if catalog else before
    now[change.name] = before[change.name]
    return (_set(change, [(name, now[name]) for name in before if name in now], purpose),)


def _split(option: str) -> tuple[str, str]:
    name, _, value = option.partition("=")
    return name, value


def _options(change: SetTableOption, catalog: Catalog) -> tuple[str, ...]:
    table = catalog.find_table(change.table.name, change.table.schema)
    return table.options if table else ()


def _verify(change: SetTableOption) -> tuple[Step, ...]:
    sql = f"""SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE n.nspname = {quote_literal(change.table.schema)} AND t.relname = {quote_literal(change.table.name)}
   AND {quote_literal(f"{change.name}={change.value}")} = ANY (t.reloptions)"""
    purpose = f"{change.name} of {change.table} is {change.value}"
    return (Step(sql=sql, lock_mode=LockMode.NONE, transactional=True, purpose=purpose, verifies=True),)


def _simulate(change: SetTableOption) -> tuple[Step, ...]:
    return _apply(change, None)


def _refuse(change: SetTableOption, catalog: Catalog, _: tuple[Change, ...]) -> tuple[Refusal, ...]:
    refusals = [
        *refuse_server(catalog),
        *refuse_table(change.table, (), catalog, "set a storage parameter of", _KINDS),
    ]
    if change.name.lower() in _BLOCKING or "." in change.name or "=" in change.name:
        refusals.append(
            Refusal(
                f"pgproof does not set {change.name}: it would lock out readers, or what it was before"
                " can't be known.",
                "Set it by hand, in a quiet hour.",
            )
        )
    return tuple(refusals)


def _is_so(change: SetTableOption, catalog: Catalog) -> bool:
    return f"{change.name}={change.value}" in _options(change, catalog)


def _remember(change: SetTableOption, catalog: Catalog) -> SetTableOption:
    return replace(change, previous=_options(change, catalog))


def _describe(change: SetTableOption) -> str:
    return f"{change.name} = {change.value} for {change.table}"


SET_TABLE_OPTION = Kind(
    change=SetTableOption,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=_refuse,
    is_so=_is_so,
    describe=_describe,
    remember=_remember,
)
