"""Chooses the account that a server of ours runs under, because PostgreSQL refuses to run as root.

Three ways, first that works:

``direct``
    A plain user runs the server as itself.
``namespace``
    In a user namespace the same kernel user bears another name: the files stay ours, no account is switched,
    nothing needs to be opened for others. ``initdb`` looks its user up in the passwd file, so the name must
    be of an account that exists. Serves root, and users without a passwd entry (containers started with a
    bare number).
``switch``
    Root really becomes another account, where namespaces are refused.
"""

from __future__ import annotations

import functools
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from pgproof.errors import EmbeddedServerError

Mode = Literal["direct", "namespace", "switch"]

# postgres is the account made for this; nobody exists nearly everywhere.
_ACCOUNT_NAMES = ("postgres", "nobody")
_PROBE_TIMEOUT_S = 10.0
# What a server may inherit from us. PG* would change its behaviour, LC_* its sort order and its messages, and
# the rest of our environment may hold secrets that COPY ... PROGRAM could read.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """How to run a program that refuses root.

    Args:
        mode: See this module's docstring.
        name: Name of the account that the program sees.
        uid: Its user id, as the program sees it.
        gid: Its group id, as the program sees it.
        unshare: Path of the tool ``unshare``; only in mode ``namespace``.
    """

    mode: Mode
    name: str
    uid: int
    gid: int
    unshare: str = ""

    def run(
        self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return what it said; a failure is for the caller to judge.

        Raises:
            OSError: It could not be run at all.
            subprocess.TimeoutExpired: It took longer and was killed.
        """
        return subprocess.run(
            self._command(argv),
            check=False,
            cwd="/",
            env=server_environment() if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            umask=0o077,
            user=self._switch_uid(),
            group=self._switch_gid(),
            extra_groups=self._switch_groups(),
        )

    def spawn(self, argv: Sequence[str], *, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that the terminal's Ctrl-C does not reach it.

        Raises:
            OSError: It could not be started.
        """
        return subprocess.Popen(
            self._command(argv),
            cwd="/",
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
            user=self._switch_uid(),
            group=self._switch_gid(),
            extra_groups=self._switch_groups(),
        )

    def make_folder(self, path: Path) -> None:
        """Make a folder that only this account (and root) can enter.

        Raises:
            OSError: It exists already, or could not be made.
        """
        path.mkdir(mode=0o700)
        self.take(path)

    def take(self, path: Path) -> None:
        """Give a file, or a folder with all it holds, to this account; needed in mode ``switch`` alone."""
        if self.mode != "switch":
            return
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)

    def can_work_in(self, folder: Path) -> bool:
        """Say whether this account can reach and write a folder that we made."""
        if self.mode == "direct":
            return os.access(folder, os.W_OK | os.X_OK)
        if self.mode == "switch":
            return False  # the folder is root's, and opening it or its parents is out of the question
        try:
            probe = ["/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", str(folder)]
            return self.run(probe, timeout_s=_PROBE_TIMEOUT_S).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def _command(self, argv: Sequence[str]) -> list[str]:
        if self.mode != "namespace":
            return list(argv)
        return [self.unshare, "--user", f"--map-user={self.uid}", f"--map-group={self.gid}", "--", *argv]

    def _switch_uid(self) -> int | None:
        return self.uid if self.mode == "switch" else None

    def _switch_gid(self) -> int | None:
        return self.gid if self.mode == "switch" else None

    def _switch_groups(self) -> list[int] | None:
        return [] if self.mode == "switch" else None


@functools.lru_cache(maxsize=4)
def choose_account(only: Mode | None = None) -> ServerAccount:
    """Return the account for servers of ours; each way is really tried before it is chosen.

    Args:
        only: Try this way alone.

    Raises:
        EmbeddedServerError: None works; the message says what was tried.
    """
    tried: list[str] = []
    for mode in (only,) if only else _modes():
        for account in _candidates(mode):
            problem = _probe(account)
            if not problem:
                return account
            tried.append(f"{mode} as {account.name}: {problem}")
        if not tried or not tried[-1].startswith(mode):
            tried.append(f"{mode}: no account to use, or the program unshare is missing")
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as this user, and no other way to run it works here.",
        hint="Tried: " + "; ".join(tried) + ".\n"
        "Run pgproof as a plain user that has a passwd entry, or give the DSN of a PostgreSQL server to use.",
        context={"uid": os.geteuid(), "tried": tried},
    )


def temporary_folders() -> tuple[Path, ...]:
    """Return the folders that other accounts can usually reach, best first, without repeats."""
    return tuple(dict.fromkeys(Path(path) for path in (tempfile.gettempdir(), "/tmp", "/var/tmp")))


def new_id() -> str:
    """Return a short random name; unpredictable, so that nobody can have put something in its place."""
    return secrets.token_hex(5)


def server_environment() -> dict[str, str]:
    """Return the environment that servers of ours get: no PG*, no locale, UTC."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def _modes() -> tuple[Mode, ...]:
    if os.geteuid() == 0:
        return ("namespace", "switch")
    return ("direct",) if _passwd_entry(os.geteuid()) else ("namespace",)


def _candidates(mode: Mode) -> list[ServerAccount]:
    if mode == "direct":
        return [ServerAccount("direct", _passwd_entry(os.geteuid()), os.geteuid(), os.getegid())]
    unshare = shutil.which("unshare") or ""
    if mode == "namespace" and not unshare:
        return []
    accounts = []
    for name in _ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        accounts.append(ServerAccount(mode, name, entry.pw_uid, entry.pw_gid, unshare))
    return accounts


def _probe(account: ServerAccount) -> str:
    """Run ``id -u`` under the account; return why it failed, empty if it worked."""
    if account.mode == "direct":
        return "root is refused" if account.uid == 0 else ""
    try:
        done = account.run(["id", "-u"], timeout_s=_PROBE_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0 and done.stdout.strip() == str(account.uid):
        return ""
    return done.stderr.strip() or f"id -u answered {done.stdout.strip()!r}"


def _passwd_entry(uid: int) -> str:
    """Return the name of a user id, empty if the passwd file does not know it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
