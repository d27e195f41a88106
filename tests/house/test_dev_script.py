"""The script that everybody starts with."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

DEV = ROOT / "dev"
SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox", "zsh") if shutil.which(shell)]
DISPATCH = DEV.read_text(encoding="utf-8").rpartition("case $command")[2]
COMMANDS = re.findall(r"^  ([a-z]+)\)", DISPATCH, re.MULTILINE)


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)


def fake_python(folder: Path, script: str) -> str:
    """A PATH on which the only Python is `script`; the few programs that dev needs are there too."""
    for name in ("cat", "cksum", "dirname", "head", "id", "mkdir", "rm", "sed", "sh", "sleep", "tail"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    (folder / "python3").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "python3").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_read_it(shell: str) -> None:
    command = [shell, "sh"] if shell == "busybox" else [shell]
    result = run(*command, "-n", DEV, PATH=os.environ["PATH"])
    assert (result.returncode, result.stderr) == (0, "")


def test_help_names_every_command() -> None:
    assert len(COMMANDS) >= 6
    result = run(DEV, "help", PATH=os.environ["PATH"])
    assert result.returncode == 0
    assert re.findall(r"^  ([a-z]+) ", result.stdout, re.MULTILINE) == [*COMMANDS, "help"]


def test_an_unknown_command_is_wrong_usage() -> None:
    result = run(DEV, "tset", PATH=os.environ["PATH"])
    assert result.returncode == 2
    assert "there is no command 'tset'" in result.stderr


def test_an_older_python_is_named(tmp_path: Path) -> None:
    path = fake_python(tmp_path, 'case "$*" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    result = run("/bin/sh", DEV, "pgproof", PATH=path, PGPROOF_VENV=str(tmp_path / "env"))
    assert result.returncode == 4
    assert "found only: python3 (Python 3.9.2)" in result.stderr
    assert "Python 3.11 or newer is needed" in result.stderr


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    path = fake_python(tmp_path, 'case "$*" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac')
    result = run("/bin/sh", DEV, "pgproof", PATH=path, PGPROOF_VENV=str(tmp_path / "env"))
    assert result.returncode == 4
    assert "apt install python3-venv" in result.stderr
    assert not (tmp_path / "env.lock").exists()


def test_what_pip_says_last_is_shown(tmp_path: Path) -> None:
    """A Python whose venv works and whose pip fails: the message quotes pip and names the usual causes."""
    script = """
case "$*" in
  *"-m venv"*)
    eval "made=\\${$#}"
    mkdir -p "$made/bin"
    cat "$0" >"$made/bin/python"
    chmod 755 "$made/bin/python" ;;
  *"-m pip install"*) echo "ERROR: error: command 'cc' failed" >&2; exit 1 ;;
esac"""
    path = fake_python(tmp_path, script)
    (tmp_path / "chmod").symlink_to(shutil.which("chmod") or "/bin/chmod")
    result = run("/bin/sh", DEV, "pgproof", PATH=path, PGPROOF_VENV=str(tmp_path / "env"))
    assert result.returncode == 4
    assert "| ERROR: error: command 'cc' failed" in result.stderr
    assert "install a C compiler" in result.stderr
