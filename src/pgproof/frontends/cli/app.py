"""The ``pgproof`` command: registers the commands and turns errors into exit codes."""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import TyperException

import pgproof
from pgproof.errors import Cancelled, ConfigError, PgproofError, UsageError
from pgproof.frontends.cli.commands import COMMANDS, GROUPS
from pgproof.frontends.cli.screen import Screen, discard, flush_output, prepare_streams
from pgproof.postgres.dsn import mask

PROGRAM = "pgproof"

EXIT_BUG = 70
"""Source: EX_SOFTWARE of BSD's sysexits."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    name=PROGRAM,
    help="Make a slow PostgreSQL fast, and prove it: capture, check, advise, compete, deploy, revert.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 good; 1 a finding or a failed bar (with --fail-on) or a void trial; "
    "2 wrong usage; 3 refused; 4 could not reach or not allowed; 130 stopped by Ctrl-C.",
)


_SHORT_HELP = {
    "demo": "Show the whole line on an embedded PostgreSQL.",
    "capture": "Record what the application asks.",
    "check": "Find what hurts.",
    "advise": "Propose variants and write them as a blueprint.",
    "compete": "Race a blueprint's variants on clones.",
    "deploy": "Ship a winner to a database.",
    "revert": "Take a rollout back.",
    "resume": "Go on with an interrupted rollout.",
    "report": "Show a competition again, as text and as HTML.",
    "runs": "List what the ledger remembers.",
    "selfcheck": "Find out what this host can measure.",
    "synth": "Make a database from another's statistics.",
    "blueprint": "Start, check and show blueprints.",
    "blueprint new": "Write a commented blueprint to start from.",
    "blueprint check": "Report all that is wrong with a blueprint.",
    "blueprint show": "Render a blueprint as Markdown.",
}
"""The commands' own texts are longer than a line, and would be cut off in the list of commands."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgproof {pgproof.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    del version


for _name, _function in COMMANDS:
    app.command(_name, short_help=_SHORT_HELP[_name])(_function)
for _group, _members in GROUPS.items():
    _commands = typer.Typer(
        rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}, add_completion=False
    )
    for _name, _function in _members:
        _commands.command(_name, short_help=_SHORT_HELP[f"{_group} {_name}"])(_function)
    app.add_typer(_commands, name=_group, help=_SHORT_HELP[_group])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit the process with the documented code.

    Args:
        arguments: Instead of the process's own.
    """
    _stop_cleanly_on_signals()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    prepare_streams()
    code = _run(arguments)
    flush_output()
    return code


def _run(arguments: list[str]) -> int:
    screen = Screen(_json_target(arguments))
    if not arguments:
        app(["--help"], prog_name=PROGRAM, standalone_mode=False)
        return UsageError.exit_code
    try:
        outcome: object = app(arguments, prog_name=PROGRAM, standalone_mode=False)
        if outcome == Cancelled.exit_code:  # what typer makes of KeyboardInterrupt
            raise KeyboardInterrupt
    except PgproofError as error:
        screen.fail(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        stopped = Cancelled("Stopped.", hint="Clones and servers of pgproof are removed.")
        screen.fail(stopped)
        return stopped.exit_code
    except TyperException as problem:
        screen.fail(UsageError(problem.format_message(), hint=_where_help_is(arguments)))
        return problem.exit_code
    except Exception as bug:  # noqa: BLE001 - the last resort: a bug must end in an exit code and a hint
        failure = _as_failure(bug)
        screen.fail(failure)
        return failure.exit_code
    return outcome if isinstance(outcome, int) else 0


def _as_failure(bug: Exception) -> PgproofError:
    """Return what to tell of an error that nobody foresaw: mostly a bug, whose traceback is shown."""
    if isinstance(bug, OSError) and bug.errno in _NO_ROOM:
        discard(sys.stdout)  # what is left of the output would fail again
        return ConfigError(
            f"{bug.filename or 'The output'} can't be written: {bug.strerror}.",
            hint="Free some space, or send the output elsewhere. Files that were written stay.",
        )
    sys.stderr.write(mask(traceback.format_exc()))
    failure = PgproofError(
        f"This is a bug in pgproof ({type(bug).__name__}).",
        hint="Please report it with the lines above, after removing what is private.",
    )
    failure.exit_code = EXIT_BUG
    return failure


def _where_help_is(arguments: list[str]) -> str:
    group = next((name for name in GROUPS if name in arguments), "")
    command = group or next((name for name, _ in COMMANDS if name in arguments), "")
    return f"See: {' '.join(['pgproof', command, '--help'] if command else ['pgproof', '--help'])}"


def _stop_cleanly_on_signals() -> None:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that clones and servers are removed.

    Only the first signal interrupts: a second one would interrupt the removal.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for other in _STOPPING:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in _STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and jobs in the background of a script
            signal.signal(number, interrupt)


def _json_target(arguments: list[str]) -> str | None:
    """Return where the caller wants JSON, so that errors go there too."""
    target = None
    for option, value in zip(arguments, [*arguments[1:], ""], strict=False):
        if option == "--json" and value:
            target = value
        elif option.startswith("--json="):
            target = option.removeprefix("--json=")
    return target
