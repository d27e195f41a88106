"""``pgproof advise`` as users call it: each way to ask, and what can't be had is said, not invented."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from pgproof.frontends.schemas import render_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import temporary_database
from tests.e2e.conftest import (
    BY_CUSTOMER,
    OPEN,
    PAY,
    Command,
    Outcome,
    counts,
    dump,
    load_shop,
    servers_left,
    use_shop,
)

pytestmark = [pytest.mark.pg(">= 18"), pytest.mark.e2e]

MORE = """
CREATE TABLE seen (id int, a int, pad text);
INSERT INTO seen SELECT i, i % 5000, repeat('x', 50) FROM generate_series(1, 20000) AS i;
CREATE TABLE "Hidden" (id int, a int);
INSERT INTO "Hidden" SELECT i, i FROM generate_series(1, 20000) AS i;
ANALYZE seen, "Hidden";
CREATE TABLE fresh (id int, a int) WITH (autovacuum_enabled = false);
INSERT INTO fresh SELECT i, i FROM generate_series(1, 50000) AS i;
"""
MISLEADING = """
CREATE TABLE "Ding" (id int, art int, "Größe" int, pad text);
INSERT INTO "Ding" SELECT i, (i * 7919 % 30000 > 28500)::int, i * 7919 % 30000, repeat('x', 30)
  FROM generate_series(1, 30000) AS i;
ANALYZE "Ding";
"""
OURS = {
    BY_CUSTOMER.replace("%s", "$1"),
    OPEN.replace("%s", "$1"),
    PAY.replace("total + 1", "total + $2").replace("%s", "$1"),
}
"""The application's statements, as the server's counters show them."""
OF_SEEN = "SELECT * FROM seen WHERE a = 7;\n"


@pytest.fixture(scope="module")
def used(pg_server: EmbeddedServer) -> Iterator[str]:
    """The shop with a few more tables, after some use. No test changes it, so one shadow serves all."""
    with temporary_database(pg_server) as dsn:
        load_shop(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(MORE)
        use_shop(dsn)
        yield dsn


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A workload of one statement that an index helps: append others."""
    path = tmp_path / "workload.sql"
    path.write_text(OF_SEEN, encoding="utf-8")
    return path


def advised(outcome: Outcome) -> Any:
    """What a command advised, valid by its schema."""
    assert outcome.code == 0, outcome.err
    jsonschema.validate(outcome.document, json.loads(render_schema("advise")))
    return outcome.document


def indexes(document: Any) -> list[str]:
    """The indexes of all variants, in order."""
    return [sql for each in document["sql"].values() for sql in each if sql.startswith("CREATE INDEX")]


