"""Deploy, revert and resume on a real server, with the faults that happen to real rollouts."""

import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgproof.errors import (
    Cancelled,
    LockNotAcquired,
    Refused,
    RolloutError,
    ServerError,
    StepFailed,
    UsageError,
)
from pgproof.ledger import Ledger, open_ledger
from pgproof.model.change import AnalyzeTable, Change, CreateExtension, CreateIndex, DropIndex
from pgproof.model.journal import first_broken_line
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.rollout import JournalEvent, Rollout, RolloutState
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.index_state import IndexState, read_index_status
from pgproof.postgres.policy import ExecutionPolicy
from pgproof.postgres.session import Session, open_session, with_database
from pgproof.postgres.target_journal import read_target_journal
from pgproof.stages.deploy import GateLimits, deploy_variant, resume_rollout, revert_rollout, write_migration

pytestmark = pytest.mark.pg

ORDERS = RelationName("public", "orders")
BY_CUSTOMER = CreateIndex(ORDERS, "orders_customer", (IndexKey(column="customer_id"),))
BY_NOTE = CreateIndex(
    ORDERS, "orders_note_trgm", (IndexKey(column="note", opclass="gin_trgm_ops"),), method="gin"
)
DROP_OLD = DropIndex(
    RelationName("public", "orders_old"),
    ORDERS,
    "CREATE INDEX orders_old ON public.orders USING btree (note)",
)
ALL: tuple[Change, ...] = (CreateExtension("pg_trgm"), BY_CUSTOMER, BY_NOTE, DROP_OLD, AnalyzeTable(ORDERS))
QUICK = ExecutionPolicy(
    first_lock_timeout_ms=40,
    last_lock_timeout_ms=80,
    lock_attempts=3,
    pause_ms=20,
    wait_budget_s=0.6,
    poll_s=0.05,
)
SCHEMA = (
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, note text)",
    "INSERT INTO orders SELECT i, i % 100, 'note ' || i FROM generate_series(1, 5000) AS i",
    "CREATE INDEX orders_old ON orders (note)",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(str(tmp_path / "ledger.db"))


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False, application_name="psql") as opened:
        for statement in SCHEMA:
            opened.run(statement)
        yield opened


@pytest.fixture
def dump(database: str, pg_server: EmbeddedServer) -> Callable[[], bytes]:
    return lambda: dump_schema(database, pg_server.binaries)


def plain_dump(server: EmbeddedServer, dsn: str) -> list[str]:
    """What the user's own ``pg_dump -s`` says, without its random token."""
    text = server.run_tool("pg_dump", ["-s", "-d", dsn], timeout_s=60).stdout
    return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def deploy(dsn: str, ledger: Ledger, changes: tuple[Change, ...] = ALL, **options: object) -> Rollout:
    return deploy_variant(dsn, changes, run_id="r-1", variant="lean", sink=ledger, **options)


@contextmanager
def open_writer(dsn: str) -> Iterator[Session]:
    """Another session with an open transaction that wrote to the table."""
    with open_session(dsn, read_only=False, application_name="night job") as holder:
        holder.run("BEGIN")
        holder.run("UPDATE orders SET note = note WHERE id = 1")
        yield holder


def test_whole_way_forward_back_and_forward_again(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes], pg_server: EmbeddedServer
) -> None:
    before = plain_dump(pg_server, database)
    rollout = deploy(database, ledger, dump=dump)
    assert rollout.state is RolloutState.APPLIED
    assert rollout.valid_indexes == ("public.orders_customer", "public.orders_note_trgm")
    assert read_index_status(session, DROP_OLD.index).state is IndexState.ABSENT
    stored = ledger.rollout("last")
    assert stored.journal == rollout.journal == read_target_journal(session, rollout.id)
    assert first_broken_line(stored.journal) is None
    steps = [(line.event.value, line.change) for line in rollout.journal if line.change >= 0]
    assert steps == [(event, place) for place in range(5) for event in ("intent", "done")]

    reverted = revert_rollout(database, stored, sink=ledger, dump=dump)
    assert reverted.state is RolloutState.REVERTED
    assert reverted.reverted_schema_equal is True
    assert plain_dump(pg_server, database) == before
    assert first_broken_line(ledger.journal(rollout.id)) is None

    again = deploy(database, ledger, dump=dump)
    assert again.state is RolloutState.APPLIED
    assert again.id != rollout.id


