"""Statistics that the planner lacks, on a real server: proposed from plans, proven by executing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from pgproof.errors import UsageError
from pgproof.model.change import AnalyzeTable, CreateStatistics, SetStatisticsTarget, StatisticsKind
from pgproof.model.finding import Evidence
from pgproof.model.plan import Plan
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import RelationName
from pgproof.model.statistics_advice import StatisticsAdvice
from pgproof.model.workload import ParameterSet, StatementCounters, Workload, WorkloadStatement
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parse import parse_script
from pgproof.stages.estimate.executed_plans import execute_plans
from pgproof.stages.estimate.statistics_check import check_statistics
from pgproof.stages.propose.statistics import propose_statistics

pytestmark = pytest.mark.pg

# Each city has one zip, so a pair is 300 times as frequent as two independent columns would have it. One row
# is expected: to find the first ten by id, all rows would have to be read in any case.
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, city text NOT NULL, "Zip" text NOT NULL, name text NOT NULL);
INSERT INTO customers
SELECT i, 'city ' || i % 300, 'zip ' || i % 300, 'name ' || i FROM generate_series(1, 60000) AS i;
CREATE TABLE fresh (id int, note text);
INSERT INTO fresh SELECT i, 'x' FROM generate_series(1, 5000) AS i;
ALTER TABLE fresh SET (autovacuum_enabled = false);
ANALYZE customers;
"""
CUSTOMERS = RelationName("public", "customers")
FIRST_TEN = 'SELECT id, name FROM customers WHERE city = $1 AND "Zip" = $2 ORDER BY id LIMIT 10'
GROUPED = 'SELECT city, "Zip", count(*) FROM customers GROUP BY city, "Zip"'


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with open_session(database, read_only=False) as opened:
        for statement in parse_script(SCHEMA):
            opened.run(statement.text)
        yield opened


def statement(
    name: str, sql: str, *values: str, counters: StatementCounters | None = None
) -> WorkloadStatement:
    sets = (ParameterSet(values),) if values else ()
    return WorkloadStatement(name, Query("0" * 16, sql, StatementKind.SELECT, True), 10, sets, counters)


def workload(*statements: WorkloadStatement) -> Workload:
    return Workload(statements, "file")


def executed(session: Session, asked: Workload) -> Mapping[str, tuple[Plan, ...]]:
    plans, skipped = execute_plans(session, asked)
    assert skipped == ()
    return plans


def test_columns_that_belong_together_are_found_and_proven(session: Session) -> None:
    asked = workload(statement("by place", FIRST_TEN, "city 7", "zip 7"))
    catalog = read_catalog(session)
    (advice,) = propose_statistics(catalog, asked, executed(session, asked))
    assert advice.change == CreateStatistics(
        CUSTOMERS,
        "customers_Zip_city_stat",
        ("Zip", "city"),
        (),
        (StatisticsKind.DEPENDENCIES, StatisticsKind.MCV),
    )
    assert advice.error_factor is not None
    assert advice.error_factor >= 10
    assert "independent of each other" in advice.reason
    assert "zip 7" not in advice.reason, "no row values"
    (check,) = check_statistics(session, asked, (advice,))
    assert check.kept, check.reason
    assert isinstance(check.advice.change, CreateStatistics)
    assert check.advice.change.kinds == (StatisticsKind.DEPENDENCIES,), "300 places don't fit a list of 100"
    (result,) = check.statements
    assert result.error_before >= 10
    assert result.error_after < 2
    assert result.plan_changed
    assert result.after_ms < result.before_ms / 2
    assert read_catalog(session).statistics == (), "nothing stays on the clone"


def test_a_count_of_the_server_is_evidence_where_nothing_was_executed(session: Session) -> None:
    sql = 'SELECT id FROM customers WHERE city = $1 AND "Zip" = $2'
    counters = StatementCounters(calls=50, total_ms=100, rows=50 * 200)
    asked = workload(statement("by place", sql, "city 7", "zip 7", counters=counters))
    plans = {"by place": (explain(session, sql, ("city 7", "zip 7")),)}
    (advice,) = propose_statistics(read_catalog(session), asked, plans)
    assert isinstance(advice.change, CreateStatistics)
    assert advice.evidence[1] == Evidence("rows that came", "200", "pg_stat_statements")


def test_groups_of_columns_that_belong_together(session: Session) -> None:
    asked = workload(statement("by group", GROUPED))
    catalog = read_catalog(session)
    (advice,) = propose_statistics(catalog, asked, executed(session, asked))
    assert isinstance(advice.change, CreateStatistics)
    assert advice.change.kinds == (StatisticsKind.NDISTINCT,)
    (check,) = check_statistics(session, asked, (advice,))
    assert check.statements[0].error_before >= 10
    assert check.statements[0].error_after < 2


@pytest.mark.pg(">= 14")
def test_an_expression_is_estimated_once_it_has_statistics(session: Session) -> None:
    asked = workload(statement("even", "SELECT id FROM customers WHERE id % 2 = 0"))
    (advice,) = propose_statistics(read_catalog(session), asked, executed(session, asked))
    assert isinstance(advice.change, CreateStatistics)
    assert (advice.change.columns, advice.change.kinds) == ((), ())
    (check,) = check_statistics(session, asked, (advice,))
    assert check.statements[0].error_after < 2
    assert not check.kept, "there is no other plan to have"


