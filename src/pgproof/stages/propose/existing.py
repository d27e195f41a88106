"""Whether an index that is there already does what a draft would.

**Source**: PostgreSQL documentation 11.3, 11.4 and 11.6; a B-tree can be read backwards, and serves every
condition on a prefix of its keys.
"""

from __future__ import annotations

from pgproof.changes.index_cover import backwards, bare_key, same_keys
from pgproof.model.relation import Index
from pgproof.sqltext.canonical import canonical_expression
from pgproof.stages.propose.drafts.draft import Draft


def serves(index: Index, draft: Draft) -> bool:
    """Tell whether an existing index serves all that a draft is for.

    An index that is not valid serves nothing; a partial one only drafts with the very same predicate.
    """
    if not index.valid or not index.ready or index.method != draft.method:
        return False
    if canonical_expression(index.predicate) not in ("", canonical_expression(draft.where)):
        return False
    if index.predicate == "" and draft.where:
        return False  # smaller than the whole: worth asking
    if draft.method != "btree":
        return same_keys(index.keys, draft.keys)
    free = draft.keys[: draft.free]
    head = index.keys[: draft.free]
    if len(index.keys) < len(draft.keys) or {bare_key(k) for k in free} != {bare_key(k) for k in head}:
        return False
    rest, own = index.keys[draft.free : len(draft.keys)], draft.keys[draft.free :]
    if not (same_keys(rest, own) or same_keys(backwards(rest), own)):
        return False
    held = {key.column for key in index.keys} | set(index.include)
    return set(draft.include) <= held


def finds_one_row(index: Index, draft: Draft) -> bool:
    """Tell whether a draft only looks up what a unique index finds already.

    Columns compared for equality may come in any order; of other drafts those count that begin with the
    unique key and neither give a wanted order nor leave rows out.
    """
    if not index.unique or index.predicate or not index.valid or any(key.expression for key in index.keys):
        return False
    unique = {key.column for key in index.keys}
    if unique <= {key.column for key in draft.keys[: draft.free]}:
        return True
    begins = {key.column for key in draft.keys[: len(unique)]} == unique
    return begins and not draft.pays_whole and not draft.where
