"""Plans of a database and of its synthetic copy, side by side; the command and its exit codes."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgproof.config import Settings
from pgproof.model.synthesis import PlanAgreement
from pgproof.pipeline import SynthesisWishes, synthesised
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import ServerPool, installs_to_test, temporary_database

pytestmark = pytest.mark.pg

ZOO = (Path(__file__).parent / "synth_zoo.sql").read_text(encoding="utf-8")
WORKLOAD = """\
statements:
  - name: byKey
    sql: SELECT * FROM "Sélect"."order" WHERE id = 77
  - name: byMail
    sql: SELECT id FROM "Sélect"."order" WHERE mail = 'm5@x'
  - name: ofMood
    sql: SELECT count(*) FROM "Sélect"."order" WHERE feels = 'sad' AND qty < 10
  - name: lines
    sql: |
      SELECT o.id, sum(l.amount) FROM "Sélect"."order" AS o JOIN "Sélect".line AS l ON l.order_id = o.id
       WHERE o.made < '2026-01-05' GROUP BY o.id
  - name: team
    sql: SELECT p.login FROM person AS p JOIN team AS t ON t.id = p.team_id WHERE t.id = 20
  - name: newest
    sql: SELECT * FROM event WHERE at >= '2026-06-01' ORDER BY at LIMIT 10
  - name: tied
    sql: SELECT * FROM tied WHERE city = 44 AND zip = 4
"""


@pytest.fixture
def zoo(fresh_database: Callable[[], str]) -> str:
    dsn = fresh_database()
    fill(dsn)
    return dsn


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    file = tmp_path / "workload.yaml"
    file.write_text(WORKLOAD, encoding="utf-8")
    return file


def fill(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(ZOO)  # type: ignore[arg-type] # our own text


def agreement(dsn: str, home: Path, wishes: SynthesisWishes) -> PlanAgreement:
    with synthesised(Settings(home=home), dsn, wishes) as made:
        found = made.synthesis.agreement
    assert found is not None
    return found


def pgproof(*arguments: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pgproof", *arguments],
        env={"PGPROOF_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("masked", (False, True))
def test_plans_of_a_served_copy_are_those_of_the_source(
    zoo: str, tmp_path: Path, workload: Path, masked: bool
) -> None:
    found = agreement(zoo, tmp_path, SynthesisWishes(serve=True, workload=workload, masked=masked))
    assert found.skipped == ()
    assert len(found.statements) == 7
    assert found.planned_on.startswith("the source itself")
    wrong = [one for one in found.statements if not one.shape_equal]
    assert len(wrong) <= 1, wrong
    assert found.rows_factor is not None
    assert found.rows_factor < 1.5


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize(
    "source", [one for one in installs_to_test() if one.major < 18], ids=lambda one: f"from{one.major}"
)
def test_a_copy_of_another_version_is_compared_with_the_shadow(
    source: object, pg_server: EmbeddedServer, pg_servers: ServerPool, fresh_database: Callable[[], str],
    tmp_path: Path, workload: Path,
) -> None:  # fmt: skip
    with temporary_database(pg_servers.server(source)) as dsn:  # type: ignore[arg-type] # by parametrize
        fill(dsn)
        found = agreement(dsn, tmp_path, SynthesisWishes(to=fresh_database(), workload=workload))
    assert found.planned_on == "the source's shadow (PostgreSQL 18)"
    assert len(found.statements) == 7
    assert found.rows_factor is not None
    assert found.rows_factor < 2


def test_the_command_fails_where_plans_agree_too_little(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path, workload: Path
) -> None:
    codes = {}
    for bar in ("0", "100"):
        document = tmp_path / f"{bar}.json"
        process = pgproof(
            "synth", zoo, "--to", fresh_database(), "--workload", str(workload), "--fail-under", bar,
            "--json", str(document), home=tmp_path,
        )  # fmt: skip
        out, errors = process.communicate(timeout=300)
        assert "plans of equal shape" in out, errors
        assert "holds no row of the source, but values" in " ".join(out.split())
        told = json.loads(document.read_text(encoding="utf-8"))
        codes[bar] = (process.returncode, told["agreement"]["shape_equal_frac"])
    assert codes["0"][0] == 0
    assert codes["100"][0] == (0 if codes["100"][1] == 1 else 1)


def test_a_served_copy_can_be_used_until_somebody_stops_it(zoo: str, tmp_path: Path) -> None:
    process = pgproof("synth", zoo, "--serve", "--no-compare", "--scale", "0.1", home=tmp_path)
    try:
        dsn = ""
        deadline = time.monotonic() + 120
        assert process.stdout is not None
        while not dsn and time.monotonic() < deadline:
            line = process.stdout.readline()
            dsn = found[1] if (found := re.search(r"serving until Ctrl-C: (.*)", line)) else ""
        with psycopg.connect(dsn) as connection:
            counted = connection.execute("SELECT count(*) FROM person").fetchone()
        assert counted == (300,)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert [path.name for path in (tmp_path / "clusters").iterdir() if path.is_dir()] == []


def test_without_a_place_the_command_says_which_there_are(tmp_path: Path) -> None:
    process = pgproof("synth", "host=/nowhere", home=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--serve" in errors
