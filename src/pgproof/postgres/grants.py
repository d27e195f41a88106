"""Words the GRANT that would have avoided a denial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pgproof.sqltext.quote import qualify, quote_identifier

RELATION_KINDS = ("table", "view", "materialized view", "foreign table", "relation")


class Denial(NamedTuple):
    """What the server said was denied.

    Args:
        kind: "table", "schema", "function"...
        name: Of the object, without its schema; may be empty.
    """

    kind: str
    name: str


def grant_for(denial: Denial, schemas: Sequence[str], user: str, read_only: bool) -> str:
    """Return the statement that gives what was denied, as far as it can be told.

    Args:
        denial: What the server said.
        schemas: Schemas that hold a relation of that name which the user may not read, sorted.
        user: Who needs the privilege.
        read_only: The session only reads, so that SELECT is what was missing.
    """
    role = quote_identifier(user)
    if denial.kind == "schema":
        return f"GRANT USAGE ON SCHEMA {quote_identifier(denial.name)} TO {role};"
    if denial.kind == "function":
        return f"GRANT EXECUTE ON FUNCTION {denial.name} TO {role}; -- or: GRANT pg_monitor TO {role};"
    if denial.kind == "sequence":
        return f"GRANT SELECT, USAGE ON SEQUENCE {quote_identifier(denial.name)} TO {role};"
    if denial.kind in RELATION_KINDS and denial.name:
        tables = [qualify(schema, denial.name) for schema in schemas] or [quote_identifier(denial.name)]
        privileges = "SELECT" if read_only else "SELECT, INSERT, UPDATE, DELETE"
        return "\n".join(f"GRANT {privileges} ON TABLE {table} TO {role};" for table in tables)
    return ""


def grants_to_see(name: str, schemas: Sequence[str], user: str) -> str:
    """Return the statements that let a role name a relation and read it, one a line.

    Args:
        name: Of the relation, without its schema.
        schemas: That hold one of that name and which the role may not use.
        user: Who needs the privilege.
    """
    role = quote_identifier(user)
    return "\n".join(
        f"GRANT USAGE ON SCHEMA {quote_identifier(schema)} TO {role}; "
        f"GRANT SELECT ON TABLE {qualify(schema, name)} TO {role};"
        for schema in schemas
    )
