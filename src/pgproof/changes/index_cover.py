"""When one index makes another superfluous.

**Source**: PostgreSQL documentation 11.3, 11.4 and 11.6: a B-tree serves every condition on a prefix of its
keys, and can be read backwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pgproof.model.change import CreateIndex
from pgproof.model.relation import Index, IndexKey
from pgproof.sqltext.canonical import canonical_expression


def covers(one: CreateIndex, other: CreateIndex) -> bool:
    """Tell whether ``one`` makes ``other`` superfluous when both are built.

    A longer B-tree serves what its prefix serves; equal indexes cover each other.
    """
    if one.table != other.table or one.method != other.method or other.unique:
        return False
    if canonical_expression(one.where) != canonical_expression(other.where):
        return False
    if one.method != "btree":
        return same_keys(one.keys, other.keys)
    head = one.keys[: len(other.keys)]
    if not (same_keys(head, other.keys) or same_keys(backwards(head), other.keys)):
        return False
    held = {key.column for key in one.keys} | set(one.include)
    return set(other.include) <= held


def as_change(index: Index) -> CreateIndex:
    """Return what would build an existing index, options of its storage left out."""
    return CreateIndex(
        index.table,
        index.relation.name,
        index.keys,
        method=index.method,
        include=index.include,
        where=index.predicate,
        unique=index.unique,
    )


def covers_existing(change: CreateIndex, index: Index) -> bool:
    """Tell whether an index, once built, makes an existing one superfluous to every plan.

    What the existing one enforces, identifies or orders does not matter here; unique ones are never covered.
    """
    return index.parent is None and covers(change, as_change(index))


def find_keepers(index: Index, indexes: Iterable[Index]) -> tuple[Index, ...]:
    """Return the indexes that serve every plan that another of their table can serve.

    Of two that do the same, one keeps and the other goes: the one that enforces uniqueness stays, then the
    one with a duty (constraint, replica identity, CLUSTER), then the one with more payload, then the one
    scanned more often, then the first by name. So no two keep each other. What the index itself enforces or
    identifies does not matter here: whether it may really go is for the caller to say.

    Args:
        index: The one that may be superfluous.
        indexes: Of the same database; those of other tables, invalid ones and attached parts of partitioned
            indexes are passed over.

    Returns:
        One that nobody keeps in turn comes first, of several the widest. Empty where the index is needed,
        is not valid, or follows a partitioned one.
    """
    if not _stands_alone(index):
        return ()
    keepers = sorted((other for other in indexes if _keeps(other, index)), key=lambda k: k.relation)
    needed = {k.relation for k in keepers if not any(_keeps(other, k) for other in keepers)}
    return tuple(sorted(keepers, key=lambda k: (k.relation in needed, len(k.keys), _merit(k)), reverse=True))


def _keeps(one: Index, other: Index) -> bool:
    if one.relation == other.relation or not _serves_all_of(one, other):
        return False
    return not _serves_all_of(other, one) or _precedes(one, other)


def _stands_alone(index: Index) -> bool:
    return index.valid and index.ready and index.parent is None


def _serves_all_of(keeper: Index, index: Index) -> bool:
    if keeper.table != index.table or not _stands_alone(keeper):
        return False
    if keeper.method != "btree" and _storage(keeper) != _storage(index):
        return False  # pages_per_range, siglen: two that look alike may serve differently
    return covers(as_change(keeper), replace(as_change(index), unique=False))


def _storage(index: Index) -> str:
    """Return what a definition says behind the method, its options included; empty where it is not known."""
    return index.definition.partition(" USING ")[2]


def _precedes(one: Index, other: Index) -> bool:
    return _merit(one) > _merit(other) or (_merit(one) == _merit(other) and one.relation < other.relation)


def _merit(index: Index) -> tuple[bool, bool, int, int]:
    """Return what makes one of two equal indexes the one to keep: duties first, then what it carries."""
    duties = bool(index.constraint or index.replica_identity or index.clustered)
    return index.unique, duties, len(index.include), index.scans or 0


def without_covered(indexes: Iterable[CreateIndex]) -> tuple[CreateIndex, ...]:
    """Return indexes none of which makes another superfluous; the first of equals stays."""
    kept: list[CreateIndex] = []
    for index in indexes:
        if any(covers(other, index) for other in kept):
            continue
        kept = [other for other in kept if not covers(index, other)]
        kept.append(index)
    return tuple(kept)


def leads_with(keys: tuple[IndexKey, ...], columns: tuple[str, ...]) -> bool:
    """Tell whether the first keys are exactly some columns, in any order, as a look-up by all of them needs.

    So an index supports a foreign key; no columns are led with by nothing.
    """
    return bool(columns) and {key.column for key in keys[: len(columns)]} == set(columns)


def backwards(keys: tuple[IndexKey, ...]) -> tuple[IndexKey, ...]:
    """Return the keys as a backward scan reads them."""
    return tuple(replace(key, descending=not key.descending, nulls_first=not key.nulls_first) for key in keys)


def same_keys(one: tuple[IndexKey, ...], other: tuple[IndexKey, ...]) -> bool:
    """Tell whether two key lists are the same, order and directions included."""
    return len(one) == len(other) and all(
        (bare_key(a), a.descending, a.nulls_first) == (bare_key(b), b.descending, b.nulls_first)
        for a, b in zip(one, other, strict=True)
    )


def bare_key(key: IndexKey) -> tuple[str, str, str, str]:
    """Return what a key is over and compares by, its direction left out."""
    opclass = key.opclass.rpartition(".")[2]
    return key.column, canonical_expression(key.expression), opclass, key.collation
