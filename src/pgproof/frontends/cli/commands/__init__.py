"""The commands, in the order of the line."""

from collections.abc import Callable
from typing import Any

from pgproof.frontends.cli.commands import blueprint
from pgproof.frontends.cli.commands.advise import advise
from pgproof.frontends.cli.commands.capture import capture
from pgproof.frontends.cli.commands.check import check
from pgproof.frontends.cli.commands.compete import compete
from pgproof.frontends.cli.commands.demo import demo
from pgproof.frontends.cli.commands.deploy import deploy, resume, revert
from pgproof.frontends.cli.commands.report import report
from pgproof.frontends.cli.commands.runs import runs
from pgproof.frontends.cli.commands.selfcheck import selfcheck
from pgproof.frontends.cli.commands.synth import synth

GROUPS: dict[str, tuple[tuple[str, Callable[..., Any]], ...]] = {"blueprint": blueprint.COMMANDS}
"""Commands of commands, by the word they begin with."""

COMMANDS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("demo", demo),
    ("capture", capture),
    ("check", check),
    ("advise", advise),
    ("compete", compete),
    ("deploy", deploy),
    ("revert", revert),
    ("resume", resume),
    ("report", report),
    ("runs", runs),
    ("selfcheck", selfcheck),
    ("synth", synth),
)
