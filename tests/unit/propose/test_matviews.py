"""Materialised views: which statements get one, and why others do not."""

from dataclasses import replace

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.estimate import Confidence
from pgproof.model.larger_change import ViewCandidate
from pgproof.model.relation import ExtendedStatistics, RelationName
from pgproof.model.workload import ParameterSet, ParameterSource, StatementCounters, WorkloadStatement
from pgproof.stages.propose.matviews import propose_views
from tests.builders import catalog, column, primary_key, statement, table, workload

ORDERS = table(
    "orders",
    column("id"),
    column("customer_id", distinct=5000),
    column("status", "text", distinct=4),
    column("total", "numeric"),
    column("at", "timestamptz"),
    pages=20_000,
)
SMALL = table("kind", column("id"), column("word", "text"), pages=10)
KNOWN = catalog(ORDERS, SMALL)
BY_STATUS = "SELECT status, sum(total) FROM orders GROUP BY status"


def views(*statements: WorkloadStatement | str, known: Catalog = KNOWN) -> tuple[ViewCandidate, ...]:
    return propose_views(known, workload(*statements))[0]


def reasons(*statements: WorkloadStatement | str, known: Catalog = KNOWN) -> dict[str, str]:
    found, dismissed = propose_views(known, workload(*statements))
    assert found == ()
    return {one.what: one.reason for one in dismissed}


def test_a_sum_over_a_large_table_gets_a_view_that_can_be_refreshed_concurrently() -> None:
    (view,) = views(BY_STATUS)
    change = view.change
    assert change.query == (
        "SELECT orders.status AS status, sum(orders.total) AS sum FROM public.orders GROUP BY orders.status"
    )
    assert change.view.schema == "public"
    assert change.view.name.startswith("orders_by_status_")
    (index,) = change.indexes
    assert (index.unique, [key.column for key in index.keys]) == (True, ["status"])
    (reader,) = view.readers
    assert reader.name == "q0"
    assert reader.query.sql.endswith(f"FROM public.{change.view.name} summary")
    assert "never newer" in view.cautions[0], "staleness is named first"
    assert (view.confidence, view.confidence_reason) == (
        Confidence.HIGH,
        "as many rows as its key has values, by the column's statistics",
    )


def test_statements_over_the_same_rows_share_a_view() -> None:
    (view,) = views(BY_STATUS, "SELECT status, count(*) FROM orders WHERE status = 'new' GROUP BY 1")
    assert [column.name for column in view.columns] == ["status", "sum", "count"]
    assert [reader.name for reader in view.readers] == ["q0", "q1"]


def test_a_question_to_the_groups_keeps_its_parameters_numbered_anew() -> None:
    asked = statement(
        "SELECT sum(total) FROM orders WHERE at > $1 AND status = $2 GROUP BY status LIMIT $3",
        ("2026-01-01 00:00+00", "new", "5"),
        ("2026-01-01 00:00+00", "paid", "5"),
    )
    (view,) = views(asked)
    assert "orders.at > '2026-01-01 00:00+00'" in view.change.query
    (reader,) = view.readers
    assert reader.query.sql.endswith("WHERE summary.status = $1 LIMIT $2")
    assert [one.values for one in reader.parameter_sets] == [("new", "5"), ("paid", "5")]
    assert any("a call with others must keep the statement as it is" in line for line in view.cautions)


def test_sets_that_become_equal_are_one() -> None:
    sql = "SELECT count(*) FROM orders WHERE at > $1 AND id IS NOT NULL"
    (view,) = views(statement(sql, ("2026-01-01Z",), ("2026-01-01Z",)))
    (one,) = view.readers[0].parameter_sets
    assert (one.values, one.weight) == ((), 2.0)


def test_values_that_were_made_up_are_never_written_into_a_view() -> None:
    made_up = ParameterSet(("7",), ParameterSource.STATISTICS)
    asked = replace(statement("SELECT count(*) FROM orders WHERE total > $1"), parameter_sets=(made_up,))
    assert "values that change from call to call ($1)" in reasons(asked)["q"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT word, count(*) FROM kind GROUP BY word", "its tables have 10 pages: summed up in no time"),
        (
            "SELECT status, sum(random() * total) FROM orders GROUP BY status",
            "random() may answer differently",
        ),
        ("SELECT status, count(*) FROM orders WHERE at > now() GROUP BY 1", "now() may answer differently"),
        ("SELECT mine(status), count(*) FROM orders GROUP BY 1", "mine() may answer differently"),
        ("SELECT count(*) FROM orders WHERE total > $1", "values that change from call to call ($1)"),
        ("SELECT status, array_agg(id) FROM orders GROUP BY status", "no part of it is provably a plain sum"),
    ],
)
def test_others_are_told_why_not(sql: str, reason: str) -> None:
    known = catalog(replace(ORDERS, pages=10, size_bytes=81_920), SMALL) if "kind" in sql else KNOWN
    assert reason in reasons(sql, known=known)["q0"]


