"""Diagnose on real servers: seeded faults are found, their clean twins are not."""

import threading
import time
from collections.abc import Iterator

import pytest

from pgproof.errors import ServerError
from pgproof.model.finding import Diagnosis, Finding
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.diagnose import diagnose
from pgproof.stages.diagnose.plans import read_plans

pytestmark = pytest.mark.pg

SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, email varchar(80), name text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int REFERENCES customers, status text,
                     created_at timestamptz, day timestamp, note text);
INSERT INTO customers SELECT i, 'c' || i || '@example.org', md5(i::text) FROM generate_series(1, 20000) AS i;
INSERT INTO orders SELECT i, 1 + i * 7919 % 20000, CASE WHEN i % 1000 = 0 THEN 'open' ELSE 'done' END,
                          timestamptz '2026-01-01' + i * interval '1 minute',
                          timestamp '2026-01-01' + i * interval '1 minute', md5(i::text)
                     FROM generate_series(1, 50000) AS i;
CREATE VIEW customer_totals AS
  SELECT c.id, c.name, (SELECT count(*) FROM orders AS o WHERE o.customer_id = c.id) AS orders
    FROM customers AS c
"""

Statements = dict[str, tuple[str, list[str]]]


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False, statement_timeout_ms=60_000) as opened:
        for statement in SHOP.split(";\n"):
            opened.run(statement)
        opened.run("ANALYZE")
        yield opened


def look(session: Session, statements: Statements | None = None) -> Diagnosis:
    """Diagnose as check does, with each statement once with its values."""
    made = tuple(
        WorkloadStatement(
            name, Query("0" * 16, sql, StatementKind.SELECT, True), 1.0, (ParameterSet(tuple(values)),)
        )
        for name, (sql, values) in (statements or {}).items()
    )
    workload = Workload(made, "file")
    plans, skipped = read_plans(session, workload)
    assert skipped == ()
    return diagnose(read_catalog(session), workload if made else None, plans)


def found_by(check: str, diagnosis: Diagnosis) -> list[Finding]:
    return [finding for finding in diagnosis.findings if finding.check == check]


def titles(check: str, diagnosis: Diagnosis) -> list[str]:
    return [finding.title for finding in found_by(check, diagnosis)]


def apply(session: Session, findings: list[Finding]) -> None:
    """Do what the findings say: remedies must be SQL that the server takes."""
    for finding in findings:
        assert finding.remedy_sql, finding.title
        for sql in finding.remedy_sql:
            session.run(sql)


SEARCHES: dict[str, tuple[str, list[str], str]] = {
    "equality": ("SELECT * FROM orders WHERE customer_id = $1", ["5"], "find rows by (customer_id)"),
    "rare value": ("SELECT * FROM orders WHERE status = $1", ["open"], "find rows by (status)"),
    "range": (
        "DELETE FROM orders WHERE created_at < $1",
        ["2026-01-01 01:00+00"],
        "find rows by (created_at)",
    ),
    "update": ("UPDATE orders SET note = '' WHERE customer_id = $1", ["5"], "find rows by (customer_id)"),
    "list": ("SELECT * FROM orders WHERE customer_id IN ($1, $2)", ["5", "6"], "find rows by (customer_id)"),
    "expression": (
        "SELECT * FROM customers WHERE lower(email) = $1",
        ["c5@example.org"],
        "find rows by (lower(email::text))",
    ),
    "varchar": ("SELECT * FROM customers WHERE email = $1", ["c5@example.org"], "find rows by (email)"),
    "day": ("SELECT * FROM orders WHERE day::date = $1", ["2026-01-05"], "find rows by (day::date)"),
    "prefix": ("SELECT * FROM orders WHERE note LIKE 'abc%'", [], "find rows by (note)"),
    "mixed directions": (
        "SELECT * FROM orders ORDER BY status, created_at DESC LIMIT 10",
        [],
        "return the first rows by (status, created_at DESC)",
    ),
    "top of a group": (
        "SELECT * FROM orders WHERE status = $1 ORDER BY created_at DESC, id DESC LIMIT 10",
        ["done"],
        "return the first rows by (status, created_at, id)",
    ),
    "join of few rows": (
        "SELECT o.note FROM customers AS c JOIN orders AS o ON o.customer_id = c.id WHERE c.id IN (1, 2, 3)",
        [],
        "join few rows by (customer_id)",
    ),
    "either": (
        "SELECT * FROM orders WHERE customer_id = $1 OR status = $2",
        ["5", "open"],
        "find rows by (customer_id) and by (status)",
    ),
}


@pytest.mark.parametrize("case", SEARCHES)
def test_a_missing_index_is_found_and_its_remedy_serves(session: Session, case: str) -> None:
    sql, values, purpose = SEARCHES[case]
    before = look(session, {"q": (sql, values)})
    table = "customers" if "email" in sql else "orders"
    assert titles("missing-index", before) == [f"public.{table} is read whole to {purpose}"]
    apply(session, found_by("missing-index", before))
    assert titles("missing-index", look(session, {"q": (sql, values)})) == []


CLEAN: Statements = {
    "primary key": ("SELECT * FROM orders WHERE id = $1", ["5"]),
    "frequent value": ("SELECT count(*) FROM orders WHERE status = $1", ["done"]),
    "whole table": ("SELECT status, count(*) FROM orders GROUP BY status", []),
    "join of all rows": (
        "SELECT c.name, o.note FROM customers AS c JOIN orders AS o ON o.customer_id = c.id",
        [],
    ),
    "any rows": ("SELECT * FROM orders WHERE status = 'done' LIMIT 10", []),
    "all in order": ("SELECT * FROM orders ORDER BY created_at", []),
    "read through a list": (
        "WITH x AS MATERIALIZED (SELECT * FROM orders) SELECT * FROM x WHERE customer_id = 5",
        [],
    ),
    "anti-join": ("SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)", []),
    "few subqueries": (
        "SELECT name, (SELECT 1 FROM orders AS o WHERE o.id = c.id) FROM customers AS c LIMIT 5",
        [],
    ),
    "first page": ("SELECT * FROM orders ORDER BY id LIMIT 10 OFFSET $1", ["20"]),
    "wildcard in a few rows": ("SELECT * FROM orders WHERE id = $1 AND note LIKE $2", ["5", "%a%"]),
    "own size": ("SELECT count(*) FROM pg_catalog.pg_class WHERE relname LIKE '%x%'", []),
}


def test_sound_statements_have_no_findings(session: Session) -> None:
    session.run("CREATE INDEX ON orders (customer_id)")
    assert [finding.title for finding in look(session, CLEAN).findings] == []


def test_a_parallel_plan_says_the_same(session: Session) -> None:
    for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
        session.run(f"SET {setting} = 0")
    statements: Statements = {
        "few": ("SELECT * FROM orders WHERE customer_id = $1", ["5"]),
        "many": ("SELECT count(*) FROM orders WHERE status <> $1", ["open"]),
        "first": ("SELECT * FROM orders ORDER BY created_at LIMIT 10", []),
    }
    assert sorted(titles("missing-index", look(session, statements))) == [
        "public.orders is read whole to find rows by (customer_id)",
        "public.orders is read whole to return the first rows by (created_at)",
    ]


def test_a_value_of_the_wrong_type(session: Session) -> None:
    diagnosis = look(session, {"q": ("SELECT * FROM orders WHERE id = 5.0", [])})
    assert [finding.title for finding in found_by("wrapped-column", diagnosis)] == [
        "public.orders is read whole because id is compared as id::numeric"
    ]
    assert titles("missing-index", diagnosis) == []


def test_a_day_of_a_timestamptz(session: Session) -> None:
    diagnosis = look(session, {"q": ("SELECT * FROM orders WHERE created_at::date = $1", ["2026-01-05"])})
    assert titles("wrapped-column", diagnosis) == [
        "public.orders is read whole because created_at is compared as created_at::date"
    ]


def test_a_subquery_for_each_row_through_a_view(session: Session) -> None:
    statements: Statements = {"totals": ("SELECT * FROM customer_totals WHERE name < $1", ["3"])}
    unindexed = look(session, statements)
    assert titles("missing-index", unindexed) == ["public.orders is read whole to find rows by (customer_id)"]
    assert titles("per-row-subquery", unindexed) == []  # said by the same finding
    apply(session, found_by("missing-index", unindexed))
    indexed = look(session, statements)
    assert titles("missing-index", indexed) == []
    assert len(titles("per-row-subquery", indexed)) == 1


def test_a_leading_wildcard_and_its_trigram_index(session: Session) -> None:
    statements: Statements = {"search": ("SELECT * FROM orders WHERE note ILIKE $1", ["%abc%"])}
    diagnosis = look(session, statements)
    assert titles("leading-wildcard", diagnosis) == ["public.orders is searched for a text anywhere in note"]
    assert titles("missing-index", diagnosis) == []
    finding = found_by("leading-wildcard", diagnosis)[0]
    if finding.remedy_sql:  # without the contrib package there is none, and the remedy says so
        apply(session, [finding])
        assert titles("leading-wildcard", look(session, statements)) == []
    else:
        assert "pg_trgm is not available on this server" in finding.remedy


def test_a_deep_offset(session: Session) -> None:
    page = "SELECT * FROM orders ORDER BY id LIMIT 10 OFFSET $1"
    assert titles("deep-offset", look(session, {"page": (page, ["30000"])})) == [
        "page skips 30,000 rows to show a page"
    ]


def test_duplicate_and_redundant_indexes(session: Session) -> None:
    for sql in (
        "CREATE INDEX a ON orders (created_at)",
        "CREATE INDEX b ON orders (created_at DESC)",
        "CREATE INDEX c ON orders (status)",
        "CREATE INDEX d ON orders (status, created_at)",
        "CREATE INDEX e ON orders (status, created_at DESC)",
        "CREATE UNIQUE INDEX f ON orders (id)",
        "CREATE INDEX g ON orders (note) WHERE status = 'open'",
        "CREATE INDEX h ON orders (note)",
        "CREATE INDEX i ON orders (note text_pattern_ops)",
    ):
        session.run(sql)
    diagnosis = look(session)
    assert sorted(titles("duplicate-index", diagnosis)) == [
        "index public.b is a duplicate of public.a",
        "index public.c repeats the first columns of public.d",
        "index public.f is a duplicate of public.orders_pkey",
    ]
    apply(session, [finding for finding in found_by("duplicate-index", diagnosis) if finding.remedy_sql])
    session.run("DROP INDEX f")
    assert titles("duplicate-index", look(session)) == []


def test_a_build_is_no_leftover_until_it_fails(session: Session, database: str) -> None:
    with (
        open_session(database, read_only=False) as blocker,
        open_session(
            database, read_only=False, statement_timeout_ms=30_000, lock_timeout_ms=30_000
        ) as builder,
    ):
        blocker.run("BEGIN")
        blocker.run("UPDATE orders SET note = note WHERE id = 1")
        failures: list[str] = []

        def build() -> None:
            try:
                builder.run("CREATE INDEX CONCURRENTLY half ON orders (note)")
            except ServerError as error:
                failures.append(error.sqlstate or "")

        thread = threading.Thread(target=build)
        thread.start()
        while not session.value("SELECT count(*) FROM pg_class WHERE relname = 'half'"):
            time.sleep(0.02)
        running = titles("invalid-index", look(session))
        builder.cancel()
        thread.join(timeout=20)
        blocker.run("ROLLBACK")
    assert running == []
    assert failures == ["57014"]
    left = look(session)
    assert titles("invalid-index", left) == ["index public.half is invalid"]
    apply(session, found_by("invalid-index", left))
    assert titles("invalid-index", look(session)) == []


def test_stale_statistics(session: Session) -> None:
    session.run("CREATE TABLE fresh AS SELECT * FROM orders")
    session.run("ALTER TABLE fresh SET (autovacuum_enabled = false)")
    session.run("SELECT count(*) FROM fresh")
    _settle(session)
    diagnosis = look(session)
    assert titles("stale-statistics", diagnosis) == ["public.fresh was never analysed"]
    apply(session, found_by("stale-statistics", diagnosis))
    _settle(session)
    assert titles("stale-statistics", look(session)) == []


def _settle(session: Session) -> None:
    """Wait until the counters of the statements so far are there for all to see."""
    if session.major >= 15:
        session.run("SELECT pg_stat_force_next_flush()")
    deadline = time.monotonic() + 10
    while not session.value(
        "SELECT n_live_tup > 0 AND seq_scan > 0 FROM pg_stat_all_tables WHERE relname = 'fresh'"
    ):
        assert time.monotonic() < deadline, "the counters did not come"
        time.sleep(0.1)


def test_a_foreign_key_without_index(session: Session) -> None:
    diagnosis = look(session)
    assert titles("foreign-key-without-index", diagnosis) == [
        "foreign key orders_customer_id_fkey of public.orders (customer_id) has no index"
    ]
    apply(session, found_by("foreign-key-without-index", diagnosis))
    assert titles("foreign-key-without-index", look(session)) == []


PARTITIONED = (
    "CREATE TABLE events (id bigint, at timestamptz NOT NULL, kind int, user_id int) PARTITION BY RANGE (at)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "INSERT INTO events"
    " SELECT i, timestamptz '2026-01-01 12:00Z' + i % 58 * interval '1 day', i % 10, i % 5000"
    " FROM generate_series(1, 60000) AS i",
)


def test_a_partitioned_table_is_reported_once_and_mended_as_a_whole(session: Session) -> None:
    for sql in PARTITIONED:
        session.run(sql)
    session.run("ANALYZE events_1")
    session.run("ANALYZE events_2")
    assert "partitioned table public.events was never analysed" in titles("stale-statistics", look(session))
    session.run("ANALYZE events")
    statements: Statements = {
        "of user": ("SELECT * FROM events WHERE user_id = $1", ["7"]),
        "first": ("SELECT * FROM events WHERE kind = $1 ORDER BY id LIMIT 3", ["7"]),
    }
    diagnosis = look(session, statements)
    assert titles("stale-statistics", diagnosis) == []
    assert sorted(titles("missing-index", diagnosis)) == [
        "public.events is read whole to find rows by (user_id)",
        "public.events is read whole to return the first rows by (kind, id)",
    ]
    apply(session, found_by("missing-index", diagnosis))
    assert titles("missing-index", look(session, statements)) == []
    assert titles("duplicate-index", look(session, statements)) == []


def test_names_that_need_quotes_and_equal_names_in_two_schemas(session: Session) -> None:
    for sql in (
        'CREATE SCHEMA "Größe"',
        'CREATE TABLE "Größe"."user" ("order" int, "näme" text)',
        'INSERT INTO "Größe"."user" SELECT i, md5(i::text) FROM generate_series(1, 50000) AS i',
        "CREATE SCHEMA old",
        "CREATE TABLE old.orders AS SELECT * FROM orders",
        "ANALYZE",
    ):
        session.run(sql)
    statements: Statements = {
        "a": ('SELECT * FROM "Größe"."user" WHERE "order" = $1', ["5"]),
        "b": ('SELECT * FROM "Größe"."user" AS "Ü" ORDER BY "Ü"."näme" DESC, "order" LIMIT 5', []),
        "c": ("SELECT * FROM orders WHERE id = $1", ["5"]),
        "d": ("SELECT * FROM old.orders WHERE id = $1", ["5"]),
    }
    diagnosis = look(session, statements)
    assert sorted(titles("missing-index", diagnosis)) == [
        "Größe.user is read whole to find rows by (order)",
        "Größe.user is read whole to return the first rows by (näme, order DESC)",
        "old.orders is read whole to find rows by (id)",
    ]
    apply(session, found_by("missing-index", diagnosis))
    assert titles("missing-index", look(session, statements)) == []


def test_a_materialised_view_is_a_table_to_the_planner(session: Session) -> None:
    session.run("CREATE MATERIALIZED VIEW report AS SELECT * FROM orders")
    session.run("ANALYZE report")
    diagnosis = look(session, {"q": ("SELECT * FROM report WHERE customer_id = $1", ["5"])})
    assert titles("missing-index", diagnosis) == ["public.report is read whole to find rows by (customer_id)"]
    apply(session, found_by("missing-index", diagnosis))


def test_a_role_without_rights_is_told_the_same_without_false_alarms(session: Session, database: str) -> None:
    role = f"plain_{session.backend_pid}"
    session.run(f"CREATE ROLE {quote_identifier(role)}")
    try:
        session.run(f"GRANT SELECT (id, customer_id) ON orders TO {quote_identifier(role)}")
        with open_session(database) as plain:
            plain.run(f"SET ROLE {quote_identifier(role)}")
            diagnosis = look(plain, {"q": ("SELECT id FROM orders WHERE customer_id = $1", ["5"])})
        assert titles("missing-index", diagnosis) == [
            "public.orders is read whole to find rows by (customer_id)"
        ]
        assert titles("stale-statistics", diagnosis) == []
        apply(session, found_by("missing-index", diagnosis))  # by one who may
    finally:
        session.run(f"DROP OWNED BY {quote_identifier(role)}")
        session.run(f"DROP ROLE {quote_identifier(role)}")


def test_writes_that_a_reader_may_not_plan_are_one_line_without_a_grant(
    session: Session, database: str
) -> None:
    role = f"reader_{session.backend_pid}"
    session.run(f"CREATE ROLE {quote_identifier(role)}")
    texts = (
        ("add", "INSERT INTO customers (id) VALUES ($1)", StatementKind.INSERT),
        ("name", "UPDATE customers SET name = $1 WHERE id = $2", StatementKind.UPDATE),
        ("remove", "DELETE FROM customers WHERE id = $1", StatementKind.DELETE),
        ("hold", "SELECT id FROM customers WHERE id = $1 FOR UPDATE", StatementKind.SELECT),
        ("see", "SELECT name FROM customers WHERE id = $1", StatementKind.SELECT),
    )
    made = tuple(
        WorkloadStatement(name, Query("0" * 16, sql, kind, name == "see"), 1.0) for name, sql, kind in texts
    )
    try:
        session.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {quote_identifier(role)}")
        with open_session(database) as reader:
            reader.run(f"SET ROLE {quote_identifier(role)}")
            plans, skipped = read_plans(reader, Workload(made, "file"))
        assert list(plans) == ["see"]
        (line,) = skipped
        assert line.reason.endswith(
            "only reads, and a reader can't plan writes (add, name, remove and 1 more): "
            "compete runs them on clones"
        )
        assert line.hint == ""
    finally:
        session.run(f"DROP OWNED BY {quote_identifier(role)}")
        session.run(f"DROP ROLE {quote_identifier(role)}")
