"""How a winner comes into the owners' repository."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MigrationTool(StrEnum):
    """Whose migration files are written."""

    SQL = "sql"
    ALEMBIC = "alembic"
    DJANGO = "django"
    PRISMA = "prisma"


@dataclass(frozen=True, slots=True)
class MergePlan:
    """How a winner comes into the owners' repository.

    Args:
        auto: Commit and merge it without asking.
        into: Branch it is merged into.
        branch: Branch it is committed on.
        tool: Whose migration files are written.
        folder: Of the migration files, in the repository.
    """

    auto: bool = False
    into: str = ""
    branch: str = ""
    tool: MigrationTool = MigrationTool.SQL
    folder: str = ""
