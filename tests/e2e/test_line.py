"""The whole line on a small database: capture, check, advise, compete, deploy, revert, report."""

import json
from pathlib import Path

import jsonschema
import psycopg
import pytest

from pgproof.frontends.schemas import render_schema
from pgproof.postgres.embedded import EmbeddedServer
from tests.e2e.conftest import Command, Outcome, counts, dump, load_shop, servers_left, use_shop

pytestmark = [pytest.mark.pg, pytest.mark.e2e]


def held(outcome: Outcome, schema: str, code: int = 0) -> dict:
    """The document of a command that ended as it should, valid by its schema."""
    assert outcome.code == code, outcome.err
    jsonschema.validate(outcome.document, json.loads(render_schema(schema)))
    return outcome.document


def test_the_line(
    pg_server: EmbeddedServer, database: str, pgproof: Command, home: Path, tmp_path: Path
) -> None:
    load_shop(database)
    schema, rows = dump(pg_server, database), counts(database)
    use_shop(database)
    workload, blueprint, out = tmp_path / "workload.json", tmp_path / "blueprint.yaml", tmp_path / "out"

    captured = held(pgproof("capture", database, "--out", workload, "--json", "-"), "capture")
    assert captured["statements"] == 3
    assert captured["calls"] == 45

    check = ("check", database, "--workload", workload, "--json", "-")
    found = held(pgproof(*check), "check")
    assert ("missing-index", "high") in {(f["check"], f["severity"]) for f in found["findings"]}
    assert held(pgproof(*check, "--fail-on", "high"), "check", code=1)["findings"] == found["findings"]

    advice = held(
        pgproof("advise", database, "--workload", workload, "--out", blueprint, "--json", "-"), "advise"
    )
    assert advice["blueprint"] == str(blueprint)
    assert any('"customerId"' in sql for statements in advice["sql"].values() for sql in statements)

    race = ("compete", blueprint, "--against", database, "--time-limit", 4, "--out", out, "--json", "-")
    raced = held(pgproof(*race), "compete")
    winner = raced["verdict"]["winner"]
    assert winner in advice["sql"]
    assert {row["name"].rsplit("_", 1)[0]: row["rows_equal"] for row in raced["statements"]} == {
        "select_order": True,
        "select_Open Orders": True,
        "update_order": True,
    }
    assert {path.name for path in out.iterdir()} >= {"report.html", "result.json", "up.sql", "down.sql"}
    assert json.loads((out / "result.json").read_text("utf-8")) == raced
    assert (dump(pg_server, database), counts(database)) == (schema, rows), "the target was only read"
    assert servers_left(home) == []

    planned = held(pgproof("deploy", raced["run"], "--to", database, "--dry-run", "--json", "-"), "rollout")
    assert (planned["state"], planned["sql"]) == ("planned", advice["sql"][winner])
    assert dump(pg_server, database) == schema, "a dry run changes nothing"

    shipped = held(pgproof("deploy", "last", "--to", database, "--yes", "--json", "-"), "rollout")
    assert shipped["state"] == "applied"
    assert shipped["valid_indexes"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
    assert dump(pg_server, database) != schema

    again = pgproof("deploy", "last", "--to", database, "--yes")
    assert again.code == 0
    assert "Nothing to do: the database has all of it already. No rollout was made." in again.out

    taken = held(pgproof("revert", "last", "--to", database, "--json", "-"), "rollout")
    assert (taken["rollout"], taken["state"]) == (shipped["rollout"], "reverted")
    assert taken["reverted_schema_equal"] is True
    assert dump(pg_server, database) == schema
    assert counts(database) == rows

    kinds = [line["kind"] for line in held(pgproof("runs", "--json", "-"), "runs")["runs"]]
    assert kinds[:6] == ["rollout", "competition", "advise", "check", "check", "capture"]
    page = tmp_path / "again.html"
    assert held(pgproof("report", "last", "--html", page, "--json", "-"), "compete") == raced
    assert "Sales Äpp" in page.read_text("utf-8")
