"""What people see of a workload on terminals of any width."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from pgproof.frontends.competition_documents import StatementDocument
from pgproof.frontends.report.terminal import print_statements, print_workload
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


def test_a_made_up_name_has_its_text_beside_the_figures() -> None:
    rows = (
        StatementDocument("select_orders_c93ce44f", 20.0, 5.0, 4.0, True, ""),
        StatementDocument("open orders", 1.0, None, None, None, "not compared"),
    )
    screen = io.StringIO()
    print_statements(
        Console(file=screen, width=110), rows, {"select_orders_c93ce44f": SQL, "open orders": SQL}
    )
    heading, _, first, second, *notes = screen.getvalue().splitlines()[1:]
    assert heading.split()[-1] == "text"
    assert first.rstrip().endswith("SELECT id, status, total FROM orders WHE…")
    assert len(first.rstrip()) <= 110
    assert second.split() == ["open", "orders", "1.00", "ms", "-", "-", "-"]
    assert [note for note in notes if note.strip()] == ["note: open orders: not compared"]
    screen = io.StringIO()
    print_statements(Console(file=screen, width=110), rows)
    assert "text" not in screen.getvalue()
