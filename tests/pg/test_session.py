"""Sessions on real servers: guards, values, errors in plain words."""

import _thread
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from psycopg.conninfo import make_conninfo

from pgproof.errors import CapabilityMissing, ServerError, Unreachable, UsageError
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session, with_database
from pgproof.testing.servers import run_statement

pytestmark = pytest.mark.pg


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database) as opened:
        yield opened


@pytest.fixture
def writer(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        yield opened


@pytest.fixture
def stranger(pg_server: EmbeddedServer, database: str) -> Iterator[str]:
    """Connection string of a role without any privilege."""
    run_statement(pg_server, 'CREATE ROLE "no Body" LOGIN')
    yield make_conninfo(database, user="no Body")
    run_statement(pg_server, 'DROP ROLE "no Body"')


def test_it_says_where_it_is(session: Session, pg_server: EmbeddedServer) -> None:
    assert session.major == pg_server.major
    assert session.address.endswith(f"/{session.database}")
    assert session.backend_pid == session.value("SELECT pg_backend_pid()")
    assert session.user == "postgres"
    assert not session.pooled


def test_guards_are_set_and_the_users_settings_stay(pg_server: EmbeddedServer, database: str) -> None:
    name = with_database(database, "x") and database.partition("dbname=")[2].split()[0].strip("'")
    run_statement(pg_server, f'ALTER DATABASE "{name}" SET search_path = elsewhere, public')
    with open_session(
        database, statement_timeout_ms=1234, lock_timeout_ms=77, application_name="me"
    ) as session:
        shown = {
            setting: session.value(f"SHOW {setting}")
            for setting in ("statement_timeout", "lock_timeout", "application_name", "search_path")
        }
        assert shown == {
            "statement_timeout": "1234ms",
            "lock_timeout": "77ms",
            "application_name": "me",
            "search_path": "elsewhere, public",
        }


def test_a_reading_session_can_not_write(session: Session) -> None:
    with pytest.raises(ServerError, match="would write, and this session only reads") as caught:
        session.run("CREATE TABLE t (a int)")
    assert caught.value.sqlstate == "25006"


def test_nobody_steps_out_of_a_reading_session_with_a_second_statement(session: Session) -> None:
    for sql in ("COMMIT; BEGIN READ WRITE; CREATE TABLE t (a int); COMMIT", "SELECT 1; SELECT 2"):
        with pytest.raises(ServerError, match="multiple commands"):
            session.run(sql)
    assert session.value("SELECT to_regclass('t')") is None


def test_values_are_bound_untyped(session: Session) -> None:
    result = session.run(
        "SELECT $1 + 1 AS number, $2 || 'b' AS text, $3::date AS day, $4::int IS NULL AS none, '9%' AS \"%\"",
        ["41", "a", "2026-02-28", None],
    )
    assert result.columns == ("number", "text", "day", "none", "%")
    assert [str(value) for value in result.rows[0]] == ["42", "ab", "2026-02-28", "True", "9%"]
    assert result.row_count == 1


def test_values_in_the_servers_own_words(session: Session) -> None:
    kinds = "1.50::numeric, 'infinity'::timestamp, '{1,NULL}'::int[], true, NULL, '\\x00ff'::bytea"
    sql = f"SELECT {kinds}, '0044-03-15 BC'::date"
    expected = ("1.50", "infinity", "{1,NULL}", "t", None, "\\x00ff", "0044-03-15 BC")
    assert session.run(sql, as_text=True).rows == [expected]


def test_what_python_can_not_hold_comes_as_text(session: Session) -> None:
    assert session.run("SELECT 'infinity'::timestamptz").rows == [("infinity",)]


def test_statements_without_result_and_without_rows(writer: Session) -> None:
    assert writer.run("CREATE TABLE t (a int)").columns == ()
    assert writer.run("INSERT INTO t SELECT generate_series(1, 3)").row_count == 3
    assert writer.value("SELECT a FROM t WHERE a > $1", ["9"]) is None
    assert writer.run("VACUUM t").rows == []
    assert writer.run("CREATE INDEX CONCURRENTLY t_a ON t (a)").rows == []


def test_a_rolled_back_block_leaves_nothing(writer: Session) -> None:
    writer.run("CREATE TABLE t (a int)")
    with writer.rolled_back():
        assert writer.rolls_back
        writer.run("INSERT INTO t VALUES (1)")
        with pytest.raises(ServerError), writer.rolled_back():
            writer.run("SELECT 1 / 0")
        assert writer.value("SELECT count(*) FROM t") == 1
    assert not writer.rolls_back
    assert writer.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("sql", "values", "sqlstate", "words"),
    [
        ("SELECT $1::int", ["4111 1111"], "22P02", "invalid input syntax for type integer: (value left out)"),
        (
            "SELECT * FROM nope",
            [],
            "42P01",
            'a table that is not there, or not on the search path: relation "nope"',
        ),
        ("SELECT pg_sleep(9)", [], "57014", "was stopped: canceling statement due to statement timeout"),
        ("DO $$ BEGIN RAISE 'card 4111 1111'; END $$", [], "P0001", "its words are left out"),
        ("SELECT 1 FROM", [], "42601", "syntax error at end of input"),
    ],
)
def test_failures_in_plain_words(
    database: str, sql: str, values: list[str], sqlstate: str, words: str
) -> None:
    with open_session(database, statement_timeout_ms=200) as session:
        with pytest.raises(ServerError) as caught:
            session.run(sql, values)
        assert caught.value.sqlstate == sqlstate
        assert words in caught.value.message
        assert "4111" not in caught.value.message + caught.value.hint
        assert caught.value.__cause__ is not None
        assert session.value("SELECT 1") == 1, "the session goes on"


