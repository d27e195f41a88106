"""Candidates built on a real server: prices, sizes, and nothing left behind."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pgproof.changes import describe
from pgproof.errors import UsageError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session, open_session
from pgproof.stages.estimate.clone_costs import BuildLimits, open_clone_costs
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from pgproof.stages.estimate.select import choose_sets
from pgproof.stages.estimate.variants import estimate_variants
from pgproof.stages.propose.combine import propose_variants
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import propose_indexes
from tests.builders import statement, workload

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Kunden" (id bigint PRIMARY KEY, "E-Mail" text NOT NULL, "select" int NOT NULL);
CREATE TABLE "order" (
    id bigint, kunde bigint NOT NULL REFERENCES "Größe"."Kunden", "when" date NOT NULL, typ text
);
CREATE TABLE event (id bigint, "Nutzer" bigint, "when" date NOT NULL) PARTITION BY RANGE ("when");
CREATE TABLE event_25 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_26 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO "Größe"."Kunden" SELECT g, 'U' || md5(g::text), g % 400 FROM generate_series(1, 20000) g;
INSERT INTO "order"
SELECT g, 1 + g % 20000, date '2026-01-01' + g % 300, 't' || g % 5 FROM generate_series(1, 30000) g;
INSERT INTO event SELECT g, g % 2000, date '2025-01-01' + g % 700 FROM generate_series(1, 30000) g;
ANALYZE
"""
ODD = (
    """SELECT id FROM "Größe"."Kunden" WHERE lower("E-Mail") = 'u1'""",
    'SELECT id, "E-Mail" FROM "Größe"."Kunden" WHERE "select" = 7',
    """SELECT id FROM "Größe"."Kunden" WHERE "E-Mail" LIKE '%abcdef%'""",
    'SELECT k.id, (SELECT max("when") FROM "order" o WHERE o.kunde = k.id)'
    ' FROM "Größe"."Kunden" k WHERE k.id < 50',
    'SELECT count(*) FROM event WHERE "Nutzer" = 7',
    'DELETE FROM "Größe"."Kunden" WHERE id = 3',
    'INSERT INTO "order" (kunde, "when") VALUES (1, now())',
)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        for sql in SCHEMA.split(";"):
            opened.run(sql)
        yield opened


def candidate(table: str, *keys: str, schema: str = "public", name: str = "x") -> IndexCandidate:
    made = tuple(IndexKey(column=key) for key in keys)
    return IndexCandidate(CreateIndex(RelationName(schema, table), name, made), ("q",), "because")


def index_names(catalog: Catalog) -> list[str]:
    return [str(index.relation) for index in catalog.indexes]


def test_from_statements_to_priced_variants(session: Session) -> None:
    catalog = read_catalog(session)
    asked = workload(*ODD)
    candidates = propose_indexes(catalog, asked)
    with open_clone_costs(session, candidates) as costs:
        assert costs.refused == {}
        assert all(size >= 8192 for size in costs.index_bytes.values())
        checks = foreign_key_checks(catalog, asked)
        selection = choose_sets(costs, catalog, asked, candidates, checks=checks)
        variants = propose_variants(catalog, candidates, selection.sets)
        estimates = estimate_variants(costs, asked, variants)
    assert len(variants) >= 3
    broad = variants[-1]
    built = "\n".join(describe(change) for change in broad.changes)
    assert built.startswith("install extension pg_trgm")
    assert 'lower("E-Mail")' in built
    assert "on public.event (Nutzer" in built
    assert "on public.order (kunde" in built
    estimate = estimates[-1]
    assert estimate.saved_frac > 0.9
    assert [s.statement for s in estimate.statements] == [s.name for s in asked.statements]
    assert all(s.after <= s.before for s in estimate.statements)
    assert estimate.skipped == ()
    # The clone is as it was: neither indexes nor the extension are left.
    after = read_catalog(session)
    assert index_names(after) == index_names(catalog)
    assert after.extension("pg_trgm") == catalog.extension("pg_trgm")


def test_prices_are_those_of_the_real_index(session: Session) -> None:
    sql = "SELECT * FROM \"order\" WHERE typ = 't1' AND \"when\" = '2026-03-01'"
    built = candidate("order", "typ", "when", name="really")
    with open_clone_costs(session, [built, candidate("order", "id", name="other")]) as provider:
        shown = WorkloadCosts(provider, [statement(sql)])
        without, with_it = shown.under(frozenset())["q"], shown.under(frozenset({"really"}))["q"]
        size = provider.index_bytes["really"]
    assert without.used == frozenset()
    assert with_it.used == {"really"}
    session.run('CREATE INDEX really ON "order" (typ, "when")')
    plan = session.value(f"EXPLAIN (FORMAT JSON) {sql}")
    assert plan[0]["Plan"]["Total Cost"] == with_it.cost.value
    assert session.value("SELECT pg_relation_size('really')") == size


