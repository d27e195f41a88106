"""Each kind of change on a real server: applies, verifies, reverts to a byte-equal schema, applies again."""

from collections.abc import Iterator

import pytest

from pgproof.changes import (
    KINDS,
    apply_steps,
    effective_changes,
    kind_of,
    refusals,
    revert_steps,
    simulate_steps,
    verify_steps,
)
from pgproof.model.change import (
    AnalyzeTable,
    Change,
    CloneOnly,
    CreateExtension,
    CreateIndex,
    CreateMaterializedView,
    CreateStatistics,
    DropIndex,
    SetSetting,
    SetStatisticsTarget,
    SetTableOption,
    SettingScope,
    StatisticsKind,
)
from pgproof.model.relation import IndexKey, RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.execute import run_steps
from pgproof.postgres.index_state import IndexState, read_index_status
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parse import parse_script
from pgproof.sqltext.quote import quote_identifier

pytestmark = pytest.mark.pg

NASTY = RelationName('Schéma "1"', "select")
VIEW = RelationName('Schéma "1"', "Sicht %s ; --")
PLAIN = RelationName("public", "events")
PARTED = RelationName("public", "Parted")
SCHEMA = '''
CREATE SCHEMA "Schéma ""1""";
CREATE TABLE "Schéma ""1"""."select" ("Größe" int, "a""b" text, "user" varchar(20), "%s" jsonb);
CREATE TABLE events (id int, at timestamptz, kind text, doc jsonb);
ALTER TABLE "Schéma ""1"""."select" ALTER COLUMN "a""b" SET STATISTICS 250,
 SET (autovacuum_enabled = true, fillfactor = 70, autovacuum_analyze_threshold = 5000);
INSERT INTO events SELECT i, now(), 'k' || i, '{}' FROM generate_series(1, 500) AS i;
CREATE INDEX "old %s ; --" ON events (kind DESC NULLS LAST, lower(kind)) INCLUDE (id) WHERE id > 3;
CREATE INDEX old_plain ON events USING brin (id) WITH (pages_per_range = 16);
CREATE TABLE "Parted" (id int, region text, at date) PARTITION BY LIST (region);
CREATE TABLE parted_a PARTITION OF "Parted" FOR VALUES IN ('a');
CREATE TABLE "parted B" PARTITION OF "Parted" FOR VALUES IN ('b') PARTITION BY RANGE (at);
CREATE TABLE parted_b1 PARTITION OF "parted B" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SCHEMA other;
CREATE TABLE other.parted_b2 PARTITION OF "parted B" FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
ALTER TABLE parted_a ALTER COLUMN region SET STATISTICS 7;
INSERT INTO "Parted" SELECT i, 'b', '2026-05-01'::date + i FROM generate_series(1, 300) AS i;
'''


def key(column: str = "", **facts: object) -> IndexKey:
    return IndexKey(column=column, **facts)


def drop(name: str, definition: str) -> DropIndex:
    return DropIndex(RelationName("public", name), PLAIN, definition)


