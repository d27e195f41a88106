"""What statements come to by detours gets indexes as well: children, policies, functions, views."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgproof.config import Settings
from pgproof.model.workload import WorkloadStatement
from pgproof.pipeline.proposing import Advice, advise
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import run_statement
from tests.builders import shown, statement, workload

pytestmark = pytest.mark.pg

READINGS = """
CREATE TABLE reading (id int, sensor int, at timestamptz, value float8);
CREATE TABLE reading_24 (CHECK (at < '2025-01-01')) INHERITS (reading);
CREATE TABLE reading_25 () INHERITS (reading);
CREATE TABLE "reading_25 late" () INHERITS (reading_25);
CREATE TABLE reading_26 () INHERITS (reading);
INSERT INTO reading_24 SELECT i, i % 4000, timestamptz '2024-01-01' + i * interval '1 min', i
  FROM generate_series(1, 40000) AS i;
INSERT INTO reading_25 SELECT i, i % 4000, timestamptz '2025-01-01' + i * interval '1 min', i
  FROM generate_series(1, 40000) AS i;
INSERT INTO "reading_25 late" SELECT i, i % 4000, timestamptz '2025-11-01' + i * interval '1 min', i
  FROM generate_series(1, 40000) AS i;
INSERT INTO reading_26 SELECT i, i, now(), i FROM generate_series(1, 20) AS i;
ANALYZE;
"""
TENANTS = """
CREATE TABLE doc (id int PRIMARY KEY, tenant int NOT NULL, kind text NOT NULL, title text NOT NULL);
INSERT INTO doc SELECT i, i % 3000, 'k' || i % 7, 'title ' || i FROM generate_series(1, 60000) AS i;
CREATE FUNCTION of_tenant(int) RETURNS SETOF doc LANGUAGE sql STABLE
  AS 'SELECT * FROM doc WHERE tenant = $1';
CREATE VIEW named WITH (security_barrier) AS SELECT id, tenant, title FROM doc WHERE kind = 'k3';
ANALYZE;
"""


@pytest.fixture
def advised(tmp_path: Path) -> Callable[..., Advice]:
    """Advise on statements, with a home of its own."""

    def call(dsn: str, *statements: WorkloadStatement | str) -> Advice:
        return advise(Settings(home=tmp_path), dsn, workload=workload(*statements))

    return call


def load(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(script)


def indexes(advice: Advice, variant: str) -> set[str]:
    found = next(v for v in advice.blueprint.variants if v.name == variant)
    return {shown(change) for change in found.changes if hasattr(change, "keys")}


def best(advice: Advice) -> str:
    """The variant that saves most; fails where nothing was proposed."""
    assert advice.estimates, advice.notes
    return min(advice.estimates, key=lambda estimate: estimate.after.value).variant


def test_each_large_child_gets_an_index(
    fresh_database: Callable[[], str], advised: Callable[..., Advice]
) -> None:
    dsn = fresh_database()
    load(dsn, READINGS)
    advice = advised(dsn, "SELECT at, value FROM reading WHERE sensor = 77", "SELECT id FROM reading_26")
    found = indexes(advice, best(advice))
    assert {text.split("(")[0] for text in found} == {"reading_24", "reading_25", "reading_25 late"}
    assert all("(sensor" in text for text in found)
    estimate = next(e for e in advice.estimates if e.variant == best(advice))
    (asked,) = [s for s in estimate.statements if s.statement == "q0"]
    assert asked.after.value < 0.2 * asked.before.value, "all of them are in one plan"


@contextmanager
def tenant_role(server: EmbeddedServer, dsn: str) -> Iterator[str]:
    """A role for which a policy holds: its connection string."""
    role = f"tenant_{os.getpid()}"
    run_statement(server, f"CREATE ROLE {role} LOGIN")
    try:
        load(
            dsn,
            f"""
            ALTER TABLE doc ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON doc TO {role} USING (tenant = current_setting('app.tenant', true)::int);
            GRANT SELECT ON doc TO {role};
            """,
        )
        yield make_conninfo(dsn, user=role)
    finally:
        load(dsn, f"DROP OWNED BY {role}")
        run_statement(server, f"DROP ROLE {role}")


def test_the_column_of_a_policy(
    pg_server: EmbeddedServer, fresh_database: Callable[[], str], advised: Callable[..., Advice]
) -> None:
    dsn = fresh_database()
    load(dsn, TENANTS)
    with tenant_role(pg_server, dsn) as tenant:
        advice = advised(tenant, "SELECT title FROM doc WHERE title <> 'x'")
    assert any(text.startswith("doc(tenant") for text in indexes(advice, best(advice)))


@pytest.mark.parametrize(
    ("sql", "leading"),
    [
        ("SELECT title FROM of_tenant(77)", "doc(tenant"),
        ("SELECT title FROM named WHERE tenant = 77", "doc(tenant"),
        ("SELECT n.title FROM named AS n WHERE n.tenant = 77 AND n.title <> 'x'", "doc(tenant) where kind"),
    ],
)
def test_what_functions_and_views_ask_for(
    fresh_database: Callable[[], str], advised: Callable[..., Advice], sql: str, leading: str
) -> None:
    dsn = fresh_database()
    load(dsn, TENANTS)
    advice = advised(dsn, sql)
    assert any(text.startswith(leading) for text in indexes(advice, best(advice)))


FLAGS = """
CREATE TABLE task (id int, done boolean NOT NULL, tenant int NOT NULL, state text NOT NULL, pad text);
INSERT INTO task SELECT i, i % 100 <> 0, i % 4000, 's' || i % 3, repeat('x', 60)
  FROM generate_series(1, 80000) AS i;
ANALYZE;
"""


def test_flags_do_not_lead(fresh_database: Callable[[], str], advised: Callable[..., Advice]) -> None:
    """The planner sees no difference, the next statement will."""
    dsn = fresh_database()
    load(dsn, FLAGS)
    asked = statement(
        "SELECT id FROM task WHERE state = $1 AND done = $2 AND tenant = $3", ("s1", "f", "700"), name="open"
    )
    advice = advised(dsn, asked)
    for variant in advice.blueprint.variants:
        for text in indexes(advice, variant.name):
            columns = text.partition("(")[2].partition(")")[0].split(", ")
            assert columns == sorted(columns, key=["tenant", "state", "done", "id"].index), text
