"""One index in the place of two: of drafts that different statements ask for on the same table.

**Source**: the merges of Chaudhuri and Narasayya, "Index merging", ICDE 1999, and of DTA.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, permutations

from pgproof.model.relation import IndexKey
from pgproof.stages.propose.drafts.covering import MAX_INCLUDED
from pgproof.stages.propose.drafts.draft import Draft, new_keys
from pgproof.stages.propose.types import INCLUDE_MAX_TOTAL_BYTES, width_bytes

MAX_MERGED = 40
"""Merges of one table. **Source**: judgement."""

MAX_SOURCES = 24
"""Drafts of one table that are merged with each other, the heaviest. **Source**: judgement."""

_MERGED_RANK = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A draft that may be merged.

    Args:
        draft: It.
        statements: Names of those that ask for it.
        pages: What it would spare.
    """

    draft: Draft
    statements: frozenset[str]
    pages: float


def merged_drafts(sources: Iterable[Source], max_width: int) -> Iterator[tuple[Draft, Source, Source]]:
    """Yield merges of B-tree drafts of one table, each with the two it stands for.

    Two are merged where they start with the same column, or share columns compared for equality, which may
    come first in either order. The first keeps all it serves; the second finds its columns in the index.

    Args:
        sources: Drafts of one table.
        max_width: Most key columns.
    """
    usable = [s for s in sources if s.draft.method == "btree" and len(s.draft.keys) <= max_width]
    heavy = sorted(usable, key=lambda source: -source.pages)[:MAX_SOURCES]
    known = {source.draft.identity for source in usable}
    yield from islice(_merges(heavy, known, max_width), MAX_MERGED)


def _merges(
    heavy: Sequence[Source], known: set[tuple[object, ...]], max_width: int
) -> Iterator[tuple[Draft, Source, Source]]:
    for one, other in permutations(heavy, 2):
        if one.statements == other.statements or one.draft.where != other.draft.where:
            continue
        draft = _merge(one.draft, other.draft, max_width)
        if draft is not None and draft.identity not in known:
            known.add(draft.identity)
            yield draft, one, other


def _merge(one: Draft, other: Draft, max_width: int) -> Draft | None:
    keys = _merged_keys(one, other)
    if not keys or len(keys) > max_width:
        return None
    held = {key.column for key in keys}
    include = tuple(sorted(name for name in {*one.include, *other.include} if name not in held))
    columns = [column for name in include if (column := one.table.column(name)) is not None]
    if len(include) > MAX_INCLUDED or sum(map(width_bytes, columns)) > INCLUDE_MAX_TOTAL_BYTES:
        return None
    return replace(
        one,
        keys=keys,
        include=include,
        rank=_MERGED_RANK,
        free=0,
        fracs=(),
        frac=min(one.frac, other.frac),
        pays_whole=True,
        where_columns=one.where_columns,
    )


def _merged_keys(one: Draft, other: Draft) -> tuple[IndexKey, ...]:
    """Return the keys of both: shared equalities first, then the rest of the first, then of the second."""
    if one.keys[0] == other.keys[0]:
        return (*one.keys, *new_keys(one.keys, other.keys))
    shared = tuple(key for key in one.keys[: one.free] if key in other.keys[: other.free])
    if not shared:
        return ()
    rest = (*new_keys(shared, one.keys), *other.keys)
    return (*shared, *new_keys(shared, rest))
