"""HypoPG as a provider of costs: the plans that really built indexes give, and nothing left behind."""

import os
from collections.abc import Iterator

import pytest

from pgproof.errors import CapabilityMissing, UsageError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateIndex
from pgproof.model.estimate import Confidence
from pgproof.model.relation import IndexKey, RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.hypopg import open_hypopg
from pgproof.postgres.session import Session, open_session
from pgproof.stages.estimate.clone_costs import open_clone_costs
from pgproof.stages.estimate.hypopg import HypoPGCosts, open_hypopg_costs
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from pgproof.testing.servers import temporary_database

WITH_PACKAGE = pytest.mark.pg("< 18")
"""Servers for which Debian has a package of HypoPG; the wheel's server has none."""

SCHEMA = """
CREATE SCHEMA "Größe";
CREATE SCHEMA ext;
CREATE TABLE "Größe"."Kunden" (id bigint PRIMARY KEY, "E-Mail" text NOT NULL, "select" int NOT NULL);
CREATE TABLE "order" (id bigint, kunde bigint NOT NULL, "when" date NOT NULL, typ text);
CREATE TABLE event (id bigint, "Nutzer" bigint, "when" date NOT NULL) PARTITION BY RANGE ("when");
CREATE TABLE event_25 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_26 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY HASH (id);
CREATE TABLE event_26_0 PARTITION OF event_26 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO "Größe"."Kunden" SELECT g, 'U' || md5(g::text), g % 400 FROM generate_series(1, 20000) g;
INSERT INTO "order"
SELECT g, 1 + g % 2000, date '2026-01-01' + g / 150, 't' || g % 50 FROM generate_series(1, 30000) g;
INSERT INTO event SELECT g, g % 2000, date '2025-01-01' + g % 700 FROM generate_series(1, 30000) g;
CREATE INDEX there ON "order" (id);
ANALYZE
"""
KUNDEN, ORDER, EVENT = (
    RelationName("Größe", "Kunden"), RelationName("public", "order"), RelationName("public", "event")
)  # fmt: skip


def candidate(name: str, table: RelationName, *keys: str | IndexKey, **facts: object) -> IndexCandidate:
    made = tuple(key if isinstance(key, IndexKey) else IndexKey(column=key) for key in keys)
    return IndexCandidate(CreateIndex(table, name, made, **facts), ("q",), "because")


WHEN_DOWN = IndexKey(column="when", descending=True, nulls_first=True)
CANDIDATES = (
    candidate("mail", KUNDEN, IndexKey(expression='lower("E-Mail")')),
    candidate("Auswahl", KUNDEN, "select", include=("id",)),
    candidate("kunde", ORDER, "kunde", WHEN_DOWN),
    candidate("typ", ORDER, "typ", where="kunde < 100"),
    candidate("range", ORDER, "when", method="brin"),
    candidate("exact", ORDER, "kunde", method="hash"),
    candidate("nutzer", EVENT, "Nutzer"),
)
TRIGRAM = candidate("words", KUNDEN, IndexKey(column="E-Mail", opclass="gin_trgm_ops"), method="gin")
WRONG = candidate("wrong", KUNDEN, "no such column")

ASKED = (
    PlanRequest("""SELECT id FROM "Größe"."Kunden" WHERE lower("E-Mail") = 'u1'"""),
    PlanRequest('SELECT id FROM "Größe"."Kunden" WHERE "select" = $1', ("7",)),
    PlanRequest('SELECT id FROM "Größe"."Kunden" WHERE "select" = $1', generic=True),
    PlanRequest('SELECT * FROM "order" WHERE kunde = 3 ORDER BY "when" DESC LIMIT 3'),
    PlanRequest("""SELECT count(*) FROM "order" WHERE typ = 't7' AND kunde < 100"""),
    PlanRequest('SELECT count(*) FROM event WHERE "Nutzer" = 7'),
    PlanRequest('UPDATE "order" SET typ = NULL WHERE kunde = 5'),
    PlanRequest('SELECT o.id FROM "Größe"."Kunden" k JOIN "order" o ON o.kunde = k.id WHERE k.id = 9'),
)


