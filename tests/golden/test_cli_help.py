"""The help text of every command, word for word: a change of the command line shows in the diff.

To write the files anew: ``python -m tests.golden.test_cli_help``.
"""

import contextlib
import io
from pathlib import Path

import pytest

from pgproof.frontends.cli.app import run
from pgproof.frontends.cli.commands import COMMANDS, GROUPS

FOLDER = Path(__file__).parent / "cli"
MEMBERS = tuple(f"{group} {name}" for group, members in GROUPS.items() for name, _ in members)
NAMES = ("pgproof", *(name for name, _ in COMMANDS), *GROUPS, *MEMBERS)


def help_of(name: str) -> str:
    """What ``--help`` shows on a terminal of 80 columns."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as environment, contextlib.redirect_stdout(shown):
        environment.setenv("COLUMNS", "80")
        environment.setenv("NO_COLOR", "1")
        assert run(["--help"] if name == "pgproof" else [*name.split(), "--help"]) == 0
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_help(name: str) -> None:
    assert help_of(name) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_no_text_of_a_command_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)


def test_the_list_of_commands_cuts_nothing_off() -> None:
    assert "..." not in help_of("pgproof").partition("Commands:")[2]


if __name__ == "__main__":
    for command in NAMES:
        (FOLDER / f"{command}.txt").write_text(help_of(command), encoding="utf-8")