def calls_by_statement(dsn: str) -> dict[str, int]:
    """What the target's own counters hold, by text, but for what is asked here."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT query, sum(calls)::int FROM pg_stat_statements WHERE dbid ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND query !~ 'pg_stat_statements' GROUP BY query"
        ).fetchall()
    return dict(rows)


def asked_since(before: dict[str, int], dsn: str) -> set[str]:
    """What the target was asked since its counters were read."""
    return {sql for sql, calls in calls_by_statement(dsn).items() if calls != before.get(sql, 0)}


def test_a_shadow_prices_and_the_target_only_shows_its_schema(
    used: str, pg_server: EmbeddedServer, pgproof: Command, home: Path, tmp_path: Path
) -> None:
    workload, out = tmp_path / "workload.json", tmp_path / "blueprint.yaml"
    assert pgproof("capture", used, "--out", workload).code == 0
    schema, rows, before = dump(pg_server, used), counts(used), calls_by_statement(used)
    document = advised(pgproof("advise", used, "--workload", workload, "--out", out, "--json", "-"))
    asked = asked_since(before, used)

    assert document["blueprint"] == str(out)
    assert any('("customerId"' in sql for sql in indexes(document))
    assert document["proof"]["saved_frac"] <= document["proof"]["bound_frac"]
    for estimate in document["estimates"]:
        assert estimate["after"]["value"] < 0.5 * estimate["before"]["value"]

    assert asked, "the schema at least was read"
    assert not [sql for sql in asked if "EXPLAIN" in sql.upper()]
    assert not [sql for sql in asked if sql.upper().lstrip().startswith(("CREATE", "ANALYZE", "UPDATE"))]
    assert before.keys() >= OURS, "the test knows what the application's statements look like there"
    assert not OURS & asked, "none of them was run"
    assert (dump(pg_server, used), counts(used)) == (schema, rows)
    assert servers_left(home) == []


def test_what_the_server_counted_is_advised_on_without_running_it(
    used: str, pgproof: Command, tmp_path: Path
) -> None:
    """Without a workload file, values are drawn from samples of rows; the shadow plans them."""
    before = calls_by_statement(used)
    document = advised(pgproof("advise", used, "--out", tmp_path / "b.yaml", "--json", "-"))
    priced = {estimate["statement"] for estimate in document["estimates"][0]["statements"]}
    assert {"select_order", "select_Open Orders", "update_order"} <= {
        name.rsplit("_", 1)[0] for name in priced
    }
    asked = asked_since(before, used)
    assert not OURS & asked
    assert {
        sql for sql in asked if "EXPLAIN" in sql.upper() or sql.upper().startswith("PREPARE PGPROOF")
    } == set()
    reads = {sql for sql in asked if '"Sales Äpp"' in sql and not sql.startswith("LOCK TABLE")}
    assert reads and all(sql.startswith("SELECT /* pgproof */") for sql in reads)
    assert all("LIMIT" in sql or "max(" in sql for sql in reads), "samples, and the ends of keys"


def test_the_same_question_gives_the_same_bytes(used: str, pgproof: Command, tmp_path: Path) -> None:
    workload, out = tmp_path / "workload.json", tmp_path / "blueprint.yaml"
    assert pgproof("capture", used, "--out", workload).code == 0
    written = []
    for _ in range(2):
        assert pgproof("advise", used, "--workload", workload, "--out", out).code == 0
        written.append(out.read_bytes())
        out.unlink()
    assert written[0] == written[1]


def test_a_clone_says_what_the_shadow_says(used: str, pgproof: Command, home: Path, script: Path) -> None:
    out = script.with_name("b.yaml")
    ask = ("advise", used, "--workload", script, "--out", out, "--json", "-")
    shadow, clone = advised(pgproof(*ask)), advised(pgproof(*ask, "--what-if", "clone"))
    assert clone["sql"] == shadow["sql"]
    assert [e["variant"] for e in clone["estimates"]] == [e["variant"] for e in shadow["estimates"]]
    for one, other in zip(clone["estimates"], shadow["estimates"], strict=True):
        assert one["before"]["value"] == pytest.approx(other["before"]["value"], rel=0.02)
        assert one["after"]["value"] == pytest.approx(other["after"]["value"], rel=0.05)
        assert one["index_bytes"] == pytest.approx(other["index_bytes"], rel=0.1)
    assert servers_left(home) == []


def test_hypopg_that_is_not_there_is_told_with_the_way_to_get_it(
    used: str, pgproof: Command, script: Path
) -> None:
    outcome = pgproof("advise", used, "--workload", script, "--what-if", "hypopg")
    assert outcome.code == 4
    assert outcome.out == ""
    first, *recipe = outcome.message.splitlines()
    assert first.startswith("error: The server at ")
    assert first.endswith(" does not have the extension HypoPG.")
    assert "postgresql-18-hypopg" in recipe[0]
    assert "  CREATE EXTENSION hypopg;" in recipe
    assert recipe[-1] == "Or do without it: the shadow needs no extension."


def test_a_budget_of_zero_proposes_nothing_and_says_why(used: str, pgproof: Command, script: Path) -> None:
    out = script.with_name("b.yaml")
    ask = ("advise", used, "--workload", script, "--out", out, "--budget", "0")
    document = advised(pgproof(*ask, "--json", "-"))
    assert (document["variants"], document["blueprint"]) == ([], "")
    assert document["notes"][0].startswith(
        "No index that helps fits into 0 B: with the only candidate in place"
    )
    assert not out.exists()
    told = pgproof(*ask)
    assert told.code == 0
    assert "No blueprint was written: there is nothing to race." in told.out
    assert document["notes"][0] in told.out.replace("\n", " ")


@pytest.mark.parametrize(
    "limits",
    [("--budget", "0", "--max-indexes", "3"), ("--budget", "0", "--max-indexes", "3", "--max-build", "1min")],
    ids=" ".join,
)
def test_limits_that_contradict_each_other_are_refused_at_once(
    used: str, pgproof: Command, limits: tuple[str, ...]
) -> None:
    outcome = pgproof("advise", used, *limits)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.message == (
        "error: The limits contradict each other. The size budget is zero, which admits no index at all;"
        " the number of indexes is not.\nLeave out the limit that is zero, or the others."
    )


def test_limits_hold_for_every_variant(used: str, pgproof: Command, tmp_path: Path) -> None:
    ask = ("advise", used, "--out", tmp_path / "b.yaml", "--json", "-", "--max-indexes", 1)
    document = advised(pgproof(*ask, "--budget", "900kB"))
    assert document["variants"]
    for variant in document["variants"]:
        kinds = [change["kind"] for change in variant["changes"]]
        assert kinds.count("create_index") == 1
    assert all(estimate["index_bytes"] <= 900 * 1024 for estimate in document["estimates"])


def test_a_measured_set_shows_its_times(used: str, pgproof: Command, home: Path, tmp_path: Path) -> None:
    ask = ("advise", used, "--measure", "--out", tmp_path / "b.yaml", "--max-indexes", 2, "--json", "-")
    document = advised(pgproof(*ask))
    with_indexes = {estimate["variant"] for estimate in document["estimates"]}
    assert document["measured"].keys() == with_indexes
    for name, timings in document["measured"].items():
        assert timings, f"{name} changes plans"
        assert not any(timing["is_slower"] for timing in timings)
        built = {sql.split('"')[1] for sql in document["sql"][name] if 'INDEX CONCURRENTLY "' in sql}
        assert all(set(timing["indexes"]) <= built for timing in timings)
        assert all(timing["before_ms"] > 0 for timing in timings)
    assert servers_left(home) == []


def test_a_set_that_makes_a_statement_slower_is_given_up(
    database: str, pgproof: Command, script: Path
) -> None:
    """The rare rows come last in the order that is asked for, which the planner can't know."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(MISLEADING)
    script.write_text(
        'SELECT id, pad FROM "Ding" WHERE art <> 0 ORDER BY "Größe" LIMIT 1;\n', encoding="utf-8"
    )
    out = script.with_name("b.yaml")
    ask = ("advise", database, "--workload", script, "--out", out, "--max-width", 1, "--json", "-")
    assert any('"Größe"' in sql for sql in indexes(advised(pgproof(*ask)))), "the planner believes in it"
    document = advised(pgproof(*ask, "--measure"))
    assert (document["variants"], document["measured"]) == ([], {})
    assert any("times as long on the clone, with Ding_" in note for note in document["notes"])
    assert document["notes"][0].startswith("What was tried on a clone made statements slower: ")


