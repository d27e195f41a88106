"""Values are tried on a stand-in: the target is asked for nothing that the stand-in can tell."""

from collections.abc import Callable, Iterator

import pytest

from pgproof.errors import ServerError
from pgproof.model.query import Query
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.value_planner import StandInPlanner, Unplanned

pytestmark = pytest.mark.pg

SCHEMA = "CREATE TABLE item (id int PRIMARY KEY, born date); INSERT INTO item VALUES (1, '2026-01-01')"
ONLY_THERE = "CREATE FUNCTION half(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2'"
COUNTED = "CREATE EXTENSION pg_stat_statements"


def query(sql: str) -> Query:
    made = make_query(parse_statement(sql))
    assert made is not None
    return made


@pytest.fixture
def pair(fresh_database: Callable[[], str]) -> Iterator[tuple[Session, Session]]:
    """A target with its counters at zero, and a stand-in that lacks one of its functions."""
    target_dsn, other_dsn = fresh_database(), fresh_database()
    with (
        open_session(target_dsn, read_only=False) as target,
        open_session(other_dsn, read_only=False) as other,
    ):
        for session in (target, other):
            for statement in SCHEMA.split("; "):
                session.run(statement)
        target.run(ONLY_THERE)
        target.run(COUNTED)
        target.run("SELECT pg_stat_statements_reset()")
        yield target, other


def seen(target: Session) -> list[str]:
    rows = target.run(
        "SELECT query FROM pg_stat_statements WHERE dbid ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()) AND query ~ 'item'"
    ).rows
    return [text for (text,) in rows]


def test_the_stand_in_tells_types_and_rows(pair: tuple[Session, Session]) -> None:
    target, other = pair
    planner = StandInPlanner(other, target, is_incomplete=True)
    asked = query("SELECT * FROM item WHERE id = $1 AND born > $2")
    assert [kind.base for kind in planner.types(asked.sql)] == ["int4", "date"]
    assert planner.rows(asked, ("1", "2026-01-01")) == 1
    with pytest.raises(ServerError):
        planner.rows(asked, ("one", "2026-01-01"))
    assert seen(target) == []


def test_what_the_stand_in_lacks_is_kept_untried(pair: tuple[Session, Session]) -> None:
    target, other = pair
    planner = StandInPlanner(other, target, is_incomplete=True)
    asked = query("SELECT * FROM item WHERE id = half($1)")
    assert [kind.base for kind in planner.types(asked.sql)] == ["int8"]
    assert isinstance(planner.rows(asked, ("1",)), Unplanned)
    assert not [text for text in seen(target) if "EXPLAIN" in text]


def test_a_complete_stand_in_is_believed(pair: tuple[Session, Session]) -> None:
    target, other = pair
    planner = StandInPlanner(other, target, is_incomplete=False)
    with pytest.raises(ServerError):
        planner.types("SELECT * FROM item WHERE id = half($1)")
    assert seen(target) == []
