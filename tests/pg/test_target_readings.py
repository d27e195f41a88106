"""Statements on the target before and after a rollout: what is run there, and what must not be."""

import pytest

from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.session import open_session
from pgproof.stages.deploy.effect import compare_readings, read_statements

pytestmark = pytest.mark.pg


def statement(name: str, sql: str, *values: str) -> WorkloadStatement:
    query = Query(fingerprint=name, sql=sql, kind=StatementKind.SELECT, read_only=True)
    return WorkloadStatement(name, query, 1, (ParameterSet(values),))


def test_a_volatile_function_is_not_called_on_the_target(database: str) -> None:
    workload = Workload(
        (
            statement("harmless", "SELECT count(*) FROM pg_class WHERE oid < $1::oid", "5000"),
            statement("reset", "SELECT pg_stat_statements_reset()"),
            statement("signal", 'SELECT public."Do It"($1)', "1"),
        ),
        source="file",
    )
    with open_session(database, read_only=False) as admin:
        admin.run("CREATE EXTENSION pg_stat_statements")
        admin.run(
            'CREATE FUNCTION "Do It"(int) RETURNS bool LANGUAGE sql AS $$ SELECT pg_try_advisory_lock($1) $$'
        )
    with open_session(database) as session:
        before = read_statements(session, workload)
        after = read_statements(session, workload)
        held = session.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
    effects = {effect.statement: effect for effect in compare_readings(before, after)}
    assert effects["harmless"].rows_equal is True
    assert effects["harmless"].before_ms is not None
    for name, function in (("reset", "pg_stat_statements_reset"), ("signal", "Do It")):
        assert effects[name].before_ms is None
        assert effects[name].note == f"not run here: {function}() may have side effects"
    assert int(held) == 0
