"""The import contracts stand, and each of them falls when its rule is broken."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SOURCE

# contract -> a module and the import that it must not have
VIOLATIONS = {
    "layers": ("postgres/__init__.py", "import pgproof.ledger"),
    "strangers": ("stages/capture/__init__.py", "import pgproof.stages.watch"),
    "wire": ("stages/diagnose/__init__.py", "import psycopg"),
    "parser": ("stages/propose/__init__.py", "import postgast"),
    "load": ("stages/compete/__init__.py", "import asyncpg"),
    "pure": ("changes/__init__.py", "import subprocess"),
    "annex": ("runtime/__init__.py", "import pgproof.sqltext"),
}


def lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs import-linter with our contracts over the package that lies in `tree`."""
    # `-c` puts the working directory first on the path, so the copy wins over the installed package.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo", *arguments]
    settings = ["--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        [*command, *settings], capture_output=True, text=True, check=False, timeout=120, cwd=tree
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package that breaks every contract once."""
    tree = tmp_path_factory.mktemp("house")
    shutil.copytree(
        SOURCE, tree / "pgproof", ignore=shutil.ignore_patterns("__pycache__", "scenarios/*/data*")
    )
    for module, line in VIOLATIONS.values():
        path = tree / "pgproof" / module
        path.parent.mkdir(exist_ok=True)  # a contract may be older than its room
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    return tree


def test_every_contract_is_tried() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]] == list(VIOLATIONS)


def test_contracts_stand() -> None:
    result = lint(SOURCE.parent)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_contract_falls_when_broken(copy: Path, contract: str) -> None:
    result = lint(copy, "--contract", contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
    module, _ = VIOLATIONS[contract]
    culprit = "pgproof." + module.removesuffix("/__init__.py").replace("/", ".")
    assert culprit in result.stdout


def test_a_room_without_a_layer_fails(copy: Path) -> None:
    room = copy / "pgproof" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room that nobody planned."""\n', encoding="utf-8")
    result = lint(copy, "--contract", "layers")
    shutil.rmtree(room)
    assert result.returncode == 1
    assert "attic" in result.stdout + result.stderr
