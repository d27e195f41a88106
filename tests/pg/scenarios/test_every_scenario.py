"""What holds for all scenarios: the same rows everywhere, and statements that run with every value drawn."""

from pathlib import Path

import pytest

import pgproof.scenarios
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.scenarios import SCENARIOS, load_scenario, read_workload_spec
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.testing.servers import temporary_database
from tests.pg.scenarios.scripts import SCALE, Loader

FOLDER = Path(pgproof.scenarios.__file__).parent

# hashtextextended is the same function on every major; a change here changes every published figure
CHECKSUMS: dict[str, dict[str, tuple[int, int]]] = {
    "shop": {
        "users": (108, 29859072694441975152),
        "customers": (600, 80430713425416478633),
        "orders": (2000, -27613757475655533592),
        "order_items": (4288, 63315782049412919397),
        "agent_activities": (3223, 123681238468122471705),
        "notifications": (2500, 205540379460863116761),
    },
    "directory": {
        "organizations": (40, -55896393026790252603),
        "users": (10000, -231380219767648007832),
    },
    "platform": {
        "activities": (6000, 456223160829842112811),
        "audit_logs": (10000, -1216710203399815590250),
        "profiles": (4299, 252316695858894016482),
        "roles": (12, -2469467983201365621),
        "sessions": (3000, -20964342659276080045),
        "users": (5000, 61662292483782995762),
    },
    "proposals": {
        "approval_executions": (1200, -341825627838651875937),
        "audit_logs": (5000, 438283965755748797706),
        "content": (300, 117873770918936826728),
        "customers": (60, -17744364619987936963),
        "hypothesis_validation_events": (3000, -177145123651460375806),
        "performance_baselines": (200, 56446354200153304426),
        "products": (50, -30941184248783560724),
        "proposal_products": (3184, 104698646671516239886),
        "proposal_sections": (2240, -26384171723365152971),
        "proposals": (800, -270814219678221821654),
        "users": (20, -20614370757579040916),
        "validation_issues": (1600, 305916736338910087465),
    },
}
GROWING = {"shop": "orders", "directory": "users", "platform": "audit_logs", "proposals": "proposals"}
STALE = {"platform": {"audit_logs", "activities"}}
CHANGED = "SELECT relname FROM pg_stat_user_tables WHERE n_mod_since_analyze > 0 OR last_analyze IS NULL"

pytestmark = pytest.mark.pg

EACH = pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])


def checksum(session: Session, table: str) -> tuple[int, int]:
    row = session.run(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {table} AS t").rows[0]
    return int(row[0]), int(row[1])


@EACH
def test_rows_are_the_same_on_every_major(pg_server: EmbeddedServer, loaded: Loader, name: str) -> None:
    session = loaded(pg_server, name)
    tables = session.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").rows
    assert {table: checksum(session, table) for (table,) in tables} == CHECKSUMS[name]


@EACH
def test_every_statement_runs_with_every_set(pg_server: EmbeddedServer, loaded: Loader, name: str) -> None:
    session = loaded(pg_server, name)
    workload = resolve_generators(session, read_workload_spec(load_scenario(name)), seed=3)
    assert sum(statement.query.kind.writes for statement in workload.statements) >= 5
    for statement in workload.statements:
        assert statement.parameter_sets, statement.name
        changed = 0
        for given in statement.parameter_sets:
            with session.rolled_back():
                changed += max(session.run(statement.query.sql, given.values).row_count, 0)
        assert changed > 0, f"{statement.name} never met a row"


@EACH
def test_psql_loads_half_and_the_application_goes_on(
    pg_server: EmbeddedServer, loaded: Loader, name: str
) -> None:
    """Scripts run as the README says, rows follow the scale, only old statistics are old, writes repeat."""
    count = f"SELECT count(*) FROM {GROWING[name]}"
    with temporary_database(pg_server) as dsn, open_session(dsn, read_only=False) as session:
        scripts = [FOLDER / name / "schema.sql", FOLDER / "prelude.sql", FOLDER / name / "data.sql"]
        args = [part for script in scripts for part in ("-f", str(script))]
        options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"scale={SCALE / 2}"]
        pg_server.run_tool("psql", [*options, *args], database=session.database)
        assert loaded(pg_server, name).value(count) == 2 * session.value(count)
        assert {table for (table,) in session.run(CHANGED).rows} == STALE.get(name, set())
        workload = resolve_generators(session, read_workload_spec(load_scenario(name)))
        for statement in workload.statements:
            if statement.query.kind.writes:
                for given in statement.parameter_sets[:3] * 2:
                    session.run(statement.query.sql, given.values)


@EACH
def test_values_are_drawn_alike_twice(pg_server: EmbeddedServer, loaded: Loader, name: str) -> None:
    session, spec = loaded(pg_server, name), read_workload_spec(load_scenario(name))
    first, second = resolve_generators(session, spec, 7), resolve_generators(session, spec, 7)
    assert first == second
    assert first != resolve_generators(session, spec, 8)