@pytest.fixture(scope="module")
def prepared(pg_server: EmbeddedServer) -> Iterator[str]:
    """A database with the extension, where the server has it."""
    with temporary_database(pg_server) as database:
        prepare(database)
        yield database


def prepare(database: str) -> None:
    with open_session(database, read_only=False) as session:
        if not session.query("extension_place", {"name": "hypopg"}):
            reason = f"PostgreSQL {session.major} has no HypoPG: install postgresql-{session.major}-hypopg"
            if os.environ.get("CI"):
                pytest.fail(f"a server test can't run, which is an error in CI: {reason}", pytrace=False)
            pytest.skip(reason)
        for sql in SCHEMA.split(";"):
            session.run(sql)
        session.run("CREATE EXTENSION hypopg SCHEMA ext")
        session.run("VACUUM")  # as the clone of a quiet database: all pages known to be visible


@pytest.fixture
def reader(prepared: str) -> Iterator[Session]:
    with open_session(prepared) as session:
        yield session


@pytest.fixture
def costs(reader: Session) -> Iterator[HypoPGCosts]:
    with open_hypopg_costs(reader, (*CANDIDATES, TRIGRAM, WRONG), catalog=read_catalog(reader)) as opened:
        yield opened


def used(answers: tuple[Planned | NotPlanned, ...]) -> list[set[str]]:
    assert all(isinstance(answer, Planned) for answer in answers), answers
    return [set(answer.used) for answer in answers if isinstance(answer, Planned)]


