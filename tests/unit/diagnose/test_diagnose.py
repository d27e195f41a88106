"""All checks together: order, merging, and what could not be looked at."""

from dataclasses import replace
from datetime import timedelta

from pgproof.model.finding import STATEMENTS, Finding, Severity, Skipped
from pgproof.model.plan import Plan
from pgproof.model.workload import Workload
from pgproof.stages.diagnose import BUILT_IN, diagnose
from pgproof.stages.diagnose.check import Check
from tests.unit.diagnose.builders import (
    catalog,
    column,
    foreign_key,
    index,
    node,
    scan,
    statement,
    table,
    titles,
)

CUSTOMERS = table("customers", column("id"))


def test_without_a_workload_the_checks_that_need_one_say_so() -> None:
    found = diagnose(catalog(table()), None, {})
    needy = {check.name for check in BUILT_IN if check.needs_workload}
    assert {skipped.check for skipped in found.skipped} == needy
    assert {skipped.hint for skipped in found.skipped} == {"Give --workload FILE."}
    assert set(found.checks) == {check.name for check in BUILT_IN} - needy


def test_checks_that_wait_for_the_server_s_statements_name_the_cure_of_those() -> None:
    unreadable = Skipped(STATEMENTS, "all are hidden", "GRANT pg_read_all_stats TO reader;")
    found = diagnose(catalog(table()), None, {}, skipped=(unreadable,))
    assert found.skipped[0] == unreadable
    assert len(found.skipped) > 1
    assert {(entry.reason, entry.hint) for entry in found.skipped} == {(unreadable.reason, unreadable.hint)}


def test_a_plugin_that_can_t_run_is_no_clean_bill() -> None:
    broken = Check("x", lambda subject: iter(()), unusable=Skipped("x", "does not import"))
    found = diagnose(catalog(table()), None, {}, checks=(broken,))
    assert (found.checks, found.skipped) == ((), (Skipped("x", "does not import"),))


def test_findings_come_most_severe_first_then_by_weight() -> None:
    def finding(title: str, severity: Severity, share: float | None) -> Finding:
        return Finding("x", severity, title, "", (), "", time_share_frac=share)

    made = (
        finding("c", Severity.LOW, 0.9),
        finding("b", Severity.HIGH, 0.2),
        finding("a", Severity.HIGH, 0.3),
        finding("z", Severity.HIGH, None),
    )
    found = diagnose(catalog(table()), None, {}, checks=(Check("x", lambda subject: iter(made)),))
    assert titles(found) == ["a", "b", "z", "c"]


def test_a_foreign_key_that_a_plan_searches_by_is_one_finding() -> None:
    of = catalog(table(), CUSTOMERS, foreign_key("customer_id"))
    one = Workload((statement("q", "SELECT 1"),), "file")
    found = diagnose(of, one, {"q": (Plan(scan("(orders.customer_id = 5)", rows=50.0)),)})
    assert [finding.check for finding in found.findings] == ["missing-index"]
    assert "also foreign-key-without-index" in [evidence.label for evidence in found.findings[0].evidence]
    other = diagnose(of, one, {"q": (Plan(scan("(orders.id = 5)", rows=1.0)),)})
    assert {finding.check for finding in other.findings} == {"missing-index", "foreign-key-without-index"}


def test_a_subquery_that_reads_whole_tables_lacks_an_index_first() -> None:
    def found(inner):
        inner = replace(inner, parent_relationship="SubPlan", subplan="SubPlan 1")
        outer = node("Seq Scan", inner, relation="customers", schema="public", alias="customers", rows=900.0)
        one = Workload((statement("q", "SELECT 1"),), "file")
        return [f.check for f in diagnose(catalog(table(), CUSTOMERS), one, {"q": (Plan(outer),)}).findings]

    assert found(scan("(orders.customer_id = customers.id)", rows=50.0)) == ["missing-index"]
    indexed = node("Index Scan", relation="orders", schema="public", alias="orders")
    assert found(indexed) == ["per-row-subquery"]


def test_an_index_that_is_both_unused_and_a_duplicate_is_one_finding() -> None:
    of = catalog(table(), index("i1", "a", scans=5), index("i2", "a", scans=0), stats_age=timedelta(days=90))
    found = diagnose(of, None, {})
    assert [finding.check for finding in found.findings] == ["duplicate-index"]
    assert found.findings[0].evidence[-1].value == "index public.i2 has not been read for 90 days"
