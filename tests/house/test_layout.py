"""Rooms say what they are, files and functions stay small, and names say what is inside."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SOURCE, files, parsed, rooms, shown

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 80
LINES_OF_A_PAGE = 60
NAMELESS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

# path -> why it may be longer than LINES_OF_A_FILE
LONG_FILES: dict[str, str] = {}
# path:function -> why it may be longer than LINES_OF_A_FUNCTION
LONG_FUNCTIONS: dict[str, str] = {}

PYTHON = files(".py", under=SOURCE) + files(".py", under=ROOT / "bench")


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring: documentation is never too long here."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


@pytest.mark.parametrize("room", rooms(), ids=shown)
def test_room_has_a_readme_of_a_page(room: Path) -> None:
    readme = room / "README.md"
    assert readme.is_file(), (
        f"{shown(room)} needs a README.md: what enters, what leaves, what is forbidden there"
    )
    lines = readme.read_text(encoding="utf-8").splitlines()
    assert 3 <= len(lines) <= LINES_OF_A_PAGE, (
        f"{shown(readme)} has {len(lines)} lines; a page is {LINES_OF_A_PAGE}"
    )


@pytest.mark.parametrize("init", files("__init__.py", under=SOURCE), ids=shown)
def test_package_says_what_it_is(init: Path) -> None:
    docstring = ast.get_docstring(parsed(init)) or ""
    says_something = len(docstring.split()) >= 3
    assert says_something, f"{shown(init)} needs a docstring that says what the package is for"


def test_files_are_read_in_a_sitting() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    long = {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE}
    assert {name: lines for name, lines in long.items() if name not in LONG_FILES} == {}
    assert LONG_FILES.keys() <= long.keys(), "an exception that is no longer needed"


def test_functions_are_short() -> None:
    long = {
        f"{shown(path)}:{node.name}": code_lines(node)
        for path in PYTHON
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > LINES_OF_A_FUNCTION
    }
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}
    assert LONG_FUNCTIONS.keys() <= long.keys(), "an exception that is no longer needed"


def test_names_say_what_is_inside() -> None:
    everything = files(".py", ".sql", ".sh") + [init.parent for init in files("__init__.py")]
    nameless = [shown(path) for path in everything if path.stem.strip("_").lower() in NAMELESS]
    assert nameless == []
