"""The shop: the same rows everywhere, and statements that run with every value drawn for them."""

from collections.abc import Iterator

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.scenarios import load_scenario, read_schema_sql, read_workload_spec, render_data_sql
from pgproof.sqltext.parse import parse_script
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.testing.servers import run_statement, temporary_database

SCALE = 0.01
TABLES = ("users", "customers", "orders", "order_items", "agent_activities", "notifications")
# hashtextextended is the same function on every major; a change here changes every published figure
CHECKSUMS: dict[str, tuple[int, int]] = {
    "users": (108, 29859072694441975152),
    "customers": (600, 80430713425416478633),
    "orders": (2000, -27613757475655533592),
    "order_items": (4288, 63315782049412919397),
    "agent_activities": (3223, 123681238468122471705),
    "notifications": (2500, 205540379460863116761),
}

pytestmark = pytest.mark.pg


def load(session: Session, scale: float) -> None:
    shop = load_scenario("shop")
    for sql in (read_schema_sql(shop), render_data_sql(shop, scale)):
        for statement in parse_script(sql):
            session.run(statement.text)


def checksum(session: Session, table: str) -> tuple[int, int]:
    row = session.run(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {table} AS t").rows[0]
    return int(row[0]), int(row[1])


@pytest.fixture(scope="module")
def shop(pg_server: EmbeddedServer) -> Iterator[Session]:
    with temporary_database(pg_server) as dsn, open_session(dsn, read_only=False) as session:
        load(session, SCALE)
        yield session


def test_rows_are_the_same_on_every_major(shop: Session) -> None:
    assert {table: checksum(shop, table) for table in TABLES} == CHECKSUMS


def test_rows_are_the_same_in_psql(pg_server: EmbeddedServer, shop: Session) -> None:
    scenario = load_scenario("shop")
    with temporary_database(pg_server) as dsn, open_session(dsn) as session:
        script = f"\\set scale {SCALE}\n{read_schema_sql(scenario)}\n{render_data_sql(scenario, SCALE)}"
        run_statement(pg_server, script, session.database)
        assert checksum(session, "orders") == checksum(shop, "orders")


def test_every_statement_runs_with_every_set(shop: Session) -> None:
    workload = resolve_generators(shop, read_workload_spec(load_scenario("shop")), seed=3)
    assert sum(statement.query.kind.writes for statement in workload.statements) >= 6
    for statement in workload.statements:
        assert statement.parameter_sets, statement.name
        changed = 0
        for given in statement.parameter_sets:
            with shop.rolled_back():
                changed += max(shop.run(statement.query.sql, given.values).row_count, 0)
        assert changed > 0, f"{statement.name} never met a row"


def test_writes_can_be_repeated_without_a_rollback(pg_server: EmbeddedServer) -> None:
    with temporary_database(pg_server) as dsn, open_session(dsn, read_only=False) as session:
        load(session, SCALE)
        workload = resolve_generators(session, read_workload_spec(load_scenario("shop")))
        for statement in workload.statements:
            if statement.query.kind.writes:
                for given in statement.parameter_sets[:3] * 2:
                    session.run(statement.query.sql, given.values)


def test_values_are_drawn_alike_twice(shop: Session) -> None:
    spec = read_workload_spec(load_scenario("shop"))
    first, second = resolve_generators(shop, spec, 7), resolve_generators(shop, spec, 7)
    assert first == second
    assert first != resolve_generators(shop, spec, 8)


def test_skewed_like_life(shop: Session) -> None:
    """Rare statuses, hot stores and orders without an agent are what makes this case hard."""
    share = "SELECT count(*) FILTER (WHERE {}) / count(*)::float FROM orders"
    disputed, unassigned = (
        shop.value(share.format(condition))
        for condition in ("status = 'disputed'", '"assignedAgentId" IS NULL')
    )
    assert 0 < disputed < 0.01
    assert 0.02 < unassigned < 0.2
    hottest = shop.value(
        'SELECT count(*) / 2000.0 FROM orders GROUP BY "storeIdentifier" ORDER BY 1 DESC LIMIT 1'
    )
    assert float(hottest) > 0.15
    assert shop.value('SELECT bool_and("updatedAt" >= "createdAt") FROM orders') is True


def test_nothing_but_primary_keys_is_indexed(shop: Session) -> None:
    assert (
        shop.value(
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary"
        )
        == 0
    )
