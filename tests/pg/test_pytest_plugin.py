"""The fixtures that ship with pgproof, as a project of somebody else uses them."""

import subprocess
import sys
from pathlib import Path

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import run_statement

pytestmark = pytest.mark.pg


def test_a_database_is_fresh_and_on_the_server_that_was_asked_for(
    pg_server: EmbeddedServer, database: str
) -> None:
    name = database.partition("dbname=")[2].split()[0].strip("'")
    assert (
        run_statement(
            pg_server, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", name
        )
        == "0"
    )
    assert int(run_statement(pg_server, "SHOW server_version_num")) // 10000 == pg_server.major


@pytest.mark.pg(">= 18")
def test_the_marker_chooses_the_version(pg_server: EmbeddedServer) -> None:
    assert pg_server.major >= 18


def inner_run(
    folder: Path, *options: str, ci: str = "", conftest: str = ""
) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(f"pytest_plugins = ['pgproof.testing.pytest_plugin']\n{conftest}")
    (folder / "test_inner.py").write_text(
        "import pytest\n"
        "@pytest.mark.pg('>= 14')\n"
        "def test_it(database): assert 'dbname' in database\n"
        "@pytest.mark.pg('>= 99')\n"
        "def test_future(pg_server): raise AssertionError\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *options, str(folder)],
        env={"PATH": "/usr/bin:/bin", "CI": ci},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


NO_SERVER = "import pgproof.testing.pytest_plugin as p\np.installs_to_test = lambda majors: ()\n"


def test_a_version_that_is_not_at_hand_is_skipped(tmp_path: Path) -> None:
    done = inner_run(tmp_path, "--pg-major=18")
    assert "1 passed, 1 skipped" in done.stdout
    assert "needs PostgreSQL >= 99; at hand: 18" in done.stdout


def test_without_a_server_tests_are_skipped_but_fail_in_ci(tmp_path: Path) -> None:
    assert "2 skipped" in inner_run(tmp_path, conftest=NO_SERVER).stdout
    in_ci = inner_run(tmp_path, ci="true", conftest=NO_SERVER)
    assert in_ci.returncode == 1
    assert "which is an error in CI: no PostgreSQL server is installed" in in_ci.stdout


def test_asking_for_a_version_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = inner_run(tmp_path, "--pg-major=99")
    assert done.returncode != 0
    assert "PostgreSQL 99 is not installed here" in done.stdout + done.stderr
