"""Comparing answers and loading arms on a real server, with the columns and names that users really have."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pgproof.model.blueprint import LoadProfile
from pgproof.model.query import Query, StatementKind
from pgproof.model.trial import Equality
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.stages.compete.equality import Comparer
from pgproof.stages.compete.load import LoadTarget, run_load
from pgproof.testing.servers import temporary_database

pytestmark = pytest.mark.pg

SCHEMA = '''
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN price AS numeric CHECK (VALUE >= 0);
CREATE TABLE "Größe ""x""" (
  id int PRIMARY KEY, "select" int, f float8, m mood, p price, tags text[], j json, at date);
INSERT INTO "Größe ""x"""
  SELECT i, i % 10, i * 0.1, 'ok', i, array['a', 'b,' || i], '{"a": 1}', '2024-01-01'
    FROM generate_series(1, 500) AS i;
ANALYZE
'''
TABLE = '"Größe ""x"""'

Compare = Callable[..., Equality]


def statement(
    sql: str, *sets: tuple[str | None, ...], kind: StatementKind = StatementKind.SELECT
) -> WorkloadStatement:
    query = Query("0" * 16, sql, kind, not kind.writes)
    return WorkloadStatement(sql[:30], query, 1.0, tuple(ParameterSet(values) for values in sets))


def fill(dsn: str) -> None:
    with open_session(dsn, read_only=False) as session:
        for part in SCHEMA.split(";\n"):
            session.run(part)


@pytest.fixture(scope="module")
def equal_databases(pg_server: EmbeddedServer) -> Iterator[tuple[str, str]]:
    """Two equal databases; tests change them only inside a transaction that is rolled back."""
    with temporary_database(pg_server) as one, temporary_database(pg_server) as other:
        fill(one)
        fill(other)
        yield one, other


@pytest.fixture
def pair(equal_databases: tuple[str, str]) -> Iterator[tuple[Session, Session]]:
    """Sessions on two equal databases."""
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(open_session(dsn, read_only=False, statement_timeout_ms=2_000))
            for dsn in equal_databases
        ]
        for session in sessions:
            stack.enter_context(session.rolled_back())
        yield sessions[0], sessions[1]


def compare(pair: tuple[Session, Session], what: WorkloadStatement) -> Equality:
    return Comparer(pair[0], limit_s=60, statements=1).compare(what, pair[1])


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT id, id, 1, 1, 'x' FROM {TABLE} -- a comment at the end",
        f"SELECT j, point(id, 1), tags, ROW(id, m) FROM {TABLE}",
        f'SELECT sum(f), avg(f) FROM {TABLE} GROUP BY "select"',
        f"WITH pgproof_row AS (SELECT * FROM {TABLE}) SELECT pgproof_row FROM pgproof_row ORDER BY id DESC",
        f"TABLE {TABLE}",
        "VALUES (1), (2)",
        "SELECT",
    ],
)
def test_equal_answers_are_shown_equal_whatever_their_columns(
    pair: tuple[Session, Session], sql: str
) -> None:
    assert compare(pair, statement(sql)).equal is True


def test_one_altered_value_is_found(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"UPDATE {TABLE} SET j = '{{\"a\": 2}}' WHERE id = 77")
    by_id = f"SELECT * FROM {TABLE} WHERE id = $1"
    assert compare(pair, statement(by_id, ("76",))).equal is True
    found = compare(pair, statement(by_id, ("76",), ("77",), ("78",)))
    assert (found.equal, found.note) == (False, "other rows than the control's")


def test_floating_point_noise_is_no_difference(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"UPDATE {TABLE} SET f = f * (1 + 1e-13) WHERE id = 77")
    assert "1e-9" in compare(pair, statement(f"SELECT id, f FROM {TABLE}")).note
    pair[1].run(f"UPDATE {TABLE} SET f = f * (1 + 1e-6) WHERE id = 77")
    assert compare(pair, statement(f"SELECT id, f FROM {TABLE}")).equal is False


def test_ties_at_a_limit_are_allowed_and_nothing_else(pair: tuple[Session, Session]) -> None:
    top = statement(f'SELECT id, "select" FROM {TABLE} ORDER BY "select" LIMIT $1', ("70",))
    # other physical order, same rows: other ties come first
    pair[1].run(f'CREATE INDEX by_both ON {TABLE} ("select", id DESC)')
    pair[1].run("SET enable_seqscan = off")
    assert pair[1].run(top.query.sql, ("70",)).rows != pair[0].run(top.query.sql, ("70",)).rows
    found = compare(pair, top)
    assert (found.equal, "ties at the LIMIT" in found.note) == (True, True)
    pair[1].run(f'UPDATE {TABLE} SET "select" = 0 WHERE id = 5')
    assert compare(pair, top).equal is False


def test_ties_that_the_control_itself_orders_anew_each_time_are_allowed(
    pair: tuple[Session, Session],
) -> None:
    """As a parallel scan gives them, here without leaving it to the scheduler."""
    pair[1].run(f'CREATE INDEX by_both ON {TABLE} ("select", id DESC)')
    shuffled = f"(SELECT * FROM {TABLE} ORDER BY random())"
    nulls = f'SELECT id FROM {shuffled} AS t ORDER BY nullif("select", 0) DESC NULLS FIRST LIMIT 20'
    found = compare(pair, statement(nulls))
    assert (found.equal, "ties at the LIMIT" in found.note) == (True, True)
    every = f'SELECT id FROM {shuffled} AS t ORDER BY "select"'
    assert compare(pair, statement(every)).equal is True
    pair[1].run(f'UPDATE {TABLE} SET "select" = 1 WHERE "select" = 0 AND id > 100')
    found = compare(pair, statement(nulls))
    assert (found.equal, "than ties in the ORDER BY can explain" in found.note) == (False, True)
    chance = f"SELECT id FROM {TABLE} ORDER BY random() LIMIT 20"
    assert compare(pair, statement(chance)).equal is None


def test_a_limit_without_any_order_is_named(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"UPDATE {TABLE} SET f = f WHERE id <= 10")  # moves the first rows to the end
    found = compare(pair, statement(f"SELECT id FROM {TABLE} LIMIT 5"))
    assert (found.equal, found.note) == (None, "not comparable: LIMIT without a provable total order")


def test_order_of_rows_with_equal_keys_is_free(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"UPDATE {TABLE} SET f = f WHERE id <= 10")
    found = compare(pair, statement(f'SELECT id FROM {TABLE} ORDER BY "select"'))
    assert (found.equal, "equal keys come in another order" in found.note) == (True, True)


def test_chance_is_named_and_not_called_equal(pair: tuple[Session, Session]) -> None:
    found = compare(pair, statement("SELECT random()"))
    assert (found.equal, found.note) == (None, "not comparable: the control answers differently each time")


def test_what_fails_or_takes_too_long_on_the_control_is_never_called_equal(
    pair: tuple[Session, Session],
) -> None:
    failing = compare(pair, statement("SELECT 1 / $1::int", ("0",)))
    assert (failing.equal, "skipped: fails on the control itself" in failing.note) == (None, True)
    pair[0].run("SET statement_timeout = 50")
    slow = compare(pair, statement("SELECT pg_sleep(0.3)"))
    assert (slow.equal, "exceeds the statement timeout" in slow.note) == (None, True)


def test_what_fails_on_the_arm_only_is_a_difference(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"ALTER TABLE {TABLE} DROP COLUMN m")
    found = compare(pair, statement(f"SELECT m FROM {TABLE}"))
    assert (found.equal, found.note.startswith("fails on the arm only")) == (False, True)


def test_writes_are_compared_and_leave_nothing_behind(pair: tuple[Session, Session]) -> None:
    update = statement(f'UPDATE {TABLE} SET f = 0 WHERE "select" = $1', ("3",), kind=StatementKind.UPDATE)
    assert compare(pair, update).note == "rows affected and returned"
    assert pair[0].value(f"SELECT count(*) FROM {TABLE} WHERE f = 0") == 0
    pair[1].run(f"DELETE FROM {TABLE} WHERE id = 3")
    found = compare(pair, update)
    assert (found.equal, found.note) == (False, "49 rows affected, 50 on the control")


def test_load_takes_every_type_as_text_and_counts_what_fails(fresh_database: Callable[[], str]) -> None:
    dsn = fresh_database()
    fill(dsn)
    statements = [
        statement(f"SELECT 1 FROM {TABLE} WHERE m = $1 AND p > $2 AND at = $3", ("ok", "1.5", "2024-01-01")),
        statement(f"SELECT id FROM {TABLE} WHERE tags = $1", ('{a,"b,7"}',)),
        statement(f"SELECT id FROM {TABLE} WHERE id = $1 AND f IS NOT DISTINCT FROM $2", ("1", None)),
        statement(f"UPDATE {TABLE} SET f = f + 1 WHERE id = $1", ("1",), kind=StatementKind.UPDATE),
        statement("SELECT 1 / $1::int", ("0",)),
    ]
    profile = LoadProfile(clients=2, slice_s=0.25, slices=2)
    done = run_load(
        [LoadTarget("a", dsn)], statements, profile, seed=1, time_limit_s=10, statement_timeout_ms=1_000
    )
    log = done.logs["a"]
    attempts = log.finished + log.errors
    assert (log.clients, len(log.turns), len(log.latencies_ms)) == (2, 2, log.finished)
    assert 0.1 < log.errors / attempts < 0.3  # the division, one statement in five
    # the array is no plain type to the driver, so its values stand in the text
    assert [note.split(":")[0] for note in done.notes] == ["under load, values stand in the text of"]
    with open_session(dsn) as session:
        assert session.value(f"SELECT f > 1 FROM {TABLE} WHERE id = 1") is True


def test_a_key_that_the_load_has_written_itself_is_no_error(fresh_database: Callable[[], str]) -> None:
    """Or else arms that differ in speed alone would differ in errors: the faster one repeats itself."""
    dsn = fresh_database()
    with open_session(dsn, read_only=False) as session:
        session.run("CREATE TABLE keys (id int PRIMARY KEY, n int CHECK (n > 0))")
    statements = [
        statement("INSERT INTO keys (id, n) VALUES ($1, 1)", ("1",), kind=StatementKind.INSERT),
        statement("SELECT count(*) FROM keys"),
    ]
    profile = LoadProfile(clients=2, slice_s=0.25, slices=1)
    done = run_load(
        [LoadTarget("a", dsn)], statements, profile, seed=1, time_limit_s=10, statement_timeout_ms=1_000
    )
    log = done.logs["a"]
    assert (log.errors, len(log.latencies_ms)) == (0, log.finished)
    (note,) = done.notes
    assert note.startswith("under load, ")
    assert note.endswith("they count neither as work nor as errors")
    with open_session(dsn) as session:
        assert session.value("SELECT count(*) FROM keys") == 1


def test_refused_connections_are_counted_and_the_rest_is_measured(database: str) -> None:
    with open_session(database, read_only=False) as session:
        session.run("CREATE ROLE pgproof_test_few LOGIN CONNECTION LIMIT 3")
    try:
        dsn = database.replace("user=postgres", "user=pgproof_test_few")
        assert dsn != database
        done = run_load(
            [LoadTarget("a", dsn)],
            [statement("SELECT 1")],
            LoadProfile(clients=8, slice_s=0.2, slices=1),
            seed=1,
            time_limit_s=10,
            statement_timeout_ms=1_000,
        )
    finally:
        with open_session(database, read_only=False) as session:
            session.run("DROP ROLE pgproof_test_few")
    log = done.logs["a"]
    assert (log.clients, log.errors) == (3, 5)
    assert log.finished > 0


def test_a_write_that_takes_any_rows_is_not_called_different(pair: tuple[Session, Session]) -> None:
    pair[1].run(f"UPDATE {TABLE} SET f = f WHERE id < 100")  # moves rows: another five come first
    some = f'DELETE FROM {TABLE} WHERE id IN (SELECT id FROM {TABLE} WHERE "select" = 4 LIMIT 5)'
    found = compare(pair, statement(some, kind=StatementKind.DELETE))
    assert (found.equal, found.note) == (None, "not comparable: LIMIT without a provable total order")
    all_of_them = f'DELETE FROM {TABLE} WHERE "select" = 4'
    assert compare(pair, statement(all_of_them, kind=StatementKind.DELETE)).equal is True
    pair[1].run(f"UPDATE {TABLE} SET f = 99 WHERE id = 14")
    assert compare(pair, statement(all_of_them, kind=StatementKind.DELETE)).equal is False
