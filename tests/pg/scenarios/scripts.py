"""How a scenario gets into a test's database."""

from collections.abc import Callable

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session
from pgproof.scenarios import load_scenario, read_schema_sql, render_data_sql
from pgproof.sqltext.parse import parse_script

SCALE = 0.01

Loader = Callable[[EmbeddedServer, str], Session]
"""Gives a session on a scenario loaded at SCALE; what it finds there is nobody's to change."""


def run_scripts(session: Session, name: str, scale: float) -> None:
    """Load a scenario into an empty database."""
    scenario = load_scenario(name)
    for sql in (read_schema_sql(scenario), render_data_sql(scenario, scale)):
        for statement in parse_script(sql):
            session.run(statement.text)


def indexed_columns(session: Session) -> list[str]:
    """List what indexes lead with, as "table.column", those of keys included."""
    rows = session.run(
        "SELECT c.relname || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
        "WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1"
    ).rows
    return [str(column) for (column,) in rows]
