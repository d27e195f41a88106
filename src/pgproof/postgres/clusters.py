"""The folder of one running cluster, and the removal of what a killed run left behind.

::

    home/clusters/.lock           held for an instant while a folder is made or looked through
    home/clusters/<label>-<id>/   one cluster
        lock                      held by the owning process for its life: who can take it may remove the
        folder owner.json                who, when, and which folders outside belong to it
        server.log
        data/ s/                  data and socket, unless they lie outside
    <temp>/pgproof-<id>/          data and socket where the server's account can't reach the home,
                                  or the socket alone where its path would be too long

The lock is the truth: the kernel drops it however the owner dies. The postmaster does not inherit it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.accounts import ServerAccount, new_id, temporary_folders

# The longest path of a unix socket: sizeof(sockaddr_un.sun_path) - 1, see unix(7).
SOCKET_PATH_LIMIT_BYTES = 107 if sys.platform == "linux" else 103
_SOCKET_NAME_BYTES = len("/.s.PGSQL.65535.lock")
_LABEL_LIMIT_CHARS = 40
_REMOVE_TIMEOUT_S = 5.0
_POLL_S = 0.02
_OWN_PROGRAMS = ("postgres", "postmaster", "initdb", "unshare")

_making: dict[
    Path, int
] = {}  # folders that nobody stands ready to remove yet, with the process that makes them


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """The folders of one cluster, and the lock that says they are in use.

    Args:
        path: The folder under the home.
        lock: Open file descriptor that holds the lock.
        data_dir: Where the cluster's data goes; not made yet.
        socket_dir: Where its socket goes; made.
        outside: Further folders that go with it; empty in the usual case.
    """

    path: Path
    lock: int
    data_dir: Path
    socket_dir: Path
    outside: tuple[Path, ...]

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.path / "server.log"


def make_cluster_folder(home: Path, label: str, account: ServerAccount) -> ClusterFolder:
    """Make and lock the folder of a new cluster.

    Args:
        home: Folder of pgproof; made if missing.
        label: Any text; what can't stand in a file name is replaced.
        account: Who will run the server.

    Raises:
        EmbeddedServerError: No folder is private and short enough for the socket.
        OSError: The home can't be written.
    """
    ident = new_id()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-")[:_LABEL_LIMIT_CHARS]
    path = home / "clusters" / (f"{name}-{ident}" if name else ident)
    _making[path] = os.getpid()
    with _registry(home):
        path.mkdir(mode=0o700)
        lock = _take_lock(path / "lock")
    if lock is None:  # pragma: no cover - the folder is new and its name random
        raise EmbeddedServerError(f"{path} is in use.", hint="Try again.")
    try:
        return _lay_out(path, lock, ident, label, account)
    except BaseException:
        remove_tree(path)
        os.close(lock)
        raise


def mark_owned(folder: ClusterFolder) -> None:
    """Take note that somebody stands ready to remove a folder, whatever happens."""
    _making.pop(folder.path, None)


@atexit.register
def remove_unfinished() -> None:
    """Remove folders that an interrupt left between being made and being somebody's to remove.

    A forked child leaves its parent's alone.
    """
    for path in [path for path, pid in _making.items() if pid == os.getpid() and path.is_dir()]:
        for gone in (*_outside_of(path), path):
            remove_tree(gone)


def remove_cluster_folder(folder: ClusterFolder) -> None:
    """Remove a cluster's folders and give its lock back; the server must have ended."""
    for path in (*folder.outside, folder.data_dir, folder.path):
        remove_tree(path)
    os.close(folder.lock)


def keep_cluster_folder(folder: ClusterFolder) -> None:
    """Give the lock back, but leave the folder for a human to look at; it will never count as an orphan."""
    _write_owner(folder.path, _read_owner(folder.path) | {"keep": True})
    os.close(folder.lock)


def remove_orphans(home: Path) -> tuple[str, ...]:
    """Stop and remove the clusters whose owner is gone.

    Safe while other processes start, run and stop clusters in the same home, and while they do this very
    thing.

    Args:
        home: Folder of pgproof; nothing happens if it does not exist.

    Returns:
        Names of the removed folders, sorted; usually none.
    """
    if not (home / "clusters").is_dir():
        return ()
    with _registry(home):
        taken = list(_take_orphans(home / "clusters"))
    for path, lock in taken:
        outside = _outside_of(path)
        for postmaster in _postmasters_in((path, *outside)):
            stop_process(postmaster.send_signal, _waiter(postmaster), fast_s=0.0)
        for gone in (*outside, path / "data", path):
            remove_tree(gone)
        os.close(lock)
    return tuple(sorted(path.name for path, _ in taken if not path.exists()))


