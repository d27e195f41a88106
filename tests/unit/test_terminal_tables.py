"""What people see of a workload on terminals of any width."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from pgproof.frontends.report.terminal import print_workload
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import Workload, WorkloadStatement

SQL = "SELECT id, status, total FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20"


@pytest.mark.parametrize("width", [90, 120, 200])
def test_a_long_text_gives_way_to_the_figures(width: int) -> None:
    query = Query("0" * 16, SQL, StatementKind.SELECT, read_only=True)
    statement = WorkloadStatement("orders of a customer", query, 12345.0)
    screen = io.StringIO()
    print_workload(Console(file=screen, width=width), Workload((statement,), "file"), Path("w.json"), "")
    heading, _, row = screen.getvalue().splitlines()[1:4]
    assert heading.split() == ["statement", "calls", "total", "mean", "values", "text"]
    assert row.split()[:5] == ["orders", "of", "a", "customer", "12,345"]
    assert "unknown   SELECT id, status" in row
    assert len(row.rstrip()) <= width