def test_target_keeps_its_journal_until_the_last_rollout_is_gone(
    database: str, session: Session, ledger: Ledger
) -> None:
    first = deploy(database, ledger, (BY_CUSTOMER,))
    second = deploy(database, ledger, (DROP_OLD,))
    revert_rollout(database, second, sink=ledger)
    assert session.value("SELECT count(*) FROM pgproof.journal") == len(first.journal) + len(
        ledger.journal(second.id)
    )
    for statement in (
        "UPDATE pgproof.journal SET sql = ''",
        "DELETE FROM pgproof.journal",
        "TRUNCATE pgproof.journal",
    ):
        with pytest.raises(ServerError, match="function raised an exception"):
            session.run(statement)
    revert_rollout(database, first, sink=ledger)
    assert session.value("SELECT to_regnamespace('pgproof') IS NULL") is True


def test_what_is_so_already_is_left_alone_in_both_directions(
    database: str, session: Session, ledger: Ledger
) -> None:
    session.run("CREATE EXTENSION pg_trgm")
    session.run("CREATE INDEX by_hand ON orders (customer_id)")
    rollout = deploy(database, ledger)
    assert rollout.changes == (BY_NOTE, DROP_OLD, AnalyzeTable(ORDERS))
    assert "Already so: install extension pg_trgm." in rollout.notes
    assert "Already so: create index orders_customer on public.orders (customer_id)." in rollout.notes
    revert_rollout(database, rollout, sink=ledger)
    assert session.value("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'") == 1
    assert read_index_status(session, RelationName("public", "by_hand")).state is IndexState.VALID


def test_dry_run_passes_the_gate_and_writes_nothing(
    database: str, session: Session, ledger: Ledger, pg_server: EmbeddedServer
) -> None:
    before = plain_dump(pg_server, database)
    rollout = deploy(database, ledger, dry_run=True)
    assert rollout.state is RolloutState.PLANNED
    assert ledger.runs() == ()
    assert plain_dump(pg_server, database) == before
    session.run("DROP TABLE orders")
    with pytest.raises(Refused, match=r"There is no table public\.orders"):
        deploy(database, ledger, (BY_CUSTOMER,), dry_run=True)


def test_application_sees_no_error_and_short_waits(database: str, session: Session, ledger: Ledger) -> None:
    over, waits_ms, errors = threading.Event(), [0.0], []

    def work(sql: str) -> None:
        try:
            with open_session(database, read_only=False, lock_timeout_ms=0) as app:
                while not over.is_set():
                    started = time.perf_counter()
                    app.run(sql)
                    waits_ms.append((time.perf_counter() - started) * 1000)
                    over.wait(0.002)
        except ServerError as error:
            errors.append(error)

    statements = (
        "SELECT count(*) FROM orders WHERE customer_id = 7",
        "INSERT INTO orders SELECT max(id) + 1, 7, 'new' FROM orders",
        "UPDATE orders SET note = note || '.' WHERE id = 5",
    )
    threads = [threading.Thread(target=work, args=(sql,)) for sql in statements]
    for thread in threads:
        thread.start()
    rollout = deploy(database, ledger)
    revert_rollout(database, rollout, sink=ledger)
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(waits_ms) > 50
    assert max(waits_ms) < 2_000, "somebody waited longer than the longest lock timeout"


