"""The door: from an index that somebody would like to have to what it would look like once built."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.estimate import Confidence, GinPages, IndexShape
from pgproof.model.relation import RelationKind, Table
from pgproof.stages.estimate.sizes.brin_shape import brin_shape
from pgproof.stages.estimate.sizes.btree_shape import btree_shape
from pgproof.stages.estimate.sizes.gin_shape import gin_shape
from pgproof.stages.estimate.sizes.gist_shape import gist_shape, spgist_shape
from pgproof.stages.estimate.sizes.hash_shape import hash_shape
from pgproof.stages.estimate.sizes.known import KnownIndex, look_up
from pgproof.stages.estimate.sizes.trust import least

_SHAPES: dict[str, Callable[[KnownIndex], IndexShape]] = {
    "btree": btree_shape,
    "gin": gin_shape,
    "gist": gist_shape,
    "spgist": spgist_shape,
    "hash": hash_shape,
    "brin": brin_shape,
}


def estimate_index(
    change: CreateIndex, table: Table, catalog: Catalog, *, predicate_frac: float | None = None
) -> IndexShape:
    """Estimate what an index would look like once built: built in one go, so without bloat.

    Args:
        change: The index; its name plays no part.
        table: The table it is on; of a partitioned one, its partitions' indexes are added up.
        catalog: Of the database, for partitions, existing indexes and settings.
        predicate_frac: Share of the rows that a partial index keeps, 0 to 1, where the caller knows better
            than the statistics.

    Returns:
        Its shape; of a method that is not modelled, that of a B-tree with low confidence.
    """
    shapes = [
        _SHAPES.get(change.method, _unmodelled)(known)
        for known in _parts(change, table, catalog, predicate_frac)
    ]
    return shapes[0] if len(shapes) == 1 else _added_up(shapes)


def _parts(
    change: CreateIndex, table: Table, catalog: Catalog, predicate_frac: float | None
) -> Iterator[KnownIndex]:
    """Yield the index on each table that holds rows."""
    parts = catalog.partitions_of(table.relation) if table.kind is RelationKind.PARTITIONED else ()
    if not parts:
        yield look_up(change, table, catalog, predicate_frac)
    for part in parts:
        yield from _parts(change, part, catalog, predicate_frac)


def _added_up(shapes: list[IndexShape]) -> IndexShape:
    weakest = least(shapes, key=lambda shape: shape.confidence)
    gins = [shape.gin for shape in shapes if shape.gin is not None]
    return IndexShape(
        pages=sum(shape.pages for shape in shapes),
        tuples=sum(shape.tuples for shape in shapes),
        tree_level=max(shape.tree_level for shape in shapes),
        confidence=weakest.confidence,
        reason=f"{len(shapes)} partitions added up: {weakest.reason}",
        gin=GinPages(
            sum(gin.entry_pages for gin in gins),
            sum(gin.data_pages for gin in gins),
            sum(gin.entries for gin in gins),
        )
        if gins
        else None,
        revmap_pages=sum(shape.revmap_pages for shape in shapes),
    )


def _unmodelled(known: KnownIndex) -> IndexShape:
    shape = btree_shape(known)
    return IndexShape(
        shape.pages,
        shape.tuples,
        0,
        Confidence.LOW,
        f"access method {known.change.method} is not modelled: taken to be as large as a B-tree",
    )
