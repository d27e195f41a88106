"""The same ledger on a PostgreSQL server."""

import multiprocessing
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pgproof.errors import ConfigError, RolloutError
from pgproof.ledger import open_ledger
from pgproof.ledger.store import open_engine
from pgproof.model.change import AnalyzeTable
from pgproof.model.journal import first_broken_line, next_entry
from pgproof.model.relation import RelationName
from pgproof.model.rollout import JournalEvent, Rollout, RolloutState, TargetIdentity
from pgproof.postgres.dsn import libpq_environment

pytestmark = pytest.mark.pg

ROLLOUT = Rollout(
    "d-1", "r-1", "lean", TargetIdentity("7", "shop", 5, "15.20", "db"),
    (AnalyzeTable(RelationName("s", "t")),), RolloutState.PLANNED,
)  # fmt: skip


@pytest.fixture
def url(database: str) -> str:
    facts = libpq_environment(database)
    user, host, port = facts["PGUSER"], facts["PGHOST"], facts.get("PGPORT", "5432")
    return f"postgresql://{user}@/{facts['PGDATABASE']}?host={host}&port={port}"


def test_runs_and_journal_come_back(url: str) -> None:
    ledger = open_ledger(url)
    ledger.record_rollout(ROLLOUT)
    first = next_entry(None, JournalEvent.STATE, at=datetime.now(UTC), direction="forward", detail="applying")
    ledger.append_journal("d-1", first)
    with pytest.raises(RolloutError, match="another pgproof works on the same rollout"):
        ledger.append_journal("d-1", first)
    again = open_ledger(url)
    assert again.rollout("last").state is RolloutState.APPLYING
    assert again.journal("d-1") == (first,)
    assert first_broken_line(again.journal("d-1")) is None
    for opened in (ledger, again):
        opened.close()


@pytest.mark.parametrize("statement", ["UPDATE {} SET body = ''", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_server_refuses_changes(url: str, statement: str) -> None:
    open_ledger(url).close()
    engine = open_engine(url)
    for table in ("pgproof_runs", "pgproof_journal"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement.format(table)))
    engine.dispose()


def test_processes_make_and_fill_one_ledger(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_runs, args=(url,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    ledger = open_ledger(url)
    assert len(ledger.runs(limit=100)) == 30
    ledger.close()


def _write_runs(url: str) -> None:
    ledger = open_ledger(url)
    for _ in range(10):
        ledger.record_run("check", "shop", {})


def test_wrong_address_is_told_without_password() -> None:
    with pytest.raises(ConfigError, match="can't be used") as caught:
        open_ledger("postgresql://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