def test_blocker_is_named_the_leftover_removed_and_resume_finishes(
    database: str, session: Session, ledger: Ledger
) -> None:
    told: list[str] = []
    with open_writer(database) as holder:
        with pytest.raises(StepFailed) as caught:
            deploy(
                database, ledger, (AnalyzeTable(ORDERS), BY_CUSTOMER), policy=QUICK,
                progress=lambda task, *_: told.append(task),
            )  # fmt: skip
        pid = holder.backend_pid
        rollout = ledger.rollout("last")
        assert f"gave up after waiting 1 s for pid {pid} (idle in transaction" in str(caught.value)
        assert "night job" in str(caught.value)
        assert f"`pgproof resume {rollout.id} --to " in caught.value.hint
        assert any(f"waiting for pid {pid}" in task for task in told)
        assert rollout.state is RolloutState.FAILED
        # DROP INDEX CONCURRENTLY waits for the same transaction: the leftover can't go before it ends.
        assert read_index_status(session, RelationName("public", "orders_customer")).is_leftover
        holder.run("ROLLBACK")
    done = resume_rollout(database, rollout, sink=ledger)
    assert done.state is RolloutState.APPLIED
    assert read_index_status(session, RelationName("public", "orders_customer")).state is IndexState.VALID
    assert first_broken_line(done.journal) is None
    analyzed = [
        line for line in done.journal if line.sql.startswith("ANALYZE") and line.event is JournalEvent.DONE
    ]
    assert len(analyzed) == 1, "a step that was done is not done twice"


def test_killed_backend_leaves_nothing_half_made(database: str, session: Session, ledger: Ledger) -> None:
    with open_writer(database) as holder:
        killer = threading.Thread(target=_kill_builder, args=(session, holder))
        killer.start()
        with pytest.raises(StepFailed) as caught:
            deploy(database, ledger, (DROP_OLD, BY_CUSTOMER), policy=ExecutionPolicy(poll_s=0.05))
        killer.join()
    # The drop waited for the writer, so the drop was killed: dead index, finished or rebuilt on request.
    rollout = ledger.rollout("last")
    assert rollout.state is RolloutState.FAILED
    assert rollout.id in caught.value.hint
    assert resume_rollout(database, rollout, sink=ledger).state is RolloutState.APPLIED
    assert read_index_status(session, DROP_OLD.index).state is IndexState.ABSENT


def test_aborted_drop_is_rebuilt_by_revert(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes]
) -> None:
    with open_writer(database), pytest.raises(StepFailed):
        deploy(database, ledger, (DROP_OLD,), policy=QUICK, dump=dump)
    assert read_index_status(session, DROP_OLD.index).is_leftover
    reverted = revert_rollout(database, ledger.rollout("last"), sink=ledger, dump=dump)
    assert reverted.reverted_schema_equal is True
    assert read_index_status(session, DROP_OLD.index).state is IndexState.VALID


def _kill_builder(session: Session, holder: Session) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pid = session.value(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgproof deploy' AND state = 'active'"
            " AND wait_event_type = 'Lock' AND datname = current_database()"
        )
        if pid:
            session.run("SELECT pg_terminate_backend($1)", [str(pid)])
            holder.run("ROLLBACK")
            return
        time.sleep(0.02)


RUNNER = """
    import sys
    from tests.pg.test_deploy import ALL, BY_CUSTOMER, deploy
    from pgproof.ledger import open_ledger
    deploy(sys.argv[1], open_ledger(sys.argv[2]), (BY_CUSTOMER,))
"""