CASES: dict[str, Change] = {
    "plain": CreateIndex(PLAIN, "events_kind", (key("kind"),)),
    "every part": CreateIndex(
        PLAIN, "events_parts",
        (
            key("kind", descending=True, nulls_first=True, collation="C"),
            key("id", nulls_first=True),
            key("at", descending=True),
        ),
        include=("doc",), where="id > 10 AND kind <> ')'';--'",
    ),
    "expression": CreateIndex(PLAIN, "events_lower", (key(expression="lower(kind)"), key("id"))),
    "gin": CreateIndex(PLAIN, "events_doc", (key("doc", opclass="jsonb_path_ops"),), method="gin"),
    "brin": CreateIndex(PLAIN, "events_at", (key("at"),), method="brin"),
    "hash": CreateIndex(PLAIN, "events_hash", (key("kind"),), method="hash"),
    "unique": CreateIndex(PLAIN, "events_id", (key("id"),), unique=True),
    "nasty names": CreateIndex(
        NASTY, 'Index "%s" ; -- é', (key("Größe"), key('a"b')), include=("user",), where='"user" IS NOT NULL'
    ),
    "longest name": CreateIndex(NASTY, "é" * 31 + "x", (key("%s"),), method="gin"),
    "partitioned": CreateIndex(PARTED, "Parted at", (key("at"), key("id"))),
    "partitioned expression": CreateIndex(
        PARTED, "parted_e", (key(expression="lower(region)"),), where="id > 5"
    ),
    "drop": drop(
        "old %s ; --",
        'CREATE INDEX "old %s ; --" ON public.events USING btree (kind DESC NULLS LAST, lower(kind))'
        " INCLUDE (id) WHERE (id > 3)",
    ),
    "drop with options": drop(
        "old_plain", "CREATE INDEX old_plain ON public.events USING brin (id) WITH (pages_per_range='16')"
    ),
    "extension": CreateExtension("pg_trgm"),
    "extension elsewhere": CreateExtension("btree_gin", 'Schéma "1"'),
    "statistics": CreateStatistics(PLAIN, "events_both", ("kind", "id"), (), tuple(StatisticsKind)),
    "statistics of one kind": CreateStatistics(
        NASTY, 'Stat "%s" ; -- é', ("user", "Größe", 'a"b'), (), (StatisticsKind.NDISTINCT,)
    ),
    "statistics of a partitioned table": CreateStatistics(
        PARTED, "parted_both", ("region", "id"), (), (StatisticsKind.DEPENDENCIES, StatisticsKind.MCV)
    ),
    "statistics of expressions": CreateStatistics(
        PLAIN, "events_mixed", ("id",), ("lower(kind)", "id % 7"), (StatisticsKind.MCV,)
    ),
    "statistics of one expression": CreateStatistics(PLAIN, "events_lower", (), ("lower(kind)",)),
    "target": SetStatisticsTarget(PLAIN, "kind", 500),
    "target over a target": SetStatisticsTarget(NASTY, 'a"b', 0, previous=250),
    "target of a partitioned table": SetStatisticsTarget(PARTED, "region", 1000),
    "option": SetTableOption(PLAIN, "autovacuum_vacuum_scale_factor", "0.01"),
    "option over others": SetTableOption(
        NASTY, "fillfactor", "90",
        previous=("autovacuum_enabled=true", "fillfactor=70", "autovacuum_analyze_threshold=5000"),
    ),
    "setting of the database": SetSetting("work_mem", "37MB"),
    "setting of the database over another": SetSetting("random_page_cost", "1.3", previous="1.7"),
    "setting with a list": SetSetting("search_path", '"Schéma ""1""", public, pg_catalog'),
    "setting of the server": SetSetting("autovacuum_naptime", "77s", SettingScope.SYSTEM),
    "setting that waits for a restart": SetSetting("max_connections", "91", SettingScope.SYSTEM),
    "library": SetSetting(
        "shared_preload_libraries", "pg_stat_statements, auto_explain", SettingScope.SYSTEM
    ),
    "materialized view": CreateMaterializedView(
        RelationName("public", "kinds"), "SELECT kind, count(*) AS events FROM public.events GROUP BY kind"
    ),
    "materialized view with indexes": CreateMaterializedView(
        VIEW,
        'SELECT e.kind AS "Art", max(e.id) AS "select" FROM public.events e GROUP BY e.kind',
        (
            CreateIndex(VIEW, "Sicht 1", (key("Art"),), unique=True),
            CreateIndex(VIEW, "Sicht 2", (key(expression='lower("Art")'),)),
        ),
    ),
    "analyze": AnalyzeTable(NASTY, ("Größe", 'a"b')),
    "analyze all": AnalyzeTable(PARTED),
}  # fmt: skip


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        for statement in parse_script(SCHEMA):
            opened.run(statement.text)
        yield opened


@pytest.fixture(autouse=True)
def configuration(session: Session) -> Iterator[None]:
    """What a test sets for the whole server is gone after it, whatever became of the test."""
    session.run(f"ALTER DATABASE {quote_identifier(session.database)} SET random_page_cost = '1.7'")
    yield
    for setting in ("autovacuum_naptime", "max_connections", "shared_preload_libraries"):
        session.run(f"ALTER SYSTEM RESET {setting}")
    session.run("SELECT pg_reload_conf()")


def configured(session: Session) -> tuple[list[tuple[object, ...]], ...]:
    """What is set for the database and by ALTER SYSTEM, as written."""
    return session.query("database_settings"), session.query("system_settings")


def run_all(session: Session, steps: tuple) -> None:
    outcomes = run_steps(session, steps)
    assert [o.message for o in outcomes if not o.ok] == []


@pytest.mark.parametrize("case", CASES)
def test_applies_verifies_reverts_to_the_same_bytes_and_applies_again(
    case: str, session: Session, database: str, pg_server: EmbeddedServer
) -> None:
    change = CASES[case]
    before, settings_before = dump_schema(database, pg_server.binaries), configured(session)
    catalog = read_catalog(session)
    assert effective_changes((change,), catalog) == (change,)
    assert refusals(change, catalog) == ()
    for _ in range(2):
        run_all(session, apply_steps(change, catalog))
        run_all(session, verify_steps(change))
        after = read_catalog(session)
        if not isinstance(change, AnalyzeTable):
            assert effective_changes((change,), after) == (), "it is so now"
        run_all(session, revert_steps(change, after))
        assert dump_schema(database, pg_server.binaries) == before
        assert configured(session) == settings_before


