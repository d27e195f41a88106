"""Makes the data folder of a new cluster: by ``initdb`` once, from a copy of that ever after.

A copy takes a tenth of a second where ``initdb`` takes up to four. Clusters from one template share their
system identifier; that matters only to replication and to backups, which these throw-away clusters never see.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.accounts import ServerAccount, new_id
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.server_log import NO_SPACE

SUPERUSER = "postgres"
_INITDB_TIMEOUT_S = 180.0
_STALE_AFTER_S = 3600.0
_BUILTIN_LOCALE_MAJOR = 17  # PostgreSQL 17 release notes: "builtin collation provider"
_CHECKSUMS_MAJOR = 18  # PostgreSQL 18 release notes: "Change initdb to default to enabling data checksums"


def make_data_folder(
    home: Path,
    binaries: Binaries,
    account: ServerAccount,
    data_dir: Path,
    *,
    seed: Path | None = None,
    bare: bool = False,
) -> None:
    """Make a cluster's data folder, owned by its account.

    Args:
        home: Folder of pgproof; templates lie in ``home/templates``.
        binaries: The install as the account reaches it.
        account: Who will run the server.
        data_dir: The folder to make; must not exist.
        seed: A copy that `keep_data_folder` made, to start from instead of an empty cluster.
        bare: Make a cluster that will hold no rows: small files of WAL, no checksums in pages, so that others
            than the server may write some.

    Raises:
        EmbeddedServerError: ``initdb`` failed.
        OSError: The disk is full or a folder can't be written.
    """
    template = seed or home / "templates" / _key(binaries, bare)
    if seed is not None or is_whole(template):
        _copy(template / "data", data_dir)
        account.take(data_dir)
        return
    _run_initdb(binaries, account, data_dir, bare)
    keep_data_folder(data_dir, template)


def is_whole(template: Path) -> bool:
    """Say whether a template is complete: its files are as many and as large as when it was made."""
    try:
        noted = json.loads((template / "made.json").read_text(encoding="utf-8"))
        return bool(noted == _measure(template / "data"))
    except (OSError, ValueError):
        return False


def _key(binaries: Binaries, bare: bool) -> str:
    """Name the template of an install and of the options below."""
    facts = json.dumps([str(binaries.bindir), binaries.version, _initdb_options(binaries, bare)])
    return f"{binaries.major}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def _initdb_options(binaries: Binaries, bare: bool) -> list[list[str]]:
    """Return the locale options to try in turn.

    All of them sort by code point, the same on every machine, as the C locale does. The first also knows the
    case of letters beyond ASCII; the last needs no installed locale at all.
    """
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    provider = builtin if binaries.major >= _BUILTIN_LOCALE_MAJOR else []
    plain = ["--wal-segsize=1"] if bare else []
    # Pages carry checksums by default since 18; before, there is no option that says no.
    plain += ["--no-data-checksums"] if bare and binaries.major >= _CHECKSUMS_MAJOR else []
    return [
        ["--locale=C", f"--lc-ctype={ctype}", *provider, *plain] for ctype in ("C.UTF-8", "en_US.UTF-8", "C")
    ]


def _run_initdb(binaries: Binaries, account: ServerAccount, data_dir: Path, bare: bool) -> None:
    said = ""
    for options in _initdb_options(binaries, bare):
        argv = [
            str(binaries.tool("initdb")),
            "-D",
            str(data_dir),
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
        ]
        done = _initdb(account, [*argv, "--auth=trust", *options])
        if done.returncode == 0:
            return
        said = done.stderr
        if "locale" not in said:
            break
    advice = f"The disk of {data_dir.parent} is full; free some space.\n" if NO_SPACE in said else ""
    reasons = [line for line in said.splitlines() if re.search(r"\b(FATAL|error|HINT|hint):", line)]
    raise EmbeddedServerError(
        f"initdb of PostgreSQL {binaries.version} failed.",
        hint=f"{advice}It said: " + "\n".join(reasons or said.splitlines()[-5:]),
        context={"bindir": str(binaries.bindir), "account": account.name, "mode": account.mode},
    )


def _initdb(account: ServerAccount, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return account.run(argv, timeout_s=_INITDB_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(
            f"initdb did not end within {_INITDB_TIMEOUT_S:.0f} s.",
            hint="The disk may be very slow; try a folder on another one.",
        ) from error


def keep_data_folder(data_dir: Path, template: Path) -> None:
    """Keep a copy of a stopped cluster for the next one; it gets its name only when whole.

    A full disk, or another process that was first, is no failure: without the copy only time is lost.

    Args:
        data_dir: Of a cluster that was shut down in good order.
        template: The folder to make, for `is_whole` and `make_data_folder`.
    """
    making = template.with_name(f".making-{new_id()}")
    with contextlib.suppress(OSError):
        template.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale(template.parent)
        making.mkdir(mode=0o700)
        _copy(data_dir, making / "data")
        (making / "made.json").write_text(json.dumps(_measure(making / "data")), encoding="utf-8")
        if template.exists() and not is_whole(template):
            shutil.rmtree(template.rename(template.with_name(f".making-{new_id()}")))
        making.rename(template)  # fails if another process was first, and its template is as good
    shutil.rmtree(making, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a data folder; ``cp`` shares the blocks where the file system can, and is twice as fast elsewhere.

    Raises:
        OSError: The disk is full or a folder can't be written.
    """
    sharing = "-c" if sys.platform == "darwin" else "--reflink=auto"
    try:
        done = subprocess.run(
            ["cp", "-R", "-p", sharing, "--", str(source), str(target)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except FileNotFoundError:
        done = None
    if done is None or done.returncode != 0:  # a small cp knows no such option; else the true error comes now
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)


def _measure(folder: Path) -> dict[str, int]:
    """Count the files of a folder and their bytes."""
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    return {"files": len(files), "size_bytes": sum(path.lstat().st_size for path in files)}


def _remove_stale(templates: Path) -> None:
    """Remove what killed runs left half made."""
    for path in templates.glob(".making-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)
