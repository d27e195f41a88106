"""A check of another package, installed, runs in `pgproof check` on a real database."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import psycopg
import pytest

from pgproof import pipeline
from pgproof.config import Settings
from pgproof.plugins import CHECKS

pytestmark = pytest.mark.pg

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "write-a-check.md"


def test_the_check_of_the_howto_finds_a_table_without_a_key(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = dict(
        re.findall(r"^```(python|toml)\n(.*?)^```", HOWTO.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
    entries = tomllib.loads(blocks["toml"])["project"]["entry-points"][CHECKS]
    (tmp_path / "house_rules.py").write_text(blocks["python"], encoding="utf-8")
    info = tmp_path / "house_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: house-rules\nVersion: 1.0\n", encoding="utf-8"
    )
    lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[{CHECKS}]\n{lines}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            b"CREATE TABLE bare AS SELECT n AS id, repeat('x', 100) AS t FROM generate_series(1, 20000) AS n;"
            b"CREATE TABLE keyed (LIKE bare, PRIMARY KEY (id)); INSERT INTO keyed SELECT * FROM bare"
        )
        admin.execute(b"ANALYZE")
    outcome = pipeline.check(Settings(home=tmp_path / "home"), database)
    found = [(f.check, f.title) for f in outcome.diagnosis.findings if f.check == "no-primary-key"]
    assert found == [("no-primary-key", "public.bare has no primary key")]
    assert "no-primary-key" in outcome.diagnosis.checks
