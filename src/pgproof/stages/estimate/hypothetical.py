"""Makes candidates in a shadow: real indexes on empty tables, given the size they would have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pgproof.changes import simulate_steps
from pgproof.errors import ParseError, ServerError, UsageError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CloneOnly, CreateIndex, Step
from pgproof.model.estimate import Confidence, GinPages, IndexShape, IndexSize
from pgproof.model.progress import Progress
from pgproof.model.relation import Index, RelationKind, RelationName, Table
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.ends import Growth
from pgproof.postgres.shadow.files import Extent
from pgproof.postgres.shadow.lanes import Workshop
from pgproof.postgres.shadow.pages import btree_level
from pgproof.stages.estimate.sizes.estimate_index import estimate_index
from pgproof.stages.estimate.sizes.expression import stand_in

_PREFIX = "pgproof_candidate_"
_TOLD_EVERY = 200
# Fewer new rows than the planner assumes beyond a histogram of 100 bins anyway.
# Source: PostgreSQL 18, selfuncs.c, ineq_histogram_selectivity.
_UNCHANGED_FRAC = 1e-4


@dataclass(frozen=True, slots=True)
class Leaf:
    """One index of a table that holds rows; a candidate on a partitioned table has many.

    Args:
        oid: In the shadow.
        name: As plans show it.
        table_oid: The table it is on.
    """

    oid: int
    name: str
    table_oid: int


@dataclass(slots=True)
class Hypotheses:
    """What a provider can show to the planner or hide from it.

    Attributes:
        leaves: Indexes of each candidate that was made, and of each existing index that may go.
        sizes: Of each candidate that was made.
        refused: Candidates that were not, with the reason.
        existing: Names of the existing indexes among ``leaves``.
        extents: How long the file of each relation is to be.
    """

    leaves: dict[str, tuple[Leaf, ...]] = field(default_factory=dict)
    sizes: dict[str, IndexSize] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    existing: frozenset[str] = frozenset()
    extents: tuple[Extent, ...] = ()


def make_hypotheses(
    workshop: Workshop,
    catalog: Catalog,
    pages: Mapping[RelationName, int],
    candidates: Sequence[IndexCandidate],
    droppable: Sequence[RelationName],
    progress: Progress,
) -> Hypotheses:
    """Make every candidate that PostgreSQL accepts.

    Args:
        workshop: A database of the shadow whose files have length zero, else each index would take 0.1 s.
        catalog: Of the target.
        pages: Length of each of the target's files in blocks.
        candidates: Their names are unique.
        droppable: Existing indexes that may be hidden.
        progress: Told of each candidate.

    Raises:
        ServerError: The shadow is gone.
    """
    workshop.move_ends(_growths(catalog), catalog.read_at)
    made, refused = _create_all(workshop, catalog, candidates, progress)
    rows = workshop.relations()
    tree = _Tree(rows)
    found = Hypotheses(refused=refused)
    shapes: dict[int, IndexShape] = {}
    expressions: dict[int, tuple[float, int]] = {}
    for place, candidate in made.items():
        root = tree.by_name.get(RelationName(candidate.change.table.schema, f"{_PREFIX}{place}"))
        leaves = tree.leaves_below(root) if root is not None else []
        own = {row.oid: _shape_of(candidate.change, row, tree, catalog) for row in leaves}
        shapes |= own
        expressions.update(_expression_statistics(candidate.change, leaves, tree, catalog))
        found.leaves[candidate.name] = _as_leaves(leaves)
        found.sizes[candidate.name] = _total(list(own.values()))
    found.existing = frozenset(_add_existing(found, tree, droppable))
    workshop.derive_statistics(expressions)
    workshop.set_figures({oid: (shape.pages, shape.tuples) for oid, shape in shapes.items()})
    found.extents = tuple(_extents(rows, tree, catalog, pages, shapes))
    return found


class _Tree:
    """The relations of a shadow by oid and name, and the indexes of partitions below their parents."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_oid = {row.oid: row for row in rows}
        self.by_name = {RelationName(row.schema_name, row.relation_name): row for row in rows}
        self._children: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            if row.parent_oid is not None:
                self._children[row.parent_oid].append(row)

    def leaves_below(self, row: Row) -> list[Row]:
        """Return the relations with a file at or below one."""
        if row.is_leaf:
            return [row]
        return [leaf for child in self._children[row.oid] for leaf in self.leaves_below(child)]

    def members(self, row: Row) -> Iterator[Row]:
        """Yield a relation and all below it."""
        yield row
        for child in self._children[row.oid]:
            yield from self.members(child)

    def table_of(self, row: Row) -> RelationName:
        table = self.by_oid[row.table_oid]
        return RelationName(table.schema_name, table.relation_name)


def _create_all(
    workshop: Workshop, catalog: Catalog, candidates: Sequence[IndexCandidate], progress: Progress
) -> tuple[dict[int, IndexCandidate], dict[str, str]]:
    """Return the candidates that were made, by their place, and why the others were not."""
    refused: dict[str, str] = {}
    statements: dict[int, str] = {}
    _require_extensions(workshop, candidates)
    for place, candidate in enumerate(candidates):
        try:
            statements[place] = _statement(candidate.change, catalog, f"{_PREFIX}{place}")
        except (ParseError, UsageError) as error:
            refused[candidate.name] = f"not estimated: {error.message}"
    places = list(statements)
    for start in range(0, len(places), _TOLD_EVERY):
        progress("making hypothetical indexes", start, len(places))
        some = places[start : start + _TOLD_EVERY]
        for place, reason in zip(some, workshop.run_all([statements[p] for p in some]), strict=True):
            if reason:
                refused[candidates[place].name] = f"not estimated: {reason}"
                del statements[place]
    return {place: candidates[place] for place in statements}, refused


