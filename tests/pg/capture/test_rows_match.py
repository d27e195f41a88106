"""The application's favourites, told from the rows its calls return: on a real server, with real counters."""

from collections import Counter
from collections.abc import Iterator

import pytest

from pgproof.model.workload import WorkloadStatement
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session, open_session
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.capture.statements import capture_statements

pytestmark = pytest.mark.pg

SCHEMA = (
    "CREATE EXTENSION pg_stat_statements",
    "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, status text NOT NULL, "
    "at timestamptz NOT NULL)",
    "INSERT INTO orders SELECT g, g % 50, CASE WHEN g % 100 = 0 THEN 'open' ELSE 'sent' END, "
    "timestamptz '2026-01-01' + g * interval '1 min' FROM generate_series(1, 40000) g",
    "CREATE INDEX ON orders (status)",
    "ANALYZE",
    "SELECT pg_stat_statements_reset()",
)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session on a table of which one row in a hundred is open."""
    with open_session(database, read_only=False) as session:
        for sql in SCHEMA:
            session.run(sql)
        yield session


def capture(session: Session) -> WorkloadStatement:
    workload = fill_parameters(session, read_catalog(session), capture_statements(session), seed=1)
    return next(s for s in workload.statements if s.query.kind == "select")


def shares(statement: WorkloadStatement, place: int = 0) -> dict[str | None, float]:
    counts: Counter[str | None] = Counter()
    for given in statement.parameter_sets:
        counts[given.values[place]] += given.weight
    return {value: count / sum(counts.values()) for value, count in counts.items()}


def test_an_application_that_asks_for_the_rare_value_only(session: Session) -> None:
    for _ in range(10):
        session.run("SELECT * FROM orders WHERE status = 'open'")
    statement = capture(session)
    assert shares(statement) == {"open": 1.0}
    assert statement.notes[-1].startswith(
        "Values are chosen so that a call meets about as many rows as the server counted (400.0); "
    )


def test_the_rare_value_beside_a_parameter_that_differs_in_every_row(session: Session) -> None:
    for n in range(10):
        session.run(f"SELECT * FROM orders WHERE status = 'open' AND at > timestamptz '2026-01-0{n + 1}'")
    statement = capture(session)
    # few 'sent' of a short time are as many rows as all 'open' of a long one: one mean can't tell them apart
    assert shares(statement).get("open", 0.0) > 0.5
    assert len(statement.parameter_sets) >= 5


def test_an_application_that_asks_for_the_common_value(session: Session) -> None:
    for _ in range(10):
        session.run("SELECT * FROM orders WHERE status = 'sent'")
    statement = capture(session)
    assert shares(statement)["sent"] >= 0.75
    assert statement.notes == ()


def test_a_mixture_keeps_both(session: Session) -> None:
    for _ in range(9):
        session.run("SELECT * FROM orders WHERE status = 'open'")
    session.run("SELECT * FROM orders WHERE status = 'sent'")
    found = shares(capture(session))
    assert found["open"] == pytest.approx(0.9)


def test_width_of_a_range_is_told_as_well(session: Session) -> None:
    for n in range(10):
        session.run(f"SELECT * FROM orders WHERE at > timestamptz '2026-01-28 {n + 10}:00'")
    statement = capture(session)
    widths = [
        session.run("SELECT count(*) FROM orders WHERE at > $1", given.values).rows[0][0]
        for given in statement.parameter_sets
    ]
    counted = statement.counters.rows_a_call if statement.counters else 0
    assert 0 < counted / 4 <= sum(widths) / len(widths) <= counted * 4


def test_page_size_is_told(session: Session) -> None:
    for n in range(10):
        session.run(f"SELECT * FROM orders WHERE customer = {n} ORDER BY id LIMIT 50")
    statement = capture(session)
    assert {given.values[1] for given in statement.parameter_sets} == {"50"}
    assert "LIMIT is assumed to be 50, the page that the counted rows fit into." in statement.notes
