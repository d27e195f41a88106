"""Who only reads a database may let variants compete on clones of it."""

import pytest
from psycopg.conninfo import make_conninfo

from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.trial import ArmRole
from pgproof.model.variant import Variant
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.stages.compete.arms import build_arm
from pgproof.stages.compete.clones import open_clones
from pgproof.testing.servers import run_statement, session_home, temporary_database

pytestmark = pytest.mark.pg

INDEX = Variant(
    "index", "an index on n", (CreateIndex(RelationName("public", "t"), "t_n_idx", (IndexKey("n"),)),)
)


def test_a_reader_who_owns_nothing_builds_variants_on_clones(pg_server: EmbeddedServer) -> None:
    run_statement(pg_server, "CREATE ROLE mere_reader LOGIN")
    try:
        with temporary_database(pg_server) as dsn:
            with open_session(dsn, read_only=False) as owner:
                owner.run("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n")
                owner.run("GRANT SELECT ON t TO mere_reader")
            reader = make_conninfo(dsn, user="mere_reader")
            with open_clones(reader, home=session_home(), arms=1, writes=False) as (host, catalog):
                assert not catalog.tables[0].owned
                arm = build_arm(host, INDEX, ArmRole.VARIANT, "arm", catalog)
    finally:
        run_statement(pg_server, "DROP ROLE mere_reader")
    assert arm.failure == ""
    assert "CREATE INDEX CONCURRENTLY t_n_idx" in arm.steps[0].sql
    assert arm.index_bytes > 0
