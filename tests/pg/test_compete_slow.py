"""Competitions in which some statements are too slow for the time there is."""

import pytest

from pgproof.model.blueprint import Blueprint, LoadProfile, RacePlan
from pgproof.model.change import CreateIndex
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.variant import CONTROL, Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.stages.compete.clones import open_clones
from pgproof.stages.compete.competition import Held, compete_on
from pgproof.testing.servers import session_home, temporary_database

# Timing decides here, for a minute: nightly, not on every commit.
pytestmark = [pytest.mark.pg, pytest.mark.slow]

SCHEMA = (
    "CREATE TABLE o (id int PRIMARY KEY, buyer int, note text)",
    "INSERT INTO o SELECT i, i % 2000, repeat('x', 40) || i FROM generate_series(1, 20000) AS i",
    "ANALYZE o",
)


def statement(name: str, sql: str) -> WorkloadStatement:
    query = Query("0" * 16, sql, StatementKind.SELECT, True)
    return WorkloadStatement(name, query, 1.0, (ParameterSet(()),))


# stopped on the control, quick with the index; slow on every arm; without an end on every arm
MANY = "SELECT sum((SELECT count(*) FROM o AS p WHERE p.buyer = a.buyer)) FROM o AS a WHERE a.id <= 1000"
WORKLOAD = Workload(
    (
        statement("many", MANY),
        statement("steady", "SELECT pg_sleep(0.55)"),
        statement("endless", "SELECT pg_sleep(600)"),
    ),
    source="file",
)


@pytest.fixture(scope="module")
def held(pg_server: EmbeddedServer) -> Held:
    index = CreateIndex(RelationName("public", "o"), "by_buyer", (IndexKey("buyer"),))
    blueprint = Blueprint(
        "slow",
        "faster",
        WORKLOAD,
        (Variant("good", "index the buyer", (index,)),),
        load=LoadProfile(clients=1, slice_s=0.25, slices=3),
        race=RacePlan(time_limit_s=20, min_rounds=5, statement_timeout_ms=5_000),
    )
    with temporary_database(pg_server) as dsn:
        with open_session(dsn, read_only=False) as session:
            for sql in SCHEMA:
                session.run(sql)
        bindir = pg_server.binaries.bindir
        with open_clones(dsn, home=session_home(), arms=3, writes=False, clone_bindir=bindir) as (
            host,
            catalog,
        ):
            return compete_on(host, catalog, blueprint)


def test_what_ends_on_no_arm_stands_in_nobodys_way(held: Held) -> None:
    assert held.competition.winner == "good", held.competition.decision
    assert held.competition.skipped == (
        "endless: takes too long on every arm for the time there is; --time-limit gives it more",
    )
    assert "not measured" in held.competition.decision


def test_what_is_slow_everywhere_is_let_through(held: Held) -> None:
    samples = held.record.race.samples
    assert held.record.race.timeout_ms < 550
    assert not samples.timed_out("good", "steady")
    assert samples.timed_out(CONTROL.name, "many")
    assert not samples.timed_out("good", "many")