def test_a_violated_constraint_shows_no_row(writer: Session) -> None:
    writer.run("CREATE TABLE t (a text UNIQUE)")
    writer.run("INSERT INTO t VALUES ('secret')")
    with pytest.raises(ServerError) as caught:
        writer.run("INSERT INTO t VALUES ($1)", ["secret"])
    assert caught.value.sqlstate == "23505"
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_denied_table_comes_with_its_grant(writer: Session, stranger: str) -> None:
    writer.run('CREATE SCHEMA "S"')
    writer.run('CREATE TABLE "S"."Order" (a int)')
    with open_session(stranger) as session:
        with pytest.raises(CapabilityMissing) as caught:
            session.run('SELECT * FROM "S"."Order"')
        assert caught.value.hint == 'GRANT USAGE ON SCHEMA "S" TO "no Body";'
        writer.run(caught.value.hint.rstrip(";"))
        with pytest.raises(CapabilityMissing) as caught:
            session.run('SELECT * FROM "S"."Order"')
        assert caught.value.hint == 'GRANT SELECT ON TABLE "S"."Order" TO "no Body";'
        writer.run(caught.value.hint.rstrip(";"))
        assert session.value('SELECT count(*) FROM "S"."Order"') == 0
    writer.run('DROP OWNED BY "no Body"')


def test_being_the_owner_can_not_be_granted(writer: Session, stranger: str) -> None:
    writer.run("CREATE TABLE t (a int)")
    with open_session(stranger, read_only=False) as session, pytest.raises(CapabilityMissing) as caught:
        session.run("DROP TABLE t")
    assert caught.value.hint == "Connect as the owner of table t, or as a member of the owning role."


def test_a_lost_connection_is_unreachable(session: Session, pg_server: EmbeddedServer) -> None:
    run_statement(pg_server, f"SELECT pg_terminate_backend({session.backend_pid})")
    with pytest.raises(Unreachable, match="connection was lost"):
        session.run("SELECT 1")
    assert session.closed