def test_settings_are_compared_with_the_machine(used: str, pgproof: Command, script: Path) -> None:
    ask = ("advise", used, "--workload", script, "--out", script.with_name("b.yaml"), "--json", "-")
    assert advised(pgproof(*ask))["settings"] == [], "without a machine nothing is known to fit"
    document = advised(pgproof(*ask, "--machine", "2cpu,4GB,ssd"))
    found = {setting["name"]: setting for setting in document["settings"]}
    assert found["random_page_cost"]["proposed"] == "1.1"
    assert all(setting["reason"] and setting["source"] for setting in found.values())
    (variant,) = [v for v in document["variants"] if "settings" in v["name"]]
    assert any("random_page_cost" in sql for sql in document["sql"][variant["name"]])


def test_a_table_that_was_never_analysed_is_advised_and_named(
    used: str, pgproof: Command, script: Path
) -> None:
    script.write_text("SELECT * FROM fresh WHERE a = 7;\n", encoding="utf-8")
    ask = ("advise", used, "--workload", script, "--out", script.with_name("b.yaml"))
    document = advised(pgproof(*ask, "--json", "-"))
    assert indexes(document) == ["CREATE INDEX CONCURRENTLY fresh_a_idx ON public.fresh USING btree (a)"]
    assert "ANALYZE public.fresh" in document["sql"][document["variants"][0]["name"]]
    assert any("never analysed" in advice["reason"] for advice in document["statistics"])
    with psycopg.connect(used, autocommit=True) as connection:
        connection.execute("BEGIN; CREATE INDEX built ON fresh (a)")
        (built,) = connection.execute("SELECT pg_relation_size('built')").fetchone()
        connection.execute("ROLLBACK")
    assert 0.3 * built < document["estimates"][0]["index_bytes"] <= 1.1 * built, (
        "its length is known, at least"
    )


