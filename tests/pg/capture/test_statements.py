"""Capturing from pg_stat_statements: what is counted, grouped, left out, and said about losses."""

import threading
from collections.abc import Callable, Iterator

import pytest

from pgproof.errors import CapabilityMissing, ConfigError
from pgproof.model.query import StatementKind
from pgproof.model.workload import Workload
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session, open_session
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.capture.statements import capture_statements

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE EXTENSION pg_stat_statements
CREATE TABLE accounts (aid int PRIMARY KEY, bid int NOT NULL, abalance int NOT NULL, filler text)
CREATE TABLE "Größe" ("select" int PRIMARY KEY, at timestamptz NOT NULL)
INSERT INTO accounts SELECT g, g % 10, 0, '' FROM generate_series(1, 500) g
INSERT INTO "Größe" SELECT g, timestamptz '2025-01-01' + g * interval '1 hour' FROM generate_series(1, 100) g
CREATE FUNCTION balance_of(wanted int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT sum(abalance) FROM accounts WHERE bid = wanted); END $$
"""


def run_script(session: Session, script: str) -> None:
    statement = ""
    for line in script.strip().splitlines():
        statement += line + "\n"
        if statement.count("$$") % 2 == 0 and not line.endswith("$$ LANGUAGE") and not line.endswith("AS $$"):
            session.run(statement)
            statement = ""


def work(session: Session, rounds: int = 20) -> None:
    """Like pgbench: the same shapes with other values, by parameters and by literals."""
    for i in range(1, rounds + 1):
        session.run("BEGIN")
        session.run("UPDATE accounts SET abalance = abalance + $1 WHERE aid = $2", [str(i), str(i)])
        session.run("SELECT abalance FROM accounts WHERE aid = $1", [str(i)])
        session.run("COMMIT")
        session.run(f"select   abalance from accounts where aid = {i}")
        session.run(
            'SELECT count(*) FROM "Größe" WHERE "select" < 50 '
            f"AND at > timestamptz '2025-01-02' - interval '{i} hours'"
        )
    session.run("SET work_mem = '5MB'")
    session.run("SELECT count(*) FROM pg_class")
    session.run("SELECT count(*) FROM information_schema.tables")
    session.run("EXPLAIN SELECT * FROM accounts")
    session.run("PREPARE by_bid (int) AS SELECT sum(abalance) FROM accounts WHERE bid = $1")
    for i in range(5):
        session.run(f"EXECUTE by_bid({i})")
    session.run("DEALLOCATE by_bid")


@pytest.fixture
def sessions(database: str) -> Iterator[tuple[Session, Session]]:
    """An application's session and a reader's, with counters at zero."""
    with open_session(database, read_only=False) as application, open_session(database) as reader:
        run_script(application, SCHEMA)
        application.run("SELECT pg_stat_statements_reset()")
        yield application, reader


def by_shape(workload: Workload) -> dict[str, float]:
    return {" ".join(s.query.sql.lower().split()): s.calls for s in workload.statements}


def test_everything_since_the_reset(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application)
    workload = capture_statements(reader)
    calls = {(s.query.kind, s.name.rsplit("_", 1)[0]): s.calls for s in workload.statements}
    assert calls == {
        (StatementKind.UPDATE, "update_accounts"): 20,
        (StatementKind.SELECT, "select_Größe"): 20,
        (StatementKind.SELECT, "select_accounts"): calls[(StatementKind.SELECT, "select_accounts")],
    }  # the reset itself asks the server for something, not the data
    shapes = by_shape(workload)
    # two texts of one shape, 20 calls each, and the prepared statement under its own text
    assert shapes["select abalance from accounts where aid = $1"] == 40
    assert sum(count for text, count in shapes.items() if "sum(abalance)" in text) == 5
    assert not any("prepare" in text for text in shapes)
    assert [s.counters.total_ms for s in workload.statements if s.counters] == sorted(
        (s.counters.total_ms for s in workload.statements if s.counters), reverse=True
    )
    assert workload.source == "pg_stat_statements"
    assert workload.database == reader.database
    assert workload.notes[0].startswith("Counters are cumulative since ")


def test_broken_interval_becomes_sql_again(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application, rounds=2)
    (statement,) = [s for s in capture_statements(reader).statements if "Größe" in s.query.sql]
    assert "::interval" in statement.query.sql
    with application.rolled_back():
        application.run(f"PREPARE it AS {statement.query.sql}")


BROKEN = (
    "SELECT date_trunc('hour', at), count(*) FROM \"Größe\" GROUP BY date_trunc('hour', at) "
    "ORDER BY date_trunc('hour', at)",
    "SELECT CASE WHEN \"select\" > 5 THEN 'many' ELSE 'few' END, max(at) FROM \"Größe\" "
    "GROUP BY CASE WHEN \"select\" > 5 THEN 'many' ELSE 'few' END",
    'SELECT extract(month FROM at), count(*) FROM "Größe" GROUP BY extract(month FROM at)',
    "SELECT count(*) FROM \"Größe\" WHERE at > now() - interval '3' day "
    "AND at < now() + interval '1 2' day to hour",
    "SELECT * FROM accounts WHERE aid IN (3, 4, 5, 6, 7, 8) AND bid = ANY (ARRAY[1, 2])",
    "SELECT DISTINCT at - interval '1 h' FROM \"Größe\" ORDER BY at - interval '1 h'",
)


@pytest.mark.parametrize("sql", BROKEN)
def test_what_normalising_broke_is_sql_again_and_gets_values(
    sessions: tuple[Session, Session], sql: str
) -> None:
    application, reader = sessions
    application.run("ANALYZE")
    application.run(sql)
    workload = fill_parameters(reader, read_catalog(reader), capture_statements(reader), seed=1)
    (statement,) = workload.statements
    assert statement.parameter_sets, (statement.query.sql, statement.notes)
    for given in statement.parameter_sets:
        reader.run(statement.query.sql, given.values)


def test_window_counts_only_what_happens_in_it(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application, rounds=7)
    thread = threading.Timer(0.3, work, [application], {"rounds": 3})
    seen: list[tuple[float, float]] = []
    thread.start()

    def note(task: str, done: float = 0, total: float = 0) -> None:
        seen.append((done, total))

    workload = capture_statements(reader, window_s=1.5, progress=note)
    thread.join()
    assert by_shape(workload)["select abalance from accounts where aid = $1"] == 6
    assert workload.window_s == pytest.approx(1.5, abs=0.7)
    assert seen[-1] == (1.5, 1.5)


def test_reset_inside_the_window_is_said(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application, rounds=9)

    def reset_and_work() -> None:
        application.run("SELECT pg_stat_statements_reset()")
        work(application, rounds=2)

    thread = threading.Timer(0.3, reset_and_work)
    thread.start()
    workload = capture_statements(reader, window_s=1.5)
    thread.join()
    assert by_shape(workload)["select abalance from accounts where aid = $1"] == 4
    assert any("reset" in note or "anew" in note for note in workload.notes)


def test_window_without_work_says_what_to_do(sessions: tuple[Session, Session]) -> None:
    _, reader = sessions
    with pytest.raises(ConfigError) as caught:
        capture_statements(reader, window_s=0.1)
    assert str(caught.value) == f"No application statement ran on {reader.address} in 0.1 s."
    assert caught.value.hint == (
        "Capture while the application is at work, watch longer (--window), or use --window 0 for "
        "everything since the counters were reset."
    )


def test_limit_says_what_it_cut(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application, rounds=3)
    workload = capture_statements(reader, limit=2, min_calls=2)
    assert len(workload.statements) == 2
    assert any("lightest statements" in note for note in workload.notes)


def test_writes_that_ran_once_are_left_out_and_told(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    work(application, rounds=3)
    application.run("INSERT INTO accounts SELECT g, 0, 0 FROM generate_series(1001, 3000) g")
    application.run("UPDATE accounts SET filler = 'migrated'")
    application.run("SELECT bid, sum(abalance) FROM accounts GROUP BY bid ORDER BY 2")
    workload = capture_statements(reader)
    shapes = by_shape(workload)
    assert not any(text.startswith("insert") or "filler" in text for text in shapes)
    assert any("group by bid" in text for text in shapes), "a report that ran once is worth looking at"
    assert any(text.startswith("update") for text in shapes)
    (note,) = [note for note in workload.notes if "left out" in note]
    assert note.startswith(
        "2 writes that ran only once, as loads and migrations do, were left out (2 calls, "
    )
    assert note.endswith("--min-calls 1 keeps such writes.")
    everything = capture_statements(reader, min_calls=1)
    assert any(text.startswith("insert") for text in by_shape(everything))
    assert not any("left out" in note for note in everything.notes)
    often = capture_statements(reader, min_calls=4)
    assert set(by_shape(often).values()) == {5, 6}
    assert any("statements with fewer than 4 calls were left out (" in note for note in often.notes)


def test_nothing_but_writes_that_ran_once(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    application.run("DELETE FROM accounts WHERE aid < 10")
    with pytest.raises(ConfigError) as caught:
        capture_statements(reader)
    assert str(caught.value).startswith("All 1 statement seen in database ")
    assert "--min-calls 1" in caught.value.hint


def test_statement_inside_a_function_is_marked(sessions: tuple[Session, Session]) -> None:
    application, reader = sessions
    if reader.major < 14:
        pytest.skip("the extension of 13 can't tell")
    application.run("SET pg_stat_statements.track = 'all'")
    application.run("SELECT balance_of(3)")
    nested = [
        s for s in capture_statements(reader).statements if "wanted" in s.query.sql or "bid =" in s.query.sql
    ]
    assert len(nested) == 1
    assert nested[0].notes == (
        "Runs inside a function: its time is also in the statement that calls the function.",
    )


def test_database_without_the_extension(fresh_database: Callable[[], str]) -> None:
    with open_session(fresh_database()) as reader, pytest.raises(CapabilityMissing) as caught:
        capture_statements(reader)
    assert "CREATE EXTENSION pg_stat_statements" in caught.value.hint
