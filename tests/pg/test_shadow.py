"""A shadow against the database it was made of: the same costs, whatever its schema holds."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.model.relation import RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.server import Shadow, open_shadow
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from pgproof.stages.estimate.shadow import ShadowCosts, open_shadow_costs
from pgproof.testing.servers import run_statement, temporary_database

pytestmark = pytest.mark.pg

ZOO = (Path(__file__).parent / "shadow_zoo.sql").read_text(encoding="utf-8")
ANALYSED = 'VACUUM ANALYZE "Sélect"."order", line, event, animal, dog, summary, place, tied'
NOTHING: frozenset[str] = frozenset()

EXACT = (
    """SELECT * FROM "Sélect"."order" WHERE lower("camelCase") LIKE 'name 12%'""",
    """SELECT * FROM "Sélect"."order" WHERE made BETWEEN '2026-02-01' AND '2026-02-02'""",
    """SELECT * FROM "Sélect"."order" WHERE label = 'l5'""",
    """SELECT * FROM "Sélect"."order" WHERE mail = 'm5@X'::geo.citext""",
    """SELECT * FROM "Sélect"."order" WHERE qty = 3""",
    """SELECT * FROM "Sélect"."order" WHERE qty = 3 AND feels = 'sad'""",
    """SELECT qty, feels, count(*) FROM "Sélect"."order" GROUP BY 1, 2""",
    """SELECT k, twin, third, count(*) FROM tied GROUP BY 1, 2, 3""",
    """SELECT * FROM tied WHERE k = 7 AND twin = 8 AND third = 0""",
    """SELECT * FROM "Sélect"."order" WHERE shout LIKE 'NAME 5%' AND qty > 3""",
    """SELECT made FROM "Sélect"."order" WHERE qty > 41 ORDER BY made DESC NULLS LAST LIMIT 5""",
    """SELECT * FROM "a view" WHERE qty = 7""",
    """SELECT * FROM "Sélect"."order" AS o JOIN line AS l ON l.order_id = o.id WHERE o.id < 100""",
    """SELECT * FROM event WHERE v = 'v7'""",
    """SELECT * FROM event WHERE at = '2025-05-05' AND k = 2""",
    """SELECT * FROM event WHERE at >= newest()""",
    """SELECT * FROM event WHERE at >= recent(5)""",
    """SELECT * FROM event WHERE at > '2026-03-01' AND k < 100""",
    """SELECT * FROM animal WHERE name = 'd77'""",
    """SELECT * FROM summary WHERE qty = 4""",
    """SELECT * FROM unseen WHERE id = 5""",
    """SELECT count(*) FROM unseen""",
    """SELECT * FROM line WHERE amount > squared(20)""",
    """SELECT bag FROM place WHERE id = 4""",
    """INSERT INTO line VALUES (1, 9, 1)""",
    """UPDATE line SET amount = 2 WHERE order_id = 5""",
)
# A GIN index's metapage is estimated, and range statistics can be read from 17 on only.
NEARLY = (
    """SELECT id FROM "Sélect"."order" WHERE "camelCase" LIKE '%name 77%'""",
    """SELECT * FROM "Sélect"."order" WHERE doc @> '{"k": 3}'""",
    """SELECT * FROM "Sélect"."order" WHERE tags @> ARRAY['t3', 'u2']""",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shadow-home")


def name_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture(scope="module")
def zoo(pg_server: EmbeddedServer) -> Iterator[str]:
    with temporary_database(pg_server) as dsn:
        run_statement(pg_server, ZOO, name_of(dsn))
        run_statement(pg_server, ANALYSED, name_of(dsn))  # in a session of its own, as autovacuum would
        yield dsn


@pytest.fixture(scope="module")
def source(zoo: str) -> Iterator[Session]:
    with open_session(zoo) as session:
        yield session


@pytest.fixture(scope="module")
def shadow(zoo: str, home: Path) -> Iterator[Shadow]:
    with open_shadow(zoo, home=home) as opened:
        yield opened


@pytest.fixture(scope="module")
def costs(shadow: Shadow, source: Session) -> Iterator[ShadowCosts]:
    with open_shadow_costs(shadow, read_catalog(source), ()) as opened:
        yield opened


@pytest.mark.parametrize("sql", EXACT)
def test_costs_are_those_of_the_source(source: Session, costs: ShadowCosts, sql: str) -> None:
    real = explain(source, sql, settings=False)
    (answer,) = costs.plan([PlanRequest(sql)], NOTHING)
    assert isinstance(answer, Planned)
    assert answer.cost.value == pytest.approx(real.root.cost.value, rel=2e-4)


@pytest.mark.parametrize("sql", NEARLY)
def test_costs_of_gin_indexes_are_near(source: Session, costs: ShadowCosts, sql: str) -> None:
    real = explain(source, sql, settings=False)
    (answer,) = costs.plan([PlanRequest(sql)], NOTHING)
    assert isinstance(answer, Planned)
    assert answer.cost.value == pytest.approx(real.root.cost.value, rel=0.1)


def test_what_a_missing_extension_brings_is_named(shadow: Shadow) -> None:
    assert shadow.missing_extensions == ("postgis",)
    told = "\n".join(shadow.notes)
    assert "extension postgis is not there: statements that need it can only be tried on a clone" in told
    assert "type geo.hstore: it is unknown here" in told
    assert "CREATE INDEX place_bag ON public.place USING gin (bag)" in told
    assert "touch" not in told  # no plan depends on a trigger
    assert ("Sélect.order.during" in told) == (shadow.source.major < 17)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM place WHERE bag ? 'k'",
        "SELECT keys_of(bag) FROM place",
        "SELECT geo.akeys(bag) FROM place",
    ],
)
def test_what_needs_a_missing_extension_is_for_a_clone(costs: ShadowCosts, sql: str) -> None:
    (answer,) = costs.plan([PlanRequest(sql)], NOTHING)
    assert isinstance(answer, NotPlanned)
    assert answer.clone_only
    assert "postgis" in answer.reason


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DELETE FROM animal", "a rule rewrites it"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; DROP TABLE line", "2 SQL statements"),
        ("VACUUM line", "not utility"),
        ("SELECT 1 / 0", "division by zero"),
    ],
)
def test_what_has_no_plan_says_why_and_spoils_nothing(costs: ShadowCosts, sql: str, reason: str) -> None:
    refused, planned = costs.plan([PlanRequest(sql), PlanRequest("SELECT * FROM line")], NOTHING)
    assert isinstance(refused, NotPlanned)
    assert reason in refused.reason
    assert not refused.clone_only
    assert isinstance(planned, Planned)


def test_unknown_values_get_a_generic_plan(costs: ShadowCosts) -> None:
    sql = "SELECT * FROM line WHERE order_id = $1"
    generic, custom = costs.plan([PlanRequest(sql, generic=True), PlanRequest(sql, ("7",))], NOTHING)
    assert isinstance(generic, Planned)
    assert isinstance(custom, Planned)
    assert generic.cost.value > 0


def test_the_second_time_takes_what_was_kept(zoo: str, home: Path, shadow: Shadow, source: Session) -> None:
    with open_shadow(zoo, home=home) as again, open_shadow_costs(again, read_catalog(source), ()) as costs:
        assert again.from_cache
        assert again.notes == shadow.notes
        (answer,) = costs.plan([PlanRequest(EXACT[0])], NOTHING)
        assert isinstance(answer, Planned)
        assert again.server.process_id != shadow.server.process_id


def test_nothing_runs_on_the_target_but_catalog_queries(
    pg_server: EmbeddedServer, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    dsn = fresh_database()
    with open_session(dsn, read_only=False) as target:
        target.run("CREATE EXTENSION pg_stat_statements")
        target.run("CREATE TABLE secret (id int PRIMARY KEY, v text)")
        target.run("INSERT INTO secret SELECT g, 'v' || g FROM generate_series(1, 1000) AS g")
        target.run("ANALYZE secret")
        catalog = read_catalog(target)
        target.run("SELECT pg_stat_statements_reset()")
        with open_shadow(dsn, home=tmp_path) as shadow, open_shadow_costs(shadow, catalog, ()) as costs:
            costs.plan([PlanRequest("SELECT * FROM secret WHERE v = $1", ("v7",))], NOTHING)
        seen = target.run(
            "SELECT query, rows FROM pg_stat_statements WHERE dbid ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).rows
    texts = [text for text, _ in seen]
    assert texts
    assert [t for t in texts if "EXPLAIN" in t.upper() or "INDEX" in t.upper().split()[:2]] == []
    on_the_table = [t for t in texts if "secret" in t]
    assert all(t.startswith("LOCK TABLE") for t in on_the_table), on_the_table
    # SELECT from catalogs, and what pg_dump and our session set around it
    first_words = {t.removeprefix("/*").split()[0].upper() for t in texts}
    allowed = {"SELECT", "WITH", "SET", "BEGIN", "COMMIT", "LOCK", "PREPARE", "EXECUTE", "SHOW", "DEALLOCATE"}
    assert first_words <= allowed | {"ROLLBACK", "START", "RESET"}


def test_relations_that_may_not_be_read_are_left_out_and_named(
    pg_server: EmbeddedServer, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    dsn = fresh_database()
    role = f"reader_{os.getpid()}"
    with open_session(dsn, read_only=False) as admin:
        admin.run(f"CREATE ROLE {role} LOGIN")
        try:
            admin.run(["CREATE TABLE open (id int PRIMARY KEY)", ' CREATE TABLE "Shut"'][0])
            admin.run('CREATE TABLE "Shut" (id int REFERENCES open)')
            admin.run("CREATE SCHEMA hidden")
            admin.run("CREATE TABLE hidden.t (id int)")
            admin.run(f"GRANT SELECT ON open TO {role}")
            with (
                open_session(make_conninfo(dsn, user=role)) as session,
                open_shadow(make_conninfo(dsn, user=role), home=tmp_path) as shadow,
                open_shadow_costs(shadow, read_catalog(session), ()) as costs,
            ):
                denied = shadow.source.denied
                assert denied == {
                    RelationName("public", "Shut"): (
                        f'public."Shut" can\'t be read by {role}: '
                        f'GRANT SELECT ON TABLE public."Shut" TO {role};'
                    ),
                    RelationName("hidden", "t"): (
                        f"hidden.t can't be read by {role}: GRANT USAGE ON SCHEMA hidden TO {role}; "
                        f"GRANT SELECT ON TABLE hidden.t TO {role};"
                    ),
                }
                planned, refused = costs.plan(
                    [PlanRequest("SELECT * FROM open"), PlanRequest('SELECT * FROM "Shut"')], NOTHING
                )
                assert isinstance(planned, Planned)
                assert isinstance(refused, NotPlanned)
                assert refused.clone_only
        finally:
            admin.run(f"DROP OWNED BY {role}")
            admin.run(f"DROP ROLE {role}")


def test_row_security_is_in_the_plans_of_who_is_subject_to_it(
    pg_server: EmbeddedServer, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    dsn = fresh_database()
    role = f"tenant_{os.getpid()}"
    with open_session(dsn, read_only=False) as admin:
        admin.run(f"CREATE ROLE {role} LOGIN")
        try:
            admin.run("CREATE TABLE mine (id int PRIMARY KEY, owner text, v int)")
            admin.run("INSERT INTO mine SELECT g, 'o' || g % 50, g FROM generate_series(1, 20000) AS g")
            admin.run("CREATE INDEX mine_owner ON mine (owner)")
            admin.run("ALTER TABLE mine ENABLE ROW LEVEL SECURITY")
            admin.run(f"CREATE POLICY own ON mine TO {role} USING (owner = 'o7')")
            admin.run("ANALYZE mine")
            admin.run(f"GRANT SELECT ON mine TO {role}")
            for user in (role, "postgres"):
                own = make_conninfo(dsn, user=user)
                with (
                    open_session(own) as session,
                    open_shadow(own, home=tmp_path) as shadow,
                    open_shadow_costs(shadow, read_catalog(session), (), droppable=[MINE_OWNER]) as costs,
                ):
                    real = explain(session, "SELECT * FROM mine", settings=False).root
                    request = PlanRequest("SELECT * FROM mine")
                    with_it, without = (
                        *costs.plan([request], frozenset({str(MINE_OWNER)})),
                        *costs.plan([request], NOTHING),
                    )
                    assert isinstance(with_it, Planned)
                    assert isinstance(without, Planned)
                    # The server hides the statistics of a guarded table from those it guards it from.
                    assert with_it.cost.value == pytest.approx(
                        real.cost.value, rel=0.1 if user == role else 0
                    )
                    assert ("policies" in "".join(shadow.notes)) == (user == role)
                    assert (with_it.cost.value < without.cost.value) == (user == role)
        finally:
            admin.run(f"DROP OWNED BY {role}")
            admin.run(f"DROP ROLE {role}")


MINE_OWNER = RelationName("public", "mine_owner")


def test_two_at_a_time_get_a_server_each(zoo: str, home: Path, shadow: Shadow) -> None:
    ports: list[str] = []

    def open_one() -> None:
        with open_shadow(zoo, home=home) as opened:
            ports.append(opened.server.dsn())

    threads = [threading.Thread(target=open_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ports)) == 2
