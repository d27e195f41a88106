"""A materialised view as a rollout: there and back, and what is left where its index can't be built."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgproof.errors import Refused, RevertFailed, StepFailed
from pgproof.ledger import Ledger, open_ledger
from pgproof.model.change import CreateIndex, CreateMaterializedView
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.rollout import Rollout, RolloutState
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.stages.deploy import deploy_variant, resume_rollout, revert_rollout

pytestmark = pytest.mark.pg

VIEW = RelationName("public", "order sums")
BY_STATUS = CreateIndex(VIEW, "order sums key", (IndexKey(column="status"),), unique=True)
SUMS = CreateMaterializedView(
    VIEW, "SELECT status, sum(id) AS ids, 1 AS same FROM public.orders GROUP BY status", (BY_STATUS,)
)
NOT_UNIQUE = replace(BY_STATUS, name="order sums same", keys=(IndexKey(column="same"),))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(str(tmp_path / "ledger.db"))


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False, application_name="psql") as opened:
        opened.run("CREATE TABLE orders (id bigint PRIMARY KEY, status text)")
        opened.run("INSERT INTO orders SELECT i, 's' || i % 7 FROM generate_series(1, 700) AS i")
        yield opened


@pytest.fixture
def dump(database: str, pg_server: EmbeddedServer) -> Callable[[], bytes]:
    return lambda: dump_schema(database, pg_server.binaries)


def deploy(dsn: str, ledger: Ledger, change: CreateMaterializedView, **options: object) -> Rollout:
    return deploy_variant(dsn, (change,), run_id="r-1", variant="view", sink=ledger, **options)


def views(session: Session) -> object:
    return session.value("SELECT count(*) FROM pg_matviews")


def test_there_and_back_and_there_again(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes]
) -> None:
    for _ in range(2):
        rollout = deploy(database, ledger, SUMS, dump=dump)
        assert rollout.state is RolloutState.APPLIED
        assert rollout.valid_indexes == ("public.order sums key",)
        assert any("the materialized view fits" in note for note in rollout.notes)
        assert session.value('SELECT count(*) FROM "order sums"') == 7
        session.run('REFRESH MATERIALIZED VIEW CONCURRENTLY "order sums"')
        reverted = revert_rollout(database, ledger.rollout("last"), sink=ledger, dump=dump)
        assert reverted.reverted_schema_equal is True
        assert views(session) == 0


def test_what_is_there_already_is_left_out(database: str, session: Session, ledger: Ledger) -> None:
    deploy(database, ledger, SUMS)
    again = deploy(database, ledger, SUMS)
    assert again.changes == ()
    assert any("Already so: materialized view public.order sums" in note for note in again.notes)
    revert_rollout(database, again, sink=ledger)
    assert views(session) == 1, "it is not this rollout's to drop"


def test_a_view_whose_index_can_not_be_built_is_taken_back_whole(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes]
) -> None:
    before = dump()
    with pytest.raises(StepFailed, match="order sums same"):
        deploy(database, ledger, replace(SUMS, indexes=(BY_STATUS, NOT_UNIQUE)), dump=dump)
    assert session.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0, "no leftover"
    with pytest.raises(StepFailed):
        resume_rollout(database, ledger.rollout("last"), sink=ledger)
    reverted = revert_rollout(database, ledger.rollout("last"), sink=ledger, dump=dump)
    assert reverted.state is RolloutState.REVERTED
    assert reverted.reverted_schema_equal is True
    assert dump() == before


def test_a_view_that_others_read_is_not_dropped(database: str, session: Session, ledger: Ledger) -> None:
    deploy(database, ledger, SUMS)
    session.run('CREATE VIEW reader AS SELECT * FROM "order sums"')
    with pytest.raises(RevertFailed, match="depend on it"):
        revert_rollout(database, ledger.rollout("last"), sink=ledger)
    assert views(session) == 1


def test_where_its_role_may_make_nothing_the_gate_says_so(
    database: str, session: Session, ledger: Ledger
) -> None:
    session.run("CREATE SCHEMA closed")
    session.run("DROP ROLE IF EXISTS maker")
    session.run("CREATE ROLE maker LOGIN")
    session.run("GRANT SELECT ON orders TO maker")
    session.run("GRANT USAGE ON SCHEMA closed TO maker")
    moved = replace(SUMS, view=RelationName("closed", "v"), indexes=())
    try:
        with pytest.raises(Refused, match="may not make objects in schema closed"):
            deploy(database.replace("user=postgres", "user=maker"), ledger, moved)
    finally:
        session.run("DROP OWNED BY maker")
        session.run("DROP ROLE maker")
