"""Every command line that a document shows for copying is one that the program accepts."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import reference
from tests.house.tree import ROOT, files, shown

SHELL = re.compile(r"^```(?:sh|console)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<'(?P<end>\w+)'\n.*?^(?P=end)$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"^[A-Z_]+=")
RUNS_PGPROOF = (["pgproof"], ["./dev", "pgproof"])


def command_lines(document: Path) -> Iterator[list[str]]:
    """The words of each line that runs pgproof, without the program itself; ``./dev demo`` is one of them."""
    for block in SHELL.finditer(document.read_text(encoding="utf-8")):
        for line in re.sub(r"\\\n\s*", " ", HEREDOC.sub("", block["text"])).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and ASSIGNMENT.match(words[0]):
                del words[0]
            if words[:2] == ["./dev", "demo"]:
                yield words[1:]
            for program in RUNS_PGPROOF:
                if words[: len(program)] == program:
                    yield words[len(program) :]


@pytest.mark.parametrize("document", files(".md"), ids=shown)
def test_command_lines_of_documents_parse(document: Path) -> None:
    for words in command_lines(document):
        if not words[0].startswith("-"):
            name, arguments = reference.name_command(words)
            reference.commands()[name].make_context(name, arguments)


def test_the_tutorial_shows_the_whole_line() -> None:
    run = {words[0] for words in command_lines(ROOT / "docs" / "tutorial" / "first-hour.md")}
    assert run >= {"capture", "check", "advise", "compete", "deploy", "revert", "runs"}


def test_a_line_that_the_program_refuses_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nHOME=/x pgproof compete --out out  # no blueprint\n```\n", encoding="utf-8")
    with pytest.raises(Exception, match="blueprint"):
        test_command_lines_of_documents_parse(page)
