"""The directory: a listing whose order needs more than its date, and statuses that few users have."""

from pathlib import Path

import pytest

from pgproof.changes import backward_steps, forward_steps
from pgproof.config import Settings
from pgproof.frontends.blueprint.reading import BlueprintFile, read_file
from pgproof.pipeline import find_objections
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.sqltext.parameters import bind_literals
from pgproof.stages.capture.resolve import resolve_generators
from tests.house.tree import SOURCE
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


@pytest.fixture(scope="module")
def owners() -> BlueprintFile:
    """What the owners of the directory wanted to let compete."""
    file = read_file(SOURCE / "scenarios" / "directory" / "blueprint.yaml")
    assert file.problems == ()
    return file


def test_the_owners_blueprint_fits_the_database(
    pg_server: EmbeddedServer, loaded: Loader, owners: BlueprintFile, tmp_path: Path
) -> None:
    dsn = pg_server.dsn(loaded(pg_server, "directory").database)
    assert owners.blueprint is not None and owners.spec is not None
    assert find_objections(Settings(home=tmp_path), owners.blueprint, owners.spec, dsn) == ()


def test_statements_of_the_owners_variants_give_the_same_answers(
    pg_server: EmbeddedServer, loaded: Loader, owners: BlueprintFile
) -> None:
    directory = loaded(pg_server, "directory")
    assert owners.blueprint is not None and owners.spec is not None
    workload = resolve_generators(directory, owners.spec)
    compared = 0
    for variant in owners.blueprint.variants:
        steps = [step.sql for step in forward_steps(variant.changes)]
        for sql in steps:
            directory.run(sql)
        try:
            for each in variant.statements:
                statement = workload.statement(each.statement)
                for values in statement.parameter_sets:
                    before = directory.run(bind_literals(statement.query.sql, values.values)).rows
                    assert directory.run(bind_literals(each.sql, values.values)).rows == before, (
                        each.statement
                    )
                    compared += bool(before)
        finally:
            for step in backward_steps(variant.changes):
                directory.run(step.sql)
    assert compared > 20
