"""Schema dumps and copies, between all PostgreSQL versions at hand."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.errors import CapabilityMissing, EmbeddedServerError, Unreachable
from pgproof.postgres import dump_programs
from pgproof.postgres.accounts import new_id
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.carried_statistics import CARRYING_MAJOR
from pgproof.postgres.dump import copy_database, dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.testing.servers import ServerPool, installs_to_test, run_statement

pytestmark = pytest.mark.pg

NASTY = (Path(__file__).parent / "nasty.sql").read_text(encoding="utf-8")
ROWS = """SELECT (SELECT count(*) FROM "Sélect"."order"), (SELECT count(*) FROM item),
                 (SELECT count(*) FROM event), (SELECT count(*) FROM "a view"),
                 (SELECT count(*) FROM summary), (SELECT count(*) FROM bag)"""


@pytest.fixture
def nasty(pg_server: EmbeddedServer, database: str) -> str:
    run_statement(pg_server, NASTY, str(conninfo_to_dict(database)["dbname"]))
    return database


@pytest.fixture
def copies() -> Iterator[Callable[[EmbeddedServer], str]]:
    """Names for copies; they are dropped afterwards."""
    made: list[tuple[EmbeddedServer, str]] = []

    def name(server: EmbeddedServer) -> str:
        made.append((server, f'Copy "{new_id()}"'))
        return made[-1][1]

    yield name
    for server, copy in made:
        quoted = copy.replace('"', '""')
        run_statement(server, f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)')


def leftovers(server: EmbeddedServer) -> list[Path]:
    return list(server.data_dir.parent.glob("pgproof-dump-*"))


def databases(server: EmbeddedServer) -> set[str]:
    return set(run_statement(server, "SELECT datname FROM pg_database").splitlines())


@pytest.mark.parametrize("install", installs_to_test(), ids=lambda install: f"to{install.major}")
def test_a_copy_has_all_rows(
    nasty: str,
    pg_servers: ServerPool,
    install: Binaries,
    copies: Callable[[EmbeddedServer], str],
) -> None:
    target = pg_servers.server(install)
    name = copies(target)
    told: list[str] = []
    report = copy_database(nasty, target, name, progress=lambda task, done=0, total=0: told.append(task))
    assert (report.skipped, report.lost_tables, report.locale_note) == ((), (), "")
    assert report.notes == report.statistics
    carries = install.major >= CARRYING_MAJOR
    assert report.seconds > 0
    assert report.bytes > 1_000_000
    assert list(dict.fromkeys(told)) == [
        "dumping the source",
        "restoring the copy",
        "building the copy's indexes",
        *(["vacuuming the copy", "restoring the source's statistics"] if carries else ["analysing the copy"]),
    ]
    with open_session(nasty) as source, open_session(target.dsn(name)) as copy:
        assert copy.run(ROWS).rows == source.run(ROWS).rows == [(5000, 10000, 2000, 5000, 2, 1)]
        assert copy.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        assert copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 'item'") > 0, "analysed"
        assert copy.value("SELECT relallvisible > 0 FROM pg_class WHERE relname = 'item'") or carries, (
            "vacuumed"
        )
    assert leftovers(target) == []


def test_what_can_not_be_copied_is_said_in_plain_words(
    pg_server: EmbeddedServer,
    nasty: str,
    copies: Callable[[EmbeddedServer], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dump is changed on its way, so that it names an extension that the target lacks."""
    honest = dump_programs.run_program

    def damage(binaries: Binaries, program: str, args: list[str], dsn: str, **rest: Any) -> Any:
        if program == "pg_restore":
            toc = Path(args[-1]) / "toc.dat"
            toc.write_bytes(toc.read_bytes().replace(b"EXISTS hstore", b"EXISTS hstoxx"))
        return honest(binaries, program, args, dsn, **rest)

    monkeypatch.setattr("pgproof.postgres.dump.run_program", damage)
    report = copy_database(nasty, pg_server, copies(pg_server))
    assert report.lost_tables == ("public.bag",)
    assert report.notes[0] == "the copy lacks the rows of: public.bag"
    assert (
        'CREATE EXTENSION IF NOT EXISTS hstoxx WITH SCHEMA public: extension "hstoxx" is not available'
        in report.skipped
    )
    assert 'CREATE TABLE public.bag: type "public.hstore" does not exist' in report.skipped
    assert not [line for line in report.skipped if "item" in line]


