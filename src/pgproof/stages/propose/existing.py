"""Whether an index that is there already does what a draft would.

**Source**: PostgreSQL documentation 11.3, 11.4 and 11.6; a B-tree can be read backwards, and serves every
condition on a prefix of its keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgproof.model.change import CreateIndex
from pgproof.model.relation import Index, IndexKey
from pgproof.stages.propose.draft import Draft, backwards


def serves(index: Index, draft: Draft) -> bool:
    """Tell whether an existing index serves all that a draft is for.

    An index that is not valid serves nothing; a partial one only drafts with the very same predicate.
    """
    if not index.valid or not index.ready or index.method != draft.method:
        return False
    if _squeezed(index.predicate) not in ("", _squeezed(draft.where)):
        return False
    if index.predicate == "" and draft.where:
        return False  # smaller than the whole: worth asking
    if draft.method != "btree":
        return _same_keys(index.keys, draft.keys)
    free = draft.keys[: draft.free]
    head = index.keys[: draft.free]
    if len(index.keys) < len(draft.keys) or {_bare(k) for k in free} != {_bare(k) for k in head}:
        return False
    rest, own = index.keys[draft.free : len(draft.keys)], draft.keys[draft.free :]
    if not (_same_keys(rest, own) or _same_keys(backwards(rest), own)):
        return False
    held = {key.column for key in index.keys} | set(index.include)
    return set(draft.include) <= held


def pins_one_row(index: Index, draft: Draft) -> bool:
    """Tell whether the columns a draft compares for equality hold a unique key: one row is found already."""
    if not index.unique or index.predicate or not index.valid or any(key.expression for key in index.keys):
        return False
    compared = {key.column for key in draft.keys[: draft.free]}
    return {key.column for key in index.keys} <= compared


def covers(one: CreateIndex, other: CreateIndex) -> bool:
    """Tell whether ``one`` makes ``other`` superfluous when both are built.

    A longer B-tree serves what its prefix serves; equal indexes cover each other.
    """
    if one.table != other.table or one.method != other.method or other.unique:
        return False
    if _squeezed(one.where) != _squeezed(other.where):
        return False
    if one.method != "btree":
        return _same_keys(one.keys, other.keys)
    head = one.keys[: len(other.keys)]
    if not (_same_keys(head, other.keys) or _same_keys(backwards(head), other.keys)):
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


def _same_keys(one: tuple[IndexKey, ...], other: tuple[IndexKey, ...]) -> bool:
    return len(one) == len(other) and all(
        (_bare(a), a.descending, a.nulls_first) == (_bare(b), b.descending, b.nulls_first)
        for a, b in zip(one, other, strict=True)
    )


def _bare(key: IndexKey) -> tuple[str, str, str, str]:
    return key.column, _squeezed(key.expression), key.opclass.rpartition(".")[2], key.collation


def _squeezed(text: str) -> str:
    """Take out of an expression what the server adds when it prints it: brackets, spaces, casts to text."""
    out = text.replace("::text", "").replace("::character varying", "").replace("::bpchar", "")
    return "".join(out.replace("(", "").replace(")", "").split())
