"""A server's settings as numbers, and how a number is written as a setting."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgproof.changes.platform import platform_of
from pgproof.changes.setting_guard import OF_SESSIONS
from pgproof.model.catalog import Catalog
from pgproof.model.change import SetSetting, SettingScope
from pgproof.model.machine import Machine
from pgproof.model.relation import Setting
from pgproof.model.setting_advice import SettingAdvice, TakesEffect
from pgproof.model.workload import Workload

KB, MB, GB = 1024, 1024**2, 1024**3

PLANNED_WITH = frozenset(
    {
        "work_mem",
        "hash_mem_multiplier",
        "random_page_cost",
        "effective_cache_size",
        "effective_io_concurrency",
    }
    | {"jit", "max_parallel_workers_per_gather"}
)
"""Settings of a session that change plans or how they are carried out: what a competition can race."""

_OF_ROLE = ("user", "database user")
_UNITS = {"B": 1, "kB": KB, "MB": MB, "GB": GB}
_MEMORY = re.compile(r"(\d*)(B|kB|MB|GB)\Z")


@dataclass(frozen=True, slots=True)
class Server:
    """What settings are judged by.

    Args:
        catalog: Of one of its databases.
        machine: It runs on.
        workload: Captured there; None where nobody did.
    """

    catalog: Catalog
    machine: Machine
    workload: Workload | None = None

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a setting's value in its own unit; ``default`` where the server has no such setting."""
        value = self.catalog.setting(name)
        try:
            return default if value is None else float(value)
        except ValueError:
            return default

    def size_bytes(self, name: str, default: int = 0) -> int:
        """Return a setting of memory in bytes; negative values, which mean "by another rule", as they are."""
        setting = self.catalog.find_setting(name)
        if setting is None:
            return default
        value = int(self.number(name))
        return value if value < 0 else value * _unit_bytes(setting)

    def is_on(self, name: str) -> bool:
        """Whether a switch is on; a setting that the server lacks is off."""
        return self.catalog.setting(name) == "on"

    @property
    def data_bytes(self) -> int:
        """Size of this database's tables and indexes; of other databases nothing is known."""
        tables = sum(table.size_bytes for table in self.catalog.tables if not table.partition_key)
        return tables + sum(index.size_bytes for index in self.catalog.indexes if index.parent is None)


def shown(setting: Setting) -> str:
    """Return a setting's value as one writes it: "128MB", "10min", "on"."""
    if _MEMORY.match(setting.unit) and not setting.value.startswith("-"):
        return memory_text(int(float(setting.value)) * _unit_bytes(setting))
    return f"{setting.value}{setting.unit if setting.value not in ('-1', '0') else ''}"


def memory_text(size_bytes: int) -> str:
    """Write a size as a setting, in the largest unit that leaves no rest."""
    for unit in ("GB", "MB", "kB"):
        if size_bytes and size_bytes % _UNITS[unit] == 0:
            return f"{size_bytes // _UNITS[unit]}{unit}"
    return f"{max(size_bytes // KB, 0)}kB"


def rounded(size_bytes: float) -> int:
    """Round memory down to what people write: whole MB, from 16 MB on in eighths of the next power of two."""
    megabytes = int(size_bytes // MB)
    if megabytes < 1:
        return max(int(size_bytes // (64 * KB)), 1) * 64 * KB
    step = max(1 << max(megabytes.bit_length() - 3, 0), 1) if megabytes >= 16 else 1
    return megabytes // step * step * MB


def advise(
    server: Server,
    name: str,
    proposed: str,
    *,
    reason: str,
    source: str,
    risk: str,
    whole: bool = False,
) -> tuple[SettingAdvice, ...]:
    """Return advice on a setting, with where and how it is set; nothing where the server lacks the setting.

    Args:
        server: Whose.
        name: Of the setting.
        proposed: As one writes it.
        reason: See `SettingAdvice`.
        source: See there.
        risk: See there.
        whole: Set it for the whole server even where a database could have its own value.
    """
    setting = server.catalog.find_setting(name)
    if setting is None:
        return ()
    own = setting.context in OF_SESSIONS
    trial = SetSetting(setting.name, proposed) if own and name in PLANNED_WITH else None
    for_database = setting.context == "user" and not whole
    change: SetSetting | None = SetSetting(setting.name, proposed)
    if not for_database:
        managed = platform_of(server.catalog) is not None
        change = None if managed else SetSetting(setting.name, proposed, SettingScope.SYSTEM)
    if setting.pending_restart:
        risk += " Another value waits for a restart already: look into the server's files first."
    return (
        SettingAdvice(
            name=setting.name,
            present=shown(setting),
            proposed=proposed,
            reason=reason,
            source=source,
            risk=risk,
            takes_effect=_effect(setting, for_database),
            place=_place(server, setting, for_database),
            change=change,
            trial=trial,
        ),
    )


def _place(server: Server, setting: Setting, for_database: bool) -> str:
    platform = platform_of(server.catalog)
    if not for_database and platform:
        return f"{platform.place} of {platform.name}"
    if not for_database:
        return "the server's configuration: ALTER SYSTEM"
    place = "this database: ALTER DATABASE ... SET; for all of them, the server's configuration"
    if setting.source in _OF_ROLE:
        role = server.catalog.user
        place += f"; role {role} has a value of its own (ALTER ROLE ... SET), which outranks both"
    return place


def _effect(setting: Setting, for_database: bool) -> TakesEffect:
    if for_database or setting.context in ("backend", "superuser-backend"):
        return TakesEffect.NEW_SESSIONS
    return TakesEffect.RESTART if setting.context == "postmaster" else TakesEffect.RELOAD


def _unit_bytes(setting: Setting) -> int:
    match = _MEMORY.match(setting.unit)
    if match is None:
        return 1
    return int(match.group(1) or 1) * _UNITS[match.group(2)]
