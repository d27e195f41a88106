"""Dumps of a database that a service file names: what is said beside the service counts."""

from pathlib import Path

import pytest

from pgproof.postgres.dsn import read_dsn, without_secrets
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.testing.servers import temporary_database


@pytest.mark.pg
@pytest.mark.parametrize("given", ["service=shop user={user} dbname={dbname}", "user={user} dbname={dbname}"])
def test_a_dump_reads_as_who_was_named_beside_the_service(
    pg_server: EmbeddedServer, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tmp_path / "services.conf"
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    if not given.startswith("service="):
        monkeypatch.setenv("PGSERVICE", "shop")
    with temporary_database(pg_server) as dsn:
        parts = read_dsn(dsn)
        services.write_text(
            f"[shop]\nhost={parts['host']}\nport={parts['port']}\nuser=nobody_here\ndbname=nowhere\n",
            encoding="utf-8",
        )
        with open_session(dsn, read_only=False) as session:
            session.run("CREATE TABLE proof (id int)")
        schema = dump_schema(given.format(**parts), pg_server.binaries)
    assert b"CREATE TABLE public.proof" in schema


def test_no_password_gets_into_an_argument_list() -> None:
    shown = without_secrets("postgresql://me:topsecret@host/db?sslpassword=topsecret&sslmode=require")
    assert "topsecret" not in shown
    assert read_dsn(shown) == {"user": "me", "host": "host", "dbname": "db", "sslmode": "require"}
