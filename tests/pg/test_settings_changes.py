"""Settings and statistics on a real server: proposed, raced on clones, deployed and reverted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgproof.changes import apply_steps, refusals, simulate_steps
from pgproof.errors import StepFailed
from pgproof.ledger import Ledger, open_ledger
from pgproof.model.change import (
    Change,
    CloneOnly,
    CreateStatistics,
    SetSetting,
    SetStatisticsTarget,
    SetTableOption,
    SettingScope,
    StatisticsKind,
)
from pgproof.model.machine import Machine, Storage
from pgproof.model.relation import RelationName
from pgproof.model.rollout import RolloutState
from pgproof.model.trial import ArmRole, CloneInfo
from pgproof.model.variant import Variant
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.execute import run_steps
from pgproof.postgres.session import Session, open_session, with_database
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.compete.arms import BuiltArm, build_arm
from pgproof.stages.deploy import deploy_variant, resume_rollout, revert_rollout
from pgproof.stages.propose.settings import propose_settings

pytestmark = pytest.mark.pg

PLACES = RelationName("public", "places")
TOGETHER = CreateStatistics(PLACES, "places_stat", ("city", "zip"), (), tuple(StatisticsKind))
CHANGES: tuple[Change, ...] = (
    TOGETHER,
    SetStatisticsTarget(PLACES, "zip", 300),
    SetTableOption(PLACES, "autovacuum_analyze_scale_factor", "0.03"),
    SetSetting("work_mem", "37MB"),
)
SCHEMA = (
    "CREATE TABLE places (city text, zip text) WITH (fillfactor = 80)",
    "INSERT INTO places SELECT 'c' || i % 50, 'z' || i % 50 FROM generate_series(1, 3000) AS i",
    "ANALYZE places",
)


class TemplateClones:
    """Clones of one database, on its own server."""

    info = CloneInfo("template", "test", "", "", 0.0)

    def __init__(self, dsn: str, admin: Session, template: str) -> None:
        self._dsn, self._admin, self._template = dsn, admin, template
        self.names: list[str] = []

    def make(self, name: str) -> str:
        self._admin.run(
            f"CREATE DATABASE {quote_identifier(name)} TEMPLATE {quote_identifier(self._template)}"
        )
        self.names.append(name)
        return with_database(self._dsn, name)

    def drop(self, name: str) -> None:
        self._admin.run(f"DROP DATABASE IF EXISTS {quote_identifier(name)} WITH (FORCE)")


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        for statement in SCHEMA:
            opened.run(statement)
        yield opened


@pytest.fixture
def build(database: str, session: Session) -> Iterator[Callable[..., BuiltArm]]:
    catalog = read_catalog(session)
    session.close()  # a template may have no visitors
    with open_session(database, database="postgres", read_only=False) as admin:
        host = TemplateClones(database, admin, catalog.database)

        def make(name: str, *changes: Change) -> BuiltArm:
            role: ArmRole = "variant" if changes else "control"
            return build_arm(host, Variant(name, name, changes), role, f"{catalog.database}_{name}", catalog)

        yield make
        for clone in host.names:
            host.drop(clone)


def test_what_is_proposed_for_a_real_server_can_be_done_there(session: Session) -> None:
    catalog = read_catalog(session)
    found = propose_settings(catalog, Machine(16, 64 * 1024**3, Storage.SSD, 200))
    assert {advice.name for advice in found} >= {"random_page_cost", "effective_cache_size", "pool size"}
    for advice in found:
        if advice.change is not None:
            assert refusals(advice.change, catalog) == (), advice.name
        if advice.trial is not None:
            steps = simulate_steps(advice.trial)
            assert not isinstance(steps, CloneOnly)
            with session.rolled_back():
                for step in steps:
                    session.run(step.sql)
                assert session.value(f"SHOW {advice.name}") == advice.proposed


def test_a_database_setting_holds_on_its_arm_alone(build: Callable[..., BuiltArm]) -> None:
    control, arm = build("control"), build("more", *CHANGES)
    assert arm.failure == ""
    assert [step.sql for step in arm.steps][-1].endswith(" SET work_mem = '37MB'")
    assert arm.clone not in arm.steps[-1].sql, "what is shown names the target, not the clone"
    shown = {}
    for built in (control, arm):
        with open_session(built.dsn) as visitor:
            shown[built.name] = visitor.value("SHOW work_mem")
            kinds = visitor.value("SELECT count(*) FROM pg_statistic_ext_data")
            assert kinds == (1 if built is arm else 0), "filled by ANALYZE"
    assert shown["more"] == "37MB"
    assert shown["control"] != "37MB"


def test_a_setting_of_the_server_is_refused_from_the_race(build: Callable[..., BuiltArm]) -> None:
    arm = build("all", SetSetting("work_mem", "37MB", SettingScope.SYSTEM))
    assert arm.failure.startswith(
        "refused: work_mem would be set for the whole server, and all arms share one"
    )
    assert arm.steps == ()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(str(tmp_path / "ledger.db"))


def test_deployed_and_reverted_to_the_same_bytes(
    database: str, session: Session, ledger: Ledger, pg_server: EmbeddedServer
) -> None:
    def dump() -> bytes:
        return dump_schema(database, pg_server.binaries)

    before, settings_before = dump(), session.query("database_settings")
    rollout = deploy_variant(database, CHANGES, run_id="r-1", variant="v", sink=ledger, dump=dump)
    assert rollout.state is RolloutState.APPLIED
    assert not any(note.startswith("Already so") for note in rollout.notes)
    assert dump() != before
    again = deploy_variant(database, CHANGES, run_id="r-1", variant="v", sink=ledger, dry_run=True)
    assert again.changes == (), "all of it is so"
    assert sum(note.startswith("Already so") for note in again.notes) == len(CHANGES)
    reverted = revert_rollout(database, rollout, sink=ledger, dump=dump)
    assert reverted.state is RolloutState.REVERTED
    assert reverted.reverted_schema_equal is True
    assert dump() == before
    assert session.query("database_settings") == settings_before


def test_what_others_changed_since_is_theirs(database: str, session: Session, ledger: Ledger) -> None:
    rollout = deploy_variant(database, CHANGES, run_id="r-1", variant="v", sink=ledger)
    name = quote_identifier(session.database)
    session.run(f"ALTER DATABASE {name} SET work_mem = '50MB'")
    session.run("DROP STATISTICS places_stat")
    revert_rollout(database, rollout, sink=ledger)
    assert [(row.name, row.value) for row in session.query("database_settings")] == [("work_mem", "50MB")]
    assert session.value(
        "SELECT array_to_string(reloptions, ' ') FROM pg_class WHERE relname = 'places'"
    ) == ("fillfactor=80")


def test_a_rollout_that_stopped_half_way_goes_on(database: str, session: Session, ledger: Ledger) -> None:
    bad = SetTableOption(PLACES, "autovacuum_vacuum_scale_factor", "-7")
    with pytest.raises(StepFailed) as caught:
        deploy_variant(database, (TOGETHER, bad), run_id="r-1", variant="v", sink=ledger)
    assert "still made: statistics places_stat" in str(caught.value)
    rollout = ledger.rollout(caught.value.context["rollout"])
    revert_rollout(database, rollout, sink=ledger)
    assert read_catalog(session).statistics == ()


def test_settings_of_the_server_are_deployed_and_taken_back(
    database: str, session: Session, ledger: Ledger
) -> None:
    change = SetSetting("autovacuum_naptime", "55s", SettingScope.SYSTEM)
    before = session.query("system_settings")
    try:
        rollout = deploy_variant(database, (change,), run_id="r-1", variant="v", sink=ledger)
        assert read_catalog(session).find_setting("autovacuum_naptime").system_value == "55s"
        assert resume_rollout(database, rollout, sink=ledger).state is RolloutState.APPLIED
        revert_rollout(database, rollout, sink=ledger)
        assert session.query("system_settings") == before
    finally:
        session.run("ALTER SYSTEM RESET autovacuum_naptime")
        session.run("SELECT pg_reload_conf()")


def test_who_may_not_is_told_before_the_server_says_no(database: str, session: Session) -> None:
    role = f"reader_{session.database}"
    session.run(f"CREATE ROLE {quote_identifier(role)} LOGIN")
    changes = (
        SetSetting("work_mem", "37MB"),
        SetSetting("work_mem", "37MB", SettingScope.SYSTEM),
        SetStatisticsTarget(PLACES, "zip", 300),
        SetTableOption(PLACES, "fillfactor", "90"),
        TOGETHER,
    )
    dsn = f"{with_database(database, session.database)} user='{role}'"
    try:
        with open_session(dsn, read_only=False) as reader:
            catalog = read_catalog(reader)
            assert not catalog.owns_database
            for change in changes:
                assert refusals(change, catalog), change
                outcome = run_steps(reader, apply_steps(change, catalog))[0]
                assert outcome.sqlstate == "42501", (change, outcome.message)
    finally:
        session.run(f"DROP ROLE {quote_identifier(role)}")
