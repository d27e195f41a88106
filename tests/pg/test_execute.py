"""Running steps on a real server: who waits for whom, and what is left after a failure."""

import threading
import time
from collections.abc import Iterator

import pytest

from pgproof.changes import apply_steps, verify_steps
from pgproof.changes.index import drop_index_step
from pgproof.model.change import CreateIndex, LockMode, Step
from pgproof.model.relation import IndexKey, RelationName
from pgproof.postgres.execute import StepOutcome, run_steps
from pgproof.postgres.index_state import IndexState, read_index_status, remove_index
from pgproof.postgres.policy import ExecutionPolicy
from pgproof.postgres.session import Session, open_session

pytestmark = pytest.mark.pg

NAME = RelationName("public", "by_a")
CHANGE = CreateIndex(RelationName("public", "t"), "by_a", (IndexKey(column="a"),))
QUICK = ExecutionPolicy(
    first_lock_timeout_ms=40,
    last_lock_timeout_ms=80,
    lock_attempts=3,
    pause_ms=20,
    wait_budget_s=0.6,
    poll_s=0.05,
)
BLOCKING = Step("ALTER TABLE t ADD COLUMN b int", LockMode.ACCESS_EXCLUSIVE, True, "add a column")


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False, application_name="pgproof") as opened:
        opened.run("CREATE TABLE t (a int)")
        opened.run("INSERT INTO t SELECT generate_series(1, 1000)")
        yield opened


@pytest.fixture
def watcher(database: str) -> Iterator[Session]:
    with open_session(database) as opened:
        yield opened


@pytest.fixture
def holder(database: str, session: Session) -> Iterator[Session]:
    """Another session with an open transaction that wrote to the table."""
    with open_session(database, read_only=False, application_name="night job") as opened:
        opened.run("BEGIN")
        opened.run("INSERT INTO t VALUES (0)")
        yield opened


def test_outcomes_in_order_and_listener_before_and_after(session: Session) -> None:
    seen: list[tuple[int, bool]] = []
    steps = apply_steps(CHANGE) + verify_steps(CHANGE)
    outcomes = run_steps(session, steps, on_step=lambda i, _, outcome: seen.append((i, outcome is not None)))
    assert [outcome.ok for outcome in outcomes] == [True, True]
    assert seen == [(0, False), (0, True), (1, False), (1, True)]
    assert outcomes[0].wal_bytes > 0
    assert outcomes[0].elapsed_ms > 0
    assert read_index_status(session, NAME, verify_steps(CHANGE)).state is IndexState.VALID


def test_timeouts_of_the_session_come_back(session: Session) -> None:
    before = session.value("SELECT current_setting('lock_timeout') || current_setting('statement_timeout')")
    run_steps(session, (BLOCKING,))
    assert (
        session.value("SELECT current_setting('lock_timeout') || current_setting('statement_timeout')")
        == before
    )


def test_failure_stops_the_line(session: Session) -> None:
    steps = (*apply_steps(CHANGE), *apply_steps(CHANGE), BLOCKING)
    outcomes = run_steps(session, steps)
    assert [outcome.ok for outcome in outcomes] == [True, False]
    assert outcomes[-1].sqlstate == "42P07"


def test_question_answered_no_is_a_failure_in_words(session: Session) -> None:
    outcome = run_steps(session, verify_steps(CHANGE))[0]
    assert (outcome.ok, outcome.sqlstate) == (False, "")
    assert outcome.message == "not so: index by_a is valid and as planned"


def test_build_waits_names_the_blocker_gives_up_and_leaves_an_invalid_index(
    session: Session, watcher: Session, holder: Session
) -> None:
    told: list[str] = []
    outcome = run_steps(
        session,
        apply_steps(CHANGE),
        policy=QUICK,
        watcher=watcher,
        progress=lambda task, *_: told.append(task),
    )[0]
    assert not outcome.ok
    assert outcome.sqlstate == "57014"
    assert outcome.message.startswith(
        f"gave up after waiting 1 s for pid {holder.backend_pid} (idle in transaction, transaction open for "
    )
    assert "night job" in outcome.message
    assert any(f"waiting for pid {holder.backend_pid}" in task for task in told)
    assert read_index_status(session, NAME).is_leftover
    holder.run("ROLLBACK")
    assert remove_index(session, NAME, policy=QUICK, watcher=watcher)
    assert read_index_status(session, NAME).state is IndexState.ABSENT


def test_blocking_step_asks_briefly_so_that_readers_hardly_wait(
    database: str, session: Session, watcher: Session, holder: Session
) -> None:
    waits_ms: list[float] = []
    over = threading.Event()

    def read() -> None:
        with open_session(database) as reader:
            while not over.wait(0.005):
                started = time.perf_counter()
                reader.run("SELECT count(*) FROM t")
                waits_ms.append((time.perf_counter() - started) * 1000)

    thread = threading.Thread(target=read)
    thread.start()
    outcome = run_steps(session, (BLOCKING,), policy=QUICK, watcher=watcher)[0]
    over.set()
    thread.join()
    assert (outcome.ok, outcome.sqlstate, outcome.attempts) == (False, "55P03", 3)
    assert outcome.got_no_lock
    assert {blocker.pid for blocker in outcome.blockers} == {holder.backend_pid}
    assert max(waits_ms) < QUICK.last_lock_timeout_ms + 500, "a reader waited longer than one lock timeout"


def test_blocking_step_succeeds_once_the_lock_is_free(session: Session, holder: Session) -> None:
    patient = ExecutionPolicy(first_lock_timeout_ms=50, lock_attempts=20, pause_ms=20)
    timer = threading.Timer(0.3, lambda: holder.run("ROLLBACK"))
    timer.start()
    outcome = run_steps(session, (BLOCKING,), policy=patient)[0]
    timer.join()
    assert outcome.ok
    assert outcome.attempts > 1


def test_aborted_drop_is_finished(session: Session, watcher: Session, holder: Session) -> None:
    holder.run("ROLLBACK")
    run_steps(session, apply_steps(CHANGE))
    holder.run("BEGIN")
    holder.run("INSERT INTO t VALUES (0)")
    outcome = run_steps(session, (drop_index_step(NAME),), policy=QUICK, watcher=watcher)[0]
    assert not outcome.ok
    assert read_index_status(session, NAME).is_leftover, "the drop already took the index from the planner"
    holder.run("ROLLBACK")
    assert remove_index(session, NAME)
    assert not remove_index(session, NAME)


def test_other_things_under_the_name_are_told_apart(session: Session) -> None:
    session.run("CREATE INDEX by_a ON t ((a + 1))")
    assert read_index_status(session, NAME, verify_steps(CHANGE)).state is IndexState.OTHER
    session.run("DROP INDEX by_a")
    session.run("CREATE VIEW by_a AS SELECT 1")
    assert read_index_status(session, NAME).state is IndexState.OTHER


def test_running_build_of_another_session_is_seen(
    database: str, session: Session, watcher: Session, holder: Session
) -> None:
    outcomes: list[StepOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.extend(run_steps(session, apply_steps(CHANGE))))
    thread.start()
    deadline = time.monotonic() + 10
    while (status := read_index_status(watcher, NAME)).state is not IndexState.BUSY:
        assert time.monotonic() < deadline, status
        time.sleep(0.02)
    assert status.busy_pid == session.backend_pid
    holder.run("ROLLBACK")
    thread.join()
    assert outcomes[0].ok
    assert read_index_status(watcher, NAME, verify_steps(CHANGE)).state is IndexState.VALID