def test_partitions_count_as_one_candidate(session: Session) -> None:
    with open_clone_costs(session, [candidate("event", "Nutzer", name="e")]) as provider:
        (planned,) = provider.plan([PlanRequest('SELECT 1 FROM event WHERE "Nutzer" = 5')], frozenset({"e"}))
        assert isinstance(planned, Planned)
        assert planned.used == {"e"}
        assert provider.index_bytes["e"] >= 2 * 8192


def test_what_cannot_be_built_is_refused_and_the_rest_goes_on(session: Session) -> None:
    wanted = [
        candidate("order", "nowhere", name="no_column"),
        candidate("order", "typ", name="good"),
        candidate("gone", "a", name="no_table"),
    ]
    with open_clone_costs(session, wanted) as provider:
        assert set(provider.index_bytes) == {"good"}
        assert set(provider.refused) == {"no_column", "no_table"}
        assert all(reason.startswith("not built: ") for reason in provider.refused.values())


def test_time_for_builds_is_limited(session: Session) -> None:
    wanted = [candidate("order", "typ", name="late")]
    with open_clone_costs(session, wanted, limits=BuildLimits(one_s=10, all_s=0)) as provider:
        assert provider.refused == {"late": "not built: the time for all builds together was used up"}
    with open_clone_costs(session, wanted, limits=BuildLimits(one_s=0.001, all_s=60)) as provider:
        assert provider.refused == {"late": "not built: it took more than 0.0 s"}


def test_each_statement_has_its_first_candidate_built_before_any_has_its_second(session: Session) -> None:
    wanted = [
        replace(candidate("order", "typ", name="first"), statements=("q1",)),
        replace(candidate("order", "when", name="second"), statements=("q1",)),
        replace(candidate("order", "kunde", name="other"), statements=("q2",)),
    ]
    with open_clone_costs(session, wanted, limits=BuildLimits(count=2)) as provider:
        assert set(provider.index_bytes) == {"first", "other"}
        assert provider.refused == {"second": "not built on the clone, which gets 2 candidates at most"}


def test_a_statement_the_server_refuses_spoils_no_other(session: Session) -> None:
    requests = [
        PlanRequest("SELECT nowhere FROM nothing"),
        PlanRequest("SELECT FROM WHERE"),
        PlanRequest("VACUUM"),
        PlanRequest('SELECT 1 FROM "order" WHERE id = $1', ("not a number",)),
        PlanRequest('SELECT 1 FROM "order" WHERE id = $1', ("5",)),
        PlanRequest('SELECT 1 FROM "order" WHERE id = $1', generic=True),
    ]
    with open_clone_costs(session, []) as provider:
        answers = provider.plan(requests, frozenset())
    assert [type(answer) for answer in answers] == [*[NotPlanned] * 4, Planned, Planned]
    assert "not a number" not in answers[3].reason


def test_rows_updated_in_place_do_not_mislead(session: Session, database: str) -> None:
    session.run("CREATE TABLE hot (a int, b int) WITH (fillfactor = 50)")
    session.run("INSERT INTO hot SELECT g, g FROM generate_series(1, 20000) g")
    session.run("ANALYZE hot")
    with open_session(database) as other, other.rolled_back():
        other.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.run("SELECT count(*) FROM hot")  # an old snapshot, so that dead versions stay
        session.run("UPDATE hot SET b = b + 1")
        with open_clone_costs(session, [candidate("hot", "b", name="h")]) as provider:
            (planned,) = provider.plan([PlanRequest("SELECT 1 FROM hot WHERE b = 5")], frozenset({"h"}))
            # The planner passes such an index by; without a word it would seem to be worthless.
            assert isinstance(planned, Planned)
            assert planned.used == frozenset()
            assert provider.refused["h"].startswith("not estimated: rows of its table were updated in place")
            assert provider.index_bytes == {}


def test_settings_of_the_clone_decide_the_costs(session: Session) -> None:
    request = PlanRequest("SELECT * FROM \"order\" WHERE typ = 't1'")
    costs = []
    for seq_page_cost in ("1", "3"):  # as `open_clones` sets it up where the target has it
        session.run(f"SET seq_page_cost = {seq_page_cost}")
        with open_clone_costs(session, []) as provider:
            (planned,) = provider.plan([request], frozenset())
            assert isinstance(planned, Planned)
            costs.append(planned.cost)
    assert costs[0] < costs[1]


def test_a_read_only_session_is_turned_down(database: str) -> None:
    with (
        open_session(database) as session,
        pytest.raises(UsageError, match="read-only"),
        open_clone_costs(session, []),
    ):
        pass
