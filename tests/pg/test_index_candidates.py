"""Every candidate for a zoo of statements can be built, and the one made for a statement is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgproof.changes.index_text import create_index_sql
from pgproof.errors import ServerError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.propose.indexes import propose_indexes
from pgproof.testing.servers import temporary_database
from tests.builders import shown, statement, workload

pytestmark = pytest.mark.pg

SCHEMA = Path(__file__).with_name("index_zoo.sql")

# statement -> a candidate that its plan must use
USED = {
    "SELECT * FROM beast WHERE keeper = 7": "beast(keeper)",
    "SELECT * FROM beast WHERE keeper = 7 AND cage = 7 AND born > '2026-01-02 00:00Z'": "beast(keeper, cage)",
    "SELECT * FROM beast WHERE keeper = 7 ORDER BY born DESC, id LIMIT 3": "beast(keeper, born, id desc)",
    "SELECT * FROM beast ORDER BY gone DESC NULLS LAST LIMIT 3": "beast(gone nulls first)",
    "SELECT * FROM beast WHERE keeper = 3 OR code = 'C77'": "beast(code)",
    "SELECT * FROM beast WHERE weight IN (17.5, 18.5) AND cage = 3": "beast(weight, cage)",
    "SELECT * FROM beast WHERE status = 'open' AND feeling = 'low' ORDER BY weight LIMIT 5":
        "beast(feeling, weight) where status = 'open'",
    "SELECT * FROM beast WHERE gone IS NOT NULL AND cage = 5": "beast(cage) where gone IS NOT NULL",
    "SELECT * FROM beast WHERE tame AND keeper < 20": "beast(keeper) where tame = true",
    "SELECT count(*) FROM beast WHERE keeper < cage": "beast(id) where cage > keeper",
    "SELECT * FROM beast WHERE lower(name) = 'name x'": "beast((lower(name)))",
    "SELECT * FROM beast WHERE plain(name) = 'name x'": "beast((plain(name)))",
    "SELECT * FROM beast WHERE (born AT TIME ZONE 'UTC')::date = '2026-01-03'":
        "beast(((born AT TIME ZONE 'UTC')::date))",
    "SELECT * FROM beast WHERE extract(year FROM fed) = 2020": "beast((extract ('year' FROM fed)))",
    "SELECT * FROM beast WHERE doc ->> 'kind' = 'k5'": "beast((doc ->> 'kind'))",
    "SELECT * FROM beast WHERE (doc ->> 'n')::int = 5": "beast(((doc ->> 'n')::int))",
    "SELECT * FROM beast WHERE doc @> '{\"kind\": \"k5\"}'": "gin beast(doc jsonb_path_ops)",
    "SELECT * FROM beast WHERE doc ? 'nothing'": "gin beast(doc)",
    "SELECT * FROM beast WHERE doc -> 'tags' ? 't5'": "gin beast((doc -> 'tags'))",
    "SELECT * FROM beast WHERE doc @@ '$.n == 5'": "gin beast(doc jsonb_path_ops)",
    "SELECT * FROM beast WHERE tags @> ARRAY['a5']": "gin beast(tags)",
    "SELECT * FROM beast WHERE marks && ARRAY[5]": "gin beast(marks gin__int_ops)",
    "SELECT * FROM beast WHERE attributes ? 'k5'": "gin beast(attributes gin_hstore_ops)",
    "SELECT * FROM beast WHERE path <@ 'zoo.7'": "gist beast(path gist_ltree_ops)",
    "SELECT * FROM beast WHERE address << '10.7.0.0/16'": "gist beast(address inet_ops)",
    "SELECT * FROM beast WHERE stay @> timestamptz '2026-02-01 00:00Z'": "gist beast(stay)",
    "SELECT * FROM beast WHERE keeper = 3 AND ages && int4range(5, 9)": "gist beast(keeper, ages)",
    "SELECT * FROM beast WHERE place <@ box '(1,1),(2,2)'": "gist beast(place)",
    "SELECT id FROM beast ORDER BY place <-> point '(3, 4)' LIMIT 2": "gist beast(place)",
    "SELECT * FROM beast WHERE words @@ to_tsquery('english', 'word7')": "gin beast(words)",
    "SELECT * FROM beast WHERE to_tsvector('english', name) @@ to_tsquery('english', 'zebra')":
        "gin beast((to_tsvector('english', name)))",
    "SELECT * FROM beast WHERE name LIKE 'name abc%'": "beast(name text_pattern_ops)",
    "SELECT * FROM beast WHERE keeper = 3 AND code LIKE 'C1%'": "beast(keeper, code varchar_pattern_ops)",
    "SELECT * FROM beast WHERE name ILIKE '%abcdef%'": "gin beast(name gin_trgm_ops)",
    "SELECT * FROM beast WHERE name ILIKE '%abcdef%' OR code ILIKE '%abcdef%'":
        "gin beast(name gin_trgm_ops, code gin_trgm_ops)",
    "SELECT * FROM beast WHERE url = 'https://example.org/x'": "hash beast(url)",
    "SELECT * FROM beast WHERE secret = '\\x00'": "beast(secret)",
    "SELECT * FROM beast WHERE handle = 'handle7'": "beast(handle)",
    "SELECT * FROM beast WHERE token = '00000000-0000-0000-0000-000000000000'": "beast(token)",
    "SELECT sum(visitors) FROM visit WHERE beast = 7": "visit(beast) include (visitors)",
    "SELECT max(visitors) FROM visit WHERE beast = 7": "visit(beast, visitors)",
    "SELECT DISTINCT keeper FROM beast": "beast(keeper)",
    "SELECT keeper, count(*) FROM beast GROUP BY keeper": "beast(keeper)",
    "SELECT count(*) FROM track WHERE at BETWEEN '2026-01-01 01:00Z' AND '2026-01-01 02:00Z'":
        "brin track(at)",
    'SELECT * FROM "Größe"."Wärter" w JOIN beast b ON b.keeper = w."Id" WHERE w."select" = 7 AND b.cage = 3':
        "beast(keeper, cage)",
    "SELECT * FROM open_beast WHERE keeper = 7 ORDER BY born LIMIT 3":
        "beast(keeper, born) where status = 'open'",
    'SELECT * FROM "Größe"."Wärter" WHERE "Id" IN (SELECT keeper FROM beast WHERE code = $$C7$$)':
        "beast(code)",
    "SELECT id, (SELECT max(day) FROM visit v WHERE v.beast = b.id) FROM beast b WHERE b.id < 30":
        "visit(beast, day)",
    "WITH recent AS (SELECT * FROM track WHERE beast = 3) SELECT * FROM recent WHERE value = 5":
        "track(value, beast)",
    "SELECT * FROM (SELECT id FROM visit_old UNION ALL SELECT id FROM visit_new) v WHERE v.id = 5":
        "visit_old(id)",
}  # fmt: skip

# what no index may be made for, or of: their candidates only have to be buildable
ODD = (
    "SELECT * FROM beast WHERE shifty(name) = 'x'",
    "SELECT * FROM beast WHERE born::date = '2026-01-03'",
    "SELECT * FROM beast WHERE date_trunc('day', day) = '2026-01-03'",
    "SELECT * FROM beast WHERE feeling::text = 'low' AND keeper = 3",
    "SELECT * FROM beast WHERE spread(keeper) = point '(1,1)'",
    "SELECT * FROM beast WHERE spread(keeper) <@ box '(1,1),(2,2)'",
    "SELECT * FROM beast WHERE born > now() - interval '1 day' AND status = 'open'",
    "SELECT * FROM beast WHERE born > '2026-01-03' AND gone > '2026-01-03' AND keeper = 3",
    "SELECT * FROM beast WHERE day > timestamptz '2026-01-03' AND keeper = 3",
    "SELECT * FROM beast WHERE status <> 'shut' AND feeling IN ('low', 'mid') AND tame IS NOT TRUE",
    "SELECT * FROM beast WHERE extra ->> 'a' = 'x' AND fixed = 'F5' AND tag = 'T5'",
    "SELECT * FROM beast WHERE lan >>= '10.7.0.1' AND yard && box '(1,1),(2,2)'",
    "SELECT * FROM beast WHERE pen @> circle '<(1,1),1>' AND address <<= '10.7.0.0/16'",
    "SELECT fixed, tag, sum(ratio) FROM beast GROUP BY fixed, tag ORDER BY tag COLLATE \"C\", fixed",
    "SELECT * FROM beast WHERE total = 7 AND coalesce(code, 'x') = 'C7' AND code || tag = 'a'",
    "SELECT * FROM beast WHERE CASE WHEN tame THEN 1 ELSE 2 END = 1 AND (doc -> 'n')::int + 1 = 7",
    "SELECT * FROM beast a JOIN beast b ON a.keeper = b.cage AND a.born = b.born WHERE a.code LIKE b.code",
    "SELECT * FROM beast a WHERE NOT EXISTS (SELECT FROM visit v WHERE v.beast = a.id AND v.note <> a.name)",
    "UPDATE beast SET weight = 1 WHERE keeper = 3 AND code = 'x'",
    "DELETE FROM beast USING visit v WHERE v.beast = beast.id AND v.day < '2025-02-01'",
    "MERGE INTO beast b USING visit v ON b.cage = v.beast WHEN MATCHED THEN UPDATE SET weight = 2",
    "SELECT * FROM visit_old WHERE beast = 5 AND note = 'x'",
    "SELECT * FROM visit WHERE beast = 5 AND note = 'x'",
    "SELECT name, rank() OVER (PARTITION BY keeper ORDER BY born) FROM beast WHERE cage = 3",
    "SELECT * FROM beast WHERE (keeper, born) > (3, '2026-01-03 00:00Z') ORDER BY keeper, born LIMIT 3",
    "SELECT * FROM beast WHERE name ~ 'abc[de]f' AND code SIMILAR TO 'C1%'",
    "SELECT * FROM beast WHERE regexp_replace(name, 'a', 'b') = 'x'",
)  # fmt: skip


@pytest.fixture(scope="module")
def zoo(pg_server: EmbeddedServer) -> Iterator[tuple[Session, Catalog]]:
    """The zoo, and its catalog."""
    with temporary_database(pg_server) as dsn, open_session(dsn, read_only=False) as session:
        for sql in SCHEMA.read_text(encoding="utf-8").split(";\n"):
            session.run(sql)
        yield session, read_catalog(session)


def build(session: Session, catalog: Catalog, candidate: IndexCandidate) -> None:
    for extension in candidate.requires:
        session.run(f"CREATE EXTENSION IF NOT EXISTS {quote_identifier(extension.name)}")
    session.run(create_index_sql(candidate.change, concurrently=False, catalog=catalog))


def indexes_used(plan: dict[str, Any]) -> Iterator[str]:
    if name := plan.get("Index Name"):
        yield str(name)
    for child in plan.get("Plans", []):
        yield from indexes_used(child)


def test_every_candidate_can_be_built(zoo: tuple[Session, Catalog]) -> None:
    session, catalog = zoo
    asked = workload(*(statement(sql, name=f"q{n}") for n, sql in enumerate((*USED, *ODD))))
    candidates = propose_indexes(catalog, asked, max_candidates=10_000)
    refused = []
    for candidate in candidates:
        session.run("BEGIN")
        try:
            build(session, catalog, candidate)
        except ServerError as error:
            refused.append(f"{shown(candidate.change)}: {error}")
        session.run("ROLLBACK")
    assert refused == []
    assert len(candidates) > 200


@pytest.mark.parametrize("sql", USED, ids=USED.values())
def test_the_candidate_made_for_a_statement_is_used(zoo: tuple[Session, Catalog], sql: str) -> None:
    session, catalog = zoo
    by_text = {shown(one.change): one for one in propose_indexes(catalog, workload(sql))}
    wanted = USED[sql]
    if catalog.setting("lc_collate") == "C":  # then a plain B-tree serves patterns; 16 and later don't tell
        wanted = wanted.replace(" text_pattern_ops", "").replace(" varchar_pattern_ops", "")
    assert wanted in by_text
    session.run("BEGIN")
    try:
        candidate = by_text[wanted]
        build(session, catalog, candidate)
        if " OR " in sql and len(candidate.change.keys) == 1:  # each arm needs its own
            for text, other in by_text.items():
                if text != wanted and len(other.change.keys) == 1:
                    build(session, catalog, other)
        session.run(
            "ANALYZE " + quote_identifier(candidate.change.table.name) if candidate.analyze else "SELECT 1"
        )
        plan = session.value(f"EXPLAIN (FORMAT JSON) {sql}")[0]["Plan"]
        parts = {candidate.name, *children_of(session, candidate.name)}
        assert parts.intersection(indexes_used(plan)), plan
    finally:
        session.run("ROLLBACK")


def test_a_plan_shows_what_the_text_hides(zoo: tuple[Session, Catalog]) -> None:
    session, catalog = zoo
    session.run("BEGIN")
    session.run(
        "CREATE FUNCTION fierce() RETURNS SETOF beast STABLE LANGUAGE sql"
        " AS 'SELECT * FROM beast WHERE cage = 5 AND keeper = 3'"
    )
    sql = "SELECT f.* FROM fierce() f ORDER BY f.weight LIMIT 1"
    plan = explain(session, sql)
    session.run("ROLLBACK")
    assert propose_indexes(catalog, workload(sql)) == ()
    found = {shown(one.change) for one in propose_indexes(catalog, workload(sql), plans={"q0": plan})}
    assert {"beast(keeper, cage)", "beast(cage)"} <= found


SELECTIVE = (
    "keeper = 7",
    "cage IN (3, 4)",
    "code = 'C9'",
    "weight BETWEEN 17.5 AND 18",
    "born > '2026-01-09 00:00Z'",
    "doc ->> 'kind' = 'k5'",
    "tags @> ARRAY['a5']",
    "name LIKE 'name abc%'",
    "name ILIKE '%abcdef%'",
    "token = '00000000-0000-0000-0000-000000000000'",
    "address << '10.7.0.0/16'",
    "plain(name) = 'name x'",
)
LOOSE = (
    "status <> 'shut'",
    "tame IS NOT TRUE",
    "fed > day",
    "gone IS NULL",
    "born < now()",
    "ratio <> weight",
)
TAILS = ("", "ORDER BY born LIMIT 3", "ORDER BY weight DESC NULLS LAST, id LIMIT 3")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(SELECTIVE), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(LOOSE), max_size=2, unique=True),
    st.sampled_from(TAILS),
)
def test_of_selective_conditions_some_candidate_is_used(
    zoo: tuple[Session, Catalog], selective: list[str], loose: list[str], tail: str
) -> None:
    session, catalog = zoo
    sql = f"SELECT * FROM beast WHERE {' AND '.join(selective + loose)} {tail}"
    candidates = propose_indexes(catalog, workload(sql), max_candidates=8)
    session.run("BEGIN")
    try:
        for candidate in candidates:
            build(session, catalog, candidate)
        plan = session.value(f"EXPLAIN (FORMAT JSON) {sql}")[0]["Plan"]
        assert {candidate.name for candidate in candidates}.intersection(indexes_used(plan)), plan
    finally:
        session.run("ROLLBACK")


def children_of(session: Session, name: str) -> list[str]:
    """Indexes of the partitions that belong to a partitioned index."""
    found = session.run(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = $1",
        (name,),
    )
    return [str(row[0]) for row in found.rows]
