"""The ``pgproof`` command: registers the commands and turns errors into exit codes."""

from __future__ import annotations

import signal
import sys
import traceback
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import TyperException

import pgproof
from pgproof.errors import Cancelled, PgproofError, UsageError
from pgproof.frontends.cli.commands import COMMANDS
from pgproof.frontends.cli.screen import STANDARD_OUTPUT, Screen

EXIT_BUG = 70
"""Source: EX_SOFTWARE of BSD's sysexits."""

app = typer.Typer(
    name="pgproof",
    help="Make a slow PostgreSQL fast, and prove it: capture, check, advise, compete, deploy, revert.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 good; 1 a finding or a failed bar (with --fail-on) or a void trial; "
    "2 wrong usage; 3 refused; 4 could not reach or not allowed; 130 stopped by Ctrl-C.",
)


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
    app.command(_name)(_function)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit the process with the documented code.

    Args:
        arguments: Instead of the process's own.
    """
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(_json_target(arguments))
    if not arguments:
        app(["--help"], standalone_mode=False)
        return UsageError.exit_code
    try:
        outcome: object = app(arguments, standalone_mode=False)
    except PgproofError as error:
        screen.fail(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        stopped = Cancelled("Stopped.", hint="Clones and servers that pgproof had made are removed.")
        screen.fail(stopped)
        return stopped.exit_code
    except TyperException as problem:
        screen.fail(UsageError(problem.format_message(), hint=_where_help_is(arguments)))
        return problem.exit_code
    except BrokenPipeError:
        return 0
    except Exception as bug:  # noqa: BLE001 - the last resort: a bug must end in an exit code and a hint
        traceback.print_exc()
        screen.fail(
            PgproofError(
                f"This is a bug in pgproof ({type(bug).__name__}).",
                hint="Please report it with the lines above, after removing what is private.",
            )
        )
        return EXIT_BUG
    return outcome if isinstance(outcome, int) else 0


def _where_help_is(arguments: list[str]) -> str:
    command = next((name for name, _ in COMMANDS if name in arguments), "")
    return f"See: {' '.join(['pgproof', command, '--help'] if command else ['pgproof', '--help'])}"


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat SIGTERM as Ctrl-C, so that clones and servers are removed."""
    del number, frame
    raise KeyboardInterrupt


def _json_target(arguments: list[str]) -> str | None:
    """Return "-" when the caller asked for JSON on standard output, so that errors go there too."""
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    wanted = any(
        (option == "--json" and value == STANDARD_OUTPUT) or option == "--json=-" for option, value in pairs
    )
    return STANDARD_OUTPUT if wanted else None
