"""What a person writes in CREATE INDEX, and what the server says it is: recognised as the same."""

import pytest

from pgproof.changes import effective_changes
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import open_session
from pgproof.sqltext.ddl import parse_change

pytestmark = pytest.mark.pg

TABLE = """
CREATE TABLE doc (
    id bigint, status varchar(20), email text, code char(4), body jsonb, amount numeric, day date,
    made_at timestamp, active boolean, "Größe" int, tags text[]
)
"""
INDEXES = (
    "(id) WHERE status IN ('new', 'in work')",
    "(id) WHERE status NOT IN ('done', 'gone')",
    "(id) WHERE status = 'in work' AND (amount > 100 OR active)",
    "(id) WHERE email LIKE 'a%' AND NOT active",
    "(id) WHERE day >= DATE '2026-01-01' AND status IS NOT NULL",
    "(id) WHERE code <> 'ab' AND \"Größe\" > 3",
    "(lower(email), upper(status))",
    "(((body ->> 'n')::int)) WHERE body ? 'n'",
    "((body ->> 'n'))",
    "((made_at::date), coalesce(status, 'none'))",
    "((amount * 2 + 1), (email || '-' || status))",
)


@pytest.mark.parametrize("rest", INDEXES)
def test_an_index_that_is_there_is_recognised(database: str, rest: str) -> None:
    change = parse_change(f"CREATE INDEX doc_idx ON doc {rest}")
    with open_session(database, read_only=False) as session:
        session.run(TABLE)
        session.run(f"CREATE INDEX another_name ON doc {rest}")
        assert effective_changes((change,), read_catalog(session)) == ()


def test_an_index_on_another_cast_of_the_same_value_is_another_index(database: str) -> None:
    planned = CreateIndex(
        RelationName("public", "doc"), "doc_idx", (IndexKey(expression="(body ->> 'n')::int"),)
    )
    with open_session(database, read_only=False) as session:
        session.run(TABLE)
        session.run("CREATE INDEX as_text ON doc ((body ->> 'n'))")
        assert effective_changes((planned,), read_catalog(session)) == (planned,)
