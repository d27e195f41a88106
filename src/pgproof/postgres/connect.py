"""Opens a connection, and finds out whether a pooler stands between."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.conninfo import make_conninfo
from psycopg.types.string import TextLoader

from pgproof.errors import Unreachable
from pgproof.postgres.dsn import address_of, libpq_defaults, read_dsn, secrets_of
from pgproof.postgres.failures import connection_failure
from pgproof.postgres.query_files import OWN_STATEMENT

CONNECT_TIMEOUT_S = 10
# By oid where psycopg knows no name: "unknown", and 0, its loader for all types it does not know.
_TEXT_TYPES: tuple[str | int, ...] = ("text", "varchar", "bpchar", "name", '"char"', 705, 0)
_PROBE = "pgproof.probe"


def connect(dsn: str, application_name: str) -> tuple[psycopg.Connection[Any], bool]:
    """Connect in autocommit mode, with UTF-8 on the wire whatever the database's encoding.

    Args:
        dsn: Any form libpq reads.
        application_name: As pg_stat_activity shows it.

    Returns:
        The connection, and whether a pooler may hand out another server session for each transaction.

    Raises:
        UsageError: ``dsn`` can't be read.
        Unreachable: No connection came about.
    """
    connection = _open(dsn, application_name)
    try:
        pooled = not _is_direct(connection)
        if pooled and (dedicated := _open_with_options(dsn, application_name)):
            connection.close()
            connection, pooled = dedicated, False
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII" and not pooled:
            _read_any_bytes(connection)
    except psycopg.Error as error:
        connection.close()
        raise connection_failure(error, address_of(dsn), secrets_of(dsn)) from error
    except BaseException:
        connection.close()
        raise
    return connection, pooled


def _open(dsn: str, application_name: str, options: str = "") -> psycopg.Connection[Any]:
    given = read_dsn(dsn)
    params: dict[str, Any] = {"application_name": application_name, "client_encoding": "UTF8"}
    if "connect_timeout" not in {**libpq_defaults(), **given}:
        params["connect_timeout"] = CONNECT_TIMEOUT_S
    if options:
        params["options"] = options
    address = address_of(dsn)
    try:
        # Never prepared by itself: named statements don't survive a pooler in transaction mode.
        return psycopg.connect(make_conninfo(dsn, **params), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise connection_failure(error, address, secrets_of(dsn)) from error
    except UnicodeError:
        raise Unreachable(f"No connection to {address}: its host name can't be encoded.") from None


def _is_direct(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the process that greeted us answers; a pooler greets with a number of its own."""
    row = connection.execute(f"SELECT {OWN_STATEMENT} pg_backend_pid()", prepare=False).fetchone()
    return row is not None and row[0] == connection.info.backend_pid


def _open_with_options(dsn: str, application_name: str) -> psycopg.Connection[Any] | None:
    """Connect with a setting in the startup packet; None if it did not arrive.

    A proxy that hands the startup packet on gives us a server session of our own; a pooler that shares
    sessions refuses or drops it.
    """
    own = {**libpq_defaults(), **read_dsn(dsn)}.get("options", "")
    try:
        connection = _open(dsn, application_name, f"{own} -c {_PROBE}=on".strip())
    except Unreachable:
        return None
    row = connection.execute(
        f"SELECT {OWN_STATEMENT} current_setting(%s, true)", (_PROBE,), prepare=False
    ).fetchone()
    if row is not None and row[0] == "on":
        return connection
    connection.close()
    return None


class _LenientTextLoader(TextLoader):
    """Reads what is no UTF-8, and a database without an encoding may hold, as escapes."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "backslashreplace")


def _read_any_bytes(connection: psycopg.Connection[Any]) -> None:
    """Let a database without an encoding answer: asked for UTF-8, the server refuses rows that hold none."""
    connection.execute("SET client_encoding = 'SQL_ASCII'", prepare=False)
    for kind in _TEXT_TYPES:
        connection.adapters.register_loader(kind, _LenientTextLoader)


def is_idle(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether no transaction is open, failed or not."""
    return connection.info.transaction_status == pq.TransactionStatus.IDLE
