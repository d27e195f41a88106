"""Set a configuration parameter: for new sessions of one database, or for the whole server."""

from __future__ import annotations

from dataclasses import replace

from pgproof.changes.kind import Kind
from pgproof.changes.setting_guard import refuse_setting, refuse_setting_race
from pgproof.changes.setting_text import assignment_sql, setting_sql, stored_value
from pgproof.errors import UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CloneOnly, LockMode, SetSetting, SettingScope, Step
from pgproof.sqltext.quote import quote_literal


def _apply(change: SetSetting, catalog: Catalog | None) -> tuple[Step, ...]:
    purpose = f"{_whose(change, catalog)}: {change.name} = {change.value}"
    return _steps(change, catalog, change.value, purpose)


def _revert(change: SetSetting, catalog: Catalog | None) -> tuple[Step, ...]:
    purpose = f"{_whose(change, catalog)}: {change.name} as it was"
    return _steps(change, catalog, change.previous, purpose)


def _steps(change: SetSetting, catalog: Catalog | None, value: str | None, purpose: str) -> tuple[Step, ...]:
    if change.scope is SettingScope.DATABASE:
        sql = setting_sql(change, _database(change, catalog), value)
        return (Step(sql=sql, lock_mode=LockMode.NONE, transactional=True, purpose=purpose),)
    return (
        # Not in a transaction block: it writes a file, which no rollback takes back.
        Step(
            sql=setting_sql(change, "", value), lock_mode=LockMode.NONE, transactional=False, purpose=purpose
        ),
        Step(
            sql="SELECT pg_catalog.pg_reload_conf()",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"have the server read its configuration again{_when(change, catalog)}",
            repeatable=True,
        ),
    )


def _database(change: SetSetting, catalog: Catalog | None) -> str:
    name = catalog.database if catalog else change.database
    if not name:
        raise UsageError(
            f"The database whose {change.name} is to be set is not known",
            hint="Name it: ALTER DATABASE name SET ...",
        )
    return name


def _whose(change: SetSetting, catalog: Catalog | None) -> str:
    if change.scope is SettingScope.SYSTEM:
        return "for the whole server"
    return f"for new sessions in database {_database(change, catalog)}"


def _when(change: SetSetting, catalog: Catalog | None) -> str:
    setting = catalog.find_setting(change.name) if catalog else None
    if setting is not None and setting.context == "postmaster":
        return f" ({change.name} takes effect with its next restart)"
    return ""


def _verify(change: SetSetting) -> tuple[Step, ...]:
    # The files are read when this is asked, so no reload has to have come through.
    value = quote_literal(stored_value(change.name, change.value))
    name = quote_literal(change.name.lower())
    if change.scope is SettingScope.SYSTEM:
        source = f"""pg_catalog.pg_file_settings f
 WHERE pg_catalog.lower(f.name) = {name} AND f.setting = {value}
   AND f.sourcefile LIKE '%postgresql.auto.conf'"""
        purpose = f"{change.name} is {change.value} in the server's configuration"
    else:
        source = f"""pg_catalog.pg_db_role_setting s
  JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) u(item)
 WHERE d.datname = pg_catalog.current_database() AND s.setrole = 0
   AND pg_catalog.lower(pg_catalog.split_part(u.item, '=', 1)) = {name}
   AND pg_catalog.substr(u.item, pg_catalog.strpos(u.item, '=') + 1) = {value}"""
        purpose = f"{change.name} is {change.value} for new sessions in this database"
    return (
        Step(
            sql=f"SELECT /* pgproof */ pg_catalog.count(*) > 0 AS verified\n  FROM {source}",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=purpose,
            verifies=True,
        ),
    )


def _simulate(change: SetSetting) -> tuple[Step, ...] | CloneOnly:
    if change.scope is SettingScope.SYSTEM:
        return CloneOnly("ALTER SYSTEM changes the whole server and can't be rolled back")
    return (
        Step(
            sql=f"SET LOCAL {assignment_sql(change.name, change.value)}",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"{change.name} = {change.value} in this transaction",
        ),
    )


def _is_so(change: SetSetting, catalog: Catalog) -> bool:
    return _present(change, catalog) == stored_value(change.name, change.value)


def _present(change: SetSetting, catalog: Catalog) -> str | None:
    setting = catalog.find_setting(change.name)
    if setting is None:
        return None
    return setting.system_value if change.scope is SettingScope.SYSTEM else setting.database_value


def _remember(change: SetSetting, catalog: Catalog) -> SetSetting:
    return replace(change, previous=_present(change, catalog))


def _describe(change: SetSetting) -> str:
    whose = "the whole server" if change.scope is SettingScope.SYSTEM else change.database or "this database"
    return f"{change.name} = {change.value} for {whose}"


SET_SETTING = Kind(
    change=SetSetting,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=refuse_setting,
    is_so=_is_so,
    describe=_describe,
    remember=_remember,
    refuse_race=refuse_setting_race,
)
