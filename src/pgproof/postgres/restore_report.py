"""Reads what pg_restore complained about. Pure."""

from __future__ import annotations

import re

_ERROR = "pg_restore: error: "
_COMMAND = "Command was: "
_STATEMENT_SHOWN_CHARS = 120
_COPY = re.compile(r"COPY (?P<table>.+?) \(.*FROM stdin")
_COPY_FAILED = re.compile(r'COPY failed for table "(?P<table>.+?)": ERROR: +(?P<message>.*)')
# A dump of a newer pg_dump sets parameters that an older server does not know; nothing is missing for it.
_HARMLESS = re.compile(
    r'unrecognized configuration parameter "(transaction_timeout|default_table_access_method)"'
)
_QUOTED = re.compile(r'"[^"]*"')


def find_skipped(stderr: str) -> tuple[str, ...]:
    """Return one line for each object that could not be restored, in order, without repeats.

    Args:
        stderr: What pg_restore wrote (English messages, ``LC_ALL=C``).
    """
    found: list[str] = []
    for message, command in _complaints(stderr):
        if _HARMLESS.search(message):
            continue
        failed = _COPY_FAILED.search(message)
        if failed:  # the server's words may quote a row
            found.append(f"rows of table {failed['table']}: {_without_values(failed['message'])}")
            continue
        reason = message.removeprefix("could not execute query: ERROR:").strip()
        copied = _COPY.match(command)
        what = f"rows of table {copied['table']}" if copied else _shorten(command)
        found.append(f"{what}: {reason}" if what else reason)
    return tuple(dict.fromkeys(found))


def find_tables_without_rows(stderr: str) -> tuple[str, ...]:
    """Return the tables, as pg_restore writes them, whose rows could not be loaded; without repeats."""
    found = []
    for message, command in _complaints(stderr):
        match = _COPY_FAILED.search(message) or _COPY.match(command)
        if match and not _HARMLESS.search(message):
            found.append(match["table"])
    return tuple(dict.fromkeys(found))


def _complaints(stderr: str) -> list[tuple[str, str]]:
    """Split the output into errors: the primary message and the first line of the command it is about."""
    pairs: list[tuple[str, str]] = []
    for line in stderr.splitlines():
        if line.startswith(_ERROR):
            pairs.append((line.removeprefix(_ERROR), ""))
        elif line.startswith(_COMMAND) and pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], line.removeprefix(_COMMAND))
    return pairs


def _without_values(message: str) -> str:
    return _QUOTED.sub("(value left out)", message)


def _shorten(command: str) -> str:
    command = command.strip().rstrip(";(").strip()
    return command if len(command) <= _STATEMENT_SHOWN_CHARS else command[: _STATEMENT_SHOWN_CHARS - 1] + "…"
