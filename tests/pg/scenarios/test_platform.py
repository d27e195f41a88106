"""The platform: columns that nothing leads to, and statistics from its first week."""

import json

import pytest

from pgproof.model.change import AnalyzeTable
from pgproof.model.relation import RelationName
from pgproof.model.trial import ArmRole
from pgproof.model.variant import CONTROL, Variant
from pgproof.postgres.carried_statistics import OWN_STATISTICS
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.stages.compete.arms import build_arm
from pgproof.stages.compete.clones import open_clones
from pgproof.testing.servers import session_home
from tests.pg.scenarios.scripts import Loader, indexed_columns

pytestmark = pytest.mark.pg

EXPORTS_BY_ROLE = """\
SELECT a.id, u.email
  FROM audit_logs a
  JOIN users u ON u.id = a.user_id
 WHERE a.action = 'data.export' AND u.role_id = $1
 ORDER BY a.timestamp DESC, a.id DESC
 LIMIT 100"""
GROWN_SINCE = (("audit_logs", "action", "data.export"), ("activities", "verb", "comment"))


def estimated_rows(session: Session, table: str, column: str, value: str) -> int:
    plan = session.run(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {table} WHERE {column} = '{value}'").rows[0][0]
    document = json.loads(plan) if isinstance(plan, str) else plan
    return int(document[0]["Plan"]["Plan Rows"])


@pytest.mark.parametrize(("table", "column", "value"), GROWN_SINCE)
def test_statistics_are_from_the_first_week(
    pg_server: EmbeddedServer, loaded: Loader, table: str, column: str, value: str
) -> None:
    platform = loaded(pg_server, "platform")
    platform.run(f"VACUUM {table}")  # as the demo does: it counts rows anew and leaves statistics alone
    actual = platform.value(f"SELECT count(*) FROM {table} WHERE {column} = '{value}'")
    assert actual > 300
    assert estimated_rows(platform, table, column, value) <= 5
    with platform.rolled_back():
        platform.run(f"ANALYZE {table}")
        assert actual / 2 < estimated_rows(platform, table, column, value) < actual * 2


def test_nothing_will_renew_them(pg_server: EmbeddedServer, loaded: Loader) -> None:
    off = "SELECT relname FROM pg_class WHERE reloptions @> '{autovacuum_enabled=off}' ORDER BY 1"
    assert loaded(pg_server, "platform").run(off).rows == [("activities",), ("audit_logs",)]


def test_other_tables_have_statistics_of_today(pg_server: EmbeddedServer, loaded: Loader) -> None:
    platform = loaded(pg_server, "platform")
    actual = platform.value("SELECT count(*) FROM users WHERE role_id = 1")
    assert actual / 2 < estimated_rows(platform, "users", "role_id", "1") < actual * 2


def test_what_is_not_indexed(pg_server: EmbeddedServer, loaded: Loader) -> None:
    leading = set(indexed_columns(loaded(pg_server, "platform")))
    assert not leading & {
        "profiles.user_id",
        "audit_logs.timestamp",
        "sessions.expires_at",
        "users.created_at",
    }
    assert leading >= {"audit_logs.user_id", "audit_logs.action", "users.role_id"}


def test_skewed_like_life(pg_server: EmbeddedServer, loaded: Loader) -> None:
    platform = loaded(pg_server, "platform")
    assert 0 < platform.value("SELECT count(*) FROM users WHERE role_id = 11") < 20
    assert 0.05 < platform.value("SELECT avg((last_login IS NULL)::int)::float FROM users") < 0.15
    profiles = (
        "SELECT count(*) FROM (SELECT count(p.id) AS n FROM users u LEFT JOIN profiles p ON p.user_id = u.id "
        "GROUP BY u.id) AS c WHERE n = {}"
    )
    assert platform.value(profiles.format(0)) > 300
    assert platform.value(profiles.format(2)) > 0
    assert (
        0
        < platform.value(
            "SELECT count(*) FROM sessions WHERE expires_at < (SELECT max(seen_at) FROM sessions)"
        )
        < 100
    )


@pytest.mark.pg(">= 18")
def test_a_clone_is_misled_alike_until_it_is_analysed(pg_server: EmbeddedServer, loaded: Loader) -> None:
    """So that what ANALYZE gains is measured; from PostgreSQL 18 on, which carries statistics over."""
    platform = loaded(pg_server, "platform")
    analyze = Variant("analyze", "fresh statistics", (AnalyzeTable(RelationName("public", "audit_logs")),))
    question = ("audit_logs", "action", "data.export")
    with open_clones(pg_server.dsn(platform.database), home=session_home(), arms=2, writes=False) as (
        host,
        catalog,
    ):
        assert OWN_STATISTICS in host.info.notes
        control = build_arm(host, CONTROL, ArmRole.CONTROL, "control", catalog)
        analysed = build_arm(host, analyze, ArmRole.VARIANT, "analysed", catalog)
        with open_session(control.dsn) as here, open_session(analysed.dsn) as there:
            assert shape(here) == shape(platform)
            assert estimated_rows(here, *question) == estimated_rows(platform, *question)
            assert estimated_rows(there, *question) > 20 * estimated_rows(here, *question)


def shape(session: Session) -> list[str]:
    """Show which way exportsByRole is planned, without costs."""
    plan = explain(session, EXPORTS_BY_ROLE, ("11",)).root
    return [f"{node.node_type} {node.relation} {node.index}" for node in plan.walk()]
