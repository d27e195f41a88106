"""A query: one statement shape, whatever its constants."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StatementKind(StrEnum):
    """What a statement does to data."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"
    UTILITY = "utility"

    @property
    def writes(self) -> bool:
        """Whether statements of this kind change rows."""
        return self in (StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement shape.

    Args:
        fingerprint: 16 hex digits of libpg_query; equal for literals and placeholders.
        sql: Text with ``$1``... placeholders, no trailing semicolon.
        kind: What it does.
        read_only: False for anything that may write or lock rows (also ``SELECT ... FOR UPDATE``).
        queryids: The server's own ids (pg_stat_statements) that belong to this shape.
    """

    fingerprint: str
    sql: str
    kind: StatementKind
    read_only: bool
    queryids: tuple[int, ...] = ()
