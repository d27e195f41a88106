"""Ctrl-C, SIGTERM and a closed terminal: servers and clones are removed, the target is as before."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pgproof.postgres.embedded import EmbeddedServer
from tests.e2e.conftest import counts, dump, servers_left

pytestmark = [pytest.mark.pg(">= 18"), pytest.mark.e2e]

BLUEPRINT = """
workload: workload.sql
variants:
- name: one
  changes:
  - CREATE INDEX order_by_customer ON "Sales Äpp"."order" ("customerId")
"""
WORKLOAD = 'SELECT id FROM "Sales Äpp"."order" WHERE "customerId" = 17;'
PATIENCE_S = 30.0


@pytest.fixture
def start(tmp_path: Path, shop: str) -> Callable[[], "subprocess.Popen[str]"]:
    """Start a long competition in a process and a home of its own."""
    (tmp_path / "workload.sql").write_text(WORKLOAD, encoding="utf-8")
    (tmp_path / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")
    words = ["compete", str(tmp_path / "blueprint.yaml"), "--against", shop, "--time-limit", "60"]

    def begin() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "pgproof", *words, "--json", "-"],
            env=os.environ | {"PGPROOF_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def wait_for(condition: Callable[[], object], what: str) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends_at, what
        time.sleep(0.05)


def processes_of(home: Path) -> list[int]:
    """Servers and programs that work in a home."""
    found = psutil.process_iter(["cmdline"])
    return [p.pid for p in found if any(str(home) in word for word in p.info["cmdline"] or ())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_competition(
    number: signal.Signals,
    start: Callable[[], "subprocess.Popen[str]"],
    tmp_path: Path,
    shop: str,
    pg_server: EmbeddedServer,
) -> None:
    home, before = tmp_path / "home", (dump(pg_server, shop), counts(shop))
    process = start()
    wait_for(lambda: servers_left(home), "no server was started")
    process.send_signal(number)
    process.send_signal(number)  # an impatient user presses twice: the removal must not be interrupted
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert err[err.index("error:") :] == "error: Stopped.\nClones and servers of pgproof are removed.\n"
    assert '"code": "cancelled"' in out
    assert servers_left(home) == []
    assert processes_of(home) == []
    assert (dump(pg_server, shop), counts(shop)) == before


def test_what_a_killed_run_left_goes_with_the_next(
    start: Callable[[], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    killed = start()
    wait_for(lambda: servers_left(home), "no server was started")
    killed.kill()
    killed.communicate()
    left = set(servers_left(home))
    assert left, "a killed process removes nothing"
    following = start()
    wait_for(lambda: set(servers_left(home)) - left, "the next run started no server")
    assert not left & set(servers_left(home)), "the next run removes it"
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=PATIENCE_S)
    assert servers_left(home) == []
    wait_for(lambda: not processes_of(home), "a server still runs")


def test_a_reader_that_leaves(shop: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pgproof", "check", shop]
    process = subprocess.Popen(
        words,
        env=os.environ | {"PGPROOF_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE_S) == 0
