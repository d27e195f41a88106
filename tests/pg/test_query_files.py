"""Every catalog query is understood by every PostgreSQL at hand, and gives the columns it announces."""

import re
from collections.abc import Iterator
from importlib.resources import files

import psycopg
import pytest
from psycopg import pq
from psycopg.sql import SQL, Identifier

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.query_files import choose_file, list_files, load_query
from pgproof.postgres.session import open_session
from pgproof.postgres.target_journal import prepare_target_journal
from pgproof.testing.servers import temporary_database

pytestmark = pytest.mark.pg

QUERIES = sorted({name.split(".")[0] for name in list_files()})


@pytest.fixture(scope="module")
def connection(pg_server: EmbeddedServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database with all that queries may ask for: pg_stat_statements, our journal, a shadow's casts."""
    with temporary_database(pg_server) as dsn:
        with open_session(dsn, read_only=False) as session:
            session.run("CREATE EXTENSION pg_stat_statements")
            assert prepare_target_journal(session) == ""
        with psycopg.connect(dsn, autocommit=True) as opened:
            for kind in ("pg_ndistinct", "pg_dependencies", "pg_mcv_list"):
                opened.execute(f"CREATE CAST (bytea AS {kind}) WITHOUT FUNCTION")
            yield opened


def head(name: str, major: int) -> dict[str, str]:
    text = (files("pgproof.postgres") / "queries" / choose_file(list_files(), name, major)).read_text("utf-8")
    return dict(re.findall(r"^-- (needs|min|columns): *(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("name", QUERIES)
def test_query(
    name: str, pg_server: EmbeddedServer, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    announced = head(name, pg_server.major)
    if int(announced["min"]) > pg_server.major:
        pytest.skip(f"needs PostgreSQL {announced['min']}")
    text = load_query(name, pg_server.major)
    if "{schema}" in text:
        text = SQL(text).format(schema=Identifier("public")).as_string(connection)
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for number, parameter in enumerate(names, start=1):
        text = text.replace(f"%({parameter})s", f"${number}")
    # The server analyses the statement and says what it would return; nothing is run.
    prepared = connection.pgconn.prepare(b"", text.replace("%%", "%").encode())
    assert prepared.status == pq.ExecStatus.COMMAND_OK, prepared.error_message.decode()
    told = connection.pgconn.describe_prepared(b"")
    columns = [(told.fname(place) or b"").decode() for place in range(told.nfields)]
    assert columns == [column.split()[0] for column in announced["columns"].split(",")]
