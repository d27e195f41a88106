"""Whole competitions on a real server: who wins, who can't, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pgproof.model.blueprint import Blueprint, Limits, LoadProfile, RacePlan
from pgproof.model.change import CreateIndex
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.trial import ArmRole, CloneInfo, Competition, Verdict
from pgproof.model.variant import Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.stages.compete import manifest, reanalyse, run_selfcheck
from pgproof.stages.compete.clones import CloneHost, open_clones
from pgproof.stages.compete.competition import Held, compete_on
from pgproof.testing.servers import session_home, temporary_database

pytestmark = pytest.mark.pg

TABLE = RelationName("Odd Schema", "Order")
QUOTED = '"Odd Schema"."Order"'

SCHEMA = (
    'CREATE SCHEMA "Odd Schema"',
    f'CREATE TABLE {QUOTED} (id int PRIMARY KEY, "Käufer" int, note text)',
    f"INSERT INTO {QUOTED} SELECT i, i % 2000, repeat('x', 40) || i FROM generate_series(1, 20000) AS i",
    f"ANALYZE {QUOTED}",
)


def statement(
    name: str, sql: str, *values: str, calls: float = 1.0, kind: StatementKind = StatementKind.SELECT
) -> WorkloadStatement:
    query = Query("0" * 16, sql, kind, not kind.writes)
    return WorkloadStatement(name, query, calls, tuple(ParameterSet((value,)) for value in values))


# what five buyers have bought before: five scans of the table, unless there is an index
OF_A_BUYER = (
    f'SELECT o.id, o.note, (SELECT count(*) FROM {QUOTED} AS p WHERE p."Käufer" = o."Käufer") '
    f"FROM {QUOTED} AS o WHERE o.id BETWEEN $1::int AND $1::int + 4"
)

WORKLOAD = Workload(
    (
        statement("of a buyer", OF_A_BUYER, "7", "1999", calls=20),
        statement("one", f"SELECT note FROM {QUOTED} WHERE id = $1", "1", "20000", calls=5),
        statement("sell", f'UPDATE {QUOTED} SET "Käufer" = 3 WHERE id = $1', "9", kind=StatementKind.UPDATE),
        statement("impossible", "SELECT 1 / $1::int", "0"),
        statement("unknown", f"SELECT * FROM {QUOTED} WHERE id = $1"),
    ),
    source="file",
)

VARIANTS = (
    Variant("good", "index the buyer", (CreateIndex(TABLE, "by Käufer", (IndexKey("Käufer"),)),)),
    Variant("useless", "index the note", (CreateIndex(TABLE, "by note", (IndexKey("note"),)),)),
    Variant("broken", "can't be built", (CreateIndex(TABLE, "uq", (IndexKey("Käufer"),), unique=True),)),
    Variant("wrong", "as good, on other data", (CreateIndex(TABLE, "by Käufer", (IndexKey("Käufer"),)),)),
)


class TamperingHost:
    """A clone host that alters one arm's data behind its back."""

    def __init__(self, host: CloneHost, victim: str) -> None:
        self._host = host
        self._victim = victim
        self.info: CloneInfo = host.info
        self.alive: set[str] = set()

    def make(self, name: str) -> str:
        dsn = self._host.make(name)
        self.alive.add(name)
        if name == self._victim:
            with open_session(dsn, read_only=False) as session:
                session.run(f"UPDATE {QUOTED} SET note = 'other' WHERE id = 7")
        return dsn

    def drop(self, name: str) -> None:
        self._host.drop(name)
        self.alive.discard(name)


@dataclass(frozen=True)
class Story:
    held: Held
    host: TamperingHost
    untouched: bool

    @property
    def competition(self) -> Competition:
        return self.held.competition


def hold(dsn: str, pg_server: EmbeddedServer, blueprint: Blueprint) -> tuple[Held, TamperingHost]:
    """Run the competition on a clone server of its own."""
    with open_clones(
        dsn, home=session_home(), arms=6, writes=False, clone_bindir=pg_server.binaries.bindir
    ) as (clones, catalog):
        host = TamperingHost(clones, victim="pgproof_arm_5")
        return compete_on(host, catalog, blueprint), host


@pytest.fixture(scope="module")
def story(pg_server: EmbeddedServer) -> Iterator[Story]:
    """One competition on the server's own major version, looked at by many tests."""
    blueprint = Blueprint(
        "shop",
        "faster orders",
        WORKLOAD,
        VARIANTS,
        load=LoadProfile(clients=2, slice_s=0.25, slices=4),
        limits=Limits(write_slowdown_frac=3.0),
        race=RacePlan(time_limit_s=6, max_rounds=40),
    )
    with temporary_database(pg_server) as dsn:
        with open_session(dsn, read_only=False) as session:
            for sql in SCHEMA:
                session.run(sql)
            session.run(f'ALTER DATABASE "{session.database}" SET random_page_cost = 1.7')
        held, host = hold(dsn, pg_server, blueprint)
        for _ in range(2):
            if not held.competition.void:
                break
            # What else runs on this machine has told identical clones apart: that is no story to look at.
            held, host = hold(dsn, pg_server, blueprint)
        with open_session(dsn) as session:
            indexes = session.value("SELECT count(*) FROM pg_indexes WHERE schemaname = 'Odd Schema'")
        yield Story(held, host, untouched=indexes == 1)


