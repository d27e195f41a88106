"""What a shadow says of a materialised view and of partitions, against the same really built."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pgproof.changes import apply_steps
from pgproof.changes.index_cover import as_change
from pgproof.changes.partition import hypothetical_partitions_sql
from pgproof.config import Settings
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import Confidence
from pgproof.model.larger_change import LargerChange, LargerKind, PartitionCandidate
from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.plan import Plan
from pgproof.model.progress import ignore_progress
from pgproof.model.relation import RelationName
from pgproof.model.workload import Workload
from pgproof.pipeline.larger import review_larger_changes
from pgproof.pipeline.pricing import WhatIf
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session, with_database
from pgproof.postgres.shadow.server import Shadow, open_shadow
from pgproof.sqltext.parse import parse_script
from pgproof.stages.estimate.larger.baseline import Baseline, read_baseline
from pgproof.stages.estimate.larger.partitions import price_partitionings
from pgproof.stages.estimate.larger.views import price_views
from pgproof.stages.estimate.shadow import open_shadow_costs
from pgproof.stages.propose.matviews import propose_views
from pgproof.testing.servers import temporary_database
from tests.builders import statement, workload

pytestmark = pytest.mark.pg

SCHEMA = """
CREATE SCHEMA "Größe";
CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, "Region" text);
CREATE TABLE "Größe"."order" (
    id bigint PRIMARY KEY, gone int, customer_id int NOT NULL REFERENCES customer,
    placed_at timestamptz NOT NULL, status text NOT NULL, total numeric(10, 2) NOT NULL
);
ALTER TABLE "Größe"."order" DROP COLUMN gone;
INSERT INTO customer SELECT g, 'name ' || md5(g::text), nullif('r' || g % 25, 'r0')
  FROM generate_series(1, 9000) AS g;
INSERT INTO "Größe"."order"
SELECT g, 1 + g * 7 % 9000, timestamptz '2024-01-01 00:00+00' + g * interval '10 min',
       (ARRAY['new', 'paid', 'sent', 'gone'])[1 + g % 4], g % 1000
  FROM generate_series(1, 120000) AS g;
