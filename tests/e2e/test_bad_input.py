"""What goes wrong on the user's side ends in a message, a recipe and the documented exit code."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import temporary_database
from tests.e2e.conftest import Command, servers_left

pytestmark = [pytest.mark.pg(">= 18"), pytest.mark.e2e]

SECRET = "S3cr€t%pw"
BLUEPRINT = """
workload: workload.sql
variants:
- name: one
  changes: [CREATE INDEX one ON t (id)]
"""
FILES = {
    "workload.sql": "-- name: one\nSELECT * FROM nothing WHERE id = 1;",
    "empty.sql": "-- nothing here\n",
    "broken.sql": "SET x = 1;\nSELECT x FROM\n  WHERE y = 2;\n",
    "arity.yaml": "statements:\n- name: a\n  sql: SELECT $1 + $2\n  parameters:\n  - [1]\n",
    "typo.yaml": BLUEPRINT.replace("variants", "varaints"),
    "control.yaml": BLUEPRINT.replace("name: one", "name: control"),
    "syntax.yaml": BLUEPRINT.replace("CREATE INDEX", "CREATE INDXE"),
    "table.yaml": BLUEPRINT.replace("[CREATE INDEX one ON t (id)]", "[DROP TABLE t]"),
    "bad.yaml": "workload: [",
    "lost.yaml": BLUEPRINT.replace("workload.sql", "lost.sql"),
    "clients.yaml": BLUEPRINT + "load: {clients: two}\n",
    "seed.yaml": BLUEPRINT + "race: {seed: -1}\n",
    "occupied": "a file where a folder is wanted",
}
CASES = [
    (
        ["check", "host=/nowhere dbname=x user=u"],
        4,
        "error: No server is running at /nowhere:5432/x.\n",
    ),
    (
        ["check", "host={socket} user=postgres dbname=lost"],
        4,
        "error: There is no such database on {socket}:5432/lost.\n"
        "List the databases with psql -l; names are case-sensitive.",
    ),
    (
        ["check", "this is no address"],
        2,
        "error: The connection string can't be read.\nWrite it as postgresql://",
    ),
    (
        ["capture", "{plain}", "--out", "{folder}/w.json"],
        4,
        "error: The workload can't be read from {address}: pg_stat_statements is not installed in this "
        "database.\nCREATE EXTENSION pg_stat_statements; -- in database {database}",
    ),
    (
        ["advise", "{plain}", "--out", "{folder}/b.yaml"],
        4,
        "error: The workload can't be read from {address}: pg_stat_statements is not installed in this "
        "database.\nCREATE EXTENSION pg_stat_statements; -- in database {database}",
    ),
    (
        ["check", "{plain}", "--workload", "{folder}/empty.sql"],
        2,
        "error: {folder}/empty.sql: the script holds no query\n"
        "Write the statements your application sends, separated by semicolons.",
    ),
    (
        ["check", "{plain}", "--workload", "{folder}/broken.sql"],
        2,
        'error: {folder}/broken.sql:3:3: syntax error at or near "WHERE"',
    ),
    (
        ["advise", "{plain}", "--workload", "{folder}/workload.sql"],
        2,
        "error: None of the workload's statements can be planned: one can't be explained: The statement "
        'names a table that is not there, or not on the search path: relation "nothing" does not exist.\n'
        "Check name, schema and search_path; read the catalog again if it was dropped meanwhile.",
    ),
    (
        ["check", "{plain}", "--workload", "{folder}/arity.yaml"],
        2,
        "error: {folder}/arity.yaml:5:5: the parameter set has 1 values, the statement has 2 placeholders\n"
        "Give one value for each placeholder, $1 first.",
    ),
    (
        ["check", "{plain}", "--workload", "{folder}/lost.json"],
        2,
        "error: {folder}/lost.json: there is no such file\n"
        "Check the path; pgproof capture --out FILE writes one.",
    ),
    (
        ["check", "{plain}", "--json", "{folder}/occupied/x.json"],
        2,
        "error: --json: {folder}/occupied/x.json can't be written: File exists.\n"
        "Name a file in a folder you may write to.",
    ),
    (
        ["advise", "{plain}", "--out", "{folder}/occupied/b.yaml"],
        2,
        "error: --out: {folder}/occupied/b.yaml can't be written: File exists.\n"
        "Name a file in a folder you may write to.",
    ),
    (
        ["advise", "{plain}", "--budget", "much"],
        2,
        "error: 'much' is not a size.\nWrite a number and a unit: 500MB, 2GB, 800kB.",
    ),
    (
        ["compete", "{folder}/typo.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/typo.yaml:3:1: a blueprint has no key 'varaints'.\nDid you mean 'variants'?",
    ),
    (
        ["compete", "{folder}/control.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/control.yaml:4:9: a variant can't be called 'control'.\n"
        "The competition adds the control and the canary; choose another name.",
    ),
    (
        ["compete", "{folder}/syntax.yaml", "--against", "{plain}"],
        2,
        'error: {folder}/syntax.yaml:5:20: syntax error at or near "INDXE"',
    ),
    (
        ["compete", "{folder}/table.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/table.yaml:5:13: a change can't be this statement: DROP TABLE t\n"
        "Known statements: CREATE INDEX, CREATE EXTENSION, ANALYZE of one table, CREATE STATISTICS,\n"
        "ALTER TABLE ... ALTER COLUMN ... SET STATISTICS n, ALTER TABLE ... SET (one parameter = value),\n"
        "ALTER DATABASE ... SET one parameter, ALTER SYSTEM SET one parameter,\n"
        "CREATE MATERIALIZED VIEW ... AS SELECT.",
    ),
    (
        ["compete", "{folder}/bad.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/bad.yaml:1:12: not valid YAML: expected the node content, but found "
        "'<stream end>'.\n"
        "Check the indentation, and quote texts that hold ': ' or begin with one of % @ * & ! [ {{.",
    ),
    (
        ["compete", "{folder}/lost.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/lost.yaml:2:11: {folder}/lost.sql: there is no such file\n"
        "Check the path; pgproof capture --out FILE writes one.",
    ),
    (
        ["compete", "{folder}/clients.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/clients.yaml:6:17: load.clients must be a whole number.",
    ),
    (
        ["compete", "{folder}/seed.yaml", "--against", "{plain}"],
        2,
        "error: {folder}/seed.yaml:6:14: race.seed must be at least 0, not -1.",
    ),
    (
        ["compete", "{folder}/table.yaml", "--out", "{folder}/occupied"],
        2,
        "error: --out: the folder {folder}/occupied can't be written: File exists.\n"
        "Name a folder you may write to.",
    ),
    (
        ["deploy", "r-lost", "--to", "{plain}", "--yes"],
        2,
        "error: There is no run r-lost in the ledger\n`pgproof runs` lists them.",
    ),
    (
        ["revert", "d-lost", "--to", "{plain}"],
        2,
        "error: There is no run d-lost in the ledger\n`pgproof runs` lists them.",
    ),
    (
        ["report", "r-lost"],
        2,
        "error: There is no run r-lost in the ledger\n`pgproof runs` lists them.",
    ),
]


@pytest.fixture(scope="module")
def place(pg_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What stands for the words in braces: a folder with files, a database without an extension."""
    folder = tmp_path_factory.mktemp("bad")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with temporary_database(pg_server) as dsn:
        database = dsn.split("dbname=")[1]
        folder_of_socket = pg_server.socket_dir
        yield {
            "folder": str(folder),
            "plain": dsn,
            "database": database,
            "socket": str(folder_of_socket),
            "address": f"{folder_of_socket}:{pg_server.port}/{database}",
        }


