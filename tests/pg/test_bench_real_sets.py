"""Sets of indexes built by the benchmark on a real server: real sizes, and nothing left behind."""

import psycopg
import pytest

from bench._contenders import Choice
from bench._real_sets import measure, real_bytes
from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateIndex
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.workload import WorkloadStatement

pytestmark = pytest.mark.pg
ENDLESS = 10**12
TABLE = RelationName("public", "Orders")


def candidate(name: str, column: str, *, analyze: bool = False) -> IndexCandidate:
    return IndexCandidate(CreateIndex(TABLE, name, (IndexKey(column),)), ("q",), "", analyze=analyze)


def statement(name: str, sql: str, kind: StatementKind = StatementKind.SELECT) -> WorkloadStatement:
    return WorkloadStatement(name, Query(name, sql, kind, kind is StatementKind.SELECT), 1.0)


@pytest.fixture
def orders(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            'CREATE TABLE "Orders" AS SELECT n AS id, n % 100 AS buyer FROM generate_series(1, 50000) AS n'
        )
        connection.execute("VACUUM ANALYZE")
    return database


def indexes_of(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'Orders'").fetchone()
    assert row
    return int(row[0])


def test_real_bytes_are_those_of_the_built_index(orders: str) -> None:
    found = real_bytes(
        orders, [Choice("one", 0, (candidate("By Id", "id"), candidate("by_buyer", "buyer")), 0, 0.0, 0.0)]
    )
    with psycopg.connect(orders, autocommit=True) as connection:
        connection.execute('CREATE INDEX "By Id" ON "Orders" (id)')
        row = connection.execute("""SELECT pg_relation_size('public."By Id"')""").fetchone()
    assert row
    assert found["By Id"] == row[0]
    assert found["by_buyer"] < found["By Id"]  # a hundred keys only: deduplicated


def test_sets_are_seen_by_their_own_runs_only(orders: str) -> None:
    choices = [
        Choice("one", 0, (candidate("first", "id"),), 0, 0.0, 0.0),
        Choice("the same index", 0, (candidate("first", "id"),), 0, 0.0, 0.0),
        Choice("alone", 0, (candidate("second", "id", analyze=True),), 0, 0.0, 0.0),
    ]
    there = "SELECT count(*)::bigint FROM pg_indexes WHERE tablename = 'Orders'"
    statements = [
        statement("look", 'SELECT * FROM "Orders" WHERE id = 7'),
        statement("write", 'DELETE FROM "Orders"', StatementKind.DELETE),
        statement("seen", f"SELECT count(*) FROM generate_series(1, {ENDLESS} * ({there}))"),
        statement("endless", f"SELECT count(*) FROM generate_series(1, {ENDLESS})"),
    ]
    measured = measure(orders, statements, choices, rounds=2, limit_s=0.5)
    assert indexes_of(orders) == 0
    for found in measured:
        times = found.times
        assert set(times.by_statement) == {"look", "seen", "endless"}
        assert found.unknown == {"endless"}
        assert found.without.capped == {"endless"}
        assert times.capped == {"endless", "seen"}  # it is endless where an index is there
        assert times.by_statement["endless"] == (0.5, 0.5)