CREATE INDEX order_customer ON "Größe"."order" (customer_id);
CREATE INDEX order_placed ON "Größe"."order" (placed_at);
VACUUM ANALYZE
"""
OFF_FRAC = {Confidence.HIGH: 0.1, Confidence.MEDIUM: 0.2, Confidence.LOW: 0.5}
ORDER = RelationName("Größe", "order")
SUMS = (
    """SELECT "Region", count(*), sum(o.total) AS revenue FROM "Größe"."order" o
         JOIN customer c ON c.id = o.customer_id WHERE o.status = 'paid'
        GROUP BY "Region" ORDER BY revenue""",
    """SELECT customer_id, max(total) FROM "Größe"."order" WHERE customer_id = 17 GROUP BY customer_id""",
    """SELECT name FROM customer WHERE id IN
       (SELECT customer_id FROM "Größe"."order" GROUP BY customer_id HAVING sum(total) > 9000)""",
    """SELECT status, customer_id, count(*) FROM "Größe"."order" WHERE status = 'new'
        GROUP BY customer_id, status ORDER BY 3 DESC, customer_id LIMIT 10""",
    """SELECT count(*) FROM "Größe"."order" """,
)
PINNED = (
    """SELECT count(*), max(total), count(*) * 2 AS twice FROM "Größe"."order" WHERE status = $1""",
    """SELECT "Region", sum(o.total) FROM "Größe"."order" o JOIN customer c ON c.id = o.customer_id
        WHERE o.status = $1 GROUP BY 1 HAVING sum(o.total) > $2""",
)
STRETCHES = (
    """SELECT sum(total) FROM "Größe"."order" WHERE placed_at >= '2025-01-01 00:00+00'
          AND placed_at < '2025-03-01 00:00+00'""",
    """SELECT status, count(*) FROM "Größe"."order" WHERE placed_at > '2025-12-01 00:00+00'
        GROUP BY status""",
    """SELECT c.name, o.total FROM "Größe"."order" o JOIN customer c ON c.id = o.customer_id
        WHERE o.placed_at BETWEEN '2024-05-01 00:00+00' AND '2024-05-02 00:00+00' AND o.status = 'paid'""",
    """SELECT * FROM "Größe"."order" WHERE customer_id = 77 AND placed_at > '2025-06-01 00:00+00'""",
)


@pytest.fixture(scope="module")
def dsn(pg_server: EmbeddedServer) -> Iterator[str]:
    with temporary_database(pg_server) as made:
        with open_session(made, read_only=False) as session:
            for one in parse_script(SCHEMA):
                session.run(one.text)
        yield made


@pytest.fixture(scope="module")
def catalog(dsn: str) -> Catalog:
    with open_session(dsn) as session:
        return read_catalog(session)


@pytest.fixture(scope="module")
def shadow(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shadow]:
    with open_shadow(dsn, home=tmp_path_factory.mktemp("home")) as opened:
        yield opened


def baseline_of(shadow: Shadow, catalog: Catalog, asked: Workload) -> Baseline:
    with open_shadow_costs(shadow, catalog, ()) as provider:
        return read_baseline(provider, asked)


def price_all_views(shadow: Shadow, catalog: Catalog, asked: Workload) -> tuple[LargerChange, ...]:
    candidates, dismissed = propose_views(catalog, asked)
    assert dismissed == ()
    with open_shadow_costs(shadow, catalog, ()) as provider:
        baseline = read_baseline(provider, asked)
        changes, refused = price_views(shadow, catalog, candidates, baseline, ignore_progress)
    assert refused == ()
    return changes


def shape(plan: Plan) -> list[str]:
    """Node types in order, with what they read; names of indexes left out."""
    return [f"{node.node_type} {node.relation}" for node in plan.root.walk() if node.node_type != "Gather"]


def size_of(session: Session, relation: RelationName) -> int:
    place = f"'{name_of(relation)}'::regclass"
    found = session.value(f"SELECT pg_relation_size({place}) + pg_indexes_size({place})")
    assert isinstance(found, int)
    return found


def rows_of(session: Session, sql: str, values: Sequence[str | None] = ()) -> list[str]:
    return [str(row) for row in session.run(sql, values).rows]


def name_of(relation: RelationName) -> str:
    return f'"{relation.schema}"."{relation.name}"'


def test_views_cost_what_really_built_ones_do_and_answer_alike(
    dsn: str, shadow: Shadow, catalog: Catalog
) -> None:
    asked = workload(*SUMS)
    changes = price_all_views(shadow, catalog, asked)
    assert {price.statement for change in changes for price in change.statements} == {
        "q0", "q1", "q2", "q3", "q4"
    }  # fmt: skip
    with open_session(dsn, read_only=False) as session:
        for change in changes:
            assert change.kind is LargerKind.MATERIALIZED_VIEW
            for sql in (*change.sql, change.refresh_sql, f"VACUUM ANALYZE {name_of(change.name)}"):
                session.run(sql)  # really: with its index, refreshed concurrently, analysed
            assert "CONCURRENTLY" in change.refresh_sql
            built = session.value(f"SELECT count(*) FROM {name_of(change.name)}")
            off = OFF_FRAC[change.confidence]
            assert change.rows == pytest.approx(built, rel=off, abs=2), change.title
            assert change.size_bytes == pytest.approx(
                size_of(session, change.name), rel=off + 0.2, abs=30_000
            )
            for price in change.statements:
                plan = explain(session, price.sql)
                assert price.after.value < price.before.value
                assert price.after.value == pytest.approx(plan.cost.value, rel=off + 0.1, abs=3), price.sql
                original = asked.statement(price.statement).query.sql
                assert sorted(rows_of(session, original)) == sorted(rows_of(session, price.sql)), price.sql


def test_a_value_that_is_asked_for_is_found_in_the_view_or_nothing_is(dsn: str, catalog: Catalog) -> None:
    asked = workload(
        replace(statement(PINNED[0], ("paid",), ("nobody's",), (None,)), name="one row"),
        replace(statement(PINNED[1], ("sent", "500000"), ("nobody's", "0")), name="groups"),
    )
    candidates, dismissed = propose_views(catalog, asked)
    assert dismissed == ()
    with open_session(dsn, read_only=False) as session:
        for candidate in candidates:
            for step in apply_steps(candidate.change):
                session.run(step.sql)
            for reader in candidate.readers:
                original = asked.statement(reader.name)
                assert len(reader.parameter_sets) == len(original.parameter_sets)
                for new, old in zip(reader.parameter_sets, original.parameter_sets, strict=True):
                    expected = rows_of(session, original.query.sql, old.values)
                    assert sorted(rows_of(session, reader.query.sql, new.values)) == sorted(expected)
                    assert expected or reader.name == "groups"


def test_a_review_of_the_whole(dsn: str, catalog: Catalog, tmp_path: Path) -> None:
    asked = workload(*STRETCHES, SUMS[0])
    settings = Settings(home=tmp_path)
    review = review_larger_changes(
        settings, dsn, catalog, asked, WhatIf.SHADOW, (), ignore_progress, min_bytes=4 << 20
    )
    kinds = {change.kind for change in review.changes}
    assert kinds == set(LargerKind)
    ranks = [(not change.recommended, -change.saved_frac) for change in review.changes]
    assert ranks == sorted(ranks)
    (parts,) = (change for change in review.changes if change.kind is LargerKind.PARTITIONING)
    assert parts.scheme is not None
    assert parts.scheme.column == "placed_at"
    assert parts.sql == ()
    nowhere = review_larger_changes(
        settings, dsn, catalog, asked, WhatIf.HYPOPG, (), ignore_progress, min_bytes=4 << 20
    )
    assert nowhere.changes == ()
    assert "by a shadow alone" in nowhere.notes[0]
    gone = with_database(dsn, "nowhere")
    failed = review_larger_changes(
        settings, gone, catalog, asked, WhatIf.SHADOW, (), ignore_progress, min_bytes=4 << 20
    )
    assert failed.changes == ()
    assert "could not be priced" in failed.notes[0]


def test_what_the_server_refuses_is_told(shadow: Shadow, catalog: Catalog) -> None:
    asked = workload(*STRETCHES)
    broken = partitioned()
    overlapping = (Partition("a", "", "2025-01-01"), Partition("b", "2024-01-01", ""))
    scheme = replace(broken.scheme, partitions=overlapping)
    missing = replace(broken.scheme, column="nowhere")
    (view,), _ = propose_views(catalog, workload(SUMS[4]))
    lost = replace(view, change=replace(view.change, query="SELECT count(*) AS count FROM nowhere"))
    with open_shadow_costs(shadow, catalog, ()) as provider:
        baseline = read_baseline(provider, asked)
        cases = [replace(broken, scheme=scheme), replace(broken, scheme=missing)]
        found, refused = price_partitionings(shadow, catalog, cases, baseline, ignore_progress)
        assert found == ()
        assert [one.reason.partition(":")[0] for one in refused] == [
            "the server refuses it", "there is no column nowhere of Größe.order"
        ]  # fmt: skip
        found, refused = price_views(shadow, catalog, [lost], baseline, ignore_progress)
        assert found == ()
        assert "can't be planned" in refused[0].reason


def partitioned(step_months: int = 3) -> PartitionCandidate:
    limits = [f"{2024 + n // 12}-{1 + n % 12:02}-01 00:00:00+00" for n in range(0, 37, step_months)]
    pieces = tuple(
        Partition(f"order_p{n}", lower, upper) for n, (lower, upper) in enumerate(pairwise(limits))
    )
    scheme = PartitionTable(
        ORDER, "placed_at", PartitionMethod.RANGE, (*pieces, Partition("order_rest", default=True))
    )
    return PartitionCandidate(scheme, tuple(f"q{n}" for n in range(len(STRETCHES))), "because")


def test_partitions_cost_what_really_built_ones_do(
    dsn: str, shadow: Shadow, catalog: Catalog, pg_server: EmbeddedServer
) -> None:
    asked = workload(*STRETCHES)
    candidate = partitioned()
    baseline = baseline_of(shadow, catalog, asked)
    with open_shadow_costs(shadow, catalog, ()) as provider:
        baseline = replace(baseline, provider=provider)
        (change,), refused = price_partitionings(shadow, catalog, [candidate], baseline, ignore_progress)
    assert refused == ()
    assert change.sql == ()
    assert any("order_pkey could not stay unique" in caution for caution in change.cautions)
    with temporary_database(pg_server) as other, open_session(other, read_only=False) as session:
        for one in parse_script(SCHEMA):
            session.run(one.text)
        whole = RelationName("Größe", "whole")
        indexes = [
            replace(as_change(index), name=f"{index.relation.name}_p") for index in catalog.indexes_of(ORDER)
        ]
        for sql in hypothetical_partitions_sql(candidate.scheme, whole, indexes):
            session.run(sql)
        session.run('INSERT INTO "Größe"."order" SELECT * FROM "Größe".whole')
        session.run("VACUUM ANALYZE")
        rows = session.value("SELECT max(reltuples) FROM pg_class WHERE relispartition AND relkind = 'r'")
        assert change.rows == pytest.approx(rows, rel=0.05)
        for price in change.statements:
            plan = explain(session, asked.statement(price.statement).query.sql)
            assert price.after.value == pytest.approx(plan.cost.value, rel=0.25), price.statement
    prices = {price.statement: price for price in change.statements}
    assert prices["q0"].after.value < prices["q0"].before.value, "only one partition is read"
