"""Servers of ours across processes: killed runs, concurrent runs, other users."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pgproof.postgres.accounts import choose_account
from pgproof.postgres.embedded import list_binaries, remove_orphans, start_server
from pgproof.testing.servers import run_statement

pytestmark = pytest.mark.pg

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
MAJORS = [binaries.major for binaries in list_binaries()]
# What root takes by itself is tried on each version, what it takes where namespaces are refused on one.
KILLED = [(None, major) for major in MAJORS] + ([("switch", MAJORS[0])] if os.geteuid() == 0 else [])

RUN = """
import json, sys, time
from pathlib import Path
from pgproof.postgres.embedded import find_binaries, start_server
home, mode, major, wait_s = json.loads(sys.argv[1])
server = start_server(find_binaries(major), home=Path(home), mode=mode, label="run", durable=False)
output = server.run_tool("psql", ["-XAtc", "SELECT 'served'"]).stdout.strip()
print(json.dumps([server.process_id, str(server.data_dir), str(server.socket_dir), output]), flush=True)
time.sleep(wait_s)
"""


def run(
    home: Path, mode: str | None = None, major: int | None = None, wait_s: float = 0
) -> subprocess.Popen[str]:
    arguments = json.dumps([str(home), mode, major, wait_s])
    return subprocess.Popen([sys.executable, "-c", RUN, arguments], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> tuple[int, Path, Path]:
    assert process.stdout is not None
    pid, data_dir, socket_dir, output = json.loads(process.stdout.readline())
    assert output == "served"
    return pid, Path(data_dir), Path(socket_dir)


def end(process: subprocess.Popen[str]) -> None:
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def gone(pid: int, *, within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that initdb runs once for each version; every test leaves it without clusters."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize(("mode", "major"), KILLED)
def test_what_a_killed_run_left_is_removed_by_the_next(home: Path, mode: str | None, major: int) -> None:
    process = run(home, mode, major, wait_s=60)
    pid, data_dir, socket_dir = said(process)
    process.kill()
    end(process)
    assert psutil.pid_exists(pid), "the server outlives a kill -9 of its owner, or this test shows nothing"
    assert data_dir.is_dir()

    removed = remove_orphans(home)

    assert [name.partition("-")[0] for name in removed] == ["run"]
    assert gone(pid)
    assert not data_dir.parent.exists()
    assert not socket_dir.exists()
    assert [path.name for path in (home / "clusters").iterdir()] == [".lock"]


def test_the_next_start_removes_orphans_and_spares_the_living(home: Path) -> None:
    with start_server(home=home, label="living", durable=False) as living:
        killed = run(home, wait_s=60)
        pid, data_dir, _ = said(killed)
        killed.kill()
        end(killed)
        with start_server(home=home, durable=False):
            assert gone(pid)
            assert not data_dir.exists()
            assert living.process_id is not None


def test_a_run_that_forgets_to_stop_stops_at_exit(home: Path) -> None:
    process = run(home)
    pid, data_dir, _ = said(process)
    end(process)
    assert process.returncode == 0
    assert not psutil.pid_exists(pid)
    assert not data_dir.exists()


def test_an_exception_from_a_signal_stops_the_server(home: Path) -> None:
    process = run(home, wait_s=60)
    pid, data_dir, _ = said(process)
    process.send_signal(signal.SIGINT)
    end(process)
    assert not psutil.pid_exists(pid)
    assert not data_dir.exists()


def test_runs_that_start_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    processes = [run(tmp_path, wait_s=0.5) for _ in range(3)]
    pids = {said(process)[0] for process in processes}
    for process in processes:
        end(process)
    assert len(pids) == 3
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [path.name for path in (tmp_path / "clusters").iterdir()] == [".lock"]
    assert len(list(tmp_path.glob("templates/*/made.json"))) == 1
    assert not list(tmp_path.glob("templates/.making-*/made.json"))


def test_an_orphan_cant_have_other_peoples_folders_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    orphan = tmp_path / "home" / "clusters" / "run-0123456789"
    orphan.mkdir(parents=True)
    link = tmp_path / "pgproof-0123456789"
    link.symlink_to(precious)
    (orphan / "owner.json").write_text(json.dumps({"outside": [str(precious), str(link), "/"]}))
    assert remove_orphans(tmp_path / "home") == ("run-0123456789",)
    assert precious.is_dir()
    assert not orphan.exists()


@pytest.mark.parametrize("owner", ["", "{", "[]", '{"outside": 3}'])
def test_an_orphan_with_a_torn_note_is_removed(tmp_path: Path, owner: str) -> None:
    orphan = tmp_path / "clusters" / "run-0123456789"
    orphan.mkdir(parents=True)
    (orphan / "owner.json").write_text(owner)
    assert remove_orphans(tmp_path) == ("run-0123456789",)


def test_a_home_without_clusters_has_no_orphans(tmp_path: Path) -> None:
    assert remove_orphans(tmp_path / "nothing") == ()
    assert not (tmp_path / "nothing").exists()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user can reach, unlike pytest's."""
    folder = Path("/tmp", f"pgproof-test-user-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def as_user(uid: int, work: Callable[[], str]) -> str:
    """Run a function in a fork that has become another user, and return what it says.

    A fork, not a new interpreter: the interpreter itself may lie where that user can't reach it.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            choose_account.cache_clear()
            answer = work()
        except BaseException as error:  # noqa: BLE001 - whatever went wrong, the parent shall show it
            answer = f"{error!r} {getattr(error, 'hint', '')}"
        os.write(writer, answer.encode())
        os._exit(0)  # pytest must not go on here
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


@as_root
@pytest.mark.parametrize(
    ("uid", "mode"), [(65534, "direct"), (54321, "namespace")], ids=["nobody", "no-passwd-entry"]
)
def test_a_plain_user_runs_servers(public_folder: Path, uid: int, mode: str) -> None:
    home = public_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)

    def work() -> str:
        with start_server(home=home, durable=False) as server:
            account = choose_account()
            return f"{os.getuid()} {account.mode} {run_statement(server, 'SELECT current_user')}"

    assert as_user(uid, work) == f"{uid} {mode} postgres"
    assert [path.name for path in (home / "clusters").iterdir()] == [".lock"]
