"""Values from live rows: they meet rows, whatever the types and however odd the names."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.workload import ParameterSet, ParameterSource, Workload, WorkloadStatement
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.testing.servers import run_statement, temporary_database

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE SCHEMA "Größe";
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN quantity AS int CHECK (VALUE > 0);
CREATE TYPE point2 AS (x int, y int);
CREATE TABLE "Größe"."Order" (
    "select" int PRIMARY KEY, "Kunde" uuid NOT NULL UNIQUE, mood mood, qty quantity, at point2,
    tags text[], doc jsonb, words tsvector, "naïve" timestamptz NOT NULL, amount numeric(10, 2));
INSERT INTO "Größe"."Order"
SELECT g, md5(g::text)::uuid, (ARRAY['glad', 'sad'])[1 + g % 2]::mood, 1 + g % 7, ROW(g % 5, 1)::point2,
       ARRAY['tag' || g % 10, 'it''s "q"'], jsonb_build_object('kind', 'k' || g % 4, 'n', g),
       to_tsvector('simple', 'word' || g % 20),
       timestamptz '2025-01-01' + g * interval '1 hour', g / 3.0
FROM generate_series(1, 3000) g;
CREATE TABLE items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "orderId" int NOT NULL REFERENCES "Größe"."Order",
    sku text NOT NULL UNIQUE, note text);
INSERT INTO items ("orderId", sku, note)
SELECT 1 + g % 3000, 'sku-' || g, CASE WHEN g % 3 = 0 THEN '100% "good"_' || g END
FROM generate_series(1, 6000) g;
CREATE VIEW counted AS SELECT o."select", o.mood,
    (SELECT count(*) FROM items i WHERE i."orderId" = o."select") AS n
FROM "Größe"."Order" o;
CREATE TABLE parted (day date NOT NULL, v int) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
INSERT INTO parted SELECT date '2025-01-01' + g % 50, g FROM generate_series(1, 1000) g;
CREATE TABLE empty (id int PRIMARY KEY, t text);
CREATE TABLE first_rows (
    kunde uuid NOT NULL REFERENCES "Größe"."Order" ("Kunde"),
    sku text NOT NULL REFERENCES items (sku), n int);
ANALYZE;
"""

MEETS_ROWS = {
    "reserved and not ASCII": 'SELECT * FROM "Größe"."Order" WHERE "select" = $1',
    "uuid": 'SELECT * FROM "Größe"."Order" WHERE "Kunde" = $1',
    "enum": 'SELECT * FROM "Größe"."Order" WHERE mood = $1 AND qty = $2',
    "composite": 'SELECT * FROM "Größe"."Order" WHERE at = $1::point2',
    "jsonb contains": 'SELECT * FROM "Größe"."Order" WHERE doc @> $1',
    "jsonb has key": 'SELECT * FROM "Größe"."Order" WHERE doc ? $1',
    "jsonb path and value": 'SELECT * FROM "Größe"."Order" WHERE doc ->> $1 = $2',
    "array contains": 'SELECT * FROM "Größe"."Order" WHERE tags @> $1',
    "element of an array": 'SELECT * FROM "Größe"."Order" WHERE $1 = ANY (tags)',
    "any of an array": 'SELECT * FROM "Größe"."Order" WHERE "select" = ANY ($1)',
    "list": 'SELECT * FROM "Größe"."Order" WHERE "select" IN ($1, $2, $3)',
    "full text": 'SELECT * FROM "Größe"."Order" WHERE words @@ $1::tsquery',
    "between": 'SELECT * FROM "Größe"."Order" WHERE "naïve" BETWEEN $1 AND $2',
    "half-open window": 'SELECT * FROM "Größe"."Order" WHERE "naïve" >= $1 AND "naïve" < $2 AND mood = $3',
    "open range": 'SELECT * FROM "Größe"."Order" WHERE amount > $1 ORDER BY amount LIMIT $2',
    "keyset": 'SELECT * FROM "Größe"."Order" WHERE ("naïve", "select") > ($1, $2) ORDER BY 1 LIMIT 5',
    "expression": "SELECT * FROM items WHERE lower(sku) = lower($1)",
    "contains a text with wildcards": "SELECT * FROM items WHERE note ILIKE $1",
    "prefix": "SELECT * FROM items WHERE sku LIKE $1 || '%'",
    "joined": """SELECT * FROM items i JOIN "Größe"."Order" o ON o."select" = i."orderId"
                 WHERE o."Kunde" = $1 AND i.sku = $2""",
    "null elsewhere": "SELECT * FROM items WHERE note IS NOT NULL AND sku = $1",
    "view": "SELECT * FROM counted WHERE mood = $1 AND n = $2",
    "partitions": "SELECT * FROM parted WHERE day = $1 AND v >= $2",
    "subquery": """SELECT * FROM items
                   WHERE "orderId" IN (SELECT "select" FROM "Größe"."Order" WHERE "Kunde" = $1)""",
    "change": "UPDATE items SET note = $1 WHERE sku = $2",
    "removal": "DELETE FROM items WHERE id = $1",
    "new row": 'INSERT INTO items ("orderId", sku, note) VALUES ($1, $2, $3)',
    "new row with a key": """INSERT INTO "Größe"."Order" ("select", "Kunde", mood, qty, "naïve")
                             VALUES ($1, $2, $3, $4, $5)""",
    "upsert": 'INSERT INTO items ("orderId", sku) VALUES ($1, $2) ON CONFLICT (sku) DO UPDATE SET note = $3',
    "first rows of a table": "INSERT INTO first_rows (kunde, sku, n) VALUES ($1, $2, $3)",
    "arithmetic": 'UPDATE "Größe"."Order" SET amount = amount + $1 WHERE "select" = $2',
    "interval": 'SELECT count(*) FROM "Größe"."Order" WHERE "naïve" > now() - $1::interval',
    "date_trunc": "SELECT date_trunc($1, now())",
}