def _require_extensions(workshop: Workshop, candidates: Sequence[IndexCandidate]) -> None:
    """Make what candidates need; where that fails, so does the candidate, and says what it misses."""
    wanted = dict.fromkeys(change for candidate in candidates for change in candidate.requires)
    steps = [step for change in wanted for step in _steps(change)]
    workshop.run_all(
        [step.sql.replace("CREATE EXTENSION", "CREATE EXTENSION IF NOT EXISTS", 1) for step in steps]
    )


def _statement(change: CreateIndex, catalog: Catalog, name: str) -> str:
    if catalog.find_table(change.table.name, change.table.schema) is None:
        raise UsageError(f"there is no table {change.table}")
    return "; ".join(step.sql for step in _steps(replace(change, name=name)))


def _steps(change: Change) -> tuple[Step, ...]:
    steps = simulate_steps(change)
    if isinstance(steps, CloneOnly):
        raise UsageError(steps.reason)
    return steps


def _shape_of(change: CreateIndex, leaf: Row, tree: _Tree, catalog: Catalog) -> IndexShape:
    relation = tree.table_of(leaf)
    table = catalog.find_table(relation.name, relation.schema)
    if table is None:
        raise ServerError(f"The catalog has no table {relation}, but the shadow has.")
    return estimate_index(replace(change, table=relation), table, catalog)


def _expression_statistics(
    change: CreateIndex, leaves: Sequence[Row], tree: _Tree, catalog: Catalog
) -> Iterator[tuple[int, tuple[float, int]]]:
    """Yield an index's oid with how varied and wide its expression is, where its column tells that."""
    keys = [key.expression for key in change.keys if key.expression]
    if len(keys) != 1:
        return
    for leaf in leaves:
        relation = tree.table_of(leaf)
        table = catalog.find_table(relation.name, relation.schema)
        column = stand_in(keys[0], table) if table is not None else None
        if column is None or column.statistics is None:
            continue
        if column.name != keys[0] or column.base_type == "date":  # else it is a guess, as the planner's own
            yield leaf.oid, (column.statistics.n_distinct, column.statistics.avg_width_bytes)


def _as_leaves(rows: Sequence[Row]) -> tuple[Leaf, ...]:
    return tuple(Leaf(row.oid, row.relation_name, row.table_oid) for row in rows)


def _total(shapes: Sequence[IndexShape]) -> IndexSize:
    if not shapes:
        return IndexSize(0, Confidence.HIGH, "the table has no partition, so there is nothing to index")
    order = list(Confidence)
    worst = max(shapes, key=lambda shape: order.index(shape.confidence))
    return IndexSize(sum(shape.size_bytes for shape in shapes), worst.confidence, worst.reason)


def _add_existing(found: Hypotheses, tree: _Tree, droppable: Sequence[RelationName]) -> Iterator[str]:
    for index in droppable:
        row = tree.by_name.get(index)
        if row is not None and row.method:
            found.leaves[str(index)] = _as_leaves(list(tree.members(row)))
            yield str(index)


def _extents(
    rows: Sequence[Row],
    tree: _Tree,
    catalog: Catalog,
    pages: Mapping[RelationName, int],
    shapes: Mapping[int, IndexShape],
) -> Iterator[Extent]:
    for row in rows:
        if not row.is_leaf:
            continue
        heap_pages = pages.get(tree.table_of(row), 0)
        shape = shapes.get(row.oid)
        if shape is not None:
            yield Extent(row.file_name, shape.pages, row.method, shape.tree_level, shape.gin, heap_pages)
            continue
        own = RelationName(row.schema_name, row.relation_name)
        length = pages.get(own, 0)
        level = btree_level(length, row.key_bytes, grew=row.is_unique) if row.method == "btree" else 0
        gin = _gin_of(catalog.find_index(own), catalog, length) if row.method == "gin" else None
        yield Extent(row.file_name, length, row.method, level, gin, heap_pages)


def _growths(catalog: Catalog) -> list[Growth]:
    """Return the tables with rows that came since the last ANALYZE, as far as the counters tell."""
    found = []
    for table in catalog.tables:
        activity = table.activity
        if activity is None or table.rows <= 0 or table.kind is not RelationKind.TABLE:
            continue
        changes = activity.inserts + activity.updates + activity.deletes
        came = activity.mods_since_analyze * (activity.inserts / changes if changes else 0.0)
        if came > table.rows * _UNCHANGED_FRAC:
            found.append(Growth(table.relation, came / table.rows))
    return found


def _gin_of(index: Index | None, catalog: Catalog, pages: int) -> GinPages | None:
    """Estimate what the metapage of an existing GIN index says, brought to its real length."""
    table: Table | None = catalog.find_table(index.table.name, index.table.schema) if index else None
    if index is None or table is None or pages <= 0:
        return None
    change = CreateIndex(index.table, index.relation.name, index.keys, method="gin", where=index.predicate)
    shape = estimate_index(change, table, catalog)
    if shape.gin is None:
        return None
    factor = pages / max(shape.pages, 1)
    return replace(
        shape.gin,
        entry_pages=max(round(shape.gin.entry_pages * factor), 1),
        data_pages=round(shape.gin.data_pages * factor),
    )
