"""Catalog queries: each file is used, each name that is used has a file, each file says what it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import SOURCE, files, parsed, shown

FOLDER = SOURCE / "postgres" / "queries"
FILE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(\.pg(?P<major>1[3-9]|[2-9]\d))?\.sql")
READERS = {"load_query", "query"}  # functions and methods whose first argument is a query's name
QUERIES = files(".sql", under=FOLDER)


def constants() -> set[str]:
    """Every string that stands in the package by itself."""
    return {
        node.value
        for path in files(".py", under=SOURCE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def names_asked_for() -> Iterator[tuple[str, str]]:
    """Each query name that is written where a reader of queries is called, with its place."""
    for path in files(".py", under=SOURCE):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in READERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, f"{shown(path)}:{node.lineno}"


def stems() -> set[str]:
    """The names of all queries, versions left out."""
    return {match["name"] for path in QUERIES if (match := FILE.fullmatch(path.name))}


def test_names_are_names() -> None:
    assert [path.name for path in QUERIES if not FILE.fullmatch(path.name) or path.parent != FOLDER] == []


def test_every_query_is_used() -> None:
    assert stems() - constants() == set(), "orphans: nothing in src names these queries"


def test_every_name_has_a_file() -> None:
    dangling = {name: place for name, place in names_asked_for() if name not in stems()}
    assert dangling == {}


@pytest.mark.parametrize("query", QUERIES, ids=shown)
def test_query_says_what_it_is(query: Path) -> None:
    lines = query.read_text(encoding="utf-8").splitlines()
    head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
    assert re.match(r"-- \w.{15,}", head[0]), "the first line says what the query reads and why"
    keys = re.findall(r"^-- (\w+): \S", "\n".join(head[1:]), re.MULTILINE)
    assert keys[:2] == ["needs", "min"]
    assert keys[2:], "name the columns, with units: `-- columns: a, b` or one line each"
    assert re.search(r"^-- min: 1[3-9]\b", "\n".join(head), re.MULTILINE)
    body = re.sub(r"--.*", "", "\n".join(lines[len(head) :]))
    assert ";" not in body, "one statement a file, without semicolon"
