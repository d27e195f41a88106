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


def assert_predictions(raced: dict, winner: str, page: str) -> None:
    """What the planner said while advising stands beside what the race measured."""
    names = {row["name"] for row in raced["statements"]}
    for variant in raced["variants"]:
        found = variant["predictions"]
        assert {row["statement"] for row in found["statements"]} == names
        weights = [row["weight_frac"] for row in found["statements"]]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) == pytest.approx(1.0)
        assert found["compared"] == len(names)
        assert found["time_change_frac"] == pytest.approx(variant["time_ratio"] - 1, abs=1e-6)
    best = next(variant["predictions"] for variant in raced["variants"] if variant["name"] == winner)
    by_customer = next(row for row in best["statements"] if row["statement"].startswith("select_order"))
    assert by_customer["cost_change_frac"] < -0.5, "the planner expected an index to help"
    assert by_customer["time_change_frac"] < -0.3, "and it did"
    assert by_customer["statement"] in page[page.index("<h2>Predicted and measured</h2>") :]


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
    assert_predictions(raced, winner, (out / "report.html").read_text("utf-8"))
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
    again = pgproof("report", "last").out
    assert f"predicted and measured: {winner}" in again
    assert f"\n{winner}: predicted -" in again
    page = tmp_path / "again.html"
    assert held(pgproof("report", "last", "--html", page, "--json", "-"), "compete") == raced
    assert "Sales Äpp" in page.read_text("utf-8")
