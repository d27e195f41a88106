"""Plans asked of real servers, and what is refused."""

from collections.abc import Iterator

import pytest

from pgproof.errors import ParseError, Refused, ServerError, UsageError
from pgproof.postgres.explain import explain, render_plan
from pgproof.postgres.session import Session, open_session

pytestmark = pytest.mark.pg


@pytest.fixture
def writer(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as session:
        session.run('CREATE TABLE "Big" (id int PRIMARY KEY, kind text)')
        session.run("INSERT INTO \"Big\" SELECT i, 'x' FROM generate_series(1, 20000) AS i")
        session.run("UPDATE \"Big\" SET kind = 'rare' WHERE id = 7")
        session.run('CREATE INDEX "by kind" ON "Big" (kind)')
        session.run('ANALYZE "Big"')
        session.run("CREATE TABLE part (day date, k int) PARTITION BY RANGE (day)")
        session.run("CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")
        session.run("CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
        yield session


@pytest.fixture
def reader(writer: Session, database: str) -> Iterator[Session]:
    with open_session(database) as session:
        yield session


def test_the_planner_sees_the_values(reader: Session) -> None:
    sql = 'SELECT * FROM "Big" WHERE kind = $1;'
    assert explain(reader, sql, ["rare"]).indexes_used() == {"by kind"}
    frequent = explain(reader, sql, ["x"])
    assert frequent.root.node_type == "Seq Scan"
    assert (frequent.root.schema, frequent.root.relation) == ("public", "Big")
    assert frequent.root.filter == "(\"Big\".kind = 'x'::text)"
    assert not frequent.analyzed


def test_values_of_any_type_and_null(reader: Session) -> None:
    plan = explain(
        reader,
        'SELECT * FROM "Big" WHERE id = $1 AND kind IS NOT DISTINCT FROM $2 LIMIT $3',
        ["7", None, "1"],
    )
    assert plan.indexes_used() <= {"Big_pkey", "by kind"}
    assert "NULL" in render_plan(plan) or plan.root.plan_rows == 1


def test_analyze_counts_rows_times_and_buffers(reader: Session) -> None:
    plan = explain(reader, 'SELECT * FROM "Big" WHERE kind = $1', ["x"], analyze=True, buffers=True)
    assert plan.analyzed
    assert (plan.root.actual_rows, plan.root.rows_removed) == (19999, 1)
    assert plan.root.shared_blks and plan.execution_ms and plan.root.actual_ms
    untimed = explain(reader, 'SELECT 1 FROM "Big"', analyze=True, timing=False)
    assert untimed.root.actual_ms is None


def test_settings_that_differ_are_told(reader: Session) -> None:
    reader.run("SET enable_seqscan = off")
    assert explain(reader, "SELECT 1").settings == {"enable_seqscan": "off"}
    assert explain(reader, "SELECT 1", settings=False).settings == {}


def test_a_generic_plan_knows_no_values(reader: Session) -> None:
    plan = explain(reader, 'SELECT * FROM "Big" WHERE kind = $1 AND id > $2', generic=True)
    assert "$1" in render_plan(plan)
    assert plan.settings == {}
    assert reader.value("SELECT count(*) FROM pg_prepared_statements") == 0
    assert explain(reader, "SELECT 1", generic=True).root.node_type == "Result"


def test_a_generic_plan_keeps_all_partitions(reader: Session) -> None:
    plan = explain(reader, "SELECT * FROM part WHERE day = $1", generic=True)
    assert {node.relation for node in plan.root.walk() if node.relation} == {"part_1", "part_2"}


def test_a_generic_plan_that_fails_leaves_nothing_behind(reader: Session) -> None:
    for sql in ("SELECT * FROM nope WHERE a = $1", "SELECT interval $1"):
        with pytest.raises((ServerError, ParseError)):
            explain(reader, sql, generic=True)
    assert reader.value("SELECT count(*) FROM pg_prepared_statements") == 0


@pytest.mark.parametrize(
    "sql",
    [
        'DELETE FROM "Big" WHERE id = $1',
        'WITH gone AS (DELETE FROM "Big" WHERE id = $1 RETURNING 1) SELECT * FROM gone',
        'SELECT * FROM "Big" WHERE id = $1 FOR UPDATE',
    ],
)
def test_analyze_of_what_writes_is_refused(reader: Session, writer: Session, sql: str) -> None:
    assert explain(reader, sql, ["7"]).root.node_type
    for session in (reader, writer):
        with pytest.raises(Refused, match="EXPLAIN ANALYZE executes the statement") as caught:
            explain(session, sql, ["7"], analyze=True)
        assert "rolled_back" in caught.value.hint
    with reader.rolled_back(), pytest.raises(Refused):
        explain(reader, sql, ["7"], analyze=True)
    with writer.rolled_back():
        assert explain(writer, sql, ["7"], analyze=True).analyzed
    assert writer.value('SELECT count(*) FROM "Big"') == 20000


def test_analyze_of_a_select_whose_function_writes_changes_nothing(writer: Session) -> None:
    writer.run("CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM \"Big\"; SELECT 1'")
    with pytest.raises(ServerError) as caught:
        explain(writer, "SELECT wipe()", analyze=True)
    assert caught.value.sqlstate == "25006"
    assert writer.value('SELECT count(*) FROM "Big"') == 20000
    writer.run('DELETE FROM "Big" WHERE id = 1')  # the session can still write


@pytest.mark.parametrize(
    "sql", ["VACUUM", "CREATE TABLE t (a int)", "EXPLAIN SELECT 1", "SELECT 1; SELECT 2"]
)
def test_what_has_no_plan(reader: Session, sql: str) -> None:
    with pytest.raises(UsageError):
        explain(reader, sql)


def test_generic_with_values_is_a_contradiction(reader: Session) -> None:
    with pytest.raises(UsageError, match="without values"):
        explain(reader, "SELECT $1", ["1"], generic=True)
