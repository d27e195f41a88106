"""Two databases that differ by an index: the statement that it makes slower is found, and no other."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from pgproof.model.paired import PairedTiming
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.stages.compete import paired
from pgproof.stages.compete.measure import Lane
from pgproof.stages.compete.paired import FAR_PAIRS, MORE_PAIRS, PairedClock
from pgproof.stages.compete.patience import stopped_after
from pgproof.testing.servers import run_statement, temporary_database
from tests.builders import statement

pytestmark = pytest.mark.pg

ROWS = 30_000
# The rare kind comes last by "Größe", which the planner can't know, and the heap knows nothing of that order.
PAUSE = "CREATE FUNCTION pause() RETURNS int LANGUAGE plpgsql AS 'BEGIN {} RETURN 1; END'"
SCHEMA = f"""
CREATE TABLE "Ding" (id int, art int, "Größe" int, pad text);
INSERT INTO "Ding"
  SELECT i, (i * 7919 % {ROWS} > {ROWS} * 0.95)::int, i * 7919 % {ROWS}, repeat('x', 30)
    FROM generate_series(1, {ROWS}) AS i;
VACUUM ANALYZE "Ding";
"""
INDEX = 'CREATE INDEX "by Größe" ON "Ding" ("Größe")'
SLOW = 'SELECT id, pad FROM "Ding" WHERE art = 1 ORDER BY "Größe" LIMIT 1'
QUICK = 'SELECT id FROM "Ding" WHERE "Größe" = 77'
SAME = 'SELECT count(*) FROM "Ding" WHERE art = 1'
WAIT = 'SELECT (SELECT pause()), id FROM "Ding" WHERE "Größe" = 77'

Compare = Callable[..., tuple[PairedTiming, ...]]


@pytest.fixture(scope="module")
def pair(pg_server: EmbeddedServer) -> Iterator[tuple[str, str]]:
    """The database as it is, and with the index."""
    with temporary_database(pg_server) as control, temporary_database(pg_server) as arm:
        for dsn in (control, arm):
            run_statement(pg_server, SCHEMA, dsn.split("dbname=")[1])
        run_statement(pg_server, PAUSE.format(""), control.split("dbname=")[1])
        # Who waits there is told apart from who works.
        run_statement(pg_server, f"{INDEX}; {PAUSE.format('PERFORM pg_sleep(9);')}", arm.split("dbname=")[1])
        yield control, arm


@pytest.fixture
def lanes(pair: tuple[str, str]) -> Iterator[tuple[Lane, Lane]]:
    with Lane("control", pair[0], 30_000) as control, Lane("arm", pair[1], 30_000) as arm:
        yield control, arm


@pytest.fixture
def compare(lanes: tuple[Lane, Lane]) -> Compare:
    def compared(
        *statements: WorkloadStatement | str, timeout_ms: float = 30_000
    ) -> tuple[PairedTiming, ...]:
        made = [statement(one, name=one) if isinstance(one, str) else one for one in statements]
        clock = PairedClock(lanes[0], timeout_ms)
        return clock.compare(lanes[1], made, ["by Größe", "not there"]).timings

    return compared


def test_the_statement_that_an_index_makes_slower_is_found(compare: Compare) -> None:
    (timing,) = compare(SLOW)
    assert timing.statement == SLOW
    assert timing.is_slower, timing
    assert timing.factor > 1.5
    assert timing.indexes == ("by Größe",)
    assert 1 + FAR_PAIRS <= timing.pairs <= 1 + MORE_PAIRS
    assert not timing.is_capped


def test_who_gains_is_not_called_slower_and_who_plans_the_same_is_not_run(compare: Compare) -> None:
    (timing,) = compare(SAME, QUICK)
    assert timing.statement == QUICK
    assert not timing.is_slower
    assert timing.after_ms < timing.before_ms
    assert timing.pairs == 1, "that was clear after the first pair"


def test_what_takes_too_long_with_the_index_is_stopped_and_counts_as_slower(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paired, "CAP_LEAST_MS", 60.0)
    (timing,) = compare(WAIT)
    assert timing.is_capped
    assert timing.is_slower
    assert timing.clock == "wall", "waiting takes no processor"
    assert 60 <= timing.after_ms < 5_000


def test_what_was_stopped_on_both_is_unknown_and_not_equal(lanes: tuple[Lane, Lane]) -> None:
    clock = PairedClock(lanes[0], timeout_ms=200)
    endless = statement('SELECT (SELECT pg_sleep(9)), id FROM "Ding" WHERE "Größe" = 77', name="endless")
    found = clock.compare(lanes[1], [endless], ["by Größe"])
    assert (found.timings, found.unknown) == ((), ("endless",))


def test_what_was_stopped_only_before_has_gained_at_least_that(lanes: tuple[Lane, Lane]) -> None:
    clock = PairedClock(lanes[1], timeout_ms=500)  # where pause() waits
    found = clock.compare(lanes[0], [statement(WAIT, name="wait")], [])
    (timing,) = found.timings
    assert (timing.was_capped, timing.is_capped, timing.is_slower) == (True, False, False)
    assert timing.after_ms < timing.before_ms
    assert found.unknown == ()


def test_what_cannot_be_timed_is_left_out(compare: Compare) -> None:
    fails = 'SELECT 1 / (count(*) - count(*)) FROM "Ding" WHERE "Größe" = 77'
    unknown = 'SELECT lost FROM "Ding" WHERE "Größe" = 77'
    no_values = 'SELECT id FROM "Ding" WHERE "Größe" = $1'
    assert compare(fails, unknown, no_values) == ()


def test_what_takes_too_long_is_stopped_and_nothing_after_it(lanes: tuple[Lane, Lane]) -> None:
    endless = statement("SELECT count(*) FROM generate_series(1, 1000000000000)", name="endless")
    for _ in range(3):
        with stopped_after(lanes[0], 100):
            assert lanes[0].execute(endless, ()).timed_out
        assert not lanes[0].execute(statement("SELECT 1"), ()).error


def test_what_only_waits_for_a_processor_is_not_stopped(
    lanes: tuple[Lane, Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = statement("SELECT pg_sleep(0.5)", name="sleep")
    with stopped_after(lanes[0], 100):
        assert lanes[0].execute(sleep, ()).timed_out
    monkeypatch.setattr(lanes[0], "queued_ms", lambda: time.perf_counter() * 1e3)
    with stopped_after(lanes[0], 100):
        assert not lanes[0].execute(sleep, ()).error


def test_without_a_limit_nothing_is_stopped(lanes: tuple[Lane, Lane]) -> None:
    with stopped_after(lanes[0], 0):
        assert not lanes[0].execute(statement("SELECT pg_sleep(0.2)"), ()).error


def test_the_heaviest_values_are_taken(compare: Compare) -> None:
    sql = 'SELECT id FROM "Ding" WHERE "Größe" < $1::int'
    sets = (ParameterSet((str(ROWS),), weight=1), ParameterSet(("5",), weight=9))
    (timing,) = compare(replace(statement(sql), parameter_sets=sets))
    assert timing.indexes == ("by Größe",), "for all rows no index would be used"


def test_writes_are_undone_on_both(compare: Compare, lanes: tuple[Lane, Lane]) -> None:
    write = 'UPDATE "Ding" SET art = art + 1000 WHERE "Größe" = 77'
    (timing,) = compare(write)
    assert timing.statement == write
    for lane in lanes:
        assert lane.session.value('SELECT max(art) FROM "Ding"') == 1


def test_a_parallel_plan_is_timed_by_the_wall(compare: Compare, lanes: tuple[Lane, Lane]) -> None:
    """Its workers are processes of their own: the leader's processor time would make it look quick."""
    for name in ("min_parallel_table_scan_size", "parallel_setup_cost", "parallel_tuple_cost"):
        lanes[0].session.run(f"SET {name} = 0")
    (timing,) = compare('SELECT count(*) FROM "Ding" WHERE "Größe" < 77')
    assert timing.clock == "wall"


def test_a_plan_is_timed_once_for_all_arms(lanes: tuple[Lane, Lane]) -> None:
    clock = PairedClock(lanes[0], 30_000)
    asked = [statement(QUICK, name="quick")]
    first, again = (clock.compare(lanes[1], asked, names).timings[0] for names in ([], ["by Größe"]))
    assert (first.before_ms, first.after_ms) == (again.before_ms, again.after_ms)
    assert (first.indexes, again.indexes) == ((), ("by Größe",))


def test_what_a_call_takes_on_the_control(lanes: tuple[Lane, Lane]) -> None:
    clock = PairedClock(lanes[1], timeout_ms=300)
    asked = [
        statement(sql, name=name) for name, sql in {"same": SAME, "wait": WAIT, "no": "SELECT 1/0"}.items()
    ]
    times_ms = clock.time_alone(asked)
    assert times_ms.keys() == {"same", "wait"}
    assert 0 < times_ms["same"] < 300 <= times_ms["wait"]
