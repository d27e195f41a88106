"""What is no application's is told by its shape, and nothing of a user's is taken for it."""

import pytest

from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.upkeep import is_upkeep, is_utility_text

TOOLS = {
    "sequence of a dump": "SELECT last_value, is_called FROM public.orders_id_seq",
    "odd sequence of a dump": 'SELECT last_value, is_called FROM "Größe"."Order id, seq"',
    "catalog with casts": "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c WHERE c.relkind = $1",
    "catalog by search path": "SELECT oid::regtype::text FROM pg_type t WHERE t.oid = to_regtype($1)",
    "list of a dump": """SELECT t.oid FROM unnest($1::pg_catalog.oid[]) AS src(tbloid)
        JOIN pg_catalog.pg_index t ON t.indrelid = src.tbloid""",
    "drivers asking for types": """WITH RECURSIVE tree(oid) AS (
        SELECT t.oid FROM pg_catalog.pg_type t WHERE t.oid = any($1::oid[])
        UNION ALL SELECT t.typelem FROM pg_catalog.pg_type t, tree WHERE t.oid = tree.oid)
        SELECT * FROM tree""",
    "restoring a sequence": "SELECT pg_catalog.setval($1, $2, $3)",
    "monitoring": "SELECT pg_stat_statements_reset()",
    "information schema": "SELECT count(*) FROM information_schema.tables",
    "journal of ours": "INSERT INTO pgproof.journal (line) VALUES ($1)",
    "health check": "SELECT $1",
    "name of a type": "SELECT $1::regclass::oid",
    "which server": "SELECT version(), current_schema()",
}
APPLICATIONS = {
    "sequence as an application reads it": "SELECT last_value FROM orders_id_seq",
    "columns named so": "SELECT last_value, is_called, id FROM calls",
    "columns named so, with a condition": "SELECT last_value, is_called FROM calls WHERE id = $1",
    "catalog beside own tables": "SELECT * FROM tenants t JOIN pg_namespace n ON n.nspname = t.name",
    "function of the user's": "SELECT charge($1)",
    "function of the user's in FROM": "SELECT * FROM open_orders($1)",
    "sequence set by an application": "SELECT setval($1, $2)",
    "next number": "SELECT nextval($1)",
    "table of a schema like ours": "SELECT * FROM pgproofs.journal",
    "mark of ours in a text": "SELECT * FROM notes WHERE text = $1",
}


@pytest.mark.parametrize("sql", TOOLS.values(), ids=TOOLS)
def test_what_tools_ask_is_no_workload(sql: str) -> None:
    assert is_upkeep(parse_statement(sql))


@pytest.mark.parametrize("sql", APPLICATIONS.values(), ids=APPLICATIONS)
def test_what_an_application_asks_is_workload(sql: str) -> None:
    assert not is_upkeep(parse_statement(sql))


@pytest.mark.parametrize("sql", ["SET work_mem TO $1", "COPY (SELECT $1) TO stdout", " LOCK t IN $1 MODE"])
def test_commands_without_their_constants_are_known(sql: str) -> None:
    assert is_utility_text(sql)


@pytest.mark.parametrize("sql", ["SELECT interval $1 fortnight", "settle $1", "INSERT $1"])
def test_other_texts_that_do_not_parse_are_losses(sql: str) -> None:
    assert not is_utility_text(sql)
