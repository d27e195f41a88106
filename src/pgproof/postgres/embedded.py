"""PostgreSQL servers of our own: started, watched and removed without leaving a trace.

This file is the door; what lies behind it has a file each: ``binaries`` (which install), ``accounts`` (as
whom), ``relocate`` (where that account can't reach the install), ``clusters`` (folders, locks, orphans),
``template`` (initdb once), ``server_settings`` (its configuration), ``tools`` (pg_dump and its kin).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from psycopg.conninfo import make_conninfo

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.accounts import Mode, ServerAccount, choose_account
from pgproof.postgres.binaries import Binaries, find_binaries, list_binaries
from pgproof.postgres.clusters import (
    ClusterFolder,
    is_ready,
    keep_cluster_folder,
    make_cluster_folder,
    mark_owned,
    remove_cluster_folder,
    remove_orphans,
    stop_process,
)
from pgproof.postgres.network_password import set_network_password
from pgproof.postgres.relocate import reachable_binaries
from pgproof.postgres.server_log import advice_of, log_tail
from pgproof.postgres.server_settings import (
    check_settings,
    default_settings,
    write_access_rules,
    write_settings,
)
from pgproof.postgres.template import SUPERUSER, keep_data_folder, make_data_folder
from pgproof.postgres.tools import ToolOutput, run_tool

__all__ = [
    "Binaries",
    "EmbeddedServer",
    "ToolOutput",
    "find_binaries",
    "list_binaries",
    "remove_orphans",
    "run_tool",
    "start_server",
]

DEFAULT_PRELOAD = ("pg_stat_statements",)
_SOCKET_PORT = 5432  # names the socket's file only: each server has a folder of its own
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.01

_live: set[EmbeddedServer] = set()


class EmbeddedServer:
    """A running server of ours; a context manager that stops it and removes its folder.

    Made by `start_server`, never directly.

    Attributes:
        binaries: The install that was asked for; its client programs fit this server.
        data_dir: The cluster's data folder.
        socket_dir: The folder of its unix socket, which only this user can enter.
        port: Number of the socket; of TCP on 127.0.0.1 too, if that was asked for.
        settings: What the configuration file says, ours and the caller's.
    """

    def __init__(
        self,
        binaries: Binaries,
        program: Path,
        account: ServerAccount,
        folder: ClusterFolder,
        settings: Mapping[str, str],
        tcp_port: int | None,
    ) -> None:
        self.binaries = binaries
        self.data_dir = folder.data_dir
        self.socket_dir = folder.socket_dir
        self.port = tcp_port or _SOCKET_PORT
        self.settings = dict(settings)
        self._tcp = tcp_port is not None
        self._folder = folder
        self._account = account
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._removed = False
        self._guard = threading.RLock()

    @property
    def major(self) -> int:
        """Major version of the server."""
        return self.binaries.major

    @property
    def version(self) -> str:
        """Version of the server, such as ``18.6``."""
        return self.binaries.version

    @property
    def process_id(self) -> int | None:
        """Process id of the postmaster; None once it has stopped."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def log(self) -> Path:
        """The server's log file; gone once the server is stopped."""
        return self._folder.log

    @property
    def passfile(self) -> Path:
        """The password file for TCP; there only if the server was started with a port."""
        return self._folder.path / "passfile"

    def dsn(self, database: str = "postgres") -> str:
        """Return a libpq connection string (``key=value``) for the unix socket.

        Args:
            database: Name of the database; any characters.
        """
        return make_conninfo(host=str(self.socket_dir), port=str(self.port), user=SUPERUSER, dbname=database)

    def tcp_dsn(self, database: str = "postgres") -> str:
        """Return a libpq connection string for TCP; it names a password file, so it shows no password.

        Args:
            database: Name of the database.

        Raises:
            EmbeddedServerError: The server was started without a port.
        """
        if not self._tcp:
            raise EmbeddedServerError(
                "This server listens on its unix socket only.", hint="Start it with a port, or use dsn()."
            )
        return make_conninfo(
            host="127.0.0.1",
            port=str(self.port),
            user=SUPERUSER,
            dbname=database,
            passfile=str(self.passfile),
        )

    def run_tool(
        self,
        tool: str,
        args: Sequence[str],
        *,
        database: str = "postgres",
        stdin: str | None = None,
        stdout: Path | None = None,
        timeout_s: float | None = None,
    ) -> ToolOutput:
        """Run a client program of this version against this server.

        Args:
            tool: Such as ``psql``.
            args: Its arguments; the connection is given by the environment.
            database: Database to connect to.
            stdin: Text to feed it.
            stdout: File for its output.
            timeout_s: Kill it after so many seconds; None waits for ever.

        Raises:
            EmbeddedServerError: It failed; see `pgproof.postgres.tools.run_tool`.
        """
        env = {
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": database,
        }
        return run_tool(self.binaries, tool, args, env=env, stdin=stdin, stdout=stdout, timeout_s=timeout_s)

    def restart(self, settings: Mapping[str, str] | None = None) -> None:
        """Stop the server, take over further settings, and start it again; its data stays.

        Args:
            settings: Added to those in force; nothing changes for None.

        Raises:
            EmbeddedServerError: It is stopped for good, or did not come up again (the log is in the hint; a
                restart with better settings mends that).
        """
        with self._guard:
            if self._removed:
                raise EmbeddedServerError("This server was stopped for good.", hint="Start a new one.")
            check_settings(settings or {})
            self.settings.update(settings or {})
            self._end()
            self._begin()

    def keep_copy(self, template: Path, *, leave_out: str = "") -> None:
        """Stop the server, keep a copy of its data for `start_server`, and start it again.

        Args:
            template: The folder to make; see `pgproof.postgres.template.keep_data_folder`.
            leave_out: Pattern of files below the data folder that are removed before; empty for none.

        Raises:
            EmbeddedServerError: It is stopped for good, or did not come up again.
        """
        with self._guard:
            if self._removed:
                raise EmbeddedServerError("This server was stopped for good.", hint="Start a new one.")
            self._end()
            for path in self.data_dir.glob(leave_out) if leave_out else ():
                path.unlink()
            keep_data_folder(self.data_dir, template)
            self._begin()

    def give(self, path: Path) -> None:
        """Let the server's account own a file that we put into its data folder.

        Raises:
            OSError: There is no such file.
        """
        self._account.take(path)

    def stop(self, *, keep: bool = False) -> None:
        """Stop the server and remove its folder; does nothing the second time.

        Args:
            keep: Leave the folder with data and log for a human to look at.
        """
        with self._guard:
            if self._removed:
                return
            self._removed = True
            _live.discard(self)
            self._end()
            if keep:
                keep_cluster_folder(self._folder)
            else:
                remove_cluster_folder(self._folder)

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self.process_id is None else f"pid {self.process_id}"
        return f"<EmbeddedServer {self.version} {state} in {self._folder.path}>"

    def _begin(self) -> None:
        """Write the settings, start the postmaster, and wait until it takes connections."""
        write_settings(
            self.data_dir,
            self.settings,
            socket_dir=self.socket_dir,
            port=self.port,
            tcp=self._tcp,
            account=self._account,
        )
        with self.log.open("ab") as log:
            self._process = self._account.spawn([str(self._program), "-D", str(self.data_dir)], log=log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not is_ready(self.data_dir, self._process.pid):
            if self._process.poll() is not None:
                raise self._failure(f"PostgreSQL {self.version} ended while starting.")
            if time.monotonic() > deadline:
                self._end()
                raise self._failure(
                    f"PostgreSQL {self.version} did not start within {_START_TIMEOUT_S:.0f} s."
                )
            time.sleep(_POLL_S)

    def _end(self) -> None:
        """Stop the postmaster, and make sure that it is gone."""
        process = self._process
        if process is None or process.poll() is not None:
            return

        def wait(seconds: float) -> bool:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return True
            return False

        stop_process(process.send_signal, wait, fast_s=_STOP_TIMEOUT_S)

    def _failure(self, message: str) -> EmbeddedServerError:
        lines = log_tail(self.log)
        return EmbeddedServerError(
            message,
            hint=advice_of(lines, self.data_dir, self.port),
            context={
                "version": self.version,
                "bindir": str(self.binaries.bindir),
                "account": self._account.name,
                "mode": self._account.mode,
                "log": list(lines),
            },
        )


def start_server(
    binaries: Binaries | None = None,
    *,
    home: Path,
    settings: Mapping[str, str] | None = None,
    label: str = "",
    port: int | None = None,
    preload: Sequence[str] = DEFAULT_PRELOAD,
    durable: bool = True,
    mode: Mode | None = None,
    seed: Path | None = None,
    bare: bool = False,
) -> EmbeddedServer:
    """Start a new server, empty unless seeded; what killed runs left in the same home is removed first.

    It is UTF-8, sorts by code point on every machine, trusts its unix socket (in a folder of ours alone), and
    listens on no network address.

    Args:
        binaries: The install to use; None takes what `find_binaries` finds.
        home: Folder of pgproof; clusters and templates lie there. Made if missing.
        settings: PostgreSQL settings that override ours.
        label: Names the cluster's folder and process.
        port: Listen on this port of 127.0.0.1 too, with a password (see `EmbeddedServer.tcp_dsn`); 0 takes a
            free one.
        preload: Libraries to load, as far as the install has them.
        durable: False makes writes cheap and unsafe; see `default_settings`.
        mode: Force a way to run as another account; None tries them in turn.
        seed: Start with the data that `EmbeddedServer.keep_copy` kept there.
        bare: A cluster that will hold no rows; see `template.make_data_folder`.

    Returns:
        The server, ready for connections. Stop it, or use it as a context manager.

    Raises:
        EmbeddedServerError: No binaries, root can't change account, ``initdb`` or the server failed (the end
            of the log is in the hint), or the disk is full. Nothing is left behind.
    """
    check_settings(settings or {})
    binaries = binaries or find_binaries()
    account = choose_account(mode)
    home = home.resolve()
    wanted = default_settings(binaries, label=label, durable=durable, preload=preload) | dict(settings or {})
    try:
        remove_orphans(home)
        runnable = reachable_binaries(binaries, account)
        with contextlib.ExitStack() as undo:
            folder = make_cluster_folder(home, label, account)
            undo.callback(remove_cluster_folder, folder)
            mark_owned(folder)
            make_data_folder(home, runnable, account, folder.data_dir, seed=seed, bare=bare)
            write_access_rules(folder.data_dir, tcp=port is not None)
            tcp_port = _free_port() if port == 0 else port
            server = EmbeddedServer(binaries, runnable.tool("postgres"), account, folder, wanted, tcp_port)
            undo.callback(server._end)
            server._begin()
            if port is not None:
                set_network_password(binaries, server.socket_dir, server.port, server.passfile)
            undo.pop_all()
    except OSError as error:
        raise EmbeddedServerError(
            f"A server could not be made in {home}: {error.strerror or error}.",
            hint="Free some disk space or name another folder that this user can write.",
            context={"home": str(home), "errno": error.errno},
        ) from error
    _live.add(server)
    return server


@atexit.register
def _stop_all() -> None:
    """Stop what this process started and did not stop; a forked child leaves its parent's servers alone."""
    for server in list(_live):
        if server._owner == os.getpid():
            server.stop()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
