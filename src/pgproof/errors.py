"""Every way a promise of pgproof can break, in one tree.

::

    PgproofError                 code, hint, context            exit
    ├── ConfigError              settings, files, arguments     2
    │   └── UsageError           a command used wrongly         2
    ├── InvalidCursor            a page cursor we did not make  2
    ├── ParseError               SQL text, with line and column 2
    ├── ServerError              the server said no             4
    │   ├── Unreachable          no connection to be had        4
    │   └── CapabilityMissing    gives the exact GRANT/CREATE   4
    ├── EmbeddedServerError      a server of ours did not work  4
    ├── TrialFailed              a competition could not finish 1
    ├── RolloutError             a change of a target stopped   3
    │   ├── Refused              a guard said no beforehand     3
    │   ├── LockNotAcquired      a lock budget ran out          3
    │   ├── StepFailed           the server refused a step      3
    │   └── RevertFailed         a change could not be undone   3
    ├── Cancelled                the user pressed Ctrl-C        130
    └── PluginError              somebody else's plugin broke   1

Messages state the danger first; ``hint`` says what to do. Neither ever holds a password, a
connection string with one, or a row value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PgproofError(Exception):
    """A broken promise.

    Args:
        message: One sentence: what went wrong, in the user's words.
        hint: What to do about it; may be several lines (a GRANT, a setting to add).
        context: Facts for the ledger and for ``--json``; no secrets, no row values.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", context: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context: dict[str, Any] = dict(context or {})


class ConfigError(PgproofError):
    """A setting, a file or an argument can't be used as it is."""

    code = "config"
    exit_code = 2


class UsageError(ConfigError):
    """A command was used wrongly."""

    code = "usage"


class InvalidCursor(PgproofError):
    """A page cursor was changed, cut, or made for another order, scope or application: ask for page one.

    Never says what in it was wrong, since whoever tampers with it would read that.
    """

    code = "cursor"
    exit_code = 2


class ParseError(PgproofError):
    """SQL text does not parse.

    Args:
        message: The parser's message.
        line: 1-based line in the text that was handed in.
        column: 1-based column in that line, in characters.
        source: Name of the file the text came from, if any.
    """

    code = "parse"
    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        line: int,
        column: int,
        source: str = "",
        hint: str = "",
        context: Mapping[str, Any] | None = None,
    ) -> None:
        where = f"{source}:{line}:{column}" if source else f"line {line}, column {column}"
        super().__init__(
            f"{where}: {message}", hint=hint, context={"line": line, "column": column, **(context or {})}
        )
        self.line = line
        self.column = column


class ServerError(PgproofError):
    """The server refused or failed; the driver's error is the ``__cause__``.

    Args:
        message: What was tried and what the server said (primary message only, never DETAIL).
        sqlstate: The five-character SQLSTATE, empty where there is none.
    """

    code = "server"
    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str = "",
        hint: str = "",
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, context={"sqlstate": sqlstate, **(context or {})})
        self.sqlstate = sqlstate


class Unreachable(ServerError):
    """No connection could be had (address, authentication, database)."""

    code = "unreachable"


class CapabilityMissing(ServerError):
    """A privilege or an extension is missing; ``hint`` holds the exact statement that gives it."""

    code = "capability"


class EmbeddedServerError(PgproofError):
    """An embedded server could not be found, made, started or stopped."""

    code = "embedded"
    exit_code = 4


class TrialFailed(PgproofError):
    """A competition could not be carried through; nothing can be concluded from it."""

    code = "trial"


class RolloutError(PgproofError):
    """A change of a target stopped; ``context`` says how far it came."""

    code = "rollout"
    exit_code = 3


class Refused(RolloutError):
    """A guard said no before anything was touched."""

    code = "refused"


class LockNotAcquired(RolloutError):
    """A lock was not to be had within its budget; nothing was changed by this step."""

    code = "lock"


class StepFailed(RolloutError):
    """The server refused a step."""

    code = "step"


class RevertFailed(RolloutError):
    """A change could not be undone; ``hint`` says how to finish by hand."""

    code = "revert"


class Cancelled(PgproofError):
    """The user stopped the command; everything it had made was removed."""

    code = "cancelled"
    exit_code = 130


class PluginError(PgproofError):
    """A plugin broke; the built-in ones go on."""

    code = "plugin"
