"""A file and a server's counters in one: whose weights, and that nothing contradicts itself."""

from pgproof.model.workload import StatementCounters, Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.files import parse_workload
from pgproof.stages.capture.merge import adopt_counters
from pgproof.stages.capture.resolve import resolve_generators

BARE = """
statements:
  - {name: by id, sql: "SELECT * FROM orders WHERE id = 7"}
  - {name: by status, sql: "SELECT * FROM orders WHERE status = 'open'"}
"""


def measured(*counted: tuple[str, float, float]) -> Workload:
    """Statements with calls and total time."""
    statements = []
    for sql, calls, total_ms in counted:
        query = make_query(parse_statement(sql))
        assert query is not None
        counters = StatementCounters(calls=calls, total_ms=total_ms, rows=calls)
        statements.append(WorkloadStatement(sql, query, calls, counters=counters))
    return Workload(tuple(statements), "pg_stat_statements")


def merge(text: str, seen: Workload, source: str = "w.yaml") -> Workload:
    spec = parse_workload(text, source)
    return adopt_counters(resolve_generators(None, spec), seen, weighted=spec.weighted)


def calls(workload: Workload) -> dict[str, float]:
    return {statement.name: statement.calls for statement in workload.statements}


BY_ID = ("SELECT * FROM orders WHERE id = $1", 700.0, 18_000.0)
BY_STATUS = ("SELECT * FROM orders WHERE status = $1", 30.0, 90_000.0)


def test_calls_of_the_server_weigh_where_the_file_says_nothing() -> None:
    workload = merge(BARE, measured(BY_ID, BY_STATUS))
    assert calls(workload) == {"by status": 30, "by id": 700}
    assert workload.notes == ("Weights are the server's calls.",)
    for statement in workload.statements:
        assert statement.counters is not None
        assert statement.counters.calls == statement.calls


def test_what_the_server_has_not_counted_weighs_one_call() -> None:
    workload = merge(BARE, measured(BY_ID, ("SELECT * FROM items", 5, 1)))
    assert calls(workload) == {"by id": 700, "by status": 1}
    assert workload.notes == (
        "Weights are the server's calls; what it has not counted (1) weighs as one call each.",
        "The server also counted 1 statement that the workload file does not name.",
    )


def test_weights_of_the_file_stay() -> None:
    workload = merge(BARE.replace("{name: by id,", "{name: by id, weight: 3,"), measured(BY_ID, BY_STATUS))
    assert calls(workload) == {"by status": 1, "by id": 3}
    assert workload.notes == ("Weights are the file's; calls and times are the server's.",)


def test_a_script_may_say_calls_as_well() -> None:
    script = "-- name: by id\n{}SELECT * FROM orders WHERE id = 7;"
    assert calls(merge(script.format(""), measured(BY_ID), "w.sql")) == {"by id": 700}
    assert calls(merge(script.format("-- calls: 9\n"), measured(BY_ID), "w.sql")) == {"by id": 9}


def test_a_server_that_counted_nothing_of_it_says_nothing_of_weights() -> None:
    assert merge(BARE, measured()).notes == ()
