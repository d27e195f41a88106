"""Which statements are no application's: what tools ask a server about itself, dumps, and our own.

pg_stat_statements does not keep application names, so they are told by their shape. When in doubt a
statement is the application's: what is hidden here is never measured.
"""

from __future__ import annotations

import re

from pgproof.sqltext.calls import FunctionName, called_functions
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.shape import Relation, SourceKind
from pgproof.sqltext.walk import find_shapes

_SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast")
_OWN_SCHEMA = "pgproof"
_SERVERS_PREFIX = "pg_"
_SERVERS_OWN = frozenset(
    [
        *("set_config", "current_setting", "version", "current_schema", "current_schemas"),
        *("current_database", "format_type", "obj_description", "col_description"),
        *("to_regclass", "to_regtype", "to_regproc"),
    ]
)
_SEQUENCE_STATE = re.compile(
    r"\s*select\s+last_value\s*,\s*is_called\s+from\s+([^\s,()\"]|\"[^\"]+\")+\s*;?\s*", re.IGNORECASE
)
"""What pg_dump up to 17 asks of each sequence; is_called is of no use to anybody else."""

_UTILITY = re.compile(
    r"\s*(set|reset|show|deallocate|copy|fetch|move|close|call|explain|create|alter|drop|grant|revoke|comment"
    r"|lock|vacuum|analyze|cluster|reindex|refresh|do|begin|start|commit|rollback|savepoint|release)\b",
    re.IGNORECASE,
)


def is_utility_text(sql: str) -> bool:
    """Tell whether a text that does not parse was a utility command.

    Some don't parse any more once their constants are ``$1`` (``SET x TO $1``); that is no loss.
    """
    return _UTILITY.match(sql) is not None


def list_relations(statement: Statement) -> list[Relation]:
    """List the tables and views a statement names, the changed one first; may be empty."""
    shapes = find_shapes(statement)
    found = [relation for shape in shapes for relation in (shape.target, *shape.relations) if relation]
    return [relation for relation in found if relation.kind is SourceKind.TABLE]


def is_upkeep(statement: Statement) -> bool:
    """Tell whether a statement is a tool's: monitoring, a dump, a driver that asks for types, or ours.

    It reads nothing but the server's catalog or our journal; or no table at all, and calls none but the
    server's functions about itself; or the state of a sequence, as dumps do. A statement without a table and
    without a call (``SELECT 1``) is a connection's health check.

    Args:
        statement: A query or a change of rows.
    """
    if _SEQUENCE_STATE.fullmatch(statement.text):
        return True
    relations = list_relations(statement)
    if relations:
        return all(_is_ours_or_the_systems(relation) for relation in relations)
    return all(_is_the_servers(function) for function in called_functions(statement.text))


def _is_ours_or_the_systems(relation: Relation) -> bool:
    # An unqualified pg_... name is the system's: nobody else may begin a name so without being warned.
    return relation.schema in (*_SYSTEM_SCHEMAS, _OWN_SCHEMA) or (
        relation.schema is None and relation.name.startswith(_SERVERS_PREFIX)
    )


def _is_the_servers(function: FunctionName) -> bool:
    return (
        function.schema in _SYSTEM_SCHEMAS
        or function.name.startswith(_SERVERS_PREFIX)
        or (not function.schema and function.name in _SERVERS_OWN)
    )
