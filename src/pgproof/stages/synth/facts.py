"""What a source's tables demand of each other: who is unique, who refers to whom, which tables hold rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pgproof.model.relation import Constraint, ConstraintKind, RelationName
from pgproof.model.synthesis import SourceTable, SynthesisSource

_KEYS = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key.

    Args:
        table: That refers.
        columns: Its own.
        target: That is referred to.
        target_columns: In the same order.
    """

    table: RelationName
    columns: tuple[str, ...]
    target: RelationName
    target_columns: tuple[str, ...]


@dataclass(frozen=True)  # without slots: look-ups are kept in the instance
class Facts:
    """Look-ups in a source.

    Args:
        source: What was read.
    """

    source: SynthesisSource

    @cached_property
    def tables(self) -> Mapping[RelationName, SourceTable]:
        """Every table by name."""
        return {table.relation: table for table in self.source.tables}

    @cached_property
    def filled(self) -> Mapping[RelationName, SourceTable]:
        """The tables that rows are made for.

        A row of a hash partition can't be told from its values, so those are made for the parent, which deals
        them out.
        """
        found: dict[RelationName, SourceTable] = {}
        for table in self.source.tables:
            if table.partitioned:
                continue
            dealer = self._dealer_of(table)
            if dealer is None:
                found[table.relation] = table
            elif dealer.relation not in found:
                found[dealer.relation] = self._dealt(dealer)
        return found

    def parts_of(self, relation: RelationName) -> tuple[RelationName, ...]:
        """Return the filled tables that a table consists of: itself, or its partitions."""
        if relation in self.filled:
            return (relation,)
        below = [table.relation for table in self.source.tables if table.parent == relation]
        return tuple(part for name in below for part in self.parts_of(name))

    def constraints_of(self, relation: RelationName) -> tuple[Constraint, ...]:
        """Return a table's own constraints."""
        return self._constraints.get(relation, ())

    def keys_of(self, relation: RelationName) -> tuple[tuple[str, ...], ...]:
        """Return groups of columns of which no two rows hold the same values, primary keys first."""
        declared = sorted(
            (c for c in self.constraints_of(relation) if c.kind in _KEYS and c.columns),
            key=lambda constraint: constraint.kind is not ConstraintKind.PRIMARY_KEY,
        )
        by_index = (
            tuple(key.column for key in index.keys)
            for index in self.source.indexes
            if index.table == relation and index.unique and not index.predicate
        )
        groups = [*(constraint.columns for constraint in declared), *(k for k in by_index if all(k))]
        return tuple({tuple(sorted(group)): group for group in reversed(groups)}.values())[::-1]

    def references_of(self, relation: RelationName) -> tuple[Reference, ...]:
        """Return a table's foreign keys, those of most columns first."""
        return self._references.get(relation, ())

    def is_unique(self, relation: RelationName, column: str) -> bool:
        """Tell whether a column is a key by itself."""
        return any(key == (column,) for key in self.keys_of(relation))

    def reference_from(self, relation: RelationName, column: str) -> Reference | None:
        """Return the foreign key that is of that column alone, None where there is none."""
        return next((r for r in self.references_of(relation) if r.columns == (column,)), None)

    def named_by_children(self, relation: RelationName, column: str) -> tuple[str, ...]:
        """Return the values that statistics of referring columns name, and of those that refer to these."""
        found: dict[str, None] = {}
        seen: set[tuple[RelationName, str]] = set()
        self._name(relation, column, found, seen)
        return tuple(found)

    def _name(
        self, relation: RelationName, column: str, found: dict[str, None], seen: set[tuple[RelationName, str]]
    ) -> None:
        if (relation, column) in seen:
            return
        seen.add((relation, column))
        for child, own in self._children.get((relation, column), ()):
            table = self.tables.get(child)
            known = table.column(own) if table else None
            if known is not None and known.statistics is not None:
                found |= dict.fromkeys((*known.statistics.values, *known.statistics.bounds))
            self._name(child, own, found, seen)

    @cached_property
    def _constraints(self) -> Mapping[RelationName, tuple[Constraint, ...]]:
        found: defaultdict[RelationName, list[Constraint]] = defaultdict(list)
        for constraint in self.source.constraints:
            found[constraint.table].append(constraint)
        return {name: tuple(constraints) for name, constraints in found.items()}

    @cached_property
    def _references(self) -> Mapping[RelationName, tuple[Reference, ...]]:
        found: defaultdict[RelationName, list[Reference]] = defaultdict(list)
        for constraint in self.source.constraints:
            target = constraint.references
            if constraint.kind is ConstraintKind.FOREIGN_KEY and target is not None and target in self.tables:
                found[constraint.table].append(
                    Reference(constraint.table, constraint.columns, target, constraint.referenced_columns)
                )
        return {name: tuple(sorted(refs, key=lambda r: -len(r.columns))) for name, refs in found.items()}

    @cached_property
    def _children(self) -> Mapping[tuple[RelationName, str], tuple[tuple[RelationName, str], ...]]:
        found: defaultdict[tuple[RelationName, str], list[tuple[RelationName, str]]] = defaultdict(list)
        for reference in (r for refs in self._references.values() for r in refs if len(r.columns) == 1):
            for part in (reference.target, *self.parts_of(reference.target)):
                found[part, reference.target_columns[0]].append((reference.table, reference.columns[0]))
        return {key: tuple(dict.fromkeys(children)) for key, children in found.items()}

    def _dealer_of(self, table: SourceTable) -> SourceTable | None:
        """Return the topmost ancestor that parts its rows by hash."""
        found, now = None, table
        while now.parent is not None and now.parent in self.tables:
            if now.strategy == "hash":
                found = self.tables[now.parent]
            now = self.tables[now.parent]
        return found

    def _dealt(self, dealer: SourceTable) -> SourceTable:
        """Return the dealing table with all its partitions' rows, perhaps with the statistics of one."""
        leaves = list(self._leaves(dealer.relation))
        known = dealer if dealer.analysed else next((leaf for leaf in leaves if leaf.analysed), dealer)
        by_name = {column.name: column.statistics for column in known.columns}
        return replace(
            dealer,
            columns=tuple(replace(c, statistics=by_name.get(c.name)) for c in dealer.columns),
            rows=sum(leaf.rows for leaf in leaves),
            pages=sum(leaf.pages for leaf in leaves),
            analysed=known.analysed,
            visible_frac=min((leaf.visible_frac for leaf in leaves), default=1.0),
        )

    def _leaves(self, relation: RelationName) -> Iterator[SourceTable]:
        for table in self.source.tables:
            if table.parent == relation:
                if table.partitioned:
                    yield from self._leaves(table.relation)
                else:
                    yield table
