"""What stands in a database's catalog: tables, columns, indexes, constraints, statistics, settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgproof.model.statistics import ColumnStatistics, TableActivity


@dataclass(frozen=True, slots=True, order=True)
class RelationName:
    """A schema-qualified name, as stored in the catalog (never quoted)."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class RelationKind(StrEnum):
    """pg_class.relkind in words."""

    TABLE = "table"
    PARTITIONED = "partitioned"
    VIEW = "view"
    MATVIEW = "matview"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Column:
    """One column, in attnum order.

    Args:
        name: As stored.
        type_name: ``format_type`` output ("character varying(20)").
        base_type: pg_type.typname of the column's base type, domains resolved ("varchar", "int4", "_text").
        not_null: Declared NOT NULL.
        default: Expression text, empty without one.
        generated: "" or "stored" or "virtual".
        collation: Collation name when not the type's default, else empty.
        statistics: None where never analysed or not readable.
        identity: "" or "always" or "by default".
        statistics_target: The column's own target; None where ``default_statistics_target`` rules.
        orderable: Its type has a default btree operator class.
    """

    name: str
    type_name: str
    base_type: str
    not_null: bool
    default: str = ""
    generated: str = ""
    collation: str = ""
    statistics: ColumnStatistics | None = None
    identity: str = ""
    statistics_target: int | None = None
    orderable: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A relation that statements can read.

    Args:
        relation: Its name.
        kind: What it is.
        columns: In attnum order, dropped ones left out.
        rows: Estimated live rows (reltuples); -1 where never analysed.
        pages: relpages, blocks of 8 KiB.
        size_bytes: Heap without indexes (partitions summed for a partitioned parent).
        activity: Counters, None where not readable.
        parent: The partitioned table it is a partition of.
        partition_key: ``pg_get_partkeydef``, empty unless partitioned.
        definition: A view's query, empty for tables.
        row_security: Row-level security is on.
        owned: The current user may alter it (owner or member of the owning role).
        options: reloptions ("fillfactor=70").
        owner: Role that owns it, empty where not read.
        inherits: Tables whose readers read this one too (INHERITS), in order; no partition has any.
    """

    relation: RelationName
    kind: RelationKind
    columns: tuple[Column, ...]
    rows: float = -1
    pages: int = 0
    size_bytes: int = 0
    activity: TableActivity | None = None
    parent: RelationName | None = None
    partition_key: str = ""
    definition: str = ""
    row_security: bool = False
    owned: bool = True
    options: tuple[str, ...] = ()
    owner: str = ""
    inherits: tuple[RelationName, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, None when there is none."""
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key column of an index.

    Args:
        column: Column name, empty for an expression.
        expression: Expression text as the server prints it, empty for a column.
        opclass: Operator class when not the type's default ("gin_trgm_ops"), else empty.
        collation: Collation when not the column's own, else empty.
        descending: DESC.
        nulls_first: NULLS FIRST (the default of DESC, spelled out).
    """

    column: str = ""
    expression: str = ""
    opclass: str = ""
    collation: str = ""
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the catalog has it.

    Args:
        relation: Its own name.
        table: The table it is on.
        method: btree, gin, gist, brin, hash, spgist...
        keys: Key columns in order.
        include: Payload columns.
        predicate: WHERE text of a partial index, empty otherwise.
        unique: Enforces uniqueness.
        primary: Serves the primary key.
        constraint: Name of the constraint it serves, empty otherwise.
        valid: indisvalid.
        ready: indisready.
        replica_identity: Chosen as replica identity.
        clustered: Chosen by CLUSTER.
        parent: The partitioned index it belongs to.
        definition: ``pg_get_indexdef``.
        size_bytes: On disk (partitions summed for a partitioned index).
        scans: idx_scan since the reset, None where not readable.
        last_scan_at: PostgreSQL 16 and later.
        building: A CREATE INDEX or REINDEX is at work on it now, as far as the role may see that.
    """

    relation: RelationName
    table: RelationName
    method: str
    keys: tuple[IndexKey, ...]
    include: tuple[str, ...] = ()
    predicate: str = ""
    unique: bool = False
    primary: bool = False
    constraint: str = ""
    valid: bool = True
    ready: bool = True
    replica_identity: bool = False
    clustered: bool = False
    parent: RelationName | None = None
    definition: str = ""
    size_bytes: int = 0
    scans: int | None = None
    last_scan_at: datetime | None = None
    building: bool = False


class ConstraintKind(StrEnum):
    """pg_constraint.contype in words."""

    PRIMARY_KEY = "primary_key"
    UNIQUE = "unique"
    FOREIGN_KEY = "foreign_key"
    CHECK = "check"
    EXCLUSION = "exclusion"
    NOT_NULL = "not_null"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table.

    Args:
        name: As stored.
        table: The table it is on.
        kind: What it demands.
        columns: Columns it covers, in key order; empty for an expression.
        definition: ``pg_get_constraintdef``.
        validated: convalidated.
        deferrable: condeferrable.
        references: The referenced table of a foreign key.
        referenced_columns: Same order as ``columns``.
    """

    name: str
    table: RelationName
    kind: ConstraintKind
    columns: tuple[str, ...]
    definition: str = ""
    validated: bool = True
    deferrable: bool = False
    references: RelationName | None = None
    referenced_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtendedStatistics:
    """A CREATE STATISTICS object.

    Args:
        relation: Its name.
        table: The table it is on.
        columns: Columns it covers, expressions left out.
        kinds: What it gathers ("ndistinct").
        definition: ``pg_get_statisticsobjdef``.
        distinct: How many combinations groups of its columns have; empty where not gathered or readable.
    """

    relation: RelationName
    table: RelationName
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    definition: str
    distinct: tuple[tuple[tuple[str, ...], float], ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension: installed where ``installed_version`` is set, otherwise merely available."""

    name: str
    installed_version: str = ""
    available_version: str = ""
    schema: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of pg_settings, and where it is set.

    Args:
        name: As the server writes it.
        value: In the unit; passwords masked.
        unit: "8kB", "kB", "ms"..., empty without one.
        source: Where the value in force comes from ("default", "configuration file", "database").
        context: What it takes to change it ("user", "sighup", "postmaster").
        pending_restart: A new value in a file waits for a restart.
        database_value: What ALTER DATABASE set for all roles, as written; None where nothing.
        system_value: What ALTER SYSTEM set, as written; None where nothing, or where the role can't see it.
    """

    name: str
    value: str
    unit: str = ""
    source: str = "default"
    context: str = "user"
    pending_restart: bool = False
    database_value: str | None = None
    system_value: str | None = None
