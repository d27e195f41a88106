"""Sets tried on a clone, one after the other: each is there as it was wanted, with its real size."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pgproof.config import Settings
from pgproof.errors import TrialFailed
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.variant import Variant
from pgproof.model.workload import StatementCounters, Workload
from pgproof.pipeline.trials import Trials, open_trials
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import run_statement, temporary_database
from tests.builders import statement, workload

pytestmark = pytest.mark.pg(">= 18")

TABLE = RelationName("Lager", "Ding")
SCHEMA = """
CREATE SCHEMA "Lager";
CREATE TABLE "Lager"."Ding" (id int, art int, pad text);
INSERT INTO "Lager"."Ding" SELECT i, i % 1000, repeat('x', 50) FROM generate_series(1, 20000) AS i;
CREATE INDEX old ON "Lager"."Ding" (id);
VACUUM ANALYZE "Lager"."Ding";
"""
BY_ART = statement('SELECT pad FROM "Lager"."Ding" WHERE art = 7', name="by art")
BY_PAD = statement("""SELECT id FROM "Lager"."Ding" WHERE pad = 'y'""", name="by pad")
Changes = Sequence[CreateIndex | DropIndex]
ASKED = workload(BY_ART, BY_PAD)


@pytest.fixture(scope="module")
def trials(pg_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    with temporary_database(pg_server) as dsn:
        run_statement(pg_server, SCHEMA, dsn.split("dbname=")[1])
        with open_trials(Settings(home=tmp_path_factory.mktemp("home")), dsn, ASKED) as opened:
            yield opened


def index(column: str, name: str = "") -> CreateIndex:
    return CreateIndex(TABLE, name or f"by_{column}", (IndexKey(column),))


def variant(*changes: CreateIndex | DropIndex) -> Variant:
    return Variant("broad", "", changes)


def gained(trials: Trials, changes: Changes) -> dict[str, tuple[str, ...]]:
    return {timing.statement: timing.indexes for timing in trials.measure(variant(*changes)).timings}


def test_each_set_stands_alone_whatever_was_tried_before(trials: Trials) -> None:
    drop = DropIndex(
        RelationName("Lager", "old"), TABLE, 'CREATE INDEX old ON "Lager"."Ding" USING btree (id)'
    )
    cases: tuple[tuple[Changes, dict[str, tuple[str, ...]]], ...] = (
        ([index("art")], {"by art": ("by_art",)}),
        ([index("pad")], {"by pad": ("by_pad",)}),
        ([index("art"), index("pad")], {"by art": ("by_art",), "by pad": ("by_pad",)}),
        ([index("art"), drop], {"by art": ("by_art",)}),
        ([index("pad")], {"by pad": ("by_pad",)}),
    )
    for changes, expected in cases:
        assert gained(trials, changes) == expected


def test_real_sizes_are_those_of_the_new_indexes(trials: Trials) -> None:
    tried = trials.measure(variant(index("art"), index("pad")))
    assert tried.index_bytes.keys() == {"by_art", "by_pad"}
    assert 100_000 < tried.index_bytes["by_art"] < 2_000_000
    assert tried.unknown == ()


def test_after_a_set_that_fails_the_next_one_is_tried_all_the_same(trials: Trials) -> None:
    with pytest.raises(TrialFailed, match="can't be built on a clone"):
        trials.measure(variant(index("art"), index("lost")))
    assert gained(trials, [index("art")]) == {"by art": ("by_art",)}


def test_times_are_taken_where_nobody_measured_any(trials: Trials) -> None:
    asked = replace(ASKED, statements=(replace(BY_ART, calls=3.0), statement("SELECT 1/0", name="fails")))
    weighed = trials.weigh(asked)
    by_art, fails = (one.counters for one in weighed.statements)
    assert by_art is not None
    assert by_art.calls == 3.0
    assert by_art.total_ms > 0
    assert fails is None, "nothing is known of it"


def test_times_that_the_server_measured_are_kept(trials: Trials) -> None:
    counted = Workload((replace(BY_ART, counters=StatementCounters(1, 5.0, 1)), BY_PAD), "test")
    assert trials.weigh(counted) is counted
