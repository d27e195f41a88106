"""Which parameter sets go into the race, and what is said about the others."""

from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.compete.values import describe_unmeasured, leave_out_failing


def statement(name: str, sets: int, calls: float = 1.0) -> WorkloadStatement:
    query = make_query(parse_statement(f"DELETE FROM {name} WHERE id = $1"))
    assert query is not None
    return WorkloadStatement(name, query, calls, tuple(ParameterSet((str(k),)) for k in range(sets)))


def test_sets_that_fail_are_left_out_and_the_statement_goes_on() -> None:
    workload = Workload((statement("a", 3), statement("b", 2)), "test")
    found = leave_out_failing(workload, {"a": {0: "no such row", 2: "no such row"}, "b": {}})
    assert [s.values for s in found.workload.statements[0].parameter_sets] == [("1",)]
    assert found.workload.statements[1] == workload.statements[1]
    assert found.notes == (
        "a: 2 of 3 parameter sets are left out, since they fail on the control: no such row",
    )


def test_a_statement_without_a_set_that_works_keeps_them_so_that_its_reason_is_seen() -> None:
    workload = Workload((statement("a", 2),), "test")
    found = leave_out_failing(workload, {"a": {0: "fails", 1: "fails"}})
    assert found.workload == workload
    assert found.notes == ()


def test_unmeasured_calls_are_counted() -> None:
    a, b, c = statement("a", 1, 70.0), statement("b", 1, 25.0), statement("c", 1, 1205.0)
    workload = Workload((a, b, c), "test")
    assert describe_unmeasured(workload, [a, b, c]) == ""
    assert describe_unmeasured(workload, [a, b]) == (
        "unmeasured: 1 of 3 statements, 1,205 calls (92.7% of all); no gate or score speaks of them"
    )
