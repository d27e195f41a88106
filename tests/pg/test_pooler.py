"""Through a pooler that shares server sessions, as PgBouncer in transaction mode does.

The pooler here is a proxy that does to the protocol what PgBouncer does: it greets clients with a process
number of its own, and refuses startup options it does not know.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.errors import ServerError, Unreachable
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session

pytestmark = pytest.mark.pg

OWN_PID = 4_000_000
SSL_REQUEST = 80877103


class Pooler:
    """Listens on 127.0.0.1 and hands everything on to one server's socket."""

    def __init__(self, path: str, *, takes_options: bool) -> None:
        self._path = path
        self._takes_options = takes_options
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            startup = read_startup(client)
            if b"\0options\0" in startup and not self._takes_options:
                client.sendall(fatal("unsupported startup parameter: options"))
                return
            server.connect(self._path)
            server.sendall(startup)
            threading.Thread(target=copy, args=(client, server), daemon=True).start()
            greet(server, client)
            copy(server, client)


def read_exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise OSError("closed")
        data += piece
    return data


def read_startup(client: socket.socket) -> bytes:
    while True:
        head = read_exactly(client, 8)
        size, code = struct.unpack("!II", head)
        if code >= SSL_REQUEST - 1:  # TLS, cancel, GSSAPI
            client.sendall(b"N")
            continue
        return head + read_exactly(client, size - 8)


def greet(server: socket.socket, client: socket.socket) -> None:
    """Hand the server's greeting on, with another process number in it."""
    kind = b""
    while kind != b"Z":
        head = read_exactly(server, 5)
        kind, size = head[:1], struct.unpack("!I", head[1:])[0]
        body = read_exactly(server, size - 4)
        client.sendall(head + (struct.pack("!I", OWN_PID) + body[4:] if kind == b"K" else body))


def copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


def fatal(message: str) -> bytes:
    fields = b"SFATAL\0VFATAL\0C08P01\0M" + message.encode() + b"\0\0"
    return b"E" + struct.pack("!I", len(fields) + 4) + fields


@pytest.fixture
def pooled(request: pytest.FixtureRequest, pg_server: EmbeddedServer, database: str) -> Iterator[str]:
    path = f"{pg_server.socket_dir}/.s.PGSQL.{pg_server.port}"
    pooler = Pooler(path, takes_options=getattr(request, "param", False))
    user = conninfo_to_dict(database)["user"]
    yield make_conninfo(database, host="127.0.0.1", port=pooler.port, user=user)
    pooler.close()


def test_a_reading_session_guards_each_transaction_and_leaks_nothing(pooled: str) -> None:
    with open_session(pooled, statement_timeout_ms=1234) as session:
        assert session.pooled
        guards = [session.value(f"SHOW {name}") for name in ("transaction_read_only", "statement_timeout")]
        assert guards == ["on", "1234ms"]
        with pytest.raises(ServerError) as caught:
            session.run("CREATE TABLE t (a int)")
        assert caught.value.sqlstate == "25006"
        with session.rolled_back():
            assert session.value("SHOW transaction_read_only") == "on"
        leaked = "SELECT name, setting FROM pg_settings WHERE source = 'session'"
        assert "statement_timeout" not in dict(session._connection.execute(leaked).fetchall())


def test_a_session_that_writes_is_refused(pooled: str) -> None:
    with pytest.raises(Unreachable, match="is a pooler that shares server sessions") as caught:
        open_session(pooled, read_only=False)
    assert caught.value.hint == "For anything that writes, give the address of the PostgreSQL server itself."


@pytest.mark.parametrize("pooled", [True], indirect=True)
def test_a_proxy_that_gives_us_a_session_of_our_own_is_no_pooler(pooled: str) -> None:
    with open_session(pooled, read_only=False, statement_timeout_ms=1234) as session:
        assert not session.pooled
        assert session.value("SHOW statement_timeout") == "1234ms"
        session.run("CREATE TABLE t (a int)")
