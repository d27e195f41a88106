"""Prices partitionings in a shadow: real partitions without a row, each given its share of the table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.changes.index_cover import as_change
from pgproof.changes.partition import can_stay_unique, hypothetical_partitions_sql
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import BLOCK_BYTES, Confidence
from pgproof.model.figures import percent
from pgproof.model.larger_change import (
    Dismissed,
    LargerChange,
    LargerKind,
    PartitionCandidate,
    StatementPrice,
)
from pgproof.model.partitioning import WHAT_IF_ONLY
from pgproof.model.progress import Progress
from pgproof.model.relation import Index, RelationName, Table
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.lanes import Workshop, open_lanes, open_workshop
from pgproof.postgres.shadow.planted import (
    admit_reader,
    copy_statistics,
    set_column_statistics,
    set_table_figures,
)
from pgproof.postgres.shadow.server import Shadow
from pgproof.stages.estimate.costs import StatementCost, WorkloadCosts
from pgproof.stages.estimate.hypothetical import make_hypotheses
from pgproof.stages.estimate.larger.baseline import UNCHANGED_FRAC, Baseline
from pgproof.stages.estimate.larger.partition_shares import PartitionShare, share_out
from pgproof.stages.estimate.shadow import ShadowCosts

_KIND = LargerKind.PARTITIONING
_WHOLE = "pgproof_whole"
_INDEX_PREFIX = "pgproof_partitioned_"
_DEARER_FRAC = 0.15
"""A statement that gets this much dearer speaks against it. **Source**: the limit of `pgproof compete`."""


@dataclass(frozen=True, slots=True)
class _Divided:
    """A table, its rows shared out.

    Args:
        candidate: The partitioning.
        table: As it is.
        shares: One a partition.
        indexes: Of the table, those that are valid.
        pages: Of the table's file.
    """

    candidate: PartitionCandidate
    table: Table
    shares: tuple[PartitionShare, ...]
    indexes: tuple[Index, ...]
    pages: int

    @property
    def whole(self) -> RelationName:
        return RelationName(self.table.relation.schema, _WHOLE)

    @property
    def partitions(self) -> dict[RelationName, PartitionShare]:
        schema = self.table.relation.schema
        return {RelationName(schema, share.partition.name): share for share in self.shares}


def price_partitionings(
    shadow: Shadow,
    catalog: Catalog,
    candidates: Sequence[PartitionCandidate],
    baseline: Baseline,
    progress: Progress,
) -> tuple[tuple[LargerChange, ...], tuple[Dismissed, ...]]:
    """Price partitionings, each alone, in a copy of the shadow.

    Args:
        shadow: Of the target.
        catalog: Of the same.
        candidates: Of tables of the catalog.
        baseline: What statements cost without.
        progress: Told what is being done.

    Returns:
        The partitionings that could be priced, in order, and those that could not.

    Raises:
        EmbeddedServerError, Unreachable, ServerError: The shadow is gone, or can't hold the files.
    """
    changes: list[LargerChange] = []
    dismissed: list[Dismissed] = []
    for candidate in candidates:
        progress("pricing partitions")
        divided = _divide(candidate, catalog, shadow.source.pages)
        found = divided if isinstance(divided, str) else _price(shadow, catalog, divided, baseline, progress)
        if isinstance(found, str):
            dismissed.append(Dismissed(str(candidate.scheme.table), _KIND, found))
        else:
            changes.append(found)
    return tuple(changes), tuple(dismissed)


def _divide(
    candidate: PartitionCandidate, catalog: Catalog, pages: Mapping[RelationName, int]
) -> _Divided | str:
    scheme = candidate.scheme
    table = catalog.find_table(scheme.table.name, scheme.table.schema)
    column = table.column(scheme.column) if table else None
    if table is None or column is None:
        return f"there is no column {scheme.column} of {scheme.table}"
    shares = share_out(scheme, column)
    if not shares:
        return f"the statistics of {scheme.column} don't tell how its rows would be shared out"
    indexes = tuple(index for index in catalog.indexes_of(table.relation) if index.valid)
    return _Divided(candidate, table, shares, indexes, pages.get(table.relation, table.pages))


def _price(
    shadow: Shadow, catalog: Catalog, divided: _Divided, baseline: Baseline, progress: Progress
) -> LargerChange | str:
    """Return the priced partitioning, or why there is none."""
    with open_workshop(shadow) as workshop:
        refusal = _make(workshop, shadow, divided)
        if refusal:
            return refusal
        pages = dict(shadow.source.pages) | _give_figures(workshop, divided, shadow.source.pages)
        extents = make_hypotheses(workshop, catalog, pages, (), (), progress)
        workshop.close()
        with open_lanes(shadow, workshop.name, extents.extents, 1) as lanes:
            provider = ShadowCosts(shadow, extents, lanes)
            concerned = [
                statement
                for statement in baseline.workload.statements
                if statement.name in divided.candidate.statements and statement.name in baseline.before
            ]
            after = WorkloadCosts(provider, concerned).under(frozenset())
    return _told(divided, after, baseline)


def _make(workshop: Workshop, shadow: Shadow, divided: _Divided) -> str:
    """Put an empty partitioned table in the table's place; return why that failed, empty where it did not."""
    schema = divided.table.relation.schema
    try:
        statements = hypothetical_partitions_sql(
            divided.candidate.scheme,
            divided.whole,
            [
                replace(as_change(index), name=f"{_INDEX_PREFIX}{place}")
                for place, index in enumerate(divided.indexes)
            ],
        )
    except (ParseError, UsageError) as error:
        return error.message
    reason = workshop.run_all(["; ".join(statements)])[0]
    if reason:
        return f"the server refuses it: {reason}"
    tables = [divided.table.relation, *divided.partitions]
    role = shadow.source.user if shadow.source.guarded else ""
    admit_reader(workshop, [RelationName(schema, table.name) for table in tables], role)
    return ""