def test_a_failed_copy_leaves_nothing(
    nasty: str,
    pg_server: EmbeddedServer,
    copies: Callable[[EmbeddedServer], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = databases(pg_server)

    def interrupt(task: str, done: float = 0, total: float = 0) -> None:
        if task == "restoring the copy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(nasty, pg_server, copies(pg_server), progress=interrupt)
    assert databases(pg_server) == before
    assert leftovers(pg_server) == []


def test_an_interrupted_program_is_ended(
    nasty: str, pg_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def spy(*args: Any, **rest: Any) -> Any:
        started.append(real(*args, **rest))
        return started[-1]

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", spy)
    with open_session(nasty, read_only=False) as blocker, blocker.rolled_back():
        blocker.run("LOCK TABLE item")  # pg_dump waits for it
        with pytest.raises(KeyboardInterrupt):
            dump_programs.run_program(pg_server.binaries, "pg_dump", ["-s"], nasty, on_tick=interrupt)
    assert [process.poll() is not None for process in started] == [True]


def test_missing_privileges_are_told_before_anything_is_made(
    nasty: str, pg_server: EmbeddedServer, copies: Callable[[EmbeddedServer], str]
) -> None:
    run_statement(pg_server, 'CREATE ROLE "no Body" LOGIN')
    dsn = make_conninfo(nasty, user="no Body")
    before = databases(pg_server)
    name = str(conninfo_to_dict(nasty)["dbname"])
    try:
        with pytest.raises(CapabilityMissing, match="a copy would be incomplete") as caught:
            copy_database(dsn, pg_server, copies(pg_server))
        grants = caught.value.hint.splitlines()
        assert 'GRANT USAGE ON SCHEMA "Sélect" TO "no Body";' in grants
        assert 'GRANT SELECT ON TABLE "Sélect"."order" TO "no Body";' in grants
        assert 'GRANT SELECT ON SEQUENCE "Sélect".order_id_seq TO "no Body";' in grants
        assert databases(pg_server) == before
        run_statement(pg_server, "\n".join(grants), name)
        with pytest.raises(CapabilityMissing) as caught:
            copy_database(dsn, pg_server, copies(pg_server))
        assert caught.value.hint == 'ALTER ROLE "no Body" BYPASSRLS;'
        run_statement(pg_server, caught.value.hint, name)
        assert copy_database(dsn, pg_server, copies(pg_server)).skipped == ()
    finally:
        run_statement(pg_server, 'DROP OWNED BY "no Body"; DROP ROLE "no Body"', name)


def test_equal_schemas_dump_to_equal_bytes(nasty: str, pg_server: EmbeddedServer) -> None:
    before = dump_schema(nasty, pg_server.binaries)
    assert b'CREATE TABLE "S\xc3\xa9lect"."order"' in before
    with open_session(nasty, read_only=False) as session:
        session.run("CREATE SCHEMA pgproof")
        session.run("CREATE TABLE pgproof.journal (a int)")
        session.run("INSERT INTO item (line, order_id) VALUES (9, 9)")
        assert dump_schema(nasty, pg_server.binaries) == before, "neither rows nor our own schema count"
        session.run("CREATE INDEX extra ON item (extra)")
        assert dump_schema(nasty, pg_server.binaries) != before
        session.run("DROP INDEX extra")
    assert dump_schema(nasty, pg_server.binaries) == before


def test_why_a_dump_failed(nasty: str, pg_server: EmbeddedServer) -> None:
    with pytest.raises(Unreachable, match="There is no such database"):
        dump_schema(pg_server.dsn("nope"), pg_server.binaries)
    for install in installs_to_test():
        if install.major < pg_server.major:
            with pytest.raises(EmbeddedServerError, match="pg_dump is older than the server"):
                dump_schema(nasty, install)


def test_a_dump_that_may_not_read_names_the_grant_for_its_role(nasty: str, pg_server: EmbeddedServer) -> None:
    run_statement(pg_server, 'CREATE ROLE "no Body" LOGIN')
    dsn = make_conninfo(nasty, user="no Body")
    try:
        with pytest.raises(CapabilityMissing, match="may not read everything") as caught:
            dump_schema(dsn, pg_server.binaries)
        grant, _, rest = caught.value.hint.partition(" (")
        assert grant == 'GRANT pg_read_all_data TO "no Body";'
        assert rest == "PostgreSQL 14 and later), or connect as the owner."
        run_statement(pg_server, grant)
        assert dump_schema(dsn, pg_server.binaries) == dump_schema(nasty, pg_server.binaries)
    finally:
        run_statement(pg_server, 'DROP ROLE "no Body"')


def test_no_password_in_an_argument(
    nasty: str, pg_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = subprocess.Popen

    def spy(argv: list[str], **rest: Any) -> Any:
        seen.extend(argv)
        assert rest["env"]["PGPASSWORD"] == "hunter22"
        return real(argv, **rest)

    monkeypatch.setattr(subprocess, "Popen", spy)
    dump_schema(make_conninfo(nasty, password="hunter22"), pg_server.binaries)
    assert seen
    assert "hunter22" not in " ".join(seen)
