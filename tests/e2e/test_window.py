"""Watching a live database for a while: what is counted, and what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.e2e.conftest import BY_CUSTOMER, PAY, Command, load_shop

pytestmark = [pytest.mark.pg, pytest.mark.e2e]

SIGNAL_AFTER_S = 1.5
PATIENCE_S = 30.0


@contextmanager
def application(database: str) -> Iterator[None]:
    """Asks and writes without a pause, until the block ends."""
    ends = threading.Event()

    def work() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            i = 0
            while not ends.is_set():
                i += 1
                connection.execute(BY_CUSTOMER, (1 + i % 500,)).fetchall()
                connection.execute(PAY, (i,))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def test_a_window_under_load(database: str, pgproof: Command, tmp_path: Path) -> None:
    load_shop(database)
    with psycopg.connect(database, autocommit=True) as connection:
        for i in range(9):
            connection.execute('SELECT count(*) FROM "Sales Äpp"."Customer" WHERE "größe" = %s', (i,))
    workload = tmp_path / "workload.json"
    with application(database):
        done = pgproof("capture", database, "--window", 2, "--out", workload)
    assert done.code == 0, done.err
    captured = json.loads(workload.read_text("utf-8"))
    names = {s["name"].rsplit("_", 1)[0]: s for s in captured["statements"]}
    assert set(names) == {"select_order", "update_order"}, "what ran before the window is not in it"
    assert 2.0 <= captured["window_s"] < 4.0
    assert names["select_order"]["calls"] > 20
    assert all(s["parameter_sets"] for s in names.values())
    assert captured["notes"] == []


def test_ctrl_c_in_a_window_keeps_nothing(database: str, tmp_path: Path) -> None:
    load_shop(database)
    words = ["capture", database, "--window", "60", "--out", str(tmp_path / "workload.json")]
    command = subprocess.Popen(
        [sys.executable, "-m", "pgproof", *words],
        env=os.environ | {"PGPROOF_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with application(database), command as process:
        assert process.stderr is not None
        while "watching the workload" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(SIGNAL_AFTER_S)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert not (tmp_path / "workload.json").exists()
    runs = subprocess.run(
        [sys.executable, "-m", "pgproof", "runs", "--json", "-"],
        env=os.environ | {"PGPROOF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(runs.stdout)["runs"] == []
