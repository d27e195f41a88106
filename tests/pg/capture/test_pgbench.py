"""The line from pg_stat_statements to values that work, with pgbench as the application."""

from pathlib import Path

import pytest

from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import open_session
from pgproof.stages.capture.files import load_workload, save_workload
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.capture.statements import capture_statements

pytestmark = pytest.mark.pg


@pytest.mark.parametrize("protocol", ["simple", "prepared"])
def test_pgbench(pg_server: EmbeddedServer, database: str, tmp_path: Path, protocol: str) -> None:
    with open_session(database, read_only=False) as session, open_session(database) as reader:
        name = session.database
        session.run("CREATE EXTENSION pg_stat_statements")
        pg_server.run_tool("pgbench", ["-i", "-q"], database=name, timeout_s=60)
        session.run("SELECT pg_stat_statements_reset()")
        pg_server.run_tool("pgbench", ["-t", "50", "-M", protocol], database=name, timeout_s=60)

        captured = capture_statements(reader, min_calls=50)
        assert sorted(s.name.rsplit("_", 1)[0] for s in captured.statements) == [
            "insert_pgbench_history",
            "select_pgbench_accounts",
            "update_pgbench_accounts",
            "update_pgbench_branches",
            "update_pgbench_tellers",
        ]
        assert {s.calls for s in captured.statements} == {50}
        filled = fill_parameters(reader, read_catalog(reader), captured, seed=1)
        for statement in filled.statements:
            assert len(statement.parameter_sets) >= 1
            for given in statement.parameter_sets:
                with session.rolled_back():
                    assert session.run(statement.query.sql, given.values).row_count == 1
    save_workload(filled, tmp_path / "workload.json")
    assert load_workload(tmp_path / "workload.json") == filled
