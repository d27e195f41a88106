"""The database changes on the way from advise to deploy: what no longer fits is refused, nothing is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pgproof.frontends.cli.app import run
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import temporary_database
from tests.e2e.conftest import Command, dump, load_shop, servers_left

pytestmark = [pytest.mark.pg(">= 18"), pytest.mark.e2e]

ORDERS = '"Sales Äpp"."order"'
WORKLOAD = f"""
-- name: by_customer
SELECT id, total FROM {ORDERS} WHERE "customerId" = 17 ORDER BY id;
-- name: broken
SELECT nosuch FROM {ORDERS} WHERE "customerId" = 17;
"""
BLUEPRINT = f"""
name: drift
workload: workload.sql
variants:
- name: one
  changes:
  - CREATE INDEX order_by_customer ON {ORDERS} ("customerId")
"""


@pytest.fixture(scope="module")
def raced(shop: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a competition on the shop whose only variant won, with one statement that fails on every arm."""
    folder = tmp_path_factory.mktemp("drift")
    write_files(folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PGPROOF_HOME", str(home))
        words = ["compete", str(folder / "blueprint.yaml"), "--against", shop, "--time-limit", "3"]
        assert run([*words, "--fail-on", "no-winner"]) == 0
    return "last"


def write_files(folder: Path) -> None:
    (folder / "workload.sql").write_text(WORKLOAD, encoding="utf-8")
    (folder / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")


@contextmanager
def copied(server: EmbeddedServer, sql: str) -> Iterator[str]:
    """Another database with the same tables, changed by some SQL."""
    with temporary_database(server) as dsn:
        load_shop(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql)
        yield dsn


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            f"DROP TABLE {ORDERS} CASCADE",
            "error: There is no table Sales Äpp.order in database {database}, or it is not visible to role "
            "postgres.\nThe schema changed since the proposal: capture and advise again.",
        ),
        (
            f'ALTER TABLE {ORDERS} RENAME COLUMN "customerId" TO buyer',
            "error: Table Sales Äpp.order has no column customerId.\n"
            "The schema changed since the proposal: capture and advise again.",
        ),
        (
            f"CREATE INDEX order_by_customer ON {ORDERS} (total)",
            "error: The name Sales Äpp.order_by_customer is taken by another index, on Sales Äpp.order.\n"
            "Give the new index another name, or drop the old one in an earlier change.",
        ),
    ],
    ids=["table dropped", "column renamed", "name taken"],
)
def test_a_change_that_no_longer_fits_is_refused(
    sql: str, message: str, raced: str, pg_server: EmbeddedServer, pgproof: Command
) -> None:
    with copied(pg_server, sql) as dsn:
        before = dump(pg_server, dsn)
        outcome = pgproof("deploy", raced, "--to", dsn, "--yes")
        assert outcome.code == 3
        assert outcome.message == message.format(database=dsn.split("dbname=")[1])
        assert dump(pg_server, dsn) == before


def test_another_database_of_the_same_schema_takes_the_change(
    raced: str, pg_server: EmbeddedServer, pgproof: Command
) -> None:
    with copied(pg_server, f"DELETE FROM {ORDERS} WHERE id % 2 = 0") as dsn:
        before = dump(pg_server, dsn)
        assert pgproof("deploy", raced, "--to", dsn, "--yes").code == 0
        assert '("customerId")' in dump(pg_server, dsn)
        assert pgproof("revert", "last", "--to", dsn).code == 0
        assert dump(pg_server, dsn) == before
        again = pgproof("revert", "last", "--to", dsn)
        assert (again.code, "reverted" in again.out) == (0, True), "taking back twice does no harm"


def test_a_rollout_is_not_taken_back_elsewhere(
    raced: str, pg_server: EmbeddedServer, pgproof: Command
) -> None:
    with copied(pg_server, "SELECT 1") as one, copied(pg_server, "SELECT 1") as other:
        assert pgproof("deploy", raced, "--to", one, "--yes").code == 0
        before = dump(pg_server, other)
        outcome = pgproof("revert", "last", "--to", other)
        assert outcome.code in (2, 3)
        assert one.split("dbname=")[1] in outcome.message
        assert dump(pg_server, other) == before


def test_a_table_dropped_before_the_race(
    pg_server: EmbeddedServer, pgproof: Command, home: Path, tmp_path: Path
) -> None:
    write_files(tmp_path)
    with copied(pg_server, f"DROP TABLE {ORDERS} CASCADE") as dsn:
        outcome = pgproof("compete", tmp_path / "blueprint.yaml", "--against", dsn, "--time-limit", "3")
    assert outcome.code == 1
    assert outcome.message.startswith("error: ")
    assert "Traceback" not in outcome.err
    assert servers_left(home) == []
