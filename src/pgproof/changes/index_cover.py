"""When one index makes another superfluous.

**Source**: PostgreSQL documentation 11.3, 11.4 and 11.6: a B-tree serves every condition on a prefix of its
keys, and can be read backwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey
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
