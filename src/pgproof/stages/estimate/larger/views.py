"""Prices materialised views in a shadow: real views without a row, given the size they would have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.changes import apply_steps, simulate_steps
from pgproof.changes.materialized_view import create_view_sql, refresh_sql
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CloneOnly
from pgproof.model.estimate import BLOCK_BYTES
from pgproof.model.figures import percent
from pgproof.model.larger_change import (
    Dismissed,
    LargerChange,
    LargerKind,
    StatementPrice,
    ViewCandidate,
)
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost
from pgproof.postgres.shadow.lanes import Workshop, open_lanes, open_workshop
from pgproof.postgres.shadow.planted import admit_reader, derive_view_statistics, set_table_figures
from pgproof.postgres.shadow.server import Shadow
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.hypothetical import make_hypotheses
from pgproof.stages.estimate.larger.baseline import UNCHANGED_FRAC, Baseline
from pgproof.stages.estimate.larger.view_statistics import (
    column_widths,
    derive_statistics,
    heap_pages,
    unique_index_pages,
)
from pgproof.stages.estimate.provider import NotPlanned, PlanRequest
from pgproof.stages.estimate.shadow import ShadowCosts

_KIND = LargerKind.MATERIALIZED_VIEW
_PAGE_COST = 1.0
"""Of writing a page, as seq_page_cost of reading one. **Source**: judgement; the planner prices no writes."""


@dataclass(frozen=True, slots=True)
class _Sized:
    """A view as large as the planner expects its query's answer to be.

    Args:
        candidate: The view.
        rows: Of it.
        pages: Of it.
        index_pages: Of its indexes, by name.
        query_cost: Of its query.
    """

    candidate: ViewCandidate
    rows: float
    pages: int
    index_pages: Mapping[str, int]
    query_cost: float

    @property
    def all_pages(self) -> int:
        return self.pages + sum(self.index_pages.values())


def price_views(
    shadow: Shadow,
    catalog: Catalog,
    candidates: Sequence[ViewCandidate],
    baseline: Baseline,
    progress: Progress,
) -> tuple[tuple[LargerChange, ...], tuple[Dismissed, ...]]:
    """Price materialised views, each alone.

    Args:
        shadow: Of the target.
        catalog: Of the same.
        candidates: Names of their views and indexes are unique.
        baseline: What statements cost without.
        progress: Told what is being done.

    Returns:
        The views that could be priced, in order, and those that could not.

    Raises:
        EmbeddedServerError, Unreachable, ServerError: The shadow is gone, or can't hold the files.
    """
    dismissed: list[Dismissed] = []
    planned = []
    for candidate in candidates:
        plan = baseline.provider.explain(PlanRequest(candidate.change.query), baseline.provider.existing)
        if isinstance(plan, NotPlanned):
            dismissed.append(_dismiss(candidate, f"its query can't be planned: {plan.reason}"))
        else:
            planned.append((candidate, plan))
    if not planned:
        return (), tuple(dismissed)
    progress("pricing materialized views")
    with open_workshop(shadow) as workshop:
        made, refused = _make(workshop, shadow, catalog, planned)
        pages = dict(shadow.source.pages) | _pages_of(made)
        found = make_hypotheses(workshop, catalog, pages, (), (), progress)
        workshop.close()
        with open_lanes(shadow, workshop.name, found.extents, 1) as lanes:
            provider = ShadowCosts(shadow, found, lanes)
            changes = [_price(view, provider, baseline) for view in made]
    return tuple(changes), (*dismissed, *refused)


def _dismiss(candidate: ViewCandidate, reason: str) -> Dismissed:
    return Dismissed(", ".join(reader.name for reader in candidate.readers), _KIND, reason)


def _make(
    workshop: Workshop, shadow: Shadow, catalog: Catalog, planned: Sequence[tuple[ViewCandidate, Plan]]
) -> tuple[list[_Sized], list[Dismissed]]:
    """Make the views that the server accepts, empty, with the figures and statistics they would have."""
    made, refused = [], []
    for candidate, plan in planned:
        reason = _create(workshop, candidate)
        if reason:
            refused.append(_dismiss(candidate, f"the server refuses it: {reason}"))
            continue
        view = _size(workshop, candidate, plan, catalog)
        made.append(view)
        set_table_figures(workshop, candidate.change.view, view.pages, view.rows)
        derive_view_statistics(workshop, list(derive_statistics(candidate, catalog, view.rows)))
    names = {row.relation_name: row.oid for row in workshop.relations() if row.method}
    figures = [(names[name], pages, view.rows) for view in made for name, pages in view.index_pages.items()]
    workshop.set_figures({oid: (pages, rows) for oid, pages, rows in figures})
    role = shadow.source.user if shadow.source.guarded else ""
    admit_reader(workshop, [view.candidate.change.view for view in made], role)
    return made, refused


def _size(workshop: Workshop, candidate: ViewCandidate, plan: Plan, catalog: Catalog) -> _Sized:
    change = candidate.change
    rows = max(plan.root.plan_rows, 1.0)
    types = {
        row.column_name: (row.type_name, row.length_bytes)
        for row in workshop.query(
            "shadow_view_columns", {"schema": change.view.schema, "view": change.view.name}
        )
    }
    widths = column_widths(candidate, catalog, types)
    indexes = {
        index.name: unique_index_pages(rows, sum(widths[key.column] for key in index.keys))
        for index in change.indexes
    }
    return _Sized(candidate, rows, heap_pages(rows, sum(widths.values())), indexes, plan.cost.value)


def _create(workshop: Workshop, candidate: ViewCandidate) -> str:
    """Make a view and its indexes; return why the server refused one."""
    change = candidate.change
    try:
        statements = [create_view_sql(change, with_data=False)]
    except (ParseError, UsageError) as error:
        return error.message
    for index in change.indexes:
        steps = simulate_steps(index)
        assert not isinstance(steps, CloneOnly)
        statements += [step.sql for step in steps]
    return workshop.run_all(["; ".join(statements)])[0]


def _pages_of(views: Sequence[_Sized]) -> dict[RelationName, int]:
    pages = {view.candidate.change.view: view.pages for view in views}
    for view in views:
        schema = view.candidate.change.view.schema
        pages |= {RelationName(schema, name): length for name, length in view.index_pages.items()}
    return pages


def _price(view: _Sized, provider: ShadowCosts, baseline: Baseline) -> LargerChange:
    candidate = view.candidate
    after = WorkloadCosts(provider, candidate.readers).under(frozenset())
    prices = tuple(
        baseline.price(reader.name, after[reader.name], reader.query.sql)
        for reader in candidate.readers
        if reader.name in after and reader.name in baseline.before
    )
    refresh = PlannerCost(view.query_cost + _PAGE_COST * view.all_pages)
    pays_from = _pays_from(candidate, prices, refresh)
    saved = baseline.saved_frac(prices)
    recommended, verdict = _judge(candidate, prices, saved, pays_from, baseline)
    steps = apply_steps(candidate.change)
    return LargerChange(
        kind=_KIND,
        name=candidate.change.view,
        title=f"materialized view {candidate.change.view}",
        recommended=recommended,
        verdict=verdict,
        statements=prices,
        saved_frac=saved,
        size_bytes=view.all_pages * BLOCK_BYTES,
        rows=view.rows,
        refresh_cost=refresh,
        pays_from_calls=pays_from,
        confidence=candidate.confidence,
        confidence_reason=candidate.confidence_reason,
        reason=candidate.reason,
        cautions=candidate.cautions,
        sql=tuple(step.sql for step in steps),
        refresh_sql=refresh_sql(candidate.change),
    )


def _pays_from(
    candidate: ViewCandidate, prices: Sequence[StatementPrice], refresh: PlannerCost
) -> float | None:
    """Return how many calls of the readers, in their proportion, save what one refresh costs."""
    calls = {reader.name: reader.calls for reader in candidate.readers}
    every = sum(calls[price.statement] for price in prices)
    saved = sum(calls[price.statement] * (price.before.value - price.after.value) for price in prices)
    return refresh.value / (saved / every) if every > 0 and saved > 0 else None


def _judge(
    candidate: ViewCandidate,
    prices: Sequence[StatementPrice],
    saved: float,
    pays_from: float | None,
    baseline: Baseline,
) -> tuple[bool, str]:
    if not prices:
        return False, "no statement that would read it can be priced"
    if pays_from is None:
        return False, "reading it would cost no less than the statements do now"
    if saved < UNCHANGED_FRAC:
        return False, f"it saves {percent(saved, 2)} of the workload's cost: not worth the upkeep"
    if baseline.indexes_do_as_much(prices):
        return False, "the proposed indexes bring the same statements as far down, and are never stale"
    measured = [reader for reader in candidate.readers if reader.counters is not None]
    calls = sum(reader.calls for reader in candidate.readers)
    least = max(math.ceil(pays_from), 1)
    at_least = f"{least:,} call{'' if least == 1 else 's'}"
    if measured and calls < pays_from:
        return False, f"one refresh costs what {at_least} save, and only {calls:,.0f} were seen"
    return True, f"pays where {at_least} or more come between two refreshes"
