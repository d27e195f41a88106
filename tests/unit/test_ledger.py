"""The ledger on an SQLite file: what goes in comes out, in order, and nothing is ever changed."""

import math
import multiprocessing
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pgproof.errors import ConfigError, RolloutError, UsageError
from pgproof.ledger import Ledger, open_ledger
from pgproof.ledger.codec import from_json, to_json
from pgproof.model.blueprint import Blueprint
from pgproof.model.change import AnalyzeTable, CreateExtension, CreateIndex, DropIndex
from pgproof.model.estimate import Estimate, StatementEstimate
from pgproof.model.journal import first_broken_line, next_entry
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.rollout import JournalEntry, JournalEvent, Rollout, RolloutState, TargetIdentity
from pgproof.model.trial import Comparison, Verdict
from pgproof.model.units import Interval, PlannerCost
from pgproof.model.variant import Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement

ORDERS = RelationName("shop", "Orders é")
CHANGES = (
    CreateExtension("pg_trgm"),
    CreateIndex(ORDERS, "i", (IndexKey(column="a"), IndexKey(expression="lower(b)")), where="a > 3"),
    DropIndex(RelationName("shop", "old"), ORDERS, "CREATE INDEX old ON shop.orders USING btree (a)"),
    AnalyzeTable(ORDERS, ("a",)),
)
AT = datetime(2026, 11, 20, 11, 15, 30, 123456, tzinfo=timezone(timedelta(hours=1)))
ROLLOUT = Rollout(
    id="d-20261120-101530-ab12",
    run="r-1",
    variant="lean",
    target=TargetIdentity("77", "shop", 5, "15.20", "db:5432/shop"),
    changes=CHANGES,
    state=RolloutState.PLANNED,
    schema_digest_before="ab" * 32,
)
WORKLOAD = Workload(
    statements=(
        WorkloadStatement(
            "find",
            Query(
                "0123456789abcdef", "SELECT $1", StatementKind.SELECT, read_only=True, queryids=(-5, 2**62)
            ),
            calls=12.5,
            parameter_sets=(ParameterSet(("Ωmega", None, "")),),
        ),
    ),
    source="file",
    captured_at=AT,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(f"sqlite:///{tmp_path}/deep/er/ledger.db")


@pytest.mark.parametrize(
    "value",
    [
        WORKLOAD,
        ROLLOUT,
        Blueprint("b", "faster", WORKLOAD, (Variant("lean", "one index", CHANGES),)),
        Estimate(
            "v",
            (StatementEstimate("s", PlannerCost(1.5), PlannerCost(0.1)),),
            PlannerCost(1.5),
            PlannerCost(0),
            8192,
            "clone",
        ),
        Comparison("v", "control", 0.5, Interval(-math.inf, math.inf), Verdict.INCONCLUSIVE, 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_value_comes_back_equal(value: object) -> None:
    text = to_json(value)
    assert from_json(type(value), text) == value
    assert "Infinity" not in text or '"Infinity"' in text, "JSON has no bare Infinity"


def test_undefined_number_comes_back_undefined() -> None:
    assert math.isnan(from_json(Interval, to_json(Interval(math.nan, 1.0))).low)


def test_unknown_shape_is_refused_without_showing_the_data() -> None:
    with pytest.raises(ConfigError) as caught:
        from_json(Interval, '{"low": "secret", "high": 1}')
    assert "Not a stored Interval" in str(caught.value)
    assert "secret" not in str(caught.value) + caught.value.hint


def test_run_is_found_by_id_prefix_and_last(ledger: Ledger) -> None:
    first = ledger.record_run("capture", "shop", WORKLOAD)
    second = ledger.record_run("check", "shop", {"findings": []})
    assert ledger.run(first).load(Workload) == WORKLOAD
    assert ledger.run(first[:-1]).id == first or first[:-1] == second[:-1]
    assert ledger.run("last").id == second
    assert ledger.run("last:capture").id == first
    assert [run.id for run in ledger.runs()] == [second, first]
    assert [run.id for run in ledger.runs("check")] == [second]
    assert len(ledger.runs(limit=1)) == 1
    assert ledger.run("last").created_at.tzinfo is not None


def test_prefix_of_two_runs_names_both(ledger: Ledger) -> None:
    ledger.record_run("check", "a", {}, run_id="r-20261120-000000-aaaa")
    ledger.record_run("check", "b", {}, run_id="r-20261120-000000-bbbb")
    with pytest.raises(UsageError, match="could be any of r-20261120-000000-bbbb, r-20261120-000000-aaaa"):
        ledger.run("r-2026")
    with pytest.raises(UsageError, match="There is no run r-%"):
        ledger.run("r-%")


@pytest.mark.parametrize(("reference", "missing"), [("last", "run"), ("last:competition", "competition")])
def test_the_last_of_nothing_is_named_in_words(ledger: Ledger, reference: str, missing: str) -> None:
    with pytest.raises(UsageError, match=f"^There is no {missing} in the ledger yet$"):
        ledger.run(reference)


def test_rollout_is_what_its_journal_says(ledger: Ledger) -> None:
    ledger.record_rollout(ROLLOUT)
    lines = _journal(3)
    for line in lines:
        ledger.append_journal(ROLLOUT.id, line)
    ledger.append_journal(ROLLOUT.id, _state(lines[-1], "failed: build was cancelled"))
    found = ledger.rollout("last")
    assert found.state is RolloutState.FAILED
    assert found.changes == CHANGES
    assert found.journal[:3] == lines
    assert first_broken_line(found.journal) is None
    with pytest.raises(UsageError, match="is a check, not a rollout"):
        ledger.rollout(ledger.record_run("check", "x", {}))


def test_line_that_does_not_follow_is_refused(ledger: Ledger) -> None:
    ledger.record_rollout(ROLLOUT)
    first, second, third = _journal(3)
    ledger.append_journal(ROLLOUT.id, first)
    for wrong in (first, third, replace(second, previous_hash="1" * 64)):
        with pytest.raises(RolloutError, match="another pgproof works on the same rollout"):
            ledger.append_journal(ROLLOUT.id, wrong)
    assert ledger.journal(ROLLOUT.id) == (first,)


@pytest.mark.parametrize("verb", ["DELETE FROM", "UPDATE"])
@pytest.mark.parametrize("table", ["pgproof_runs", "pgproof_journal"])
def test_file_itself_refuses_changes(ledger: Ledger, verb: str, table: str) -> None:
    ledger.record_rollout(ROLLOUT)
    ledger.append_journal(ROLLOUT.id, _journal(1)[0])
    statement = f"{verb} {table}" + (" SET body = ''" if verb == "UPDATE" else "")
    with (
        sqlite3.connect(ledger.address) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    connection.close()


def test_two_processes_write_at_once(ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_runs, args=(ledger.address, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(ledger.runs(limit=100)) == 40


def _write_runs(path: str, name: str) -> None:
    ledger = open_ledger(path)
    for _ in range(20):
        ledger.record_run("check", name, {"n": name})


def test_two_processes_make_the_same_ledger(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = str(tmp_path / "new.db")
    workers = [context.Process(target=_write_runs, args=(path, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(open_ledger(path).runs(limit=100)) == 40


def test_newer_ledger_is_left_alone(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.address) as connection:
        connection.execute("UPDATE pgproof_ledger SET version = 99")
    connection.close()
    with pytest.raises(
        ConfigError, match="The ledger is of version 99; this pgproof knows version 1"
    ) as caught:
        open_ledger(ledger.address)
    assert caught.value.hint == "Upgrade pgproof, or name another ledger."


def test_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this was never a database" * 100)
    with pytest.raises(
        ConfigError, match=f"The ledger {path} can't be used: file is not a database"
    ) as caught:
        open_ledger(str(path))
    assert "move it away" in caught.value.hint


def test_locked_file_says_so(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgproof.ledger.store._BUSY_MS", 50)
    other = open_ledger(ledger.address)
    holder = sqlite3.connect(ledger.address, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ConfigError, match="database is locked") as caught:
        other.record_run("check", "x", {})
    holder.close()
    assert "Another program holds the file" in caught.value.hint


def test_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be written") as caught:
        open_ledger(str(tmp_path / "file" / "ledger.db"))
    assert "another ledger" in caught.value.hint


def test_file_is_for_its_owner_only(ledger: Ledger) -> None:
    assert Path(ledger.address).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["mysql://root:secret@host/x", "http://u:secret@host", "sqlite://", "://"])
def test_other_addresses_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_ledger(url)
    assert "secret" not in str(caught.value) + caught.value.hint


def _journal(count: int) -> tuple[JournalEntry, ...]:
    lines: list[JournalEntry] = []
    for step in range(count):
        previous = lines[-1] if lines else None
        lines.append(
            next_entry(
                previous, JournalEvent.INTENT, at=AT, direction="forward", change=0, step=step, sql="ANALYZE"
            )
        )
    return tuple(lines)


def _state(previous: JournalEntry, detail: str) -> JournalEntry:
    return next_entry(previous, JournalEvent.STATE, at=datetime.now(UTC), direction="forward", detail=detail)
