"""The command line as users call it, with a home of its own, and a small database worth looking at."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgproof.frontends.cli.app import run
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import temporary_database

SCHEMA = """
CREATE SCHEMA "Sales Äpp";
CREATE TYPE "Sales Äpp"."Status" AS ENUM ('new', 'paid', 'it''s odd');
CREATE TABLE "Sales Äpp"."Customer" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "user" text NOT NULL,
  "größe" int
);
CREATE TABLE "Sales Äpp"."order" (
  id bigserial PRIMARY KEY,
  "customerId" bigint NOT NULL REFERENCES "Sales Äpp"."Customer",
  "Status" "Sales Äpp"."Status" NOT NULL,
  total numeric(12, 2) NOT NULL,
  pad text NOT NULL DEFAULT repeat('x', 60)
);
CREATE VIEW "Sales Äpp"."Open Orders" AS
  SELECT o.id, o."customerId", o.total FROM "Sales Äpp"."order" AS o WHERE o."Status" = 'new';
INSERT INTO "Sales Äpp"."Customer" ("user", "größe")
  SELECT 'Nutzer ' || i, i % 200 FROM generate_series(1, 500) AS i;
INSERT INTO "Sales Äpp"."order" ("customerId", "Status", total)
  SELECT 1 + i % 500, (ARRAY['new', 'paid'])[1 + least(i % 40, 1)]::"Sales Äpp"."Status", i % 1000
    FROM generate_series(1, 20000) AS i;
CREATE EXTENSION pg_stat_statements;
ANALYZE;
"""
BY_CUSTOMER = 'SELECT id, total FROM "Sales Äpp"."order" WHERE "customerId" = %s ORDER BY id'
OPEN = 'SELECT count(*) FROM "Sales Äpp"."Open Orders" WHERE total > %s'
PAY = 'UPDATE "Sales Äpp"."order" SET total = total + 1 WHERE id = %s'


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Args:
        code: Exit code.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The only JSON object on standard output."""
        return json.loads(self.out)

    @property
    def message(self) -> str:
        """What is said from the error on, without the lines that tell progress."""
        return self.err[self.err.index("error:") :].strip() if "error:" in self.err else ""


Command = Callable[..., Outcome]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PGPROOF_HOME of these tests: it must hold no server when a command has ended."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def pgproof(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""
    for name in [name for name in os.environ if name.startswith(("PG", "PGPROOF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPROOF_HOME", str(home))

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        shown = capfd.readouterr()
        return Outcome(code, shown.out, shown.err)

    return call


@pytest.fixture(scope="module")
def shop(pg_server: EmbeddedServer) -> Iterator[str]:
    """Connection string of the small database; leave it as you found it."""
    with temporary_database(pg_server) as dsn:
        load_shop(dsn)
        yield dsn


def load_shop(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA)


def use_shop(dsn: str, times: int = 15) -> None:
    """Ask what the application asks, with the server's counters at zero before."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        for i in range(1, times + 1):
            connection.execute(BY_CUSTOMER, (i,)).fetchall()
            connection.execute(OPEN, (i * 50,)).fetchall()
            connection.execute(PAY, (i,))


def dump(server: EmbeddedServer, dsn: str) -> str:
    """The schema as pg_dump writes it, without the random key of each run."""
    text = server.run_tool("pg_dump", ["--schema-only", "--dbname", dsn]).stdout
    return "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(("\\restrict", "\\unrestrict"))
    )


def counts(dsn: str) -> dict[str, int]:
    """Rows of each table, and how many databases, roles and extensions there are."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
            )
        ]
        found = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
        for catalog in ("pg_database", "pg_roles", "pg_extension"):
            found[catalog] = connection.execute(f"SELECT count(*) FROM {catalog}").fetchone()[0]
    return found


def servers_left(home: Path) -> list[str]:
    """Folders of servers that a command left behind."""
    clusters = home / "clusters"
    return [path.name for path in clusters.iterdir() if path.is_dir()] if clusters.is_dir() else []
