"""From chosen candidates to variants that can be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pgproof.changes.index_cover import without_covered
from pgproof.model.candidate import Ambition, IndexCandidate, IndexSet
from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, Change, CreateExtension, CreateIndex
from pgproof.model.drop import DropCandidate
from pgproof.model.figures import size
from pgproof.model.relation import Table
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
    catalog: Catalog,
    candidates: Sequence[IndexCandidate],
    sets: Sequence[IndexSet],
    drops_of: Callable[[IndexSet], Sequence[DropCandidate]] = lambda _: (),
) -> tuple[Variant, ...]:
    """Turn chosen sets of candidates into variants.

    No variant holds two indexes of which one makes the other superfluous. Extensions come first, then
    indexes, then ANALYZE where statistics are stale; last, the existing indexes go that a set does without.

    Args:
        catalog: Of the database.
        candidates: Those the sets were chosen from.
        sets: Least ambitious first.
        drops_of: Existing indexes that go with a set.

    Returns:
        One variant a set, same order, none equal to another; empty without sets: nothing is worth trying.
    """
    by_name = {candidate.name: candidate for candidate in candidates}
    variants: dict[frozenset[CreateIndex], Variant] = {}
    for chosen in sets:
        indexes = without_covered(by_name[name].change for name in chosen.names)
        gone = drops_of(chosen)
        variant = Variant(
            name=chosen.ambition.value,
            title=_title(chosen.ambition, len(indexes), len(gone)),
            changes=(*_with_needs(catalog, by_name, indexes), *(drop.change for drop in gone)),
            why=_why([by_name[index.name] for index in indexes], gone),
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


def _title(ambition: Ambition, new: int, gone: int) -> str:
    less = f", {_count(gone)} less" if gone else ""
    return f"{_TITLES[ambition]} ({_count(new)}{less})"


def _count(number: int) -> str:
    return "1 index" if number == 1 else f"{number} indexes"


def _why(candidates: Sequence[IndexCandidate], gone: Sequence[DropCandidate]) -> str:
    new = [f"{candidate.name}: {candidate.reason}" for candidate in candidates]
    return "\n".join((*new, *map(told_drop, gone)))


def told_drop(drop: DropCandidate) -> str:
    """Say that an existing index goes, why, and what that saves."""
    saved = [f"{size(drop.size_bytes)} freed"]
    if writers := len(drop.upkeep.statements):
        writes = "1 statement writes" if writers == 1 else f"{writers} statements write"
        saved.append(f"{writes} one index less")
    if drop.upkeep.hot_prevented:
        saved.append(f"updates of {', '.join(drop.upkeep.hot_prevented)} can be HOT")
    return f"{drop.name} goes: {drop.reason} ({'; '.join(saved)})"