def test_ctrl_c_stops_the_statement_on_the_server_and_spares_the_session(session: Session) -> None:
    def press() -> None:
        time.sleep(0.3)
        _thread.interrupt_main()

    presser = threading.Thread(target=press)
    presser.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.run("SELECT pg_sleep(20)")
    presser.join()
    assert time.monotonic() - started < 10
    assert session.value("SELECT 1") == 1


def test_cancel_from_another_thread(session: Session) -> None:
    timer = threading.Timer(0.3, session.cancel)
    timer.start()
    with pytest.raises(ServerError, match="user request"):
        session.run("SELECT pg_sleep(20)")
    timer.join()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dbname": "no such"}, "There is no such database"),
        ({"user": "nobody here"}, "The user does not exist"),
        ({"sslmode": "require", "host": "127.0.0.1", "port": "1"}, "No server is running at 127.0.0.1:1"),
        ({"host": "/nowhere"}, "No server is running at /nowhere"),
        ({"host": "no-such-host.invalid"}, "can't be resolved"),
    ],
)
def test_why_no_connection_came_about(database: str, change: dict[str, str], words: str) -> None:
    with pytest.raises(Unreachable, match=words) as caught:
        open_session(make_conninfo(database, **change, password="hunter22", connect_timeout="3"))
    assert caught.value.hint
    assert "hunter22" not in f"{caught.value.message} {caught.value.hint} {caught.value.context}"


def test_a_dsn_that_can_not_be_read_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        open_session("host=db hunter22")
    assert "hunter22" not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_databases_in_other_encodings(pg_server: EmbeddedServer, encoding: str) -> None:
    name = f"in_{encoding.lower()}"
    provider = "LOCALE_PROVIDER libc" if pg_server.major >= 15 else ""
    locale = f"ENCODING '{encoding}' {provider} LC_COLLATE 'C' LC_CTYPE 'C'"
    run_statement(pg_server, f"CREATE DATABASE {name} TEMPLATE template0 {locale}")
    try:
        with open_session(pg_server.dsn(name), read_only=False) as session:
            session.run('CREATE TABLE "Bücher" (titel text)')
            session.run('INSERT INTO "Bücher" VALUES ($1)', ["Käse"])
            assert session.value('SELECT titel FROM "Bücher"') == "Käse"
            assert [row.table_name for row in session.query("tables")] == ["Bücher"]
            if encoding == "SQL_ASCII":
                session.run("INSERT INTO \"Bücher\" VALUES (E'\\377')")
                assert session.run('SELECT titel FROM "Bücher"').rows == [("Käse",), ("\\xff",)]
    finally:
        run_statement(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_a_table_in_a_closed_schema_is_not_called_missing(
    pg_server: EmbeddedServer, fresh_database: Callable[[], str]
) -> None:
    dsn = fresh_database()
    role = f"outsider_{os.getpid()}"
    with open_session(dsn, read_only=False) as admin:
        admin.run(f"CREATE ROLE {role} LOGIN")
        try:
            admin.run('CREATE SCHEMA "Closed Äpp"')
            admin.run('CREATE TABLE "Closed Äpp"."Item" (id int)')
            admin.run(f'ALTER ROLE {role} SET search_path = "Closed Äpp", public')
            with open_session(make_conninfo(dsn, user=role)) as outsider:
                with pytest.raises(CapabilityMissing) as caught:
                    outsider.run('SELECT * FROM "Item"')
                assert "is in schema Closed Äpp" in caught.value.message
                assert caught.value.hint == (
                    f'GRANT USAGE ON SCHEMA "Closed Äpp" TO {role}; '
                    f'GRANT SELECT ON TABLE "Closed Äpp"."Item" TO {role};'
                )
                with pytest.raises(ServerError) as gone:
                    outsider.run("SELECT * FROM nothing")
                assert gone.value.sqlstate == "42P01"
        finally:
            admin.run(f"DROP OWNED BY {role}")
            admin.run(f"DROP ROLE {role}")