@pytest.mark.parametrize("case", CASES)
def test_simulation_has_its_effect_and_leaves_nothing(case: str, session: Session) -> None:
    change = CASES[case]
    steps = simulate_steps(change)
    if isinstance(steps, CloneOnly):
        assert isinstance(change, SetSetting)
        assert change.scope is SettingScope.SYSTEM
        return
    assert all(step.transactional for step in steps)
    with session.rolled_back():
        for step in steps:
            session.run(step.sql)
        if isinstance(change, SetSetting):  # in force for the planner at once, and nothing is written
            assert session.value(f"SHOW {change.name}") == change.value
        else:
            assert all(session.value(question.sql) is True for question in verify_steps(change))
    assert effective_changes((change,), read_catalog(session)) == (change,)


def test_every_kind_has_a_case() -> None:
    assert {kind_of(change) for change in CASES.values()} == set(KINDS)


@pytest.mark.parametrize(
    "other",
    [
        "CREATE INDEX i ON events (id)",
        "CREATE INDEX i ON events (kind DESC)",
        "CREATE INDEX i ON events (kind) INCLUDE (id)",
        "CREATE INDEX i ON events (kind) WHERE id > 3",
        "CREATE UNIQUE INDEX i ON events (kind, id)",
        "CREATE INDEX i ON events USING hash (kind)",
        "CREATE INDEX i ON events (lower(kind))",
        "CREATE INDEX i ON events (kind text_pattern_ops)",
        'CREATE INDEX i ON "Parted" (region)',
    ],
)
def test_another_index_under_the_name_is_told_apart(session: Session, other: str) -> None:
    session.run(other)
    change = CreateIndex(PLAIN, "i", (key("kind", opclass="text_ops"),))
    status = read_index_status(session, RelationName("public", "i"), verify_steps(change))
    assert status.state is IndexState.OTHER


def test_partitioned_index_needs_the_catalog(session: Session) -> None:
    outcome = run_steps(session, apply_steps(CASES["partitioned"]))[0]
    assert outcome.sqlstate == "0A000"


def test_partitioned_index_covers_every_level_and_new_partitions(session: Session) -> None:
    change = CASES["partitioned"]
    run_all(session, apply_steps(change, read_catalog(session)))
    valid = "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text LIKE '%Parted at%'"
    assert session.value(valid) == 5
    session.run("CREATE TABLE parted_c PARTITION OF \"Parted\" FOR VALUES IN ('c')")
    run_all(session, revert_steps(change, read_catalog(session)))
    assert session.value("SELECT count(*) FROM pg_index WHERE indrelid = 'parted_c'::regclass") == 0


def test_opclass_of_an_extension_off_the_search_path_is_found(session: Session) -> None:
    session.run("CREATE EXTENSION pg_trgm SCHEMA other")
    change = CreateIndex(PLAIN, "trgm", (key("kind", opclass="gin_trgm_ops"),), method="gin")
    catalog = read_catalog(session)
    assert refusals(change, catalog) == ()
    run_all(session, apply_steps(change, catalog) + verify_steps(change))


def test_what_the_server_refuses_is_refused_before(session: Session) -> None:
    """The guard's words on types and volatile functions are checked against the server's own verdict."""
    session.run("CREATE TABLE odd (j json, p point, x xml, b box, t text, at timestamptz)")
    session.run("CREATE EXTENSION unaccent")
    odd = RelationName("public", "odd")
    refused = [
        *(CreateIndex(odd, "i", (key(column),)) for column in "jpxb"),
        CreateIndex(odd, "i", (key("t"),), method="gin"),
        *(
            CreateIndex(odd, "i", (key("t"),), where=text)
            for text in ("at > now()", "at > CURRENT_DATE", "t = current_user", "random() > 0.5")
        ),
        *(
            CreateIndex(odd, "i", (key(expression=text),))
            for text in (
                "unaccent(t)",
                "to_char(at, 'Y')",
                "concat(t, t)",
                "to_date(t, 'Y')",
                "format('%s', t)",
            )
        ),
    ]
    catalog = read_catalog(session)
    for change in refused:
        assert refusals(change, catalog), change
        outcome = run_steps(session, simulate_steps(change))[0]
        assert outcome.sqlstate in ("42704", "42P17"), (change, outcome)
    for column in ("t", "at"):
        accepted = CreateIndex(odd, f"ok_{column}", (key(column),), where="t <> 'now() random()'")
        assert refusals(accepted, catalog) == ()
        assert run_steps(session, simulate_steps(accepted))[0].ok