def test_a_table_that_is_written_more_often_than_it_is_summed_up_gets_none() -> None:
    write = replace(statement("UPDATE orders SET total = $1 WHERE id = $2"), name="w", calls=25.0)
    assert reasons(statement(BY_STATUS), write) == {
        "q": "its tables are written 2.5 times as often as it is called: a view would be out of date at each"
        " reading"
    }
    assert len(views(statement(BY_STATUS), replace(write, calls=10.0))) == 1


def test_what_ran_once_is_left_alone() -> None:
    counters = StatementCounters(calls=1, total_ms=5000, rows=4)
    assert reasons(replace(statement(BY_STATUS), counters=counters)) == {"q": "it was called once"}


def test_light_statements_are_not_looked_at() -> None:
    heavy = replace(statement("SELECT * FROM orders"), name="heavy", calls=10_000.0)
    assert propose_views(KNOWN, workload(heavy, statement(BY_STATUS))) == ((), ())


def test_rows_that_not_everybody_may_see_are_kept_in_no_view() -> None:
    known = catalog(replace(ORDERS, row_security=True))
    assert "row-level security" in reasons(BY_STATUS, known=known)["q0"]


def test_how_many_combinations_there_are_is_a_guess_without_statistics_of_them() -> None:
    sql = "SELECT status, customer_id, count(*) FROM orders GROUP BY 1, 2"
    (view,) = views(sql)
    assert view.confidence is Confidence.LOW
    assert "CREATE STATISTICS (ndistinct)" in view.confidence_reason
    name = RelationName("public", "s")
    held = ExtendedStatistics(name, ORDERS.relation, ("customer_id", "status"), ("ndistinct",), "")
    (view,) = views(sql, known=replace(KNOWN, statistics=(held,)))
    assert view.confidence is Confidence.MEDIUM


def test_what_follows_from_a_primary_key_is_not_needed_to_tell_rows_apart() -> None:
    buyer = table("buyer", column("id"), column("name", "text"), column("note", "text", width=4000))
    known = catalog(
        ORDERS, buyer, constraints=[primary_key("buyer", "id"), primary_key("orders", "id", "status")]
    )
    sql = (
        "SELECT b.name, b.note, o.status, b.id, count(*) FROM orders o JOIN buyer b ON b.id = o.customer_id"
        " WHERE o.at > $1 AND o.status = $2 GROUP BY 1, 2, 3, 4"
    )
    (view,) = views(statement(sql, ("2026-01-01Z", "new"), ("2026-01-01Z", "paid")), known=known)
    (index,) = view.change.indexes
    assert [key.column for key in index.keys] == ["status", "id"], "what is looked up stands first"
    assert "orders_by_status_id_" in view.change.view.name


def test_an_index_whose_entries_might_not_fit_is_not_proposed() -> None:
    wide = table("orders", column("note", "text", width=4000), pages=20_000)
    (view,) = views("SELECT note, count(*) FROM orders GROUP BY note", known=catalog(wide))
    assert view.change.indexes == ()


def test_conditions_on_sums_are_guesses() -> None:
    (view,) = views(f"{BY_STATUS} HAVING sum(total) > 5")
    assert view.confidence is Confidence.LOW
    assert "HAVING" in view.confidence_reason


def test_days_depend_on_the_session_that_refreshes() -> None:
    (view,) = views("SELECT date_trunc('day', at), count(*) FROM orders GROUP BY 1")
    assert view.confidence is Confidence.LOW
    assert any("date_trunc may follow the TimeZone" in caution for caution in view.cautions)


def test_what_the_parser_does_not_know_is_passed_over() -> None:
    odd = replace(
        statement("SELECT 1"), query=replace(statement("SELECT 1").query, sql="SELEC count(*) FROM")
    )
    assert propose_views(KNOWN, workload(odd)) == ((), ())
