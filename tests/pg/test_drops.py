"""Indexes that may go, on a real server: found, dropped, rebuilt to the letter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from pgproof.changes import apply_steps, revert_steps, verify_steps
from pgproof.model.catalog import Catalog
from pgproof.model.drop import DropCase, DropReview, Standbys
from pgproof.model.relation import RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.standbys import read_standbys
from pgproof.stages.estimate.clone_costs import open_clone_costs
from pgproof.stages.estimate.provider import Planned, PlanRequest
from pgproof.stages.propose.drops import find_droppable, names_of
from tests.builders import workload

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Kunden" (id bigint PRIMARY KEY, "E-Mail" text NOT NULL, "select" int NOT NULL);
CREATE TABLE "order" (id bigint PRIMARY KEY, kunde bigint NOT NULL REFERENCES "Größe"."Kunden",
    "when" date NOT NULL, note text, EXCLUDE USING gist (box(point(id, id), point(id, id)) WITH &&));
CREATE TABLE event (id bigint, "when" date NOT NULL) PARTITION BY RANGE ("when");
CREATE TABLE event_25 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX kunde ON "order" (kunde);
CREATE INDEX "Zwilling" ON "order" ("when" DESC);
CREATE INDEX zwilling ON "order" ("when");
CREATE INDEX prefix ON "order" (note);
CREATE INDEX wide ON "order" (note, "when") INCLUDE (kunde);
CREATE UNIQUE INDEX mail ON "Größe"."Kunden" ("E-Mail");
CREATE INDEX "mail again" ON "Größe"."Kunden" ("E-Mail");
CREATE INDEX lower_mail ON "Größe"."Kunden" (lower("E-Mail")) WHERE "select" > 3;
CREATE INDEX coarse ON "order" USING brin (id) WITH (pages_per_range = 128);
CREATE INDEX fine ON "order" USING brin (id) WITH (pages_per_range = 8);
CREATE INDEX whole ON event ("when");
CREATE INDEX whole_again ON event ("when");
INSERT INTO "Größe"."Kunden" SELECT g, 'U' || md5(g::text), g % 400 FROM generate_series(1, 2000) g;
INSERT INTO "order"
SELECT g, 1 + g % 2000, date '2026-01-01' + g % 300, 'n' || g FROM generate_series(1, 3000) g;
ALTER TABLE "order" CLUSTER ON wide;
ANALYZE
"""


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        for sql in SCHEMA.split(";"):
            opened.run(sql)
        yield opened


def of_age(session: Session) -> Catalog:
    """The catalog as it would be had the server counted for a month."""
    found = read_catalog(session)
    indexes = tuple(replace(index, size_bytes=max(index.size_bytes, 2**20)) for index in found.indexes)
    return replace(found, stats_reset_at=found.read_at - timedelta(days=30), indexes=indexes)


def cases(review: DropReview) -> dict[str, DropCase]:
    return {drop.change.index.name: drop.case for drop in review.candidates}


def test_what_may_go(session: Session) -> None:
    review = find_droppable(of_age(session), workload(), standbys=read_standbys(session))
    assert cases(review) == {
        "mail again": DropCase.DUPLICATE,
        "zwilling": DropCase.DUPLICATE,
        "prefix": DropCase.REDUNDANT,
        "lower_mail": DropCase.UNUSED,
        "coarse": DropCase.UNUSED,
        "fine": DropCase.UNUSED,
    }
    assert {str(drop.keeper) for drop in review.candidates if drop.keeper} == {
        "Größe.mail",
        "public.Zwilling",
        "public.wide",
    }
    assert {kept.index.name for kept in review.kept} == {
        "Kunden_pkey", "mail", "order_pkey", "order_box_excl", "kunde", "Zwilling", "wide", "whole",
        "whole_again",
    }  # fmt: skip
    assert review.notes == ()
    assert len(names_of(review.candidates)) == 6


def test_each_goes_and_comes_back_to_the_letter(session: Session) -> None:
    before = read_catalog(session)
    review = find_droppable(of_age(session), workload(), standbys=Standbys(0, 0))
    assert review.candidates
    for drop in review.candidates:
        for step in (*apply_steps(drop.change), *verify_steps(drop.change)):
            assert session.value(step.sql) in (None, True)
    gone = read_catalog(session)
    assert not {index.relation for index in gone.indexes} & set(names_of(review.candidates))
    for drop in reversed(review.candidates):
        for step in revert_steps(drop.change):
            session.run(step.sql)
    definitions = [(index.relation, index.definition) for index in before.indexes]
    assert [(index.relation, index.definition) for index in read_catalog(session).indexes] == definitions


def test_an_index_in_a_plan_of_today_is_used(session: Session) -> None:
    sql = """SELECT id FROM "Größe"."Kunden" WHERE lower("E-Mail") = 'u1' AND "select" > 3"""
    plan = explain(session, sql)
    assert plan.indexes_used() == {"lower_mail"}
    known = of_age(session)
    read = find_droppable(known, workload(sql), plans={"q0": (plan,)}, standbys=Standbys(0, 0))
    guessed = find_droppable(known, workload(sql), standbys=Standbys(0, 0))
    said = [
        next(kept.reason for kept in review.kept if kept.index.name == "lower_mail")
        for review in (read, guessed)
    ]
    assert said == [
        "Index Größe.lower_mail was not scanned yet, but the plan of q0 reads it.",
        "Index Größe.lower_mail was not scanned, but gives the planner the statistics of its expression:"
        " without them the row estimates of q0 would be guesses.",
    ]


def test_standbys_that_are_expected_back(session: Session) -> None:
    assert read_standbys(session) == Standbys(0, 0)
    session.value("SELECT pg_catalog.pg_create_physical_replication_slot('pgproof_test_slot')")
    try:
        assert read_standbys(session) == Standbys(0, 1)
        assert "1 idle replication slot awaits one" in " ".join(
            find_droppable(of_age(session), workload(), standbys=read_standbys(session)).notes
        )
    finally:
        session.value("SELECT pg_catalog.pg_drop_replication_slot('pgproof_test_slot')")


def test_a_clone_plans_as_if_an_existing_index_were_gone(session: Session) -> None:
    request = PlanRequest("""SELECT id FROM "order" WHERE note = 'n7'""")
    wide, prefix = RelationName("public", "wide"), RelationName("public", "prefix")
    gone = RelationName("public", "no such index")
    before = read_catalog(session).indexes
    with open_clone_costs(session, (), droppable=(wide, prefix, gone)) as costs:
        assert costs.existing == {"public.wide", "public.prefix"}
        answers = [
            costs.plan((request,), frozenset(visible))[0]
            for visible in (costs.existing, {"public.wide"}, {"public.prefix"}, ())
        ]
    plans = [answer for answer in answers if isinstance(answer, Planned)]
    assert [set(plan.used) for plan in plans[1:]] == [{"public.wide"}, {"public.prefix"}, set()]
    assert plans[0].cost <= min(plans[1].cost, plans[2].cost) < plans[3].cost
    assert read_catalog(session).indexes == before
