"""From chosen candidates to variants that can be tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pgproof.changes.index_cover import find_keepers, without_covered
from pgproof.model.candidate import Ambition, IndexCandidate, IndexSet
from pgproof.model.change import AnalyzeTable, Change, CreateExtension, CreateIndex, DropIndex
from pgproof.model.relation import Catalog, Index, Table
from pgproof.model.variant import Variant

STALE_FRAC = 0.2
"""Share of a table's rows changed since ANALYZE, beyond which its statistics mislead. **Source**: twice the
default ``autovacuum_analyze_scale_factor``."""

_TITLES = {
    Ambition.LEAN: "the few indexes that save most for their size",
    Ambition.BALANCED: "indexes as long as another one still pays",
    Ambition.BROAD: "every index the planner would use, payload columns included",
    Ambition.ALTERNATIVE: "another way, without the index that helps most",
}


def propose_variants(
    catalog: Catalog, candidates: Sequence[IndexCandidate], sets: Sequence[IndexSet]
) -> tuple[Variant, ...]:
    """Turn chosen sets of candidates into variants.

    No variant holds two indexes of which one makes the other superfluous. Extensions come first, then
    indexes, then ANALYZE where statistics are stale. The broad variant also removes exact duplicates
    among the existing indexes, never one that serves a constraint or identifies rows for replication.

    Args:
        catalog: Of the database.
        candidates: Those the sets were chosen from.
        sets: Least ambitious first.

    Returns:
        One variant a set, same order, none equal to another; empty without sets: nothing is worth trying.
    """
    by_name = {candidate.name: candidate for candidate in candidates}
    variants: dict[frozenset[CreateIndex], Variant] = {}
    for chosen in sets:
        indexes = without_covered(by_name[name].change for name in chosen.names)
        tidy = tuple(_duplicates(catalog)) if chosen.ambition is Ambition.BROAD else ()
        variant = Variant(
            name=chosen.ambition.value,
            title=f"{_TITLES[chosen.ambition]} ({_count(len(indexes))})",
            changes=(*_with_needs(catalog, by_name, indexes), *tidy),
            why=_why([by_name[index.name] for index in indexes]),
        )
        variants.setdefault(frozenset(indexes), variant)
    return tuple(variants.values())


def _with_needs(
    catalog: Catalog, by_name: Mapping[str, IndexCandidate], indexes: Sequence[CreateIndex]
) -> Iterator[Change]:
    extensions: dict[CreateExtension, None] = {}
    for index in indexes:
        extensions.update(dict.fromkeys(by_name[index.name].requires))
    yield from extensions
    yield from indexes
    tables = {index.table: catalog.find_table(index.table.name, index.table.schema) for index in indexes}
    for name in sorted(tables):
        table = tables[name]
        if table is not None and _is_stale(table):
            yield AnalyzeTable(name)


def _is_stale(table: Table) -> bool:
    """Tell whether a table was never analysed, or changed a lot since."""
    if table.rows < 0:
        return True
    activity = table.activity
    return activity is not None and activity.mods_since_analyze > STALE_FRAC * max(table.rows, 1)


def _duplicates(catalog: Catalog) -> Iterator[DropIndex]:
    """Yield the removal of each index that another one repeats exactly, in the catalog's order."""
    for index in catalog.indexes:
        keepers = find_keepers(index, catalog.indexes_of(index.table))
        if any(_is_as_wide(keeper, index) for keeper in keepers) and _may_go(index):
            yield DropIndex(index.relation, index.table, index.definition)


def _may_go(index: Index) -> bool:
    bound = index.unique or index.primary or index.constraint or index.replica_identity or index.clustered
    return not bound and bool(index.definition)


def _is_as_wide(keeper: Index, index: Index) -> bool:
    return len(keeper.keys) == len(index.keys) and len(keeper.include) == len(index.include)


def _count(number: int) -> str:
    return "1 index" if number == 1 else f"{number} indexes"


def _why(candidates: Sequence[IndexCandidate]) -> str:
    return "\n".join(f"{candidate.name}: {candidate.reason}" for candidate in candidates)
