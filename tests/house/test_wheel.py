"""What is published: the wheel holds everything the package needs, and runs from an empty environment."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pgproof
from tests.house.tree import ROOT, SOURCE, files

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(SOURCE.parent).as_posix() for path in files(under=SOURCE) if path.suffix != ".pyc"
    }
    assert ours - inside == set()
    assert "pgproof/py.typed" in inside
    assert any(name.endswith("/licenses/LICENSE") for name in inside)


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"pgproof", f"pgproof-{pgproof.__version__}.dist-info"}


def test_command_runs_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    lock = ROOT / "requirements.lock"
    run(python, "-m", "pip", "install", "-q", "-c", lock, wheel, cwd=tmp_path)
    assert pgproof.__version__ in run(tmp_path / "env" / "bin" / "pgproof", "--version", cwd=tmp_path)
    help_text = run(tmp_path / "env" / "bin" / "pgproof", "--help", cwd=tmp_path)
    assert "demo" in help_text