def _give_figures(
    workshop: Workshop, divided: _Divided, pages: Mapping[RelationName, int]
) -> dict[RelationName, int]:
    """Give partitions and their indexes their share of rows, pages and statistics; return the pages."""
    scheme = divided.candidate.scheme
    rows = max(divided.table.rows, 0.0)
    lengths: dict[RelationName, int] = {}
    for partition, share in divided.partitions.items():
        lengths[partition] = math.ceil(divided.pages * share.frac)
        # As VACUUM leaves it: what an index-only scan saves is judged by this.
        set_table_figures(workshop, partition, lengths[partition], rows * share.frac, lengths[partition])
        if share.key is not None:
            set_column_statistics(workshop, partition, scheme.column, share.key)
    copy_statistics(workshop, divided.whole, list(divided.partitions), besides=[scheme.column])
    copy_statistics(workshop, divided.whole, [divided.table.relation], inherited=True)
    set_table_figures(workshop, divided.table.relation, sum(lengths.values()), rows)
    relations = workshop.relations()
    by_oid = {row.oid: row for row in relations}
    figures = {}
    for row in relations:
        found = _index_share(row, by_oid, divided)
        if found is not None:
            index, share = found
            length = max(math.ceil(pages.get(index.relation, 0) * share.frac), 1)
            lengths[RelationName(row.schema_name, row.relation_name)] = length
            figures[row.oid] = (length, rows * share.frac)
    workshop.set_figures(figures)
    return lengths


def _index_share(
    row: Row, by_oid: Mapping[int, Row], divided: _Divided
) -> tuple[Index, PartitionShare] | None:
    """Return of which index a partition's index is a part, and its share; None for any other relation."""
    if not row.method or not row.is_leaf or row.parent_oid is None:
        return None
    table, parent = by_oid[row.table_oid], by_oid.get(row.parent_oid)
    share = divided.partitions.get(RelationName(table.schema_name, table.relation_name))
    if share is None or parent is None or not parent.relation_name.startswith(_INDEX_PREFIX):
        return None
    return divided.indexes[int(parent.relation_name.removeprefix(_INDEX_PREFIX))], share


def _told(divided: _Divided, after: Mapping[str, StatementCost], baseline: Baseline) -> LargerChange:
    candidate = divided.candidate
    scheme = candidate.scheme
    prices = tuple(baseline.price(name, cost) for name, cost in after.items())
    saved = baseline.saved_frac(prices)
    largest = max(divided.shares, key=lambda share: share.frac)
    recommended, verdict = _judge(prices, saved, baseline)
    confidence, reason = _confidence(divided, baseline)
    span = f" of {scheme.step}" if scheme.step else ""
    return LargerChange(
        kind=_KIND,
        name=scheme.table,
        title=f"{scheme.table} in {len(scheme.partitions)} partitions{span} by {scheme.method.value} of"
        f" {scheme.column}",
        recommended=recommended,
        verdict=verdict,
        statements=prices,
        saved_frac=saved,
        size_bytes=math.ceil(divided.pages * largest.frac) * BLOCK_BYTES,
        rows=max(divided.table.rows, 0.0) * largest.frac,
        refresh_cost=None,
        pays_from_calls=None,
        confidence=confidence,
        confidence_reason=reason,
        reason=candidate.reason,
        cautions=(WHAT_IF_ONLY, *_lost_uniqueness(divided), *candidate.cautions),
        scheme=scheme,
    )


def _judge(prices: Sequence[StatementPrice], saved: float, baseline: Baseline) -> tuple[bool, str]:
    if not prices:
        return False, "no statement on it can be priced"
    worse = [price for price in prices if price.after.value > price.before.value * (1 + _DEARER_FRAC)]
    names = ", ".join(price.statement for price in worse)
    if saved < UNCHANGED_FRAC:
        told = f"it saves {percent(saved, 2)} of the workload's cost" if saved > 0 else "it saves nothing"
        return False, told + (f", and makes dearer: {names}" if worse else "")
    if baseline.indexes_do_as_much(prices):
        return False, "the proposed indexes bring the same statements as far down without moving a row"
    if worse:
        return False, f"it saves {percent(saved)} of the workload's cost, but makes dearer: {names}"
    return True, f"it saves {percent(saved)} of the workload's cost, and no statement gets dearer"


def _lost_uniqueness(divided: _Divided) -> tuple[str, ...]:
    column = divided.candidate.scheme.column
    lost = [
        index.constraint or index.relation.name
        for index in divided.indexes
        if index.unique and not can_stay_unique(as_change(index), column)
    ]
    if not lost:
        return ()
    return (
        f"{', '.join(lost)} could not stay unique: on a partitioned table {column} has to be among the"
        " columns",
    )


def _confidence(divided: _Divided, baseline: Baseline) -> tuple[Confidence, str]:
    names = set(divided.candidate.statements)
    unknown = [s.name for s in baseline.workload.statements if s.name in names and not s.parameter_sets]
    asked = [s for s in baseline.workload.statements if s.name in names]
    if asked and len(unknown) == len(asked) and any("$1" in s.query.sql for s in asked):
        return Confidence.LOW, "the statements' values are not known, so which partitions they need is not"
    return (
        Confidence.MEDIUM,
        f"rows shared out by the statistics of {divided.candidate.scheme.column}; other columns are taken to"
        " be spread alike over all partitions",
    )
