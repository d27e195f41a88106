"""How a configuration parameter is written as SQL, and how the server writes it down."""

from __future__ import annotations

import re

from pgproof.model.change import SetSetting, SettingScope
from pgproof.sqltext.quote import quote_identifier, quote_literal

LISTS_OF_NAMES = frozenset(
    {"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries"}
    | {"temp_tablespaces", "unix_socket_directories"}
)
"""Written as several values, since one literal would be one name with commas in it. **Source**: the settings
marked GUC_LIST_QUOTE in src/backend/utils/misc/guc_tables.c of 13 to 18."""

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*?))\s*(?:,|\Z)')


def setting_sql(change: SetSetting, database: str, value: str | None) -> str:
    """Render the statement that sets a parameter, or with None for a value takes it out.

    Args:
        change: Says which, and for whom.
        database: Its name, for a setting of a database.
        value: As in `SetSetting.value`.
    """
    whose = "SYSTEM" if change.scope is SettingScope.SYSTEM else f"DATABASE {quote_identifier(database)}"
    if value is None:
        return f"ALTER {whose} RESET {_name(change.name)}"
    return f"ALTER {whose} SET {assignment_sql(change.name, value)}"


def assignment_sql(name: str, value: str) -> str:
    """Render ``name = value``, the value quoted as its kind asks."""
    values = _names_in(value) if name.lower() in LISTS_OF_NAMES else (value,)
    return f"{_name(name)} = {', '.join(map(quote_literal, values))}"


def stored_value(name: str, value: str) -> str:
    """Return a value as the server keeps it and shows it again.

    **Source**: ``flatten_set_variable_args`` in src/backend/utils/misc/guc_funcs.c.
    """
    if name.lower() not in LISTS_OF_NAMES:
        return value
    return ", ".join(quote_identifier(part) if part else '""' for part in _names_in(value))


def _name(name: str) -> str:
    return ".".join(quote_identifier(part) for part in name.split("."))


def _names_in(value: str) -> tuple[str, ...]:
    """Split a list of names at its commas, quotes taken off; one empty name for an empty list."""
    parts: list[str] = []
    place = 0
    while place < len(value) or not parts:
        match = _NAME.match(value, place)
        if match is None:
            return (value,)  # no list after all: the server says what is wrong with it
        quoted, bare = match.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else bare)
        place = match.end() if match.end() > place else len(value)
    return tuple(parts)
