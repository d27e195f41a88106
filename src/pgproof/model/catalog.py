"""A snapshot of a database's catalog, with look-ups by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from pgproof.model.function import Function, Rewrite
from pgproof.model.relation import (
    Constraint,
    ConstraintKind,
    ExtendedStatistics,
    Extension,
    Index,
    RelationName,
    Setting,
    Table,
)

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


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
        rewrites: Row security policies and SQL functions; a name may have several.
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
    rewrites: tuple[Rewrite, ...] = ()

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

    def heirs_of(self, relation: RelationName) -> tuple[Table, ...]:
        """Return the tables that inherit from one, and those that inherit from them; none twice."""
        found: dict[RelationName, Table] = {}
        waiting = list(self._tables_by_heir.get(relation, ()))
        while waiting:
            heir = waiting.pop(0)
            if heir.relation not in found:
                found[heir.relation] = heir
                waiting += self._tables_by_heir.get(heir.relation, ())
        return tuple(found.values())

    def ancestors_of(self, table: Table) -> tuple[RelationName, ...]:
        """Return the tables whose readers read this one too: those it is a partition of or inherits from."""
        found: dict[RelationName, None] = {}
        waiting = [table]
        while waiting:
            below = waiting.pop(0)
            for name in (*([below.parent] if below.parent else []), *below.inherits):
                above = self.find_table(name.name, name.schema)
                if above is not None and name not in found:
                    waiting.append(above)
                found[name] = None
        return tuple(found)

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
    def _tables_by_heir(self) -> Mapping[RelationName, tuple[Table, ...]]:
        heirs: dict[RelationName, list[Table]] = {}
        for table in self.tables:
            for inherited in table.inherits:
                heirs.setdefault(inherited, []).append(table)
        return {name: tuple(found) for name, found in heirs.items()}

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
