"""Gives a server of ours a password for TCP, which every user of the machine could otherwise use.

The password is never shown: it lies in a file that only we can read, and the connection string names that
file.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pgproof.postgres.binaries import Binaries
from pgproof.postgres.template import SUPERUSER
from pgproof.postgres.tools import run_tool

# Neither the log nor pg_stat_statements shall keep the statement that sets it.
_QUIET = """
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET pg_stat_statements.track = 'none';
"""
_TIMEOUT_S = 60.0


def set_network_password(binaries: Binaries, socket_dir: Path, port: int, passfile: Path) -> None:
    """Set a random password for the superuser and write it to a password file for 127.0.0.1.

    Args:
        binaries: An install with ``psql``.
        socket_dir: Folder of the running server's socket.
        port: Its port, the same for socket and TCP.
        passfile: The file to write, in libpq's format.

    Raises:
        EmbeddedServerError: ``psql`` is missing or the server refused.
        OSError: The file can't be written.
    """
    password = secrets.token_urlsafe(24)
    env = {"PGHOST": str(socket_dir), "PGPORT": str(port), "PGUSER": SUPERUSER, "PGDATABASE": "postgres"}
    sql = f"{_QUIET}ALTER ROLE {SUPERUSER} PASSWORD '{password}';\n"
    run_tool(
        binaries, "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1"], env=env, stdin=sql, timeout_s=_TIMEOUT_S
    )
    passfile.touch(mode=0o600)
    passfile.write_text(f"127.0.0.1:{port}:*:{SUPERUSER}:{password}\n", encoding="utf-8")
