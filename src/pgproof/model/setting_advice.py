"""Advice on settings that don't fit the machine or the workload."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.change import SetSetting, SetTableOption


class TakesEffect(StrEnum):
    """When a new value is in force."""

    AT_ONCE = "at once"
    NEW_SESSIONS = "in new sessions"
    RELOAD = "after a reload"
    RESTART = "after a restart"


@dataclass(frozen=True, slots=True)
class SettingAdvice:
    """A setting to change, or something beside the server that is set.

    Args:
        name: Of the setting; ``schema.table: parameter`` for a table's own; words for what is none of the
            server's ("pool size").
        present: Value in force, as one writes it; empty where nothing is known of it.
        proposed: Better value, as one writes it.
        reason: Why, in words; with the whole sum where memory is concerned.
        source: Where the rule comes from.
        risk: What can go wrong.
        takes_effect: When it is in force.
        place: Where to set it, in words.
        change: What pgproof would do; None where it can't (a managed service, the application, the kernel).
        trial: The same for one database, which a competition can race; None where there is no such thing.
    """

    name: str
    present: str
    proposed: str
    reason: str
    source: str
    risk: str
    takes_effect: TakesEffect
    place: str
    change: SetSetting | SetTableOption | None = None
    trial: SetSetting | None = None