def is_ready(data_dir: Path, pid: int) -> bool:
    """Say whether a postmaster takes connections: it writes its state into its pid file.

    Args:
        data_dir: Of its cluster.
        pid: Its process id; the file may be an older one's.

    **Source**: PostgreSQL 18, src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS (since version 10).
    """
    try:
        lines = (data_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def stop_process(send: Callable[[int], None], wait: Callable[[float], bool], *, fast_s: float) -> None:
    """Stop a postmaster: politely, then at once, then by force.

    Args:
        send: Sends it a signal.
        wait: Waits so many seconds at most; True if it ended.
        fast_s: Seconds for a fast shutdown (SIGINT) before the immediate one (SIGQUIT); 0 skips it.

    **Source**: PostgreSQL 18, "Shutting Down the Server", for the meaning of the signals.
    """
    grace_s = ((signal.SIGINT, fast_s), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
    for number, seconds in grace_s:
        if seconds <= 0:
            continue
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            send(number)
        if wait(seconds):
            return


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds; does nothing if it is not there.

    Backends may outlive their postmaster by a moment and still write, so it is tried for some seconds.
    """
    deadline = time.monotonic() + _REMOVE_TIMEOUT_S
    while path.exists() and time.monotonic() < deadline:
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            time.sleep(_POLL_S)


def _lay_out(path: Path, lock: int, ident: str, label: str, account: ServerAccount) -> ClusterFolder:
    """Decide where data and socket go, write it down, and only then make those folders."""
    inside = account.can_work_in(path)
    short = inside and _socket_fits(path / "s")
    outside: tuple[Path, ...] = () if short else (_outside_folder(ident),)
    owner = {
        "pid": os.getpid(),
        "started_at": datetime.now(UTC).isoformat(),
        "label": label,
        "outside": [str(folder) for folder in outside],
    }
    _write_owner(path, owner)
    for folder in outside:
        account.make_folder(folder)
    socket_dir = (path if short else outside[0]) / "s"
    data_dir = (path if inside else outside[0]) / "data"
    account.make_folder(socket_dir)
    return ClusterFolder(path, lock, data_dir, socket_dir, outside)


def _outside_folder(ident: str) -> Path:
    for folder in temporary_folders():
        path = folder / f"pgproof-{ident}"
        if folder.is_dir() and os.access(folder, os.W_OK) and _socket_fits(path / "s"):
            return path
    raise EmbeddedServerError(
        "No temporary folder has a path short enough for a PostgreSQL socket.",
        hint="Set TMPDIR to a short path such as /tmp.",
        context={"limit_bytes": SOCKET_PATH_LIMIT_BYTES},
    )


def _socket_fits(socket_dir: Path) -> bool:
    """Say whether a socket here can be made, and named where a comma separates hosts."""
    text = os.fsencode(socket_dir)
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(text) + _SOCKET_NAME_BYTES <= SOCKET_PATH_LIMIT_BYTES and not set(b",'\"\\\n") & set(text)


@contextlib.contextmanager
def _registry(home: Path) -> Iterator[None]:
    """Keep other processes from looking at the folders while one is between made and locked."""
    clusters = home / "clusters"
    clusters.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (clusters / ".lock").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _take_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock, None if somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _take_orphans(clusters: Path) -> Iterator[tuple[Path, int]]:
    for path in clusters.iterdir():
        if not path.is_dir() or path.is_symlink() or _read_owner(path).get("keep"):
            continue
        with contextlib.suppress(PermissionError, FileNotFoundError):  # another user's, or just being removed
            if (lock := _take_lock(path / "lock")) is not None:
                yield path, lock


def _write_owner(path: Path, owner: Mapping[str, object]) -> None:
    """Write owner.json at once or not at all."""
    draft = path / "owner.json.new"
    draft.write_text(json.dumps(owner, indent=2), encoding="utf-8")
    draft.replace(path / "owner.json")


def _read_owner(path: Path) -> dict[str, object]:
    """Return what owner.json says; empty if it is missing or was cut short by a crash."""
    try:
        owner = json.loads((path / "owner.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _outside_of(path: Path) -> tuple[Path, ...]:
    """Return the folders outside that belong to a cluster: only such as we would have made ourselves."""
    listed = _read_owner(path).get("outside")
    ident = path.name.rpartition("-")[2]
    named = [Path(str(entry)) for entry in listed] if isinstance(listed, list) else []
    return tuple(p for p in named if p.name == f"pgproof-{ident}" and p.is_dir() and not p.is_symlink())


def _postmasters_in(folders: tuple[Path, ...]) -> list[psutil.Process]:
    """Return the running postmasters whose data folder lies in one of these folders.

    The process list is asked, not postmaster.pid alone: that file may be missing (killed while starting) or
    name a number that belongs to another process by now. Only a postmaster has ``-D`` in its command line.
    """
    wanted = {str(folder / "data") for folder in folders}
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = process.info["cmdline"] or []
        if str(process.info["name"]).startswith(_OWN_PROGRAMS) and wanted & set(arguments):
            found.append(process)
    return found


def _waiter(process: psutil.Process) -> Callable[[float], bool]:
    """Return a function that waits for somebody else's child.

    A zombie has ended: its new parent may collect it late or, as the first process of many containers, never.
    """

    def wait(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    return True
            except psutil.NoSuchProcess:
                return True
            time.sleep(_POLL_S)
        return False

    return wait