@pytest.mark.parametrize(
    ("arguments", "code", "message"), CASES, ids=[" ".join(case[0])[:48] for case in CASES]
)
def test_bad_input(
    arguments: list[str], code: int, message: str, place: dict[str, str], pgproof: Command, home: Path
) -> None:
    words = [argument.format(**place) for argument in arguments]
    outcome = pgproof(*words)
    assert outcome.code == code, outcome.err
    wanted = message.format(**place)
    assert outcome.message.startswith(wanted) if wanted.endswith(("\n", "://")) else outcome.message == wanted
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert servers_left(home) == []

    if "--json" not in words:  # the same, as the only object on standard output
        told = pgproof(*words, "--json", "-").document
        assert told["exit_code"] == code
        assert f"error: {told['message']}\n{told['hint']}".strip() == outcome.message


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://postgres:S3cr%E2%82%ACt%25pw@127.0.0.1:{port}/postgres",
        "host=127.0.0.1 port={port} user=postgres dbname=postgres password=" + SECRET,
        "host=127.0.0.1 port={port} user=postgres dbname=postgres",
    ],
    ids=["url", "key=value", "PGPASSWORD"],
)
def test_a_password_is_never_shown(
    address: str, unused_port: int, pgproof: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    file = tmp_path / "error.json"
    for arguments in (("check",), ("capture",), ("check", "--json", "-"), ("check", "--json", file)):
        outcome = pgproof(arguments[0], address.format(port=unused_port), *arguments[1:])
        assert outcome.code == 4
        assert outcome.message.startswith(f"error: No server is running at 127.0.0.1:{unused_port}/postgres.")
        for shown in (SECRET, "S3cr"):
            assert shown not in outcome.out + outcome.err
    assert json.loads(file.read_text("utf-8"))["exit_code"] == 4
    assert "S3cr" not in file.read_text("utf-8")


@pytest.fixture
def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_check_goes_on_without_statements(place: dict[str, str], pgproof: Command) -> None:
    outcome = pgproof("check", place["plain"], "--json", "-")
    assert outcome.code == 0
    skipped = {entry["check"]: entry for entry in outcome.document["skipped"]}
    assert "pg_stat_statements is not installed in this database" in skipped["statements"]["reason"]
    assert skipped["statements"]["hint"].startswith("CREATE EXTENSION pg_stat_statements;")
    assert {"missing-index", "wrapped-column"} <= skipped.keys(), "what could not run is said to be so"


def test_missing_privilege_gives_the_grant(shop: str, pgproof: Command, tmp_path: Path) -> None:
    with psycopg.connect(shop, autocommit=True) as admin:
        admin.execute('CREATE ROLE "Low Röle" LOGIN')
        try:
            other = psycopg.conninfo.make_conninfo(shop, user="Low Röle")
            outcome = pgproof("capture", other, "--out", tmp_path / "w.json")
        finally:
            admin.execute('DROP ROLE "Low Röle"')
    assert outcome.code == 4
    assert outcome.message.endswith('GRANT pg_read_all_stats TO "Low Röle";')


def test_a_home_that_is_none(
    pgproof: Command, monkeypatch: pytest.MonkeyPatch, place: dict[str, str]
) -> None:
    home = f"{place['folder']}/occupied"
    monkeypatch.setenv("PGPROOF_HOME", home)
    for command in (("runs",), ("check", place["plain"]), ("advise", place["plain"]), ("selfcheck",)):
        outcome = pgproof(*command)
        assert outcome.code == 2
        assert outcome.message == (
            f"error: The folder {home} can't be made: File exists.\n"
            "Set PGPROOF_HOME to a folder you may write to."
        )


def test_a_damaged_ledger_is_told_before_the_work(
    pgproof: Command, monkeypatch: pytest.MonkeyPatch, place: dict[str, str], tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    ledger.write_text("no ledger at all " * 100, encoding="utf-8")
    monkeypatch.setenv("PGPROOF_LEDGER_URL", f"sqlite:///{ledger}")
    Path(place["folder"], "good.yaml").write_text(BLUEPRINT, encoding="utf-8")
    outcome = pgproof("compete", f"{place['folder']}/good.yaml", "--against", place["plain"])
    assert outcome.code == 2
    assert outcome.message == (
        f"error: The ledger {ledger} can't be used: file is not a database\n"
        "The file is damaged or not a ledger: move it away, and pgproof makes a new one."
    )
    assert ledger.read_text("utf-8").startswith("no ledger at all"), "it is left as it was"
