"""Writes docs/reference from the code: commands, settings, checks, and the JSON Schemas.

``./dev reference`` runs it; tests/house/test_reference.py fails when the result was not committed.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer.main

from pgproof.config import ENVIRONMENT_PREFIX, Settings
from pgproof.frontends.cli.app import app
from pgproof.frontends.schemas import SCHEMAS, render_schema
from pgproof.stages.diagnose import BUILT_IN
from pgproof.stages.diagnose.check import Check
from tests.house.blueprint_reference import render_blueprint_page
from tests.house.tree import ROOT

VALUES = {int: "N", float: "NUMBER", str: "TEXT", Path: "PATH"}
FOLDER = ROOT / "docs" / "reference"
INTRODUCTION = """# Command line

<!-- Written by `./dev reference` from the commands themselves; edit those instead. -->

Every command takes `--help`. Connection strings are libpq's: a URL, `key=value` pairs or a `service=`; what
they leave out comes from the `PG*` environment, the password file and the service file. The shapes of
`--json` output and of files are in [schemas](schemas/).

| exit code | means |
|---|---|
| 0 | good |
| 1 | a finding or a failed bar (with `--fail-on`), or a trial that proves nothing |
| 2 | wrong usage |
| 3 | refused: a guard said no, or a change stopped half-way |
| 4 | could not reach the server, or not allowed there |
| 130 | stopped by Ctrl-C; what was made was removed |
"""

SETTINGS_INTRODUCTION = """# Settings

<!-- Written by `./dev reference` from the class Settings; edit that instead. -->

A setting is taken from the command line where there is an option for it, else from the environment, else from
a TOML file, else its default holds. The file is what `PGPROOF_CONFIG` names, else `pgproof.toml` in the
working directory, else `config.toml` in the user's configuration folder. A key that isn't listed is an error.

"""
CHECKS_INTRODUCTION = """# Checks

<!-- Written by `./dev reference` from the checks themselves; edit those instead. -->

What `pgproof check` looks for, and what it takes care not to mistake for it. A check that could not run is
reported as skipped, with the reason. Findings of one cause are merged into one. A finding's severity follows
its statements' share of the measured time: high from a tenth, medium from a hundredth, low below; medium
where nobody measured time. "Small tables" below are those under either of these:
"""


def render() -> dict[Path, str]:
    """Every file of the reference with its text."""
    pages = {
        FOLDER / "cli.md": render_commands(),
        FOLDER / "settings.md": render_settings(),
        FOLDER / "checks.md": render_checks(),
        FOLDER / "blueprint-file.md": render_blueprint_page(),
    }
    return pages | {FOLDER / "schemas" / f"{name}.json": render_schema(name) for name in SCHEMAS}


def commands() -> dict[str, Any]:
    """The commands by name, in the order of the line; those of a group by two words ("blueprint check")."""
    group: Any = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():
        members = getattr(command, "commands", None)
        found |= (
            {f"{name} {member}": each for member, each in members.items()} if members else {name: command}
        )
    return found


def name_command(words: list[str]) -> tuple[str, list[str]]:
    """Split a command line into the command's name, of one word or two, and what follows it."""
    two = " ".join(words[:2])
    return (two, words[2:]) if two in commands() else (words[0], words[1:])


