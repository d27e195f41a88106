"""The reference is what the code generates, and documents name only commands that exist."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pgproof.frontends.cli.commands import GROUPS
from pgproof.model.blueprint import Blueprint, LoadProfile
from pgproof.model.freshness import CachedStatement, CachePolicy, Refresh
from pgproof.model.load_phase import LoadPhase, Start
from pgproof.model.merge import MergePlan
from pgproof.model.relation import RelationName
from pgproof.model.variant import ReplacedStatement, Variant
from pgproof.model.workload import Workload
from pgproof.stages.compete.unsupported import find_unsupported
from pgproof.stages.diagnose import BUILT_IN
from pgproof.stages.diagnose.check import Check
from tests.house import blueprint_reference, reference
from tests.house.test_dev_script import COMMANDS as DEV_COMMANDS
from tests.house.tree import ROOT, files, shown

BARE_VARIANT = Variant("a", "a", ())
FENCED = re.compile(r"^```[a-z]*\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>[^`\n]+)`")
PGPROOF = re.compile(r"(?:^|\$ |\./dev )pgproof +(?P<command>[a-z]+)\b(?P<rest>[^\n#|&;]*)", re.MULTILINE)
DEV = re.compile(r"\./dev +(?P<command>[a-z]+)\b")


def code_of(document: Path) -> str:
    """All code of a document, fenced and inline, one piece a line; continued lines joined."""
    text = document.read_text(encoding="utf-8")
    fenced = [match["text"] for match in FENCED.finditer(text)]
    inline = [match["text"] for match in INLINE.finditer(FENCED.sub("", text))]
    return re.sub(r"\\\n\s*", " ", "\n".join([*fenced, *inline]))


def options_of(command: str) -> set[str]:
    """Every option of a command as it is typed."""
    params = reference.commands()[command].params
    return {"--help", "-h"} | {option for param in params for option in [*param.opts, *param.secondary_opts]}


def test_reference_is_what_the_code_generates() -> None:
    outdated = [
        shown(path)
        for path, text in reference.render().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert outdated == [], "run ./dev reference and commit the result"


def test_reference_holds_no_schema_of_something_gone() -> None:
    assert set((reference.FOLDER / "schemas").glob("*")) <= reference.render().keys()


@pytest.mark.parametrize("command", reference.commands())
def test_every_option_says_what_it_does(command: str) -> None:
    silent = [param.name for param in reference.commands()[command].params if not (param.help or "").strip()]
    assert silent == []


@pytest.mark.parametrize("check", BUILT_IN, ids=lambda check: check.name)
def test_every_check_says_what_it_does_not_mistake(check: Check) -> None:
    assert re.search(r"\bGuards?:", check.find.__doc__ or ""), "name the false alarms that it avoids"


@pytest.mark.parametrize("document", files(".md"), ids=shown)
def test_documents_name_commands_that_exist(document: Path) -> None:
    code = code_of(document)
    assert {match["command"] for match in DEV.finditer(code)} <= {*DEV_COMMANDS, "help"}
    for match in PGPROOF.finditer(code):
        command, rest = reference.name_command([match["command"], *match["rest"].split()])
        if command in GROUPS:
            continue  # spoken of as a whole
        assert command in reference.commands(), match[0]
        wanted = [word for word in rest if re.fullmatch(r"--[a-z][a-z-]*", word)]
        assert set(wanted) <= options_of(command), match[0]


def test_the_reference_marks_what_a_competition_refuses() -> None:
    everything = replace(
        BARE_VARIANT,
        statements=(ReplacedStatement("s", "SELECT 1"),),
        cache=CachePolicy((CachedStatement("s", 1),)),
        refreshes=(Refresh(RelationName("public", "v"), 1),),
        max_staleness_s=1,
        patch="a.diff",
    )
    asked = Blueprint(
        "b",
        "",
        Workload((), "file"),
        (everything,),
        load=LoadProfile(rate=1, phases=(LoadPhase(1),), start=Start.COLD),
        tests=("true",),
        merge=MergePlan(auto=True),
    )
    refused = [re.split(r"[ ,]+", told.partition(":")[0])[-1] for told in find_unsupported(asked)]
    marked = {"merge" if key == "auto" else key for _, key in blueprint_reference.NOT_RUN}
    assert set(refused) == marked


def test_documents_show_commands() -> None:
    assert PGPROOF.search(code_of(ROOT / "README.md")), "the pattern finds nothing, so it proves nothing"