def test_the_good_index_wins_by_far(story: Story) -> None:
    competition = story.competition
    assert competition.winner == "good", competition.decision
    assert competition.interval is not None
    good = competition.arm("good")
    assert good.comparison is not None
    by_buyer = {timing.statement: timing for timing in good.statements}["of a buyer"]
    before = {timing.statement: timing for timing in competition.arm("control").statements}["of a buyer"]
    assert by_buyer.median_ms < before.median_ms / 5
    assert by_buyer.shared_blks is not None
    assert before.shared_blks is not None
    assert by_buyer.shared_blks < before.shared_blks / 5


def test_arms_stand_in_order(story: Story) -> None:
    names = [arm.name for arm in story.competition.arms]
    assert names[:3] == ["control", "good", "useless"]
    assert sorted(names[3:5]) == ["broken", "wrong"]
    assert story.competition.arms[-1].role is ArmRole.CANARY


def test_the_useless_index_does_not_win(story: Story) -> None:
    useless = story.competition.arm("useless")
    assert useless.comparison is not None
    assert useless.comparison.verdict is not Verdict.BETTER
    assert useless.gates_passed


def test_altered_data_fails_the_results_gate_though_it_is_fast(story: Story) -> None:
    wrong = story.competition.arm("wrong")
    failed = [gate for gate in wrong.gates if not gate.passed]
    assert [gate.name for gate in failed] == ["results-equal"]
    assert "of a buyer: other rows than the control's" in failed[0].evidence
    assert wrong.comparison is not None
    assert wrong.comparison.ratio < 0.8
    assert wrong.score is None


def test_a_variant_that_can_not_be_built_says_why_and_does_not_stop_the_others(story: Story) -> None:
    broken = story.competition.arm("broken")
    (gate,) = broken.gates
    assert (gate.name, gate.passed) == ("build", False)
    assert "unique" in gate.evidence
    assert broken.statements == ()


def test_what_could_not_be_measured_is_named(story: Story) -> None:
    assert len(story.competition.skipped) == 2
    assert story.competition.skipped[0].startswith("impossible: fails: ")
    assert story.competition.skipped[1] == "unknown: no values are known for its parameters"


def test_the_canary_is_the_control_again(story: Story) -> None:
    canary = story.competition.arm("canary")
    assert not story.competition.void
    assert canary.comparison is not None
    assert not canary.comparison.interval.excludes(1.0)
    assert canary.comparison.blks_ratio == pytest.approx(1.0, abs=0.02)
    interval = canary.comparison.interval
    assert story.competition.detectable_effect_frac == pytest.approx((interval.high - interval.low) / 2)


def test_plans_build_and_steps_are_kept(story: Story) -> None:
    good = story.competition.arm("good")
    assert good.index_bytes > 0
    assert good.build_ms > 0
    assert good.build_wal_bytes > 0
    assert "CREATE INDEX CONCURRENTLY" in good.apply_sql[0]
    assert "DROP INDEX" in good.revert_sql[0]
    assert good.plans[0].statement == "of a buyer"
    assert "Seq Scan" in good.plans[0].before
    assert "by Käufer" in good.plans[0].after


def test_clients_under_load_have_numbers(story: Story) -> None:
    for name in ("control", "good", "canary"):
        load = story.competition.arm(name).load
        assert load is not None
        assert (load.clients, load.errors) == (2, 0)
        assert load.p50_ms <= load.p95_ms <= load.p99_ms


@pytest.mark.skipif(sys.platform != "linux", reason="on-CPU time is read from /proc")
def test_time_on_cpu_is_read(story: Story) -> None:
    comparison = story.competition.arm("good").comparison
    assert comparison is not None
    assert comparison.cpu_ratio is not None
    assert comparison.cpu_ratio < 0.8


def test_the_target_is_only_read_and_its_settings_come_along(story: Story) -> None:
    assert story.untouched
    plan = story.held.record.seen.plans["control"]["of a buyer"]
    assert plan.settings["random_page_cost"] == "1.7"


def test_all_arms_are_dropped(story: Story) -> None:
    assert story.host.alive == set()


def test_the_manifest_gives_the_same_verdicts_without_a_server(story: Story) -> None:
    before = story.held.record.comparisons
    assert {c.arm: c.verdict for c in reanalyse(manifest(story.held))} == {
        name: comparison.verdict for name, comparison in before.items()
    }


@pytest.mark.pg(">= 18")
def test_nobody_wins_among_equals(pg_server: EmbeddedServer) -> None:
    competition = run_selfcheck(home=session_home(), arms=3, time_limit_s=3, seed=5).competition
    assert competition.winner is None
    assert competition.rounds >= 10
    assert [arm.name for arm in competition.arms if arm.role is ArmRole.VARIANT] == [
        "same-1",
        "same-2",
        "same-3",
    ]
    assert 0 < competition.detectable_effect_frac < 2


SCRIPT = """
import sys
from pathlib import Path
from pgproof.stages.compete import run_selfcheck
def tell(task, done=0, total=0):
    print(task, flush=True)
run_selfcheck(home=Path(sys.argv[1]), arms=1, time_limit_s=60, progress=tell)
"""


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("moment", ["building", "racing"])
def test_control_c_leaves_no_server_and_no_files(
    pg_server: EmbeddedServer, tmp_path: Path, moment: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(moment):
            break
    servers = [child for child in psutil.Process(process.pid).children(recursive=True) if child.is_running()]
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in complaints
    assert servers, "the server was not running when it was interrupted"
    deadline = time.monotonic() + 10
    while any(server.is_running() for server in servers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [server for server in servers if server.is_running()] == []
    assert list(home.rglob("postmaster.pid")) == []
