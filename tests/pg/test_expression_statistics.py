"""New indexes on expressions get statistics; those of the table and of other indexes stay, however old."""

from collections.abc import Iterator

import pytest

from pgproof.model.relation import RelationName
from pgproof.postgres.explain import explain
from pgproof.postgres.expression_statistics import analyze_expressions
from pgproof.postgres.session import Session, open_session

pytestmark = pytest.mark.pg

SCHEMA = (
    'CREATE SCHEMA "Sélect"',
    'CREATE TABLE "Sélect"."Order" (id int, "Kind" text, at date) PARTITION BY RANGE (id)',
    'CREATE TABLE "Sélect".part PARTITION OF "Sélect"."Order" FOR VALUES FROM (0) TO (100000)',
    'CREATE INDEX old_one ON "Sélect"."Order" ((id % 3))',
    'CREATE STATISTICS "Sélect".both (mcv) ON "Kind", at FROM "Sélect".part',
    """INSERT INTO "Sélect"."Order" SELECT i, 'common', '2024-01-01' FROM generate_series(1, 1000) AS i""",
    'ANALYZE "Sélect"."Order"',
    """INSERT INTO "Sélect"."Order" SELECT i, 'R' || i % 9, '2025-01-01' FROM generate_series(1, 9000) i""",
    'CREATE INDEX "By kind" ON "Sélect"."Order" (lower("Kind"))',
)
KNOWN = """\
SELECT tablename, attname, inherited, n_distinct, most_common_vals::text, most_common_freqs
  FROM pg_stats WHERE schemaname = 'Sélect' ORDER BY 1, 2, 3"""
COMBINED = "SELECT most_common_vals::text FROM pg_stats_ext WHERE statistics_name = 'both'"
TABLE = RelationName("Sélect", "Order")


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as session:
        for sql in SCHEMA:
            session.run(sql)
        yield session


def test_only_the_new_index_gets_statistics(session: Session) -> None:
    before = [session.run(sql, as_text=True).rows for sql in (KNOWN, COMBINED)]
    figures = (
        "SELECT relname, relpages, reltuples FROM pg_class WHERE relname IN ('Order', 'part', 'old_one')"
    )
    figures_before = session.run(f"{figures} ORDER BY 1").rows
    analyze_expressions(session, TABLE, ["By kind"])
    after = [session.run(sql, as_text=True).rows for sql in (KNOWN, COMBINED)]
    new = [row for row in after[0] if row not in before[0]]
    assert {row[0] for row in new} - {"By kind"} == {"part_lower_idx"}
    assert [row for row in after[0] if row not in new] == before[0]
    assert after[1] == before[1]
    assert session.run(f"{figures} ORDER BY 1").rows == figures_before
    assert session.value("SHOW allow_system_table_mods") == "off"
    assert session.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgproof%'") == 0


def test_the_planner_uses_both_at_once(session: Session) -> None:
    """In the session that analysed, too, which had the new statistics in its caches."""
    by_column = """SELECT * FROM "Sélect".part WHERE "Kind" = 'common'"""
    by_expression = """SELECT * FROM "Sélect".part WHERE lower("Kind") = 'common'"""
    stale_rows = explain(session, by_column).root.plan_rows
    analyze_expressions(session, TABLE, ["By kind"])
    assert explain(session, by_column).root.plan_rows == stale_rows
    assert explain(session, by_expression).root.plan_rows == pytest.approx(1000, rel=0.1)


def test_inside_a_transaction(session: Session) -> None:
    before = session.run(KNOWN, as_text=True).rows
    with session.rolled_back():
        analyze_expressions(session, TABLE, ["By kind"])
        assert session.run(KNOWN, as_text=True).rows != before
    assert session.run(KNOWN, as_text=True).rows == before
