"""A runner that dies at any point of a rollout: before or after any journal line, forward and backward.

Death is an exception nothing in the product catches; connections then close as the kernel would close them.
What a killed process adds to that, a backend that goes on building, is in ``test_deploy.py``.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgproof.ledger import Ledger, open_ledger
from pgproof.model.change import AnalyzeTable, Change, CreateExtension, CreateIndex, DropIndex
from pgproof.model.journal import first_broken_line
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.rollout import JournalEntry, Rollout, RolloutState
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.target_journal import read_target_journal
from pgproof.stages.deploy import deploy_variant, resume_rollout, revert_rollout

pytestmark = [pytest.mark.pg, pytest.mark.slow]

T = RelationName("public", "t")
CHANGES: tuple[Change, ...] = (
    CreateExtension("pg_trgm"),
    CreateIndex(T, "by_a", (IndexKey(expression="a + 1"),)),
    DropIndex(RelationName("public", "old"), T, "CREATE INDEX old ON public.t USING btree (a)"),
    AnalyzeTable(T),
)
SCHEMA = (
    "CREATE TABLE t (a int, b text)",
    "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 100) AS i",
    "CREATE INDEX old ON t (a)",
    "CREATE INDEX theirs ON t (b)",
)


class Death(BaseException):
    """The process is gone."""


class MortalSink:
    """A ledger whose process dies at its n-th line, before or after that line is kept."""

    def __init__(self, ledger: Ledger, line: int, *, kept: bool) -> None:
        self._ledger = ledger
        self._lines_left = line
        self._kept = kept

    def record_rollout(self, rollout: Rollout) -> None:
        self._ledger.record_rollout(rollout)

    def journal(self, rollout_id: str) -> tuple[JournalEntry, ...]:
        return self._ledger.journal(rollout_id)

    def append_journal(self, rollout_id: str, entry: JournalEntry) -> None:
        self._lines_left -= 1
        if self._lines_left == 0 and not self._kept:
            raise Death
        self._ledger.append_journal(rollout_id, entry)
        if self._lines_left == 0:
            raise Death


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False, application_name="psql") as opened:
        for statement in SCHEMA:
            opened.run(statement)
        yield opened


@pytest.fixture
def dump(database: str, pg_server: EmbeddedServer) -> Callable[[], bytes]:
    return lambda: dump_schema(database, pg_server.binaries)


def _deploy(database: str, sink: Ledger | MortalSink, dump: Callable[[], bytes]) -> Rollout:
    return deploy_variant(database, CHANGES, run_id="r", variant="v", sink=sink, dump=dump)


def _indexes(session: Session) -> str:
    return str(
        session.value(
            "SELECT string_agg(indexrelid::regclass || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END, ' '"
            " ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass"
        )
    )


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_death_at_every_line_forward(
    kept: bool, database: str, session: Session, tmp_path: Path, dump: Callable[[], bytes]
) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    lines = len(_deploy(database, ledger, dump).journal)
    revert_rollout(database, ledger.rollout("last"), sink=ledger)
    assert lines == 12
    for line in range(1, lines + 1):
        with pytest.raises(Death):
            _deploy(database, MortalSink(ledger, line, kept=kept), dump)
        assert "INVALID" not in _indexes(session)
        resumed = resume_rollout(database, ledger.rollout("last"), sink=ledger)
        assert resumed.state is RolloutState.APPLIED, line
        assert _indexes(session) == "by_a theirs", line
        assert first_broken_line(resumed.journal) is None
        assert read_target_journal(session, resumed.id) == resumed.journal
        reverted = revert_rollout(database, resumed, sink=ledger, dump=dump)
        assert reverted.reverted_schema_equal is True, line
        assert session.value("SELECT to_regnamespace('pgproof') IS NULL") is True


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_death_at_every_line_backward(
    kept: bool, database: str, session: Session, tmp_path: Path, dump: Callable[[], bytes]
) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    forward = _deploy(database, ledger, dump)
    lines = len(revert_rollout(database, forward, sink=ledger).journal) - len(forward.journal)
    assert lines > 6
    for line in range(1, lines + 1):
        rollout = _deploy(database, ledger, dump)
        with pytest.raises(Death):
            revert_rollout(database, rollout, sink=MortalSink(ledger, line, kept=kept))
        finished = revert_rollout(database, ledger.rollout("last"), sink=ledger, dump=dump)
        assert finished.state is RolloutState.REVERTED, line
        assert _indexes(session) == "old theirs", line
        assert session.value("SELECT to_regnamespace('pgproof') IS NULL") is True, line
        assert first_broken_line(finished.journal) is None
        if finished.reverted_schema_equal is None:
            assert line == lines
            assert kept, "only a revert that was over before its death is not compared again"
        else:
            assert finished.reverted_schema_equal is True, line
