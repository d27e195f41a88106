"""Duplicate and redundant indexes: one does all that the other does."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes.index_cover import backwards, find_keepers, same_keys
from pgproof.model.catalog import Catalog
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import Index, IndexKey
from pgproof.stages.diagnose.check import Check, Subject, megabytes
from pgproof.stages.diagnose.remedy import is_on_partitioned, render_drop


def find_redundant_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each index that another of the same table makes superfluous.

    Guards: an index that enforces something, is the replica identity, is clustered on, is partial with
    another predicate, has another method, operator class or collation, or carries INCLUDE columns that the
    other lacks, is never called redundant; invalid ones don't count, and a partition's follow their parent.
    Of unique ones, only a second, equal one without a constraint may go.

    Evidence: both definitions, from pg_get_indexdef, and the size of the superfluous one.

    Refuted by: a statement that is slower without it, say because the narrower index stays in cache.
    """
    for index in subject.catalog.indexes:
        if index.constraint or index.replica_identity or index.clustered:
            continue
        keepers = find_keepers(index, subject.catalog.indexes_of(index.table))
        if index.unique:
            keepers = tuple(k for k in keepers if _enforces_the_same(subject.catalog, k, index))
        if keepers:
            yield _finding(subject, index, keepers[0])


def _enforces_the_same(catalog: Catalog, keeper: Index, index: Index) -> bool:
    """Whether a unique index repeats another that enforces just the same at once."""
    if not keeper.unique or not _same_keys(keeper.keys, index.keys):
        return False
    if ("NULLS NOT DISTINCT" in keeper.definition) != ("NULLS NOT DISTINCT" in index.definition):
        return False
    return not any(c.name == keeper.constraint and c.deferrable for c in catalog.constraints_of(keeper.table))


def _same_keys(left: tuple[IndexKey, ...], right: tuple[IndexKey, ...]) -> bool:
    """Whether keys are equal, or all turned round (a B-tree reads backwards as well)."""
    return same_keys(left, right) or same_keys(left, backwards(right))


def _finding(subject: Subject, index: Index, keeper: Index) -> Finding:
    exact = len(index.keys) == len(keeper.keys)
    what = "is a duplicate of" if exact else "repeats the first columns of"
    duty = "enforces the same" if index.unique else f"serves every plan that {index.relation.name} can serve"
    return Finding(
        check=DUPLICATE_INDEX.name,
        severity=Severity.MEDIUM if exact else Severity.LOW,
        title=f"index {index.relation} {what} {keeper.relation}",
        explanation=f"Writes to {index.table} maintain both, and {keeper.relation.name} {duty}.",
        evidence=(
            Evidence("superfluous", index.definition, "pg_get_indexdef"),
            Evidence("kept", keeper.definition, "pg_get_indexdef"),
            megabytes(index.size_bytes),
        ),
        remedy=_remedy(subject.catalog, index),
        remedy_sql=render_drop(subject, index),
        relation=index.relation,
        columns=tuple(key.column for key in index.keys if key.column),
        refuted_by="a statement that is slower without it, say because the narrower index stays in cache",
        lineage="exact comparison of keys, operator classes, collations, predicate and payload",
    )


def _remedy(catalog: Catalog, index: Index) -> str:
    if is_on_partitioned(catalog, index):
        return (
            "DROP INDEX at a quiet hour, once a competition shows no statement slower. On a partitioned "
            "table it can't be done CONCURRENTLY, so it blocks all partitions for a moment."
        )
    if index.unique:
        return (
            "DROP INDEX CONCURRENTLY by hand (pgproof drops no unique index); the server refuses if a "
            "foreign key was declared on it."
        )
    return "Drop it once a competition shows no statement slower; keep its definition for the way back."


DUPLICATE_INDEX = Check("duplicate-index", find_redundant_indexes)
