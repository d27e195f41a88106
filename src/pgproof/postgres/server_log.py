"""Reads the end of a server's log for an error message, without the user's rows and statements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

NO_SPACE = "No space left on device"  # untranslated, because servers of ours run with LC_ALL=C
_TAIL_BYTES = 16 * 1024
_SEVERITY = re.compile(
    r"(?:^|\s)(DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT):"
)
# These tell of the server; an ERROR and what follows it tell of somebody's statement.
_OF_THE_SERVER = frozenset({"LOG", "WARNING", "FATAL", "PANIC"})
_ADDITIONS = frozenset({"DETAIL", "HINT"})


def log_tail(path: Path, limit: int = 6) -> tuple[str, ...]:
    """Return the last lines of a log that tell of the server itself.

    Args:
        path: The log file.
        limit: Most lines wanted.

    Returns:
        Oldest first; empty if there is no log or nothing of that kind in it.
    """
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = handle.read().decode("utf-8", "replace")
    except OSError:
        return ()
    shown = False
    lines: list[str] = []
    for line in text.splitlines():
        severity = _severity_of(line)
        if severity not in _ADDITIONS:
            # a line without a severity stems from a library or a shell, or goes on with the entry before it
            shown = severity in _OF_THE_SERVER or (severity == "" and (shown or not lines))
        if shown:
            lines.append(line)
    return tuple(lines[-limit:])


def advice_of(lines: Sequence[str], data_dir: Path, port: int) -> str:
    """Say what to do about a server that failed, with what its log says.

    Args:
        lines: From `log_tail`.
        data_dir: Of the cluster.
        port: That it was to listen on.
    """
    text = "\n".join(lines)
    if NO_SPACE in text:
        advice = f"The disk of {data_dir} or the shared memory is full; free some space.\n"
    elif "Address already in use" in text:
        advice = f"Port {port} is taken; choose another one, or 0 for a free one.\n"
    else:
        advice = ""
    return f"{advice}The log ends with:\n{text}" if text else f"{advice}The log is empty."


def _severity_of(line: str) -> str:
    found = _SEVERITY.search(line)
    return found[1] if found else ""
