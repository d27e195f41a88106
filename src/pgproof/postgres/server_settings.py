"""What stands in the configuration files of a server of ours.

Everything goes to a file that ``postgresql.conf`` includes, not to the command line: an ``ALTER SYSTEM`` that
a trial makes has to win, as it would on the user's server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.accounts import ServerAccount
from pgproof.postgres.binaries import Binaries

SETTINGS_FILE = "pgproof.conf"
# How a server is reached is not the caller's to say: a second way in would be open to other users of the
# machine.
RESERVED = frozenset(
    {"data_directory", "hba_file", "ident_file", "listen_addresses", "port"}
    | {"unix_socket_directories", "unix_socket_group", "unix_socket_permissions", "logging_collector"}
)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*")
# PostgreSQL 18, "Resource Consumption": 25 % of memory is a reasonable start. More than 512 MB would only be
# taken from the user's other programs: the systems raced here are compared with each other.
_SHARED_BUFFERS_FRAC = 0.25
_SHARED_BUFFERS_MAX_BYTES = 512 * 1024**2
# Docker gives /dev/shm 64 MB unless told otherwise; a parallel hash join then fails with "could not resize
# shared memory segment".
_SHM_FOLDER = Path("/dev/shm")
_SHM_MIN_BYTES = 256 * 1024**2


def default_settings(
    binaries: Binaries, *, label: str = "", durable: bool = True, preload: Sequence[str] = ()
) -> dict[str, str]:
    """Return the settings of a new server where the caller wants no others.

    Args:
        binaries: The install; decides which settings and libraries there are.
        label: Shown in the process title.
        durable: False for a throw-away server whose data nobody needs after a crash: writes become much
            cheaper, so times of writes say nothing about a real server.
        preload: Libraries for ``shared_preload_libraries``; those the install lacks are left out.
    """
    libraries = [name for name in preload if binaries.has_library(name)]
    settings = {
        "cluster_name": f"pgproof {label}".strip(),
        "shared_buffers": f"{_shared_buffers_bytes() // 1024}kB",
        "max_connections": "100",
        "shared_preload_libraries": ",".join(libraries),
        "track_io_timing": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
    }
    if binaries.major >= 14:
        settings["compute_query_id"] = "on"
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    if _shm_free_bytes() < _SHM_MIN_BYTES:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def check_settings(settings: Mapping[str, str]) -> None:
    """Refuse settings that can't be written or would change how the server is reached.

    Raises:
        EmbeddedServerError: Such a setting is there.
    """
    for name in settings:
        if name.lower() in RESERVED:
            raise EmbeddedServerError(
                f"The setting {name} decides how this server is reached and can't be changed.",
                hint="Leave it out; ask for TCP with a port.",
                context={"setting": name},
            )
        if not _SETTING_NAME.fullmatch(name):
            raise EmbeddedServerError(
                f"{name!r} is no name of a PostgreSQL setting.",
                hint="Leave it out.",
                context={"setting": name},
            )


def write_settings(
    data_dir: Path,
    settings: Mapping[str, str],
    *,
    socket_dir: Path,
    port: int,
    tcp: bool,
    account: ServerAccount,
) -> None:
    """Write the settings file of a stopped cluster and have ``postgresql.conf`` include it.

    Args:
        data_dir: The cluster's data folder.
        settings: Name and value, as `check_settings` passed them.
        socket_dir: Folder of the unix socket.
        port: Number of the socket and of TCP.
        tcp: Listen on 127.0.0.1 too.
        account: Who runs the server and has to read the files.

    Raises:
        OSError: The disk is full or the folder is gone.
    """
    place = {
        "listen_addresses": "127.0.0.1" if tcp else "",
        "port": str(port),
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in {**settings, **place}.items()]
    path = data_dir / SETTINGS_FILE
    path.write_text("".join(lines), encoding="utf-8")
    path.chmod(0o600)
    account.take(path)
    main = data_dir / "postgresql.conf"
    include = f"include '{SETTINGS_FILE}'\n"
    if include not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as handle:
            handle.write(f"\n{include}")


def write_access_rules(data_dir: Path, *, tcp: bool) -> None:
    """Write ``pg_hba.conf``: trust on the socket, whose folder only we can enter; a password on TCP.

    Args:
        data_dir: The cluster's data folder; the file is there already and keeps its owner.
        tcp: Let 127.0.0.1 in.
    """
    rules = ["local all all trust", "local replication all trust"]
    if tcp:
        rules.append("host all all 127.0.0.1/32 scram-sha-256")
    (data_dir / "pg_hba.conf").write_text("\n".join(rules) + "\n", encoding="utf-8")


def _quoted(value: str) -> str:
    """Quote a value for a configuration file, where backslashes escape.

    **Source**: PostgreSQL 18, src/backend/utils/misc/guc-file.l, DeescapeQuotedString.
    """
    text = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
    return f"'{text}'"


def _shared_buffers_bytes() -> int:
    memory_bytes = psutil.virtual_memory().total
    return min(int(memory_bytes * _SHARED_BUFFERS_FRAC), _SHARED_BUFFERS_MAX_BYTES)


def _shm_free_bytes() -> int:
    """Return what the shared memory folder can take; as much as needed where there is no such folder."""
    if not _SHM_FOLDER.is_dir():
        return _SHM_MIN_BYTES
    found = os.statvfs(_SHM_FOLDER)
    return found.f_bavail * found.f_frsize