def test_what_a_role_may_not_read_is_named_with_its_grant(used: str, pgproof: Command, script: Path) -> None:
    with psycopg.connect(used, autocommit=True) as admin:
        admin.execute('CREATE ROLE "Low Röle" LOGIN; GRANT SELECT ON seen TO "Low Röle"')
        try:
            script.write_text(OF_SEEN + 'SELECT * FROM "Hidden" WHERE a = 7;\n', encoding="utf-8")
            low = psycopg.conninfo.make_conninfo(used, user="Low Röle")
            out = script.with_name("b.yaml")
            document = advised(pgproof("advise", low, "--workload", script, "--out", out, "--json", "-"))
        finally:
            admin.execute('DROP OWNED BY "Low Röle"; DROP ROLE "Low Röle"')
    assert indexes(document) == ["CREATE INDEX CONCURRENTLY seen_a_idx ON public.seen USING btree (a)"]
    notes = document["notes"]
    (grant,) = [note for note in notes if "GRANT" in note]  # of the tables that nobody asked about: none
    assert 'is not priced: public."Hidden" can\'t be read' in grant
    assert grant.endswith('GRANT SELECT ON TABLE public."Hidden" TO "Low Röle";')
    assert [note for note in notes if "names a table" in note] == [], "it is there, only closed"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT no_such(a) FROM seen", "function no_such(integer) does not exist"),
        ("SELECT * FROM seen WHERE id = '1'::no_such_type", 'type "no_such_type" does not exist'),
        ("SELECT * FROM gone WHERE x = 2", 'relation "gone" does not exist'),
    ],
    ids=["function", "type", "table"],
)
def test_what_cannot_be_priced_is_named_and_the_rest_advised(
    used: str, pgproof: Command, script: Path, sql: str, reason: str
) -> None:
    script.write_text(f"{OF_SEEN}{sql};\n", encoding="utf-8")
    out = script.with_name("b.yaml")
    document = advised(pgproof("advise", used, "--workload", script, "--out", out, "--json", "-"))
    assert indexes(document) == ["CREATE INDEX CONCURRENTLY seen_a_idx ON public.seen USING btree (a)"]
    (note,) = [note for note in document["notes"] if "is not priced" in note]
    assert reason in note


def test_what_does_not_parse_is_told_with_its_place_and_the_rest_advised(
    used: str, pgproof: Command, script: Path
) -> None:
    script.write_text(OF_SEEN + "-- name: half\nSELECT a FROM\n  WHERE b = 2;\n" + OF_SEEN, encoding="utf-8")
    out = script.with_name("b.yaml")
    document = advised(pgproof("advise", used, "--workload", script, "--out", out, "--json", "-"))
    assert indexes(document) == ["CREATE INDEX CONCURRENTLY seen_a_idx ON public.seen USING btree (a)"]
    wanted = f'left out: {script}:4:3: syntax error at or near "WHERE" (statement half)'
    assert wanted in document["notes"]
    checked = pgproof("check", used, "--workload", script, "--json", "-")
    assert checked.code == 0, checked.err
    assert wanted in [skipped["reason"] for skipped in checked.document["skipped"]]
