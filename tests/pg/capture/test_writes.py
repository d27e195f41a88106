"""Values for writes: for who may write, for who may only read, and for keys that must be new."""

from collections.abc import Iterator
from functools import cache

import pytest
from psycopg.conninfo import make_conninfo

from pgproof.model.catalog import Catalog
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.testing.servers import run_statement, temporary_database

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE TYPE "Level" AS ENUM ('low', 'high');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE "Customer" (
    id bigint PRIMARY KEY, email text NOT NULL, level "Level" NOT NULL, points positive NOT NULL);
CREATE UNIQUE INDEX ON "Customer" (lower(email));
CREATE TABLE line (
    id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES "Customer", position int NOT NULL,
    low int NOT NULL, high int NOT NULL, note text, CHECK (low < high), UNIQUE (customer_id, position));
INSERT INTO "Customer"
SELECT g, 'p' || g || '@example.com', (ARRAY['low', 'high'])[1 + g % 2]::"Level", 1 + g % 9
FROM generate_series(1, 500) g;
INSERT INTO line (customer_id, position, low, high, note)
SELECT 1 + g % 500, g / 500, g % 7, g % 7 + 1 + g % 3, CASE WHEN g % 2 = 0 THEN 'n' || g END
FROM generate_series(1, 3000) g;
ANALYZE;
CREATE ROLE only_reads LOGIN;
GRANT pg_read_all_data TO only_reads;
"""
SCHEMA_13 = SCHEMA.replace("pg_read_all_data", "pg_read_all_stats") + (
    'GRANT SELECT ON "Customer", line TO only_reads;'
)

WRITES = {
    "new row": 'INSERT INTO "Customer" (id, email, level, points) VALUES ($1, $2, $3, $4)',
    "new rows": "INSERT INTO line (customer_id, position, low, high, note) "
    "VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)",
    "upsert": "INSERT INTO line (customer_id, position, low, high) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (customer_id, position) DO UPDATE SET low = excluded.low, high = excluded.high",
    "change": "UPDATE line SET note = $1 WHERE id = $2",
    "change of a unique column": 'UPDATE "Customer" SET email = $1, level = $2 WHERE id = $3',
    "change of a part of a key": "UPDATE line SET position = $1 WHERE id = $2",
    "removal": "DELETE FROM line WHERE customer_id = $1 AND position = $2",
    "locked": "SELECT * FROM line WHERE id = $1 FOR UPDATE",
}


@pytest.fixture(scope="module")
def roles(pg_server: EmbeddedServer) -> Iterator[tuple[Session, Session]]:
    """The owner's session and the reader's."""
    with temporary_database(pg_server) as dsn, open_session(dsn, read_only=False) as owner:
        try:
            run_statement(pg_server, SCHEMA if owner.major >= 14 else SCHEMA_13, owner.database)
            with open_session(make_conninfo(dsn, user="only_reads")) as reader:
                yield owner, reader
        finally:
            run_statement(pg_server, "DROP OWNED BY only_reads; DROP ROLE only_reads", owner.database)


@cache
def catalog_of(session: Session) -> Catalog:
    return read_catalog(session)


def fill(session: Session, sql: str) -> WorkloadStatement:
    query = make_query(parse_statement(sql))
    assert query is not None
    workload = Workload((WorkloadStatement(name="it", query=query, calls=1),), "test")
    return fill_parameters(session, catalog_of(session), workload, seed=1).statements[0]


@pytest.mark.parametrize("sql", WRITES.values(), ids=WRITES)
def test_values_of_a_reader_work_for_who_may_write(roles: tuple[Session, Session], sql: str) -> None:
    owner, reader = roles
    statement = fill(reader, sql)
    assert len(statement.parameter_sets) >= 10
    assert (
        "Values not checked: this role may not plan writes; compete tries them on a clone." in statement.notes
    )
    touched = []
    for given in statement.parameter_sets:
        with owner.rolled_back():
            touched.append(owner.run(sql, given.values).row_count)
    assert min(touched) >= 1


@pytest.mark.parametrize("sql", WRITES.values(), ids=WRITES)
def test_who_may_write_gets_the_same_values_checked(roles: tuple[Session, Session], sql: str) -> None:
    owner, reader = roles
    assert fill(owner, sql).parameter_sets == fill(reader, sql).parameter_sets
    assert not any("not checked" in note for note in fill(owner, sql).notes)


def test_all_sets_of_new_rows_can_be_inserted_one_after_the_other(roles: tuple[Session, Session]) -> None:
    owner, reader = roles
    for name in ("new row", "new rows"):
        with owner.rolled_back():
            for given in fill(reader, WRITES[name]).parameter_sets:
                owner.run(WRITES[name], given.values)