@contextmanager
def runner(dsn: str, ledger: Ledger) -> Iterator[subprocess.Popen[str]]:
    """Another process that deploys."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", textwrap.dedent(RUNNER), dsn, ledger.address]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for_build(session: Session) -> None:
    deadline = time.monotonic() + 30
    while read_index_status(session, RelationName("public", "orders_customer")).state is not IndexState.BUSY:
        assert time.monotonic() < deadline, "the build never began"
        time.sleep(0.02)


def test_kill_9_of_the_runner_then_resume_adopts_its_orphan(
    database: str, session: Session, ledger: Ledger
) -> None:
    with open_writer(database) as holder, runner(database, ledger) as process:
        _wait_for_build(session)
        process.kill()
        process.wait()
        rollout = ledger.rollout("last")
        assert rollout.state is RolloutState.APPLYING
        assert rollout.journal[-1].event is JournalEvent.INTENT
        with pytest.raises(LockNotAcquired, match="Another pgproof is changing database"):
            resume_rollout(database, rollout, sink=ledger, lock_wait_s=0)
        threading.Timer(0.5, lambda: holder.run("ROLLBACK")).start()
        done = resume_rollout(database, rollout, sink=ledger, lock_wait_s=30)
    assert done.state is RolloutState.APPLIED
    builds = [line for line in done.journal if line.sql.startswith("CREATE INDEX")]
    assert [line.event for line in builds] == [JournalEvent.INTENT, JournalEvent.DONE]
    assert builds[-1].detail == "found valid as planned"
    assert done.journal == read_target_journal(session, rollout.id)
    assert first_broken_line(done.journal) is None


def test_ctrl_c_cancels_on_the_server_and_leaves_nothing(
    database: str, session: Session, ledger: Ledger
) -> None:
    with open_writer(database) as holder, runner(database, ledger) as process:
        _wait_for_build(session)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        holder.run("ROLLBACK")
        _, stderr = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Cancelled" in stderr
    rollout = ledger.rollout("last")
    assert rollout.state is RolloutState.FAILED
    assert "nothing remains of this rollout" in rollout.journal[-1].detail
    assert read_index_status(session, RelationName("public", "orders_customer")).state is IndexState.ABSENT
    assert first_broken_line(rollout.journal) is None


@pytest.mark.parametrize(("stop_at", "is_made"), [("build index", False), ("verifying", True)])
def test_a_stopped_rollout_offers_a_revert_only_where_something_was_made(
    database: str, session: Session, ledger: Ledger, stop_at: str, is_made: bool
) -> None:
    def stop(task: str, done: float = 0, total: float = 0) -> None:
        if task.startswith(stop_at):
            raise KeyboardInterrupt

    with pytest.raises(Cancelled) as caught:
        deploy(database, ledger, (BY_CUSTOMER,), progress=stop)
    resume = f"`pgproof resume {ledger.rollout('last').id} --to "
    assert resume in caught.value.hint
    assert ("nothing remains of this rollout" in caught.value.message) is not is_made
    assert ("`pgproof revert" in caught.value.hint) is is_made


def test_a_second_revert_says_that_there_was_one(database: str, session: Session, ledger: Ledger) -> None:
    rollout = deploy(database, ledger, (BY_CUSTOMER,))
    assert any("Free disk space" in note for note in rollout.notes)
    assert revert_rollout(database, rollout, sink=ledger).notes == (), "nothing is built on the way out"
    lines = ledger.journal(rollout.id)
    again = revert_rollout(database, ledger.rollout("last"), sink=ledger)
    assert again.state is RolloutState.REVERTED
    assert again.notes == (f"Rollout {rollout.id} was reverted before: nothing was changed now.",)
    assert ledger.journal(rollout.id) == lines


def test_second_runner_is_refused_while_the_first_works(
    database: str, session: Session, ledger: Ledger
) -> None:
    with open_writer(database) as holder, runner(database, ledger) as process:
        _wait_for_build(session)
        with pytest.raises(LockNotAcquired, match="Another pgproof is changing database"):
            deploy(database, ledger, (DROP_OLD,))
        holder.run("ROLLBACK")
        process.wait(30)
        assert process.returncode == 0
    assert read_index_status(session, DROP_OLD.index).state is IndexState.VALID


def test_foreign_index_under_the_name_is_never_dropped(
    database: str, session: Session, ledger: Ledger
) -> None:
    rollout = deploy(database, ledger, (BY_CUSTOMER,))
    session.run("DROP INDEX orders_customer")
    session.run("CREATE INDEX orders_customer ON orders (note)")
    with pytest.raises(RolloutError, match="is no longer the index that this rollout built"):
        revert_rollout(database, rollout, sink=ledger)
    assert ledger.rollout("last").state is RolloutState.REVERTING
    session.run("DROP INDEX orders_customer")
    assert resume_rollout(database, ledger.rollout("last"), sink=ledger).state is RolloutState.REVERTED
    with pytest.raises(UsageError, match="was reverted"):
        resume_rollout(database, rollout, sink=ledger)


def test_schema_changed_by_others_is_told_after_revert(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes]
) -> None:
    rollout = deploy(database, ledger, (BY_CUSTOMER,), dump=dump)
    session.run("ALTER TABLE orders ADD COLUMN extra int")
    reverted = revert_rollout(database, rollout, sink=ledger, dump=dump)
    assert reverted.reverted_schema_equal is False
    assert reverted.journal[-1].detail == "reverted: the schema differs from the one before"


def test_extension_that_others_use_by_now_stays(database: str, session: Session, ledger: Ledger) -> None:
    rollout = deploy(database, ledger, (CreateExtension("pg_trgm"),))
    session.run("CREATE INDEX theirs ON orders USING gin (note gin_trgm_ops)")
    with pytest.raises(RolloutError, match="reverted only in part"):
        revert_rollout(database, rollout, sink=ledger)
    assert read_index_status(session, RelationName("public", "theirs")).state is IndexState.VALID


def test_other_database_is_refused(
    database: str, session: Session, ledger: Ledger, fresh_database: Callable[[], str]
) -> None:
    rollout = deploy(database, ledger, (BY_CUSTOMER,))
    with pytest.raises(RolloutError, match=f"belongs to database {session.database} at "):
        revert_rollout(fresh_database(), rollout, sink=ledger)


def test_old_transaction_is_named_then_refused(database: str, session: Session, ledger: Ledger) -> None:
    with open_writer(database) as holder:
        warned = deploy(
            database, ledger, (BY_CUSTOMER,), dry_run=True, limits=GateLimits(warn_transaction_age_s=0)
        )
        assert any(
            note.startswith(f"Index builds would wait for pid {holder.backend_pid} (idle in transaction")
            for note in warned.notes
        )
        limits = GateLimits(warn_transaction_age_s=0, refuse_transaction_age_s=0)
        with pytest.raises(Refused) as caught:
            deploy(database, ledger, (BY_CUSTOMER,), limits=limits)
    assert "older than 0 s" in str(caught.value)
    assert (
        caught.value.hint
        == f"Let it finish, or end it:\n  SELECT pg_terminate_backend({holder.backend_pid});"
    )
    assert ledger.runs() == ()


def test_role_without_rights_gets_the_exact_grants(
    database: str, session: Session, ledger: Ledger, pg_server: EmbeddedServer
) -> None:
    role = f"Clerk {session.backend_pid}"
    session.run(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'clerk'")
    session.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    try:
        dsn = f"{with_database(database, session.database)} user='{role}' password=clerk"
        with pytest.raises(Refused) as caught:
            deploy(dsn, ledger, (BY_CUSTOMER,))
    finally:
        session.run(f'DROP ROLE "{role}"')
    owner = session.user
    assert str(caught.value) == (
        f"Role {role} does not own public.orders, so the server will not let it build an index on it.\n"
        f"Role {role} may not make objects in schema public, so the server will not let it build an index"
        " there, whoever owns the table."
    )
    assert caught.value.hint == (
        f"Connect as {owner}, the owner. Or let a superuser make {role} a member of that role:\n"
        f'  GRANT {owner} TO "{role}";\n'
        f'Let the schema\'s owner or a superuser run:\n  GRANT CREATE ON SCHEMA public TO "{role}";'
    )


def test_migration_files_run_by_psql_and_give_the_schema_back(
    database: str, session: Session, pg_server: EmbeddedServer
) -> None:
    before = plain_dump(pg_server, database)
    up, down = write_migration(ALL, variant="lean", run_id="r-1")
    assert up.startswith("-- pgproof: apply variant lean\n-- Evidence: competition r-1\n")
    assert "CONCURRENTLY can't run inside a transaction" in up
    for text in (up, down):
        pg_server.run_tool("psql", ["-X", "-v", "ON_ERROR_STOP=1", "-d", database], stdin=text, timeout_s=60)
    assert plain_dump(pg_server, database) == before


def test_tampered_journal_is_not_acted_on(database: str, session: Session, ledger: Ledger) -> None:
    rollout = deploy(database, ledger, (BY_CUSTOMER,))
    with sqlite3.connect(ledger.address) as file:
        file.execute("DROP TRIGGER pgproof_journal_no_update")
        file.execute("UPDATE pgproof_journal SET body = replace(body, 'CREATE', 'create') WHERE sequence = 2")
    file.close()
    with pytest.raises(RolloutError, match="Line 2 of the journal of rollout"):
        revert_rollout(database, rollout, sink=ledger)
    assert read_index_status(session, RelationName("public", "orders_customer")).state is IndexState.VALID


def test_name_taken_since_the_gate_stops_and_leaves_it(
    database: str, session: Session, ledger: Ledger
) -> None:
    def intrude(task: str, *_: float) -> None:
        if task.startswith("refresh"):
            session.run("CREATE INDEX IF NOT EXISTS orders_customer ON orders (note)")

    with pytest.raises(
        StepFailed, match=r"The name public\.orders_customer was taken since the rollout began"
    ):
        deploy(database, ledger, (AnalyzeTable(ORDERS), BY_CUSTOMER), progress=intrude)
    revert_rollout(database, ledger.rollout("last"), sink=ledger)
    assert read_index_status(session, RelationName("public", "orders_customer")).state is IndexState.VALID


PARTS = (
    "CREATE TABLE parts (id int, region text) PARTITION BY LIST (region)",
    "CREATE TABLE part_a PARTITION OF parts FOR VALUES IN ('a')",
    "CREATE TABLE part_b PARTITION OF parts FOR VALUES IN ('b')",
)
BY_PART = CreateIndex(RelationName("public", "parts"), "by_part", (IndexKey(column="id"),))


def test_half_of_a_partitioned_index_is_never_left(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes], pg_server: EmbeddedServer
) -> None:
    for statement in PARTS:
        session.run(statement)
    before = plain_dump(pg_server, database)

    def intrude(task: str, *_: float) -> None:
        if task.startswith("attach public.by_part_part_a"):
            session.run("CREATE TABLE IF NOT EXISTS by_part_part_b ()")

    with pytest.raises(StepFailed) as caught:
        deploy(database, ledger, (BY_PART,), progress=intrude, dump=dump)
    rollout = ledger.rollout("last")
    assert str(caught.value) == (
        "The name public.by_part_part_b was taken since the rollout began (valid but other).\n"
        f"State of rollout {rollout.id}: nothing remains of this rollout. Removed half-made: public.by_part."
    )
    session.run("DROP TABLE by_part_part_b")
    done = resume_rollout(database, rollout, sink=ledger)
    assert done.state is RolloutState.APPLIED
    assert (
        session.value(
            "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text ~ '^by_part'"
        )
        == 3
    )
    assert revert_rollout(database, done, sink=ledger, dump=dump).reverted_schema_equal is True
    assert plain_dump(pg_server, database) == before


def test_half_made_rollout_is_reverted_without_a_trace(
    database: str, session: Session, ledger: Ledger, dump: Callable[[], bytes], pg_server: EmbeddedServer
) -> None:
    before = plain_dump(pg_server, database)
    broken = CreateIndex(ORDERS, "broken", (IndexKey(expression="1 / (id - id)"),))
    with pytest.raises(StepFailed) as caught:
        deploy(database, ledger, (CreateExtension("pg_trgm"), DROP_OLD, BY_NOTE, broken), dump=dump)
    assert "State of rollout" in str(caught.value)
    assert "still made: install extension pg_trgm; drop index public.orders_old on public.orders; " in str(
        caught.value
    )
    assert "Removed half-made: public.broken." in str(caught.value)
    reverted = revert_rollout(database, ledger.rollout("last"), sink=ledger, dump=dump)
    assert reverted.reverted_schema_equal is True
    assert plain_dump(pg_server, database) == before
