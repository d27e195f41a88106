"""Missing index: a plan reads a whole table to keep few rows of it, or sorts it to return the first few."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.figures import percent
from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import IndexKey, RelationKind, Table
from pgproof.sqltext.names import index_name
from pgproof.stages.diagnose.check import Check, Subject, megabytes, weight_evidence
from pgproof.stages.diagnose.remedy import free_name, render_remedy
from pgproof.stages.diagnose.wanted import Wanted, is_served
from pgproof.stages.diagnose.whole_reads import TOP_N_FACTOR, find_whole_reads
from pgproof.stages.diagnose.whole_scans import COST_SHARE_FRAC, KEPT_FRAC


@dataclass(slots=True)
class _Case:
    """One table and the indexes it lacks, collected over statements and their plans."""

    table: Table
    wanted: tuple[Wanted, ...]
    why: str
    purpose: str
    statements: list[str] = field(default_factory=list)
    worst_share: float = 0.0

    def add(self, statements: list[str], share: float) -> None:
        self.statements += [name for name in statements if name not in self.statements]
        self.worst_share = max(self.worst_share, share)


def find_missing_indexes(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each table and set of keys that plans search, sort or join by without an index.

    Guards: small tables; filters and joins that need more than a tenth of the rows; scans that are a small
    part of their statement, or that a LIMIT stops early; patterns (another check); a valid full index that
    leads with the keys already. Partitions are reported once, as their parent.

    Evidence: EXPLAIN: the filter, sort keys or join condition at a scan of the whole table (also one through
    an index that is only walked for its order), rows read and kept, its share of the statement's cost;
    statements and their weight; size of the table.

    Refuted by: a competition in which the statement is no faster with the index.
    """
    cases: dict[tuple[str, tuple[Wanted, ...]], _Case] = {}
    for statement in subject.statements():
        for plan in subject.plans.get(statement.name, ()):
            for read in find_whole_reads(subject, plan):
                lacking = tuple(w for w in read.wanted if not _is_served(subject, read.table, w))
                if lacking:
                    case = _Case(read.table, lacking, read.why, read.purpose)
                    key = (str(read.table.relation), lacking)
                    cases.setdefault(key, case).add([statement.name], read.cost_share_frac)
    yield from (_finding(subject, case) for case in _merge(list(cases.values())))


def _is_served(subject: Subject, table: Table, wanted: Wanted) -> bool:
    return any(is_served(index, wanted) for index in subject.catalog.indexes_of(table.relation))


def _merge(cases: list[_Case]) -> list[_Case]:
    """Fold a case into another whose single index serves it too."""
    merged: list[_Case] = []
    for case in sorted(cases, key=lambda c: (-len(c.wanted), -len(c.wanted[0].keys))):
        keeper = next((other for other in merged if _serves_too(other, case)), None)
        if keeper is None:
            merged.append(case)
        else:
            keeper.add(case.statements, case.worst_share)
    return merged


def _serves_too(keeper: _Case, case: _Case) -> bool:
    if keeper.table is not case.table or len(case.wanted) != 1:
        return False
    return any(_covers(one, case.wanted[0]) for one in keeper.wanted)


def _covers(one: Wanted, other: Wanted) -> bool:
    if one.method != other.method or one.method != "btree":
        return False
    led = one.keys[: len(other.keys)]
    return led == other.keys or (set(led) == set(other.keys) and not other.is_sorted)


def _finding(subject: Subject, case: _Case) -> Finding:
    relation = case.table.relation
    listed = " and by ".join(f"({keys_text(wanted.keys)})" for wanted in case.wanted)
    severity, share, weight = weight_evidence(subject, case.statements)
    return Finding(
        check=MISSING_INDEX.name,
        severity=severity,
        title=f"{relation} is read whole to {case.purpose} {listed}",
        explanation=f"No index starts with these columns, so every execution reads it all: {case.why}.",
        evidence=(
            Evidence(
                "whole-table scan", f"{percent(case.worst_share)} of the statement's planner cost", "EXPLAIN"
            ),
            Evidence("statements", ", ".join(case.statements), "workload"),
            *weight,
            *_on_partitions_only(subject, case),
            megabytes(case.table.size_bytes),
        ),
        remedy=_remedy_text(case),
        remedy_sql=render_remedy(subject, *_changes(subject.catalog, case)),
        relation=relation,
        columns=tuple(
            dict.fromkeys(key.column for wanted in case.wanted for key in wanted.keys if key.column)
        ),
        statements=tuple(case.statements),
        time_share_frac=share,
        refuted_by="a competition in which the statement is no faster with the index",
        lineage=f"needs <= {percent(KEPT_FRAC)} of the rows (peer default), >= {percent(COST_SHARE_FRAC)} "
        f"of the statement's cost, or sorts {TOP_N_FACTOR} rows for one returned (judgement)",
    )


def _remedy_text(case: _Case) -> str:
    each = "One index for each alternative of the OR" if len(case.wanted) > 1 else "An index"
    text = f"{each} may help: `pgproof advise` prices several, `pgproof compete` measures them on a clone."
    if any(key.expression for wanted in case.wanted for key in wanted.keys):
        text += " The statement compares an expression, so the index must hold that same expression."
    if any(key.opclass for wanted in case.wanted for key in wanted.keys):
        text += " The operator class lets LIKE 'x%' use it whatever the database's collation."
    if any(wanted.method == "gin" for wanted in case.wanted):
        text += " GIN serves this operator; it makes writes dearer than a B-tree does."
    return text


def _words(key: IndexKey) -> list[str]:
    """Return the words of a key that name an index: its column, or the names in its expression."""
    return [key.column] if key.column else re.findall(r"\w+", key.expression.replace("::text", ""))


def _changes(catalog: Catalog, case: _Case) -> Iterator[CreateIndex]:
    for wanted in case.wanted:
        words = [word for key in wanted.keys for word in _words(key)]
        yield CreateIndex(
            table=case.table.relation,
            name=free_name(catalog, case.table.relation.schema, index_name(case.table.relation.name, words)),
            keys=wanted.keys,
            method=wanted.method,
        )


def _on_partitions_only(subject: Subject, case: _Case) -> Iterator[Evidence]:
    if case.table.kind is not RelationKind.PARTITIONED:
        return
    partitions = subject.catalog.partitions_of(case.table.relation)
    having = sum(any(_is_served(subject, part, w) for w in case.wanted) for part in partitions)
    if having:
        told = f"{having} of {len(partitions)}; attach those instead of building them again"
        yield Evidence("partitions that have such an index", told, "pg_index")


def keys_text(keys: tuple[IndexKey, ...]) -> str:
    """Return keys as a reader knows them: ``customer_id, created_at DESC``."""
    return ", ".join((key.column or key.expression) + (" DESC" if key.descending else "") for key in keys)


MISSING_INDEX = Check("missing-index", find_missing_indexes, needs_workload=True, needs_plans=True)
