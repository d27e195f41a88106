"""The proposal system: an index on everything, and none on two things together."""

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from tests.pg.scenarios.scripts import Loader, indexed_columns

pytestmark = pytest.mark.pg

IN_PUBLIC = "JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace"


def test_more_than_50_indexes_each_on_one_column(pg_server: EmbeddedServer, loaded: Loader) -> None:
    proposals = loaded(pg_server, "proposals")
    assert proposals.value(f"SELECT count(*) FROM pg_index i {IN_PUBLIC} AND NOT indisunique") > 50
    assert proposals.value(f"SELECT max(indnatts) FROM pg_index i {IN_PUBLIC}") == 1


def test_some_repeat_another_one(pg_server: EmbeddedServer, loaded: Loader) -> None:
    columns = indexed_columns(loaded(pg_server, "proposals"))
    twice = {column for column in columns if columns.count(column) > 1}
    assert twice == {"products.sku", "proposals.customer_id", "users.email"}


def test_no_check_constraints(pg_server: EmbeddedServer, loaded: Loader) -> None:
    assert (
        loaded(pg_server, "proposals").value(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
        )
        == 0
    )


def test_skewed_like_life(pg_server: EmbeddedServer, loaded: Loader) -> None:
    proposals = loaded(pg_server, "proposals")
    waiting = proposals.value("SELECT avg((completed_at IS NULL)::int)::float FROM approval_executions")
    assert 0.005 < waiting < 0.06
    hottest = (
        "SELECT max(n)::float / sum(n) FROM (SELECT count(*) AS n FROM proposals GROUP BY customer_id) AS c"
    )
    assert float(proposals.value(hottest)) > 0.04
    measured = "SELECT avg((actual_value IS NOT NULL)::int)::float FROM hypothesis_validation_events"
    assert 0.25 < proposals.value(measured) < 0.45


def test_status_goes_with_dates(pg_server: EmbeddedServer, loaded: Loader) -> None:
    proposals = loaded(pg_server, "proposals")
    agree = (
        "SELECT bool_and((approved_at IS NOT NULL) = (status = ANY (%s::proposal_status[]))) FROM proposals"
    )
    assert proposals.value(agree % "'{APPROVED,SUBMITTED,ACCEPTED,DECLINED}'")
    assert proposals.value("SELECT bool_and(approved_at > created_at) FROM proposals")
    parts = "SELECT status, ntile(30) OVER (ORDER BY created_at) AS part FROM proposals"
    drafts = f"SELECT avg((status = 'DRAFT')::int)::float FROM ({parts}) AS p WHERE part {{}} 30"
    assert proposals.value(drafts.format("=")) > 4 * proposals.value(drafts.format("<"))
