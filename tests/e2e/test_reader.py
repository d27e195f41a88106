"""Who may only read: writes are captured, get values and are raced; nothing of ours becomes workload."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import run_statement
from tests.e2e.conftest import Command

pytestmark = [pytest.mark.pg, pytest.mark.e2e]

SCHEMA = """
CREATE EXTENSION pg_stat_statements;
CREATE TABLE customer (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, points int NOT NULL);
CREATE TABLE "order" (
  id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer,
  status text NOT NULL CHECK (status IN ('open', 'sent')), total numeric(12, 2) NOT NULL,
  pad text NOT NULL DEFAULT repeat('x', 60));
INSERT INTO customer (email, points) SELECT 'p' || i || '@example.com', 0 FROM generate_series(1, 400) AS i;
INSERT INTO "order" (customer_id, status, total)
  SELECT 1 + i % 400, (ARRAY['open', 'sent'])[1 + least(i % 40, 1)], i % 1000
    FROM generate_series(1, 30000) AS i;
ANALYZE;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reads_only;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reads_only;
"""
NEW_CUSTOMER = "INSERT INTO customer (email, points) VALUES (%s, %s)"
NEW_ORDERS = """INSERT INTO "order" (customer_id, status, total) VALUES (%s, 'open', %s), (%s, 'open', %s)"""
SEND = """UPDATE "order" SET status = 'sent', total = %s WHERE id = %s"""
CHANGE = "UPDATE customer SET email = %s WHERE id = %s"
DROP = """DELETE FROM "order" WHERE customer_id = %s AND status = 'open'"""
ORDERS = """SELECT id, total FROM "order" WHERE customer_id = %s ORDER BY id"""

APPLICATION = {
    "insert_customer",
    "insert_order",
    "update_order",
    "update_customer",
    "delete_order",
    "select_order",
}


@pytest.fixture
def reader(pg_server: EmbeddedServer, database: str) -> Iterator[str]:
    """Connection string of a role with SELECT and pg_read_all_stats."""
    run_statement(pg_server, "CREATE ROLE reads_only LOGIN; GRANT pg_read_all_stats TO reads_only")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SCHEMA)
        name = connection.info.dbname
    yield make_conninfo(database, user="reads_only")
    run_statement(pg_server, "DROP OWNED BY reads_only", name)
    run_statement(pg_server, "DROP ROLE reads_only")


def use(database: str) -> None:
    """Work as an application: half of it by parameters, half with the values in the text."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        for client in (connection.cursor(), psycopg.ClientCursor(connection)):
            binary = isinstance(client, psycopg.ClientCursor)
            for i in range(1, 13):
                client.execute(NEW_CUSTOMER, (f"new {binary} {i}", i))
                client.execute(NEW_ORDERS, (i, i, i + 1, i))
                client.execute(SEND, (i, 40 * i))
                client.execute(CHANGE, (f"changed {binary} {i}", i))
                client.execute(DROP, (200 + i,))
                client.execute(ORDERS, (300 + i,))


def names(document: dict) -> set[str]:
    return {row["name"].rsplit("_", 1)[0] for row in document["statements"]}


def test_writes_of_a_reader_are_raced(database: str, reader: str, pgproof: Command, tmp_path: Path) -> None:
    use(database)
    workload, blueprint, out = tmp_path / "workload.json", tmp_path / "blueprint.yaml", tmp_path / "out"
    assert pgproof("capture", reader, "--out", workload).code == 0
    captured = json.loads(workload.read_text("utf-8"))["statements"]
    writes = [s for s in captured if not s["query"]["read_only"]]
    assert len(writes) == 5
    for statement in writes:
        assert len(statement["parameter_sets"]) >= 5, statement["notes"]
        assert any(note.startswith("Values not checked: ") for note in statement["notes"])

    advised = pgproof("advise", reader, "--workload", workload, "--out", blueprint)
    assert advised.code == 0, advised.err
    raced = pgproof("compete", blueprint, "--against", reader, "--time-limit", 6, "--out", out, "--json", "-")
    assert raced.code == 0, raced.err
    document = raced.document
    assert names(document) == APPLICATION
    assert not any("unmeasured" in note for note in document["notes"])
    gates = [gate for arm in document["variants"] for gate in arm["gates"] if gate["name"] == "write-path"]
    assert gates and all("the control's time" in gate["evidence"] for gate in gates)

    assert pgproof("check", database).code == 0
    assert pgproof("capture", reader, "--out", workload).code == 0
    again = json.loads(workload.read_text("utf-8"))
    assert names(again) == APPLICATION, "what pgproof and pg_dump asked is no workload"