def test_what_no_plan_profits_from_is_not_kept(session: Session) -> None:
    sql = 'SELECT count(*) FROM customers WHERE city = $1 AND "Zip" = $2'
    asked = workload(statement("count", sql, "city 7", "zip 7"))
    useless = StatisticsAdvice(
        CreateStatistics(CUSTOMERS, "s", ("city", "name"), (), (StatisticsKind.DEPENDENCIES,)),
        "because",
        (),
        "",
        ("count",),
    )
    (check,) = check_statistics(session, asked, (useless,))
    assert (check.kept, check.reason) == (False, "No estimate got closer.")


def test_a_table_never_analysed_comes_first_and_alone(session: Session) -> None:
    asked = workload(
        statement("note", "SELECT id FROM fresh WHERE note = $1 AND id % 2 = 0", "x"),
        statement("by place", FIRST_TEN, "city 7", "zip 7"),
    )
    found = propose_statistics(read_catalog(session), asked, executed(session, asked))
    assert [type(advice.change) for advice in found] == [AnalyzeTable, CreateStatistics]
    assert found[0].change == AnalyzeTable(RelationName("public", "fresh"))
    assert found[0].statements == ("note",)
    checks = check_statistics(session, asked, found)
    assert checks[0].kept


def test_statistics_that_are_there_are_not_proposed_again(session: Session) -> None:
    session.run('CREATE STATISTICS theirs ON city, "Zip" FROM customers')  # and nobody analysed since
    asked = workload(statement("by place", FIRST_TEN, "city 7", "zip 7"))
    assert propose_statistics(read_catalog(session), asked, executed(session, asked)) == ()


def test_a_value_behind_the_end_of_the_common_ones(session: Session) -> None:
    """120 values share half of the rows and the others are unique: the list ends among the frequent ones."""
    session.run("CREATE TABLE visits (page int NOT NULL)")
    session.run(
        "INSERT INTO visits SELECT CASE WHEN i <= 40000 THEN i % 120 ELSE 1000 + i END"
        " FROM generate_series(1, 80000) AS i"
    )
    session.run("ALTER TABLE visits ALTER page SET STATISTICS 10")
    session.run("ANALYZE visits")
    catalog = read_catalog(session)
    common = catalog.find_table("visits").column("page").statistics.most_common_vals
    # Three of them: the next sample may have one among the common ones, hardly all.
    behind = [str(value) for value in range(120) if str(value) not in common][:3]
    asked = workload(
        replace(
            statement("page", "SELECT count(*) FROM visits WHERE page = $1"),
            parameter_sets=tuple(ParameterSet((value,)) for value in behind),
        )
    )
    found = propose_statistics(catalog, asked, executed(session, asked))
    assert [advice.change for advice in found] == [
        SetStatisticsTarget(RelationName("public", "visits"), "page", 1000)
    ]
    (check,) = check_statistics(session, asked, found)
    assert check.statements[0].error_after < check.statements[0].error_before / 5


def test_what_can_not_be_executed_is_named(session: Session, database: str) -> None:
    asked = workload(
        statement("typo", "SELECT id FROM customers WHERE id = $1", "seven"),
        statement("no values", "SELECT id FROM customers WHERE id = $1"),
        statement("fine", "SELECT count(*) FROM customers"),
        statement("write", "DELETE FROM customers"),
    )
    plans, skipped = execute_plans(session, asked)
    assert set(plans) == {"fine", "write"}
    assert [entry.reason.split(":")[0] for entry in skipped] == [
        "typo was not executed",
        "no values was not executed",
    ]
    assert session.value("SELECT count(*) FROM customers") == 60_000, "writes are rolled back"
    advice = StatisticsAdvice(AnalyzeTable(CUSTOMERS), "because", (), "", ("typo", "no values"))
    (check,) = check_statistics(session, asked, (advice,))
    assert (check.kept, check.statements) == (True, ()), "ANALYZE costs nothing to keep"
    with open_session(database) as reader, pytest.raises(UsageError, match="on clones only"):
        check_statistics(reader, asked, (advice,))


def test_partitions_keep_statistics_of_their_own_and_the_whole_those_of_groups(session: Session) -> None:
    session.run('CREATE TABLE "Pl" (city text, zip text, y int) PARTITION BY LIST (y)')
    for year in range(3):
        session.run(f'CREATE TABLE pl_{year} PARTITION OF "Pl" FOR VALUES IN ({year})')
    session.run("""INSERT INTO "Pl" SELECT 'c' || i % 300, 'z' || i % 300, least(i / 20000, 2)
                   FROM generate_series(0, 59999) AS i""")
    session.run("ANALYZE")
    asked = workload(
        statement("scan", 'SELECT zip FROM "Pl" WHERE city = $1 AND zip = $2 AND y = 1', "c7", "z7"),
        statement("group", 'SELECT city, zip, count(*) FROM "Pl" GROUP BY city, zip'),
    )
    found = propose_statistics(read_catalog(session), asked, executed(session, asked))
    told = {str(advice.change.table): advice.change for advice in found}
    assert set(told) == {"public.pl_1", "public.Pl"}
    assert told["public.pl_1"].columns == ("city", "zip"), "the partition's key is the same everywhere"
    assert told["public.Pl"].kinds == (StatisticsKind.NDISTINCT,)
    checks = check_statistics(session, asked, found)
    for check in checks:
        (result,) = check.statements
        assert result.error_after < 2 < 10 <= result.error_before, check
