"""Invalid index: what a failed CREATE or REINDEX CONCURRENTLY left; it costs writes and serves nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import Index
from pgproof.stages.diagnose.check import Check, Subject, megabytes
from pgproof.stages.diagnose.remedy import is_on_partitioned, render_drop

_REINDEX_LEFTOVER = re.compile(r"_cc(?:new|old)\d*\Z")
"""Source: ChooseRelationName calls in ReindexRelationConcurrently, src/backend/commands/indexcmds.c."""


def find_invalid_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each invalid index.

    Guards: an index whose build is running (as far as the role may see it); the index of a partitioned table
    is invalid until every partition has its part, and that is said instead.

    Evidence: pg_index: indisvalid and indisready; the definition and the size.

    Refuted by: a build that is still running, seen only by its own role or one with pg_read_all_stats.
    """
    for index in subject.catalog.indexes:
        if not index.valid and not index.building:
            yield _incomplete(index) if is_on_partitioned(subject.catalog, index) else _failed(subject, index)


def _incomplete(index: Index) -> Finding:
    return Finding(
        check=INVALID_INDEX.name,
        severity=Severity.INFO,
        title=f"partitioned index {index.relation} is incomplete",
        explanation="Some partition has no part of it attached, so it is marked invalid; the parts that are "
        "there serve their partitions.",
        evidence=(Evidence("definition", index.definition, "pg_index"),),
        remedy="Build the missing parts with CREATE INDEX CONCURRENTLY on each partition and ATTACH them.",
        relation=index.relation,
        refuted_by="a roll-out of the index over the partitions that is still going on",
        lineage="pg_index.indisvalid",
    )


def _failed(subject: Subject, index: Index) -> Finding:
    kept_up = "Writes still maintain it" if index.ready else "Writes don't maintain it"
    left = bool(_REINDEX_LEFTOVER.search(index.relation.name))
    again = (
        "It is what REINDEX CONCURRENTLY left: drop it, and REINDEX again if that was needed."
        if left
        else "Drop it, and build it again if it is wanted."
    )
    return Finding(
        check=INVALID_INDEX.name,
        severity=Severity.MEDIUM if index.ready else Severity.LOW,
        title=f"index {index.relation} is invalid",
        explanation=f"Its build failed or was cancelled. {kept_up}, and no plan uses it.",
        evidence=(
            Evidence("indisvalid, indisready", f"false, {str(index.ready).lower()}", "pg_index"),
            Evidence("definition", index.definition, "pg_index"),
            megabytes(index.size_bytes),
        ),
        remedy=f"Make sure that no build is running (pg_stat_progress_create_index). {again}",
        remedy_sql=render_drop(subject, index),
        relation=index.relation,
        columns=tuple(key.column for key in index.keys if key.column),
        refuted_by="a build that is still running, seen only by its own role or one with pg_read_all_stats",
        lineage="pg_index.indisvalid",
    )


INVALID_INDEX = Check("invalid-index", find_invalid_indexes)
