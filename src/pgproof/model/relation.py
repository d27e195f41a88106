"""A snapshot of a database's catalog: tables, columns, indexes, constraints, statistics, settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from pgproof.model.function import Function
from pgproof.model.statistics import ColumnStatistics, TableActivity

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


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


@dataclass(frozen=True)  # without slots: the look-ups are kept in the instance, beside its fields
class Catalog:
    """Everything the catalog of one database says at one moment.

    System schemas are left out. Collections are sorted by name. Look-ups by name take the same time in a
    database of ten thousand tables as in one of ten.

    Args:
        database: Name of the database.
        version: "15.20" or "18.6".
        version_num: 150020, 180006.
        read_at: When (aware, server clock).
        search_path: Schemas in order, as ``current_schemas(false)`` gives them.
        user: Current role.
        superuser: The role is a superuser.
        in_recovery: A standby.
        stats_reset_at: When the cumulative statistics began, None where unknown.
        system_identifier: The cluster's, empty where not readable.
        notes: What could not be read and the GRANT that would allow it, may be empty.
        owns_database: The role may alter the database itself.
        functions: Those an index may call, the server's own left out.
    """

    database: str
    version: str
    version_num: int
    read_at: datetime
    search_path: tuple[str, ...]
    user: str
    superuser: bool
    in_recovery: bool
    stats_reset_at: datetime | None
    tables: tuple[Table, ...]
    indexes: tuple[Index, ...]
    constraints: tuple[Constraint, ...]
    statistics: tuple[ExtendedStatistics, ...]
    extensions: tuple[Extension, ...]
    settings: tuple[Setting, ...]
    system_identifier: str = ""
    notes: tuple[str, ...] = ()
    owns_database: bool = True
    functions: tuple[Function, ...] = ()

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version_num // 10000

    @property
    def counters_age(self) -> timedelta | None:
        """How long the cumulative statistics have been counting, at least; None where nothing tells.

        A server that was never told to reset them has no date for it. Then they are at least as old as the
        first VACUUM or ANALYZE that they still remember.
        """
        if self.stats_reset_at is not None:
            return self.read_at - self.stats_reset_at
        remembered = [
            when
            for table in self.tables
            if table.activity is not None
            for when in (table.activity.last_analyze_at, table.activity.last_vacuum_at)
            if when is not None
        ]
        return self.read_at - min(remembered) if remembered else None

    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Return the relation that ``schema.name`` means, along the search path where no schema is given."""
        for candidate in (schema,) if schema else self.search_path:
            found = self._tables_by_name.get((candidate, name))
            if found is not None:
                return found
        return None

    def column_names(self, schema: str | None, table: str, /) -> tuple[str, ...] | None:
        """Return a relation's columns in attnum order, None when there is no such relation.

        Made to be handed to whatever reads SQL text (`pgproof.sqltext.shape.ColumnLookup`).

        Args:
            schema: As written in a statement, None where the search path decides.
            table: As stored.
        """
        found = self.find_table(table, schema)
        return None if found is None else tuple(column.name for column in found.columns)

    def find_index(self, index: RelationName) -> Index | None:
        """Return the index of that name, None when there is none."""
        return self._indexes_by_name.get(index)

    def indexes_of(self, table: RelationName) -> tuple[Index, ...]:
        """Return the indexes of a table, by name."""
        return self._indexes_by_table.get(table, ())

    def constraints_of(self, table: RelationName) -> tuple[Constraint, ...]:
        """Return the constraints of a table, by name."""
        return self._constraints_by_table.get(table, ())

    def foreign_keys_to(self, table: RelationName) -> tuple[Constraint, ...]:
        """Return the foreign keys that refer to a table, by table and name."""
        return self._foreign_keys_by_target.get(table, ())

    def partitions_of(self, table: RelationName) -> tuple[Table, ...]:
        """Return the partitions directly below a table, by name."""
        return self._tables_by_parent.get(table, ())

    def parts_of(self, index: RelationName) -> tuple[Index, ...]:
        """Return the indexes of partitions attached directly to a partitioned index, by name."""
        return self._indexes_by_parent.get(index, ())

    def scans_of(self, index: Index) -> int | None:
        """Return how often an index was scanned, parts of a partitioned one added; None where unknown."""
        parts = self.parts_of(index.relation)
        if not parts:
            return index.scans
        counts = [self.scans_of(part) for part in parts]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def relation_names(self, schema: str) -> frozenset[str]:
        """Return the names that tables and indexes of a schema take up."""
        return self._names_by_schema.get(schema, frozenset())

    def setting(self, name: str) -> str | None:
        """Return a setting's value as pg_settings has it, None when there is no such setting."""
        found = self._settings_by_name.get(name)
        return None if found is None else found.value

    def find_setting(self, name: str) -> Setting | None:
        """Return a setting whatever the case of its name, None when there is no such setting."""
        return self._settings_by_lower_name.get(name.lower())

    def find_statistics(self, name: RelationName) -> ExtendedStatistics | None:
        """Return the statistics object of that name, None when there is none."""
        return next((found for found in self.statistics if found.relation == name), None)

    def find_function(self, name: str, schema: str = "") -> Function | None:
        """Return the immutable function that a call means, None for every other one."""
        for candidate in (schema,) if schema else self.search_path:
            found = self._functions_by_name.get((candidate, name))
            if found is not None:
                return found
        return None

    def extension(self, name: str) -> Extension | None:
        """Return an installed or available extension, None when the server lacks it."""
        return self._extensions_by_name.get(name)

    @cached_property
    def of_owner(self) -> Catalog:
        """The catalog as one sees it who may change all, on the primary: what proposals are judged by."""
        owned = tuple(replace(table, owned=True) for table in self.tables)
        return replace(self, in_recovery=False, superuser=True, tables=owned)

    @cached_property
    def _functions_by_name(self) -> Mapping[tuple[str, str], Function]:
        return {(function.schema, function.name): function for function in self.functions}

    @cached_property
    def _tables_by_name(self) -> Mapping[tuple[str | None, str], Table]:
        return {(table.relation.schema, table.relation.name): table for table in self.tables}

    @cached_property
    def _tables_by_parent(self) -> Mapping[RelationName | None, tuple[Table, ...]]:
        return _grouped(self.tables, lambda table: table.parent)

    @cached_property
    def _indexes_by_name(self) -> Mapping[RelationName, Index]:
        return {index.relation: index for index in self.indexes}

    @cached_property
    def _indexes_by_table(self) -> Mapping[RelationName, tuple[Index, ...]]:
        return _grouped(self.indexes, lambda index: index.table)

    @cached_property
    def _indexes_by_parent(self) -> Mapping[RelationName | None, tuple[Index, ...]]:
        return _grouped(self.indexes, lambda index: index.parent)

    @cached_property
    def _constraints_by_table(self) -> Mapping[RelationName, tuple[Constraint, ...]]:
        return _grouped(self.constraints, lambda constraint: constraint.table)

    @cached_property
    def _foreign_keys_by_target(self) -> Mapping[RelationName | None, tuple[Constraint, ...]]:
        foreign_keys = (c for c in self.constraints if c.kind is ConstraintKind.FOREIGN_KEY)
        return _grouped(foreign_keys, lambda constraint: constraint.references)

    @cached_property
    def _names_by_schema(self) -> Mapping[str, frozenset[str]]:
        names = (thing.relation for things in (self.tables, self.indexes) for thing in things)
        by_schema = _grouped(names, lambda name: name.schema)
        return {schema: frozenset(name.name for name in found) for schema, found in by_schema.items()}

    @cached_property
    def _settings_by_name(self) -> Mapping[str, Setting]:
        return {setting.name: setting for setting in self.settings}

    @cached_property
    def _settings_by_lower_name(self) -> Mapping[str, Setting]:
        return {setting.name.lower(): setting for setting in self.settings}

    @cached_property
    def _extensions_by_name(self) -> Mapping[str, Extension]:
        return {extension.name: extension for extension in self.extensions}


def _grouped(values: Iterable[_Value], key_of: Callable[[_Value], _Key]) -> dict[_Key, tuple[_Value, ...]]:
    groups: defaultdict[_Key, list[_Value]] = defaultdict(list)
    for value in values:
        groups[key_of(value)].append(value)
    return {key: tuple(group) for key, group in groups.items()}
