"""Invalid index: a CREATE INDEX CONCURRENTLY that failed; it costs writes and serves nobody."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof import changes
from pgproof.model.change import DropIndex
from pgproof.model.finding import Evidence, Finding, Severity
from pgproof.model.relation import RelationKind
from pgproof.stages.diagnose.check import Check, Subject, megabytes


def find_invalid_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each invalid index.

    Guard: the index of a partitioned table is invalid until every partition has its part; that is said.
    """
    for index in subject.catalog.indexes:
        if index.valid:
            continue
        table = subject.catalog.find_table(index.table.name, index.table.schema)
        of_partitioned = table is not None and table.kind is RelationKind.PARTITIONED
        drop = DropIndex(index.relation, index.table, index.definition)
        kept_up = "It is kept up by every write" if index.ready else "It is not even kept up"
        yield Finding(
            check=INVALID_INDEX.name,
            severity=Severity.INFO if of_partitioned else Severity.MEDIUM,
            title=f"index {index.relation} is invalid",
            explanation="Some partition lacks its part of it, so no plan uses it."
            if of_partitioned
            else f"Its build failed or still runs. {kept_up}, and no plan uses it.",
            evidence=(Evidence("definition", index.definition, "pg_index"), megabytes(index.size_bytes)),
            remedy="If no build is running (pg_stat_progress_create_index), drop it and build it again.",
            remedy_sql=()
            if of_partitioned
            else tuple(s.sql for s in changes.apply_steps(drop, subject.catalog)),
            relation=index.relation,
            refuted_by="a build that is still running",
            lineage="pg_index.indisvalid",
        )


INVALID_INDEX = Check("invalid-index", find_invalid_indexes)
