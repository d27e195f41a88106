"""Duplicate and redundant indexes: one does all that the other does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pgproof import changes
from pgproof.model.change import DropIndex
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import Catalog, Index, IndexKey
from pgproof.stages.diagnose.check import Check, Subject, megabytes


def find_redundant_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each index that another of the same table makes superfluous.

    Guards: an index that enforces something (unique, primary key, constraint, replica identity), that is
    clustered on, partial with another predicate, has another method, operator class or collation, or
    carries INCLUDE columns that the other lacks, is never called redundant; invalid ones don't count.
    """
    by_table = groupby(sorted(subject.catalog.indexes, key=lambda i: i.table), key=lambda i: i.table)
    for _, group in by_table:
        indexes = [index for index in group if index.valid and index.parent is None]
        for index in indexes:
            keeper = next((other for other in indexes if _makes_superfluous(other, index)), None)
            if keeper is not None:
                yield _finding(subject.catalog, index, keeper)


def _makes_superfluous(keeper: Index, index: Index) -> bool:
    if keeper is index or index.unique or index.constraint or index.replica_identity or index.clustered:
        return False
    if (keeper.method, keeper.predicate) != (index.method, index.predicate):
        return False
    if index.method != "btree" and keeper.keys != index.keys:
        return False
    if not set(index.include) <= {*keeper.include, *(key.column for key in keeper.keys)}:
        return False
    if _same_keys(keeper.keys, index.keys):
        # Of two equal ones the enforcing one stays, else the one whose name comes first.
        return keeper.unique or len(keeper.include) > len(index.include) or keeper.relation < index.relation
    return len(keeper.keys) > len(index.keys) and _same_keys(keeper.keys[: len(index.keys)], index.keys)


def _same_keys(left: tuple[IndexKey, ...], right: tuple[IndexKey, ...]) -> bool:
    """Whether keys are equal, or all turned round (a B-tree reads backwards as well)."""
    return left == right or left == tuple(_turned(key) for key in right)


def _turned(key: IndexKey) -> IndexKey:
    return IndexKey(
        key.column, key.expression, key.opclass, key.collation, not key.descending, not key.nulls_first
    )


def _finding(catalog: Catalog, index: Index, keeper: Index) -> Finding:
    exact = len(index.keys) == len(keeper.keys)
    what = "a duplicate of" if exact else "the beginning of"
    drop = DropIndex(index.relation, index.table, index.definition)
    return Finding(
        check=DUPLICATE_INDEX.name,
        severity=Severity.MEDIUM if exact else Severity.LOW,
        title=f"index {index.relation} is {what} {keeper.relation}",
        explanation=f"Writes to {index.table} maintain both, and any plan can use {keeper.relation.name}.",
        evidence=(
            Evidence("superfluous", index.definition, "pg_get_indexdef"),
            Evidence("kept", keeper.definition, "pg_get_indexdef"),
            megabytes(index.size_bytes),
        ),
        remedy="Drop it once a competition shows no statement slower; keep its definition for the way back.",
        remedy_sql=tuple(step.sql for step in changes.apply_steps(drop, catalog)),
        relation=index.relation,
        columns=tuple(key.column for key in index.keys if key.column),
        refuted_by="a statement that is slower without it, say because the narrower index stays in cache",
        lineage="exact comparison of keys, operator classes, collations, predicate and payload",
    )


DUPLICATE_INDEX = Check("duplicate-index", find_redundant_indexes)