def render_commands() -> str:
    """The page of the command line."""
    parts = [INTRODUCTION]
    for name, command in commands().items():
        usage = " ".join(
            ["pgproof", name, *(argument_shape(param) for param in command.params if is_argument(param))]
        )
        parts.append(
            f"## pgproof {name}\n\n```\n{usage} [options]\n```\n\n{inspect.cleandoc(command.help or '')}\n"
        )
        rows = [row(param) for param in command.params if param.name != "help"]
        parts.append("\n".join(["| argument | meaning | default |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def is_argument(param: Any) -> bool:
    """Is it given by position?"""
    return param.param_type_name == "argument"


def argument_shape(param: Any) -> str:
    """How an argument stands in the usage line: in brackets where it may be left out."""
    shape = str(param.metavar or param.name).strip("[]").upper()
    return shape if param.required else f"[{shape}]"


def value_shape(param: Any) -> str:
    """What is typed after an option: its choices, its metavar, or the name of its type."""
    annotation = param.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "{" + ",".join(str(member.value) for member in annotation) + "}"
    return str(param.metavar or VALUES.get(annotation, "VALUE"))


def row(param: Any) -> str:
    """One line of a command's table."""
    shown = argument_shape(param).strip("[]")
    if not is_argument(param):
        shown = ", ".join([*param.opts, *param.secondary_opts])
        shown += "" if param.is_flag else f" {value_shape(param)}"
    default = "" if param.default in (None, False, "") else f"`{param.default}`"
    meaning = " ".join((param.help or "").split()).replace("|", "\\|")
    return f"| `{shown}` | {meaning} | {'required' if param.required else default} |"


def render_settings() -> str:
    """The page of the settings, with the meanings that the class's Args section gives."""
    described = inspect.cleandoc(Settings.__doc__ or "").partition("Args:\n")[2]
    meanings = dict(re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", described, re.MULTILINE))
    rows = []
    for field in fields(Settings):
        meaning = " ".join(meanings[field.name].split()).replace("``", "`")
        rows.append(f"| `{field.name}` | `{ENVIRONMENT_PREFIX}{field.name.upper()}` | {meaning} |")
    return SETTINGS_INTRODUCTION + "\n".join(["| key | variable | meaning |", "|---|---|---|", *rows]) + "\n"


def render_checks() -> str:
    """The page of the checks, with what their functions say of themselves."""
    parts = [CHECKS_INTRODUCTION, threshold_table(import_module(Check.__module__))]
    for check in BUILT_IN:
        needs = ["a workload"] * check.needs_workload + ["plans"] * check.needs_plans
        docstring = inspect.cleandoc(check.find.__doc__ or "").partition("\nReturns:")[0]
        says = docstring.removeprefix("Yield ")
        needed = f"Needs {' and '.join(needs)}.\n\n" if needs else ""
        parts.append(f"## {check.name}\n\n{needed}{says[:1].upper()}{says[1:].rstrip()}\n")
        parts.append(threshold_table(inspect.getmodule(check.find)))
    return "\n".join(part for part in parts if part)


def threshold_table(module: Any) -> str:
    """The thresholds of a module as a table; empty where it has none."""
    rows = list(thresholds(module))
    heading = ["| threshold | value | meaning and source |", "|---|---|---|"]
    return "\n".join([*heading, *rows]) + "\n" if rows else ""


def thresholds(module: Any) -> Iterator[str]:
    """A table row for each number that a check's module is named by, with the text that stands below it."""
    for name, value in sorted(vars(module).items()):
        if not name.isupper() or name.startswith("_") or not isinstance(value, int | float | timedelta):
            continue
        shown = (
            f"{value.days * 24 + value.seconds / 3600:g} h" if isinstance(value, timedelta) else f"{value:,}"
        )
        meaning = " ".join(threshold_text(module, name).split()).replace("|", "\\|")
        yield f"| `{name}` | {shown} | {meaning} |"


def threshold_text(module: Any, name: str) -> str:
    """The string below the assignment of a name, in this module or in the one it is imported from."""
    tree = ast.parse(inspect.getsource(module))
    for statement, following in pairwise(tree.body):
        targets = statement.targets if isinstance(statement, ast.Assign) else ()
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return str(ast.literal_eval(following.value)) if isinstance(following, ast.Expr) else ""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and name in {alias.name for alias in statement.names}:
            return threshold_text(import_module(statement.module or ""), name)
    raise KeyError(name)


def main() -> None:
    """Write every file, and remove schemas that no longer exist."""
    pages = render()
    for stale in set((FOLDER / "schemas").glob("*.json")) - pages.keys():
        stale.unlink()
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