@WITH_PACKAGE
def test_the_plans_of_really_built_indexes(costs: HypoPGCosts, prepared: str) -> None:
    views = [
        frozenset(),
        frozenset({"kunde", "nutzer", "mail"}),
        frozenset({"Auswahl", "typ", "exact"}),
        frozenset(costs.index_bytes),
    ]
    simulated = [costs.plan(ASKED, visible) for visible in views]
    with (
        open_session(prepared, read_only=False) as writer,
        open_clone_costs(writer, CANDIDATES) as built,
    ):
        assert built.refused == {}
        real = [built.plan(ASKED, visible) for visible in views]
    for mine, theirs in zip(simulated, real, strict=True):
        assert used(mine) == used(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert isinstance(one, Planned)
            assert isinstance(other, Planned)
            # HypoPG reckons no descent in a B-tree and has sizes of its own.
            assert one.cost.value == pytest.approx(other.cost.value, rel=0.15)


@WITH_PACKAGE
def test_each_statement_finds_its_index(costs: HypoPGCosts) -> None:
    expected = [
        {"mail"}, {"Auswahl"}, {"Auswahl"}, {"kunde"}, {"typ"}, {"nutzer"}, {"kunde"}, {"kunde"}
    ]  # fmt: skip
    names = frozenset(costs.index_bytes) - {"exact"}
    assert used(costs.plan(ASKED, names)) == expected
    assert used(costs.plan(ASKED, frozenset())) == [set()] * len(ASKED)
    assert used(costs.plan(ASKED, names)) == expected


@WITH_PACKAGE
def test_what_cant_be_simulated_says_why(costs: HypoPGCosts) -> None:
    assert sorted(costs.refused) == ["words", "wrong"]
    assert costs.refused["words"].startswith("HypoPG 1.")
    assert "gin" in costs.refused["words"]
    assert costs.refused["words"].endswith("only a clone can tell")
    assert "words" not in costs.index_bytes
    failed, fine = costs.plan(
        (PlanRequest("SELECT no_such_column FROM event"), PlanRequest("SELECT 1")), frozenset()
    )
    assert isinstance(failed, NotPlanned)
    assert "no_such_column" in failed.reason
    assert isinstance(fine, Planned)


@WITH_PACKAGE
def test_a_role_that_may_not_look(prepared: str) -> None:
    with open_session(prepared, read_only=False) as owner:
        role = f"pgproof_{owner.database}"
        owner.run(f"CREATE ROLE {role} LOGIN")
        try:
            with (
                open_session(f"{prepared} user={role}") as reader,
                pytest.raises(CapabilityMissing) as caught,
                open_hypopg_costs(reader, CANDIDATES, catalog=read_catalog(reader)),
            ):
                pass
            assert caught.value.hint == f"GRANT USAGE ON SCHEMA ext TO {role};"
            owner.run(f"GRANT USAGE ON SCHEMA ext TO {role}")
            with (
                open_session(f"{prepared} user={role}") as reader,
                open_hypopg_costs(reader, CANDIDATES, catalog=read_catalog(reader)) as costs,
            ):
                assert costs.refused["mail"] == (
                    "Not allowed: permission denied for schema Größe."
                    f' GRANT USAGE ON SCHEMA "Größe" TO {role};'
                )
                answers = costs.plan(ASKED, frozenset(costs.index_bytes))
            assert all(isinstance(answer, NotPlanned) for answer in answers)
        finally:
            owner.run(f"DROP OWNED BY {role}")
            owner.run(f"DROP ROLE {role}")


@WITH_PACKAGE
def test_sizes_are_those_of_a_built_index(costs: HypoPGCosts, prepared: str) -> None:
    with (
        open_session(prepared, read_only=False) as writer,
        open_clone_costs(writer, CANDIDATES) as built,
    ):
        for name in ("Auswahl", "kunde", "nutzer"):
            assert costs.index_bytes[name] == pytest.approx(built.index_bytes[name], rel=0.15), name
    assert costs.index_sizes["mail"].confidence is Confidence.LOW


@WITH_PACKAGE
def test_an_existing_index_is_hidden_where_hypopg_can(reader: Session) -> None:
    there, request = RelationName("public", "there"), PlanRequest('SELECT * FROM "order" WHERE id = 5')
    with open_hypopg_costs(reader, (), catalog=read_catalog(reader), droppable=(there,)) as costs:
        with_it = costs.plan((request,), frozenset({"public.there"}))
        if "public.there" in costs.existing:
            assert used(with_it) == [{"public.there"}]
            assert used(costs.plan((request,), frozenset())) == [set()]
        else:
            assert "can't hide an existing index, version 1.4 can" in costs.refused["public.there"]
    assert explain(reader, request.sql).indexes_used() == {"there"}


@WITH_PACKAGE
def test_nothing_stays(reader: Session) -> None:
    before = read_catalog(reader).indexes
    with open_hypopg_costs(reader, CANDIDATES, catalog=read_catalog(reader)) as costs:
        costs.plan(ASKED, frozenset(costs.index_bytes))
        assert reader.value("SELECT count(*) FROM ext.hypopg()") > len(CANDIDATES)
    assert reader.value("SELECT count(*) FROM ext.hypopg()") == 0
    assert read_catalog(reader).indexes == before
    assert explain(reader, 'SELECT count(*) FROM event WHERE "Nutzer" = 7').indexes_used() == set()


@WITH_PACKAGE
def test_only_a_harmless_session_will_do(prepared: str) -> None:
    for options in ({"read_only": False}, {"statement_timeout_ms": 0}):
        with (
            open_session(prepared, **options) as session,
            pytest.raises(UsageError) as caught,
            open_hypopg(session),
        ):
            pass
        assert caught.value.message == (
            "HypoPG is asked on a database in use: its session must only read and have a statement_timeout."
        )


@pytest.mark.pg
def test_a_database_without_the_extension(database: str) -> None:
    with (
        open_session(database) as session,
        pytest.raises(CapabilityMissing) as caught,
        open_hypopg(session),
    ):
        pass
    create = f"In database {session.database}, by a superuser:\n  CREATE EXTENSION hypopg;"
    assert create in caught.value.hint
    assert caught.value.hint.endswith("Or do without it: the shadow needs no extension.")
    with open_session(database) as session:
        assert session.query("installed_extension", {"name": "hypopg"}) == [], "never installed by itself"
