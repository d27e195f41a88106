"""Dangers of setting a configuration parameter, and why one can't be raced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgproof.changes.platform import platform_of
from pgproof.changes.setting_text import setting_sql
from pgproof.changes.table_guard import refuse_server
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, Refusal, SetSetting, SettingScope
from pgproof.model.relation import Setting
from pgproof.sqltext.quote import quote_identifier

OF_SESSIONS = ("user", "superuser")
"""Contexts of parameters that a session may change, so that a database may bring its own value. **Source**:
documentation of pg_settings; 53.25 in PostgreSQL 18."""

_RUNS_OR_HIDES = re.compile(r".*_command\Z|primary_conninfo\Z|.*passphrase.*|.*password.*", re.IGNORECASE)
_MASKED = "***"


def refuse_setting(change: SetSetting, catalog: Catalog, _: tuple[Change, ...]) -> tuple[Refusal, ...]:
    """Say why a parameter must not be set so, worst first."""
    setting = catalog.find_setting(change.name)
    refusals = [*refuse_server(catalog)]
    if setting is None and "." not in change.name:
        refusals.append(
            Refusal(
                f"PostgreSQL {catalog.version} has no parameter {change.name}, or hides it from role"
                f" {catalog.user}.",
                "Look it up in pg_settings.",
            )
        )
    if _RUNS_OR_HIDES.match(change.name) or (change.previous and _MASKED in change.previous):
        refusals.append(
            Refusal(
                f"pgproof does not set {change.name}: it runs a program or holds a secret.", "Set it by hand."
            )
        )
    if setting is not None and setting.context == "internal":
        refusals.append(Refusal(f"{change.name} is fixed when the server is built or initialised.", ""))
    elif change.scope is SettingScope.SYSTEM:
        refusals += _refuse_system(change, catalog, setting)
    else:
        refusals += _refuse_database(change, catalog, setting)
    return tuple(refusals)


def refuse_setting_race(change: SetSetting, catalog: Catalog) -> Refusal | None:
    """Say why a parameter can't be raced: all arms of a competition are databases of one server."""
    if change.scope is SettingScope.DATABASE:
        return None
    setting = catalog.find_setting(change.name)
    if setting is not None and setting.context in OF_SESSIONS:
        hint = "Let it compete for one database, which every arm is: " + _own_sql(change, catalog) + ";"
    else:
        hint = "Take it out of the variant, and deploy it by itself if its reasons convince you."
    return Refusal(
        f"{change.name} would be set for the whole server, and all arms share one server: an arm with it"
        " and one without it can't run side by side.",
        hint,
    )


def _own_sql(change: SetSetting, catalog: Catalog) -> str:
    own = SetSetting(change.name, change.value, SettingScope.DATABASE)
    return setting_sql(own, catalog.database, change.value)


def _refuse_database(change: SetSetting, catalog: Catalog, setting: Setting | None) -> Iterator[Refusal]:
    if change.database and change.database != catalog.database:
        yield Refusal(
            f"The change is about database {change.database}, and this is {catalog.database}.",
            "Name this one, or connect to the other.",
        )
    if setting is not None and setting.context not in OF_SESSIONS:
        yield Refusal(
            f"{change.name} can't be set for one database: its value is the whole server's"
            f" (context {setting.context}).",
            f"Set it for the server: {setting_sql(_of_system(change), '', change.value)};",
        )
    elif not catalog.superuser:
        yield from _refuse_role(change, catalog, setting)


def _refuse_role(change: SetSetting, catalog: Catalog, setting: Setting | None) -> Iterator[Refusal]:
    sql = setting_sql(change, catalog.database, change.value)
    user = quote_identifier(catalog.user)
    if setting is not None and setting.context == "superuser":
        yield Refusal(
            f"{change.name} is a superuser's to set, and role {catalog.user} is none.",
            f"Let a superuser run:\n  {sql};",
        )
    elif not catalog.owns_database:
        yield Refusal(
            f"Role {catalog.user} does not own database {catalog.database}, so the server will not let it set"
            f" {change.name} for it.",
            f"Let the database's owner or a superuser run:\n  {sql};\nor make {catalog.user} a member of the"
            f" owning role: GRANT owner TO {user};",
        )


def _of_system(change: SetSetting) -> SetSetting:
    return SetSetting(change.name, change.value, SettingScope.SYSTEM)


def _refuse_system(change: SetSetting, catalog: Catalog, setting: Setting | None) -> Iterator[Refusal]:
    platform = platform_of(catalog)
    sql = setting_sql(change, "", change.value)
    if platform is not None:
        yield Refusal(
            f"{platform.name} keeps the server's configuration itself: ALTER SYSTEM is not allowed there.",
            f"Set {change.name} = {change.value} in {platform.place}.",
        )
    elif not catalog.superuser:
        yield Refusal(
            f"Role {catalog.user} is no superuser, so the server will not let it set {change.name} for all.",
            f"Let a superuser run:\n  {sql};\n  SELECT pg_reload_conf();",
        )
    if catalog.setting("allow_alter_system") == "off":
        yield Refusal(
            "The server's administrators switched ALTER SYSTEM off (allow_alter_system).",
            f"Set {change.name} = {change.value} where they keep the configuration.",
        )
    if setting is not None and setting.source == "command line":
        yield Refusal(
            f"{change.name} is given on the server's command line, which outranks its files: ALTER SYSTEM"
            " would change nothing.",
            "Change the command that starts the server (a container's arguments, an operator's manifest).",
        )