@pytest.fixture(scope="module")
def odd(pg_server: EmbeddedServer) -> Iterator[Session]:
    with temporary_database(pg_server) as dsn:
        with open_session(dsn) as session:
            run_statement(pg_server, SCHEMA, session.database)
        with open_session(dsn, read_only=False) as session:
            yield session


def statement_of(sql: str) -> WorkloadStatement:
    query = make_query(parse_statement(sql))
    assert query is not None
    return WorkloadStatement(name="it", query=query, calls=1)


@cache
def catalog_of(session: Session) -> Catalog:
    return read_catalog(session)


def fill(session: Session, sql: str, seed: int = 1) -> WorkloadStatement:
    workload = Workload((statement_of(sql),), "test")
    return fill_parameters(session, catalog_of(session), workload, seed=seed).statements[0]


@pytest.mark.parametrize("sql", MEETS_ROWS.values(), ids=MEETS_ROWS)
def test_values_meet_rows(odd: Session, sql: str) -> None:
    statement = fill(odd, sql)
    assert statement.parameter_sets, statement.notes
    met = []
    for given in statement.parameter_sets:
        with odd.rolled_back():
            met.append(odd.run(sql, given.values).row_count)
    assert sum(count > 0 for count in met) >= 0.7 * len(met), met
    assert not any("refused" in note for note in statement.notes)


def test_same_seed_gives_the_same_values(odd: Session) -> None:
    sql = MEETS_ROWS["half-open window"]
    assert fill(odd, sql) == fill(odd, sql)
    assert fill(odd, sql).parameter_sets != fill(odd, sql, seed=2).parameter_sets


def test_sets_differ_and_rare_values_are_among_them(odd: Session) -> None:
    with odd.rolled_back():
        odd.run("UPDATE items SET note = 'rare' WHERE id IN (17, 4711)")
        odd.run("UPDATE items SET note = 'common' WHERE note IS DISTINCT FROM 'rare' AND id % 2 = 0")
        odd.run("UPDATE items SET note = 'often' WHERE note NOT IN ('rare', 'common')")
        statement = fill(odd, "SELECT * FROM items WHERE note = $1")
    values = {given.values[0] for given in statement.parameter_sets}
    assert {"common", "often"} <= values
    assert sum(given.weight for given in statement.parameter_sets) == 20


def test_new_rows_can_all_be_inserted_one_after_the_other(odd: Session) -> None:
    for name in ("new row", "new row with a key"):
        with odd.rolled_back():
            for given in fill(odd, MEETS_ROWS[name]).parameter_sets:
                odd.run(MEETS_ROWS[name], given.values)


def test_reader_without_the_right_to_read_rows_gets_values_of_the_statistics(
    pg_server: EmbeddedServer, odd: Session
) -> None:
    """Rows of a table without SELECT stay unread; what the catalog was read with still has statistics."""
    catalog = read_catalog(odd)
    run_statement(pg_server, "CREATE ROLE blind_reader LOGIN", odd.database)
    try:
        odd.run("SET ROLE blind_reader")
        workload = Workload((statement_of('SELECT * FROM items WHERE "orderId" = $1'),), "test")
        statement = fill_parameters(odd, catalog, workload, seed=1).statements[0]
    finally:
        odd.run("RESET ROLE")
        run_statement(pg_server, "DROP ROLE blind_reader", odd.database)
    # EXPLAIN needs the right as well, so no set survives; but nothing breaks and the note tells.
    assert statement.parameter_sets == ()
    assert any("SQLSTATE 42501" in note for note in statement.notes)
    assert any("statistics" in note for note in statement.notes)


def test_empty_table_gives_values_by_type(odd: Session) -> None:
    statement = fill(odd, "SELECT * FROM empty WHERE id = $1 AND t = $2")
    assert statement.parameter_sets
    assert {given.source for given in statement.parameter_sets} == {ParameterSource.GENERATED}
    assert statement.notes == ("No row was found to take values from: values are made up by type.",)


def test_statement_the_server_does_not_know_keeps_a_note(odd: Session) -> None:
    statement = fill(odd, "SELECT * FROM nowhere WHERE id = $1")
    assert statement.parameter_sets == ()
    assert statement.notes[0].startswith("No values: the server does not accept the text: ")


def test_values_stay_out_of_the_notes(odd: Session) -> None:
    for sql in MEETS_ROWS.values():
        statement = fill(odd, sql)
        values = {v for given in statement.parameter_sets for v in given.values if v and len(v) > 6}
        assert not [v for v in values for note in statement.notes if v in note]


def test_values_the_server_refuses_are_dropped_and_counted(odd: Session) -> None:
    """The server can't read an untyped composite value, whoever sends it."""
    statement = fill(odd, 'SELECT * FROM "Größe"."Order" WHERE at = $1')
    assert statement.parameter_sets == ()
    assert statement.notes == (
        "The server refused 5 of 5 sets of values (SQLSTATE 0A000). "
        "No values are left: give some in a workload file.",
    )


def test_statement_with_values_keeps_them(odd: Session) -> None:
    given = replace(
        statement_of("SELECT * FROM items WHERE id = $1"), parameter_sets=(ParameterSet(("-1",), weight=3),)
    )
    workload = Workload((given,), "test")
    assert fill_parameters(odd, read_catalog(odd), workload, seed=1) == workload
