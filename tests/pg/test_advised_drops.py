"""An index that a new one supersedes goes with it, priced together; one with a duty stays."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgproof.config import Settings
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.drop import DropCase
from pgproof.pipeline.proposing import advise
from tests.builders import statement, workload

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE TABLE "Sale" (id int PRIMARY KEY, buyer int NOT NULL, shop int NOT NULL, "at" date NOT NULL, pad text);
INSERT INTO "Sale"
SELECT i, i % 200, i % 50, date '2026-01-01' + i % 5000, repeat('x', 80) FROM generate_series(1, 60000) AS i;
CREATE INDEX "by Buyer" ON "Sale" (buyer);
CREATE INDEX by_shop ON "Sale" (shop);
ALTER TABLE "Sale" CLUSTER ON by_shop;
ANALYZE;
"""
STATEMENTS = (
    statement(
        """SELECT * FROM "Sale" WHERE buyer = $1 ORDER BY "at" DESC LIMIT 5""", ("7",), name="of buyer"
    ),
    statement("""SELECT * FROM "Sale" WHERE shop = $1 ORDER BY "at" DESC LIMIT 5""", ("7",), name="of shop"),
    statement("""INSERT INTO "Sale" VALUES (-1, 1, 1, '2026-01-01')""", name="sell"),
)


def test_the_narrow_one_goes_where_the_wide_one_comes(
    fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    dsn = fresh_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA)
    advice = advise(Settings(home=tmp_path), dsn, workload=workload(*STATEMENTS))
    assert advice.blueprint.variants, advice.notes
    for variant in advice.blueprint.variants:
        new = [change for change in variant.changes if isinstance(change, CreateIndex)]
        gone = [change for change in variant.changes if isinstance(change, DropIndex)]
        takes_over = any([key.column for key in change.keys][:2] == ["buyer", "at"] for change in new)
        assert [change.index.name for change in gone] == (["by Buyer"] if takes_over else [])
        assert list(variant.changes[-len(gone) :]) == gone or not gone, "the new one is there first"
        told = advice.explanations[variant.name].drops
        assert [explained.drop.name for explained in told] == [str(change.index) for change in gone]
        estimate = next(e for e in advice.estimates if e.variant == variant.name)
        assert all(s.after.value <= s.before.value * 1.001 for s in estimate.statements)
        assert not gone or "public.by Buyer goes: the new index" in variant.why
    assert any(isinstance(c, DropIndex) for v in advice.blueprint.variants for c in v.changes)
    assert advice.drops is not None
    assert [(drop.case, drop.name) for drop in advice.drops.candidates] == [
        (DropCase.SUPERSEDED, "public.by Buyer")
    ]
    assert "by_shop" in {stays.index.name for stays in advice.drops.kept}, "the table is clustered on it"
