"""pg_stat_statements on real servers: read, missing, hidden."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.errors import CapabilityMissing
from pgproof.postgres.deltas import diff_snapshots
from pgproof.postgres.embedded import EmbeddedServer, start_server
from pgproof.postgres.session import open_session
from pgproof.postgres.statistics import read_statement_snapshot
from pgproof.testing.servers import run_statement, session_home, temporary_database

pytestmark = pytest.mark.pg

SETUP = '''CREATE SCHEMA "My ""Stats""";
           CREATE EXTENSION pg_stat_statements SCHEMA "My ""Stats""";
           CREATE TABLE t (a int)'''


@pytest.fixture(scope="module")
def counting_server(pg_server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    settings = {"shared_preload_libraries": "pg_stat_statements"}
    with start_server(pg_server.binaries, home=session_home(), settings=settings, durable=False) as server:
        yield server


@pytest.fixture
def shop(counting_server: EmbeddedServer) -> Iterator[str]:
    """A database whose extension stands in a schema with an awkward name."""
    with temporary_database(counting_server) as dsn:
        run_statement(counting_server, SETUP, str(conninfo_to_dict(dsn)["dbname"]))
        yield dsn


def test_a_window_holds_what_was_run_in_it_and_nothing_of_ours(shop: str) -> None:
    with open_session(shop) as session:
        before = read_statement_snapshot(session)
        for value in ("1", "2", "3"):
            session.run("SELECT count(*) FROM t WHERE a > $1", [value])
        after = read_statement_snapshot(session)
    delta = diff_snapshots(before, after)
    (window,) = delta.statements
    assert window.text == "SELECT count(*) FROM t WHERE a > $1"
    assert (window.user, window.toplevel, window.counters.calls, window.counters.rows) == (
        "postgres",
        True,
        3,
        3,
    )
    assert window.counters.total_ms > 0
    assert delta.notes == ()
    assert delta.window_s > 0


def test_a_snapshot_without_texts(shop: str) -> None:
    with open_session(shop) as session:
        session.run("SELECT count(*) FROM t")
        snapshot = read_statement_snapshot(session, with_texts=False)
    assert snapshot.entries
    assert {entry.text for entry in snapshot.entries} == {None}


def test_other_databases_are_left_out(counting_server: EmbeddedServer, shop: str) -> None:
    run_statement(counting_server, "SELECT 'elsewhere', count(*) FROM pg_class")
    with open_session(shop) as session:
        texts = [entry.text or "" for entry in read_statement_snapshot(session).entries]
    assert not [text for text in texts if "count(*) FROM pg_class" in text]


def test_a_reset_is_noticed(counting_server: EmbeddedServer, shop: str) -> None:
    with open_session(shop) as session:
        session.run("SELECT count(*) FROM t")
        session.run("SELECT count(*) FROM t")
        before = read_statement_snapshot(session)
        run_statement(
            counting_server,
            'SELECT "My ""Stats""".pg_stat_statements_reset()',
            str(conninfo_to_dict(shop)["dbname"]),
        )
        session.run("SELECT count(*) FROM t")
        delta = diff_snapshots(before, read_statement_snapshot(session))
    assert [w.counters.calls for w in delta.statements if w.text == "SELECT count(*) FROM t"] == [1]
    assert [note for note in delta.notes if "was reset" in note or "began to count anew" in note]


def test_the_extension_is_missing(counting_server: EmbeddedServer) -> None:
    with temporary_database(counting_server) as dsn, open_session(dsn) as session:
        with pytest.raises(
            CapabilityMissing, match="pg_stat_statements is not installed in this database"
        ) as caught:
            read_statement_snapshot(session)
        name = session.database
    assert caught.value.hint == f"CREATE EXTENSION pg_stat_statements; -- in database {name}"


def test_the_library_is_not_loaded(pg_server: EmbeddedServer) -> None:
    settings = {"shared_preload_libraries": ""}
    with (
        start_server(pg_server.binaries, home=session_home(), settings=settings, durable=False) as server,
        open_session(server.dsn()) as session,
        pytest.raises(CapabilityMissing, match="pg_stat_statements is not loaded") as caught,
    ):
        read_statement_snapshot(session)
    assert caught.value.hint.splitlines() == [
        "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';",
        "Then restart the server (a reload won't do). On a managed service, set it in the parameter group.",
        "CREATE EXTENSION pg_stat_statements; -- in database postgres",
    ]


def test_an_extension_that_pg_upgrade_left_behind(shop: str) -> None:
    with open_session(shop, read_only=False) as session:
        session.run("DROP EXTENSION pg_stat_statements")
        session.run("CREATE EXTENSION pg_stat_statements VERSION '1.8'")
        session.run("SELECT count(*) FROM t")
        snapshot = read_statement_snapshot(session)
        assert (snapshot.stats_reset_at, snapshot.deallocations) == (None, None)
        assert [e.text for e in snapshot.entries if e.text == "SELECT count(*) FROM t"]
        session.run("DROP EXTENSION pg_stat_statements")
        session.run("CREATE EXTENSION pg_stat_statements VERSION '1.7'")
        with pytest.raises(CapabilityMissing, match=r"version 1\.7, older than 1\.8") as caught:
            read_statement_snapshot(session)
    assert caught.value.hint == "ALTER EXTENSION pg_stat_statements UPDATE;"


def test_other_users_statements_are_hidden(counting_server: EmbeddedServer, shop: str) -> None:
    name = str(conninfo_to_dict(shop)["dbname"])
    run_statement(
        counting_server,
        'CREATE ROLE "no Body" LOGIN; GRANT USAGE ON SCHEMA "My ""Stats""" TO "no Body"',
        name,
    )
    dsn = make_conninfo(shop, user="no Body")
    try:
        with open_session(dsn) as session:
            with pytest.raises(CapabilityMissing, match=r"statements of .* are other users'") as caught:
                read_statement_snapshot(session)
            assert caught.value.hint == 'GRANT pg_read_all_stats TO "no Body";'
            session.run("SELECT 41 + 1")
            snapshot = read_statement_snapshot(session)
            assert [entry.user for entry in snapshot.entries] == ["no Body"]
            assert "statements of other users are hidden. GRANT pg_read_all_stats" in snapshot.notes[0]
        run_statement(counting_server, caught.value.hint)
        with open_session(dsn) as session:
            snapshot = read_statement_snapshot(session)
        assert snapshot.notes == ()
        assert "postgres" in {entry.user for entry in snapshot.entries}
    finally:
        run_statement(counting_server, 'DROP OWNED BY "no Body"; DROP ROLE "no Body"', name)
