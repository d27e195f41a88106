"""A change, as data: what to do to a database, and the steps that do it.

The nouns stand here; how a kind is simulated, applied, verified and reverted stands in
``pgproof.changes``, one file a kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pgproof.model.relation import IndexKey, RelationName


class LockMode(StrEnum):
    """PostgreSQL's table lock modes, weakest first (source: PostgreSQL 18 documentation, 13.3.1)."""

    NONE = "none"
    ACCESS_SHARE = "access share"
    ROW_SHARE = "row share"
    ROW_EXCLUSIVE = "row exclusive"
    SHARE_UPDATE_EXCLUSIVE = "share update exclusive"
    SHARE = "share"
    SHARE_ROW_EXCLUSIVE = "share row exclusive"
    EXCLUSIVE = "exclusive"
    ACCESS_EXCLUSIVE = "access exclusive"

    @property
    def blocks_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it."""
        return list(LockMode).index(self) >= list(LockMode).index(LockMode.SHARE)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, with what an executor must know about it.

    Args:
        sql: Exactly one statement, identifiers quoted, no trailing semicolon.
        lock_mode: Strongest lock it takes on a user's table.
        transactional: May run inside a transaction block (False for CONCURRENTLY forms).
        purpose: One line for humans ("build index on orders").
        verifies: The statement returns one row with one boolean, which must be true.
        creates: The index it brings into being, for clean-up after a failure.
        drops: The index it removes.
        repeatable: Running it twice does no harm, and nothing tells whether it was run (ANALYZE).
    """

    sql: str
    lock_mode: LockMode
    transactional: bool
    purpose: str
    verifies: bool = False
    creates: RelationName | None = None
    drops: RelationName | None = None
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class CloneOnly:
    """The answer of a kind of change that the planner can't simulate.

    Args:
        reason: Why only a real run on a clone can tell.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change must not be made on this database.

    Args:
        reason: The danger, in plain words.
        hint: The safe recipe.
    """

    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """Build an index.

    Args:
        table: The table (also a partitioned one).
        name: Of the index, without schema (it goes to the table's schema); at most 63 bytes.
        keys: Key columns or expressions in order; at least one.
        method: Access method.
        include: Payload columns.
        where: Predicate text of a partial index, empty otherwise.
        unique: Enforce uniqueness.
    """

    table: RelationName
    name: str
    keys: tuple[IndexKey, ...]
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str = ""
    unique: bool = False
    kind: Literal["create_index"] = "create_index"


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Remove an index; its definition is kept so that it can be rebuilt.

    Args:
        index: Its name.
        table: The table it is on.
        definition: ``pg_get_indexdef`` at the time of the proposal.
    """

    index: RelationName
    table: RelationName
    definition: str
    kind: Literal["drop_index"] = "drop_index"


@dataclass(frozen=True, slots=True)
class CreateExtension:
    """Install an extension that a later change needs.

    Args:
        name: Of the extension ("pg_trgm").
        schema: Where its objects go; empty means the first schema of the search path.
    """

    name: str
    schema: str = ""
    kind: Literal["create_extension"] = "create_extension"


@dataclass(frozen=True, slots=True)
class AnalyzeTable:
    """Refresh a table's planner statistics.

    Args:
        table: The table.
        columns: Only these columns; empty means all.
    """

    table: RelationName
    columns: tuple[str, ...] = ()
    kind: Literal["analyze"] = "analyze"


class StatisticsKind(StrEnum):
    """What a statistics object holds about columns together (documentation of CREATE STATISTICS)."""

    NDISTINCT = "ndistinct"
    DEPENDENCIES = "dependencies"
    MCV = "mcv"


@dataclass(frozen=True, slots=True)
class CreateStatistics:
    """Let the planner know how columns of a table belong together, and ANALYZE so that it does.

    Args:
        table: The table.
        name: Of the object, without schema (it goes to the table's schema); at most 63 bytes.
        columns: Column names, with the expressions 2 to 8 in all; a single expression may stand alone.
        expressions: SQL of expressions over the table's columns, without outer brackets; PostgreSQL 14.
        kinds: What to hold; empty for a single expression alone, which has statistics like a column's.
    """

    table: RelationName
    name: str
    columns: tuple[str, ...]
    expressions: tuple[str, ...] = ()
    kinds: tuple[StatisticsKind, ...] = ()
    kind: Literal["create_statistics"] = "create_statistics"


@dataclass(frozen=True, slots=True)
class SetStatisticsTarget:
    """Have ANALYZE look closer at one column, and ANALYZE it.

    Args:
        table: The table; of a partitioned one its own statistics alone, those of its partitions stay.
        column: The column.
        target: Most common values and histogram steps to keep, 0 to 10000.
        previous: The column's own target before; None where ``default_statistics_target`` ruled. Taken from
            the catalog when the change is planned.
    """

    table: RelationName
    column: str
    target: int
    previous: int | None = None
    kind: Literal["set_statistics_target"] = "set_statistics_target"


@dataclass(frozen=True, slots=True)
class SetTableOption:
    """Set one storage parameter of a table.

    Args:
        table: The table; not a partitioned one, which has none.
        name: Of the parameter ("autovacuum_vacuum_scale_factor").
        value: As text ("0.02").
        previous: All parameters the table had before, in order ("fillfactor=70"). Taken from the catalog when
            the change is planned.
    """

    table: RelationName
    name: str
    value: str
    previous: tuple[str, ...] = ()
    kind: Literal["set_table_option"] = "set_table_option"


class SettingScope(StrEnum):
    """For whom a setting is set."""

    DATABASE = "database"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class SetSetting:
    """Set a configuration parameter.

    Args:
        name: Of the parameter ("work_mem").
        value: As one writes it in postgresql.conf, without quotes ("64MB", "1.1", "off"); names of a list are
            separated by commas.
        scope: The whole server (ALTER SYSTEM), or new sessions in one database (ALTER DATABASE).
        database: The database, in that scope; empty for the one the change is made in.
        previous: What was set in the same place before, as text; None where nothing was. Taken from the
            catalog when the change is planned.
    """

    name: str
    value: str
    scope: SettingScope = SettingScope.DATABASE
    database: str = ""
    previous: str | None = None
    kind: Literal["set_setting"] = "set_setting"


@dataclass(frozen=True, slots=True)
class CreateMaterializedView:
    """Keep the answer of a query as a table of its own, as it was when it was last refreshed.

    Args:
        view: Its name.
        query: The SELECT, one statement without parameters and without a trailing semicolon.
        indexes: On it; ``table`` of each is ``view``. REFRESH ... CONCURRENTLY needs a unique one on columns
            alone, without a predicate.
    """

    view: RelationName
    query: str
    indexes: tuple[CreateIndex, ...] = ()
    kind: Literal["create_materialized_view"] = "create_materialized_view"


Change = (
    CreateIndex
    | DropIndex
    | CreateExtension
    | AnalyzeTable
    | CreateStatistics
    | SetStatisticsTarget
    | SetTableOption
    | SetSetting
    | CreateMaterializedView
)
