"""The directory: a listing whose order needs more than its date, and statuses that few users have."""

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from tests.pg.scenarios.scripts import Loader, indexed_columns

pytestmark = pytest.mark.pg


def test_skewed_like_life(pg_server: EmbeddedServer, loaded: Loader) -> None:
    directory = loaded(pg_server, "directory")
    share = "SELECT count(*) FILTER (WHERE {}) / count(*)::float FROM users"
    assert 0.5 < directory.value(share.format("status = 'active'")) < 0.8
    assert 0 < directory.value(share.format("status = 'suspended'")) < 0.01
    assert 0.4 < directory.value(share.format("organization_id IS NULL")) < 0.8
    assert directory.value(
        "SELECT bool_and(updated_at >= created_at AND last_seen_at >= created_at) FROM users"
    )


def test_status_goes_with_the_date(pg_server: EmbeddedServer, loaded: Loader) -> None:
    pending = (
        "SELECT avg((status = 'pending')::int)::float FROM users WHERE created_at {} timestamptz '2025-10-20'"
    )
    directory = loaded(pg_server, "directory")
    assert directory.value(pending.format(">=")) > 10 * directory.value(pending.format("<"))


def test_the_date_alone_orders_nothing(pg_server: EmbeddedServer, loaded: Loader) -> None:
    directory = loaded(pg_server, "directory")
    assert (
        directory.value("SELECT max(n) FROM (SELECT count(*) AS n FROM users GROUP BY created_at) AS c") >= 30
    )
    steps = "SELECT created_at < lag(created_at) OVER (ORDER BY id) AS back FROM users"
    assert directory.value(f"SELECT count(*) FROM ({steps}) AS s WHERE back") > 100


def test_only_keys_are_indexed(pg_server: EmbeddedServer, loaded: Loader) -> None:
    assert indexed_columns(loaded(pg_server, "directory")) == ["organizations.id", "users.email", "users.id"]
