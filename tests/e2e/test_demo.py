"""The demo, small: what its JSON promises is so."""

from __future__ import annotations

import json

import pytest

from pgproof.frontends.cli.app import run
from pgproof.scenarios import SCENARIOS

pytestmark = [pytest.mark.e2e, pytest.mark.pg]


def test_the_demo_proves_ships_and_takes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("PGPROOF_HOME", str(tmp_path / "home"))
    out = tmp_path / "out.json"
    assert run(["demo", "--scale", "0.05", "--json", str(out), "--out", str(tmp_path / "out")]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))

    assert document["scenario"] == "shop"
    assert document["findings"]
    assert len(document["variants"]) >= 3
    assert all(statement["rows_equal"] is True for statement in document["statements"])
    winner = document["verdict"]["winner"]
    assert winner in {variant["name"] for variant in document["variants"]}
    assert document["verdict"]["interval"]["high"] < 1
    for arm in (document["control"], *document["variants"]):
        assert arm["p50_ms"] is None or 0 < arm["p50_ms"] <= arm["p95_ms"] <= arm["p99_ms"]

    rollout = document["rollout"]
    assert rollout["state"] == "reverted"
    assert rollout["reverted_schema_equal"] is True
    shipped = next(variant for variant in document["variants"] if variant["name"] == winner)
    assert len(rollout["valid_indexes"]) == sum("CREATE INDEX" in sql for sql in shipped["apply_sql"])
    assert document["application"]["errors"] == 0
    assert document["application"]["writes"] > 0

    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert winner in page
    assert "http" not in page.replace("http-equiv", "")
    assert not [folder for folder in (tmp_path / "home" / "clusters").iterdir() if folder.is_dir()]


@pytest.mark.slow
@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_the_demo_goes_through_with_every_scenario(tmp_path, monkeypatch, name):
    """What wins is timing's to say; that nothing fails, and no answer changes, is not."""
    monkeypatch.setenv("PGPROOF_HOME", str(tmp_path / "home"))
    out = tmp_path / "out.json"
    assert run(["demo", name, "--scale", "0.1", "--json", str(out), "--out", str(tmp_path / "out")]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["scenario"] == name
    assert document["findings"]
    assert document["variants"]
    assert all(statement["rows_equal"] is not False for statement in document["statements"])
    if document["rollout"] is not None:
        assert document["rollout"]["reverted_schema_equal"] is True
        assert document["application"]["errors"] == 0
