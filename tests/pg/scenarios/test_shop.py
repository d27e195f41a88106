"""The shop: rare statuses, hot stores and orders without an agent are what makes this case hard."""

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from tests.pg.scenarios.scripts import Loader, indexed_columns

pytestmark = pytest.mark.pg


def test_skewed_like_life(pg_server: EmbeddedServer, loaded: Loader) -> None:
    shop = loaded(pg_server, "shop")
    share = "SELECT count(*) FILTER (WHERE {}) / count(*)::float FROM orders"
    disputed, unassigned = (
        shop.value(share.format(condition))
        for condition in ("status = 'disputed'", '"assignedAgentId" IS NULL')
    )
    assert 0 < disputed < 0.01
    assert 0.02 < unassigned < 0.2
    hottest = shop.value(
        'SELECT count(*) / 2000.0 FROM orders GROUP BY "storeIdentifier" ORDER BY 1 DESC LIMIT 1'
    )
    assert float(hottest) > 0.15
    assert shop.value('SELECT bool_and("updatedAt" >= "createdAt") FROM orders') is True


def test_nothing_but_primary_keys_is_indexed(pg_server: EmbeddedServer, loaded: Loader) -> None:
    columns = indexed_columns(loaded(pg_server, "shop"))
    assert len(columns) == 6
    assert all(column.endswith(".id") for column in columns)
