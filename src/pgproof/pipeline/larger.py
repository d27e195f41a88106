"""Changes larger than an index: looked for in the workload, priced by a shadow, told as advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgproof.config import Settings
from pgproof.errors import EmbeddedServerError, ServerError
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import Estimate
from pgproof.model.larger_change import (
    Dismissed,
    LargerChange,
    LargerReview,
    PartitionCandidate,
    ViewCandidate,
)
from pgproof.model.progress import Progress
from pgproof.model.units import PlannerCost
from pgproof.model.workload import Workload
from pgproof.pipeline.pricing import WhatIf
from pgproof.postgres.shadow.server import open_shadow
from pgproof.stages.estimate.larger.baseline import read_baseline
from pgproof.stages.estimate.larger.partitions import price_partitionings
from pgproof.stages.estimate.larger.views import price_views
from pgproof.stages.estimate.shadow import open_shadow_costs
from pgproof.stages.propose.matviews import propose_views
from pgproof.stages.propose.partitions import MIN_BYTES, propose_partitions

_SHADOW_ONLY = (
    "Materialized views and partitions are priced by a shadow alone: leave --what-if out to have that done."
)
_COULD_NOT = "Materialized views and partitions could not be priced: {reason}"


def review_larger_changes(
    settings: Settings,
    dsn: str,
    catalog: Catalog,
    workload: Workload,
    what_if: WhatIf,
    estimates: Sequence[Estimate],
    progress: Progress,
    *,
    min_bytes: int = MIN_BYTES,
) -> LargerReview:
    """Look for materialised views and partitionings, and have a shadow price them.

    No shadow is opened where there is nothing to price.

    Args:
        settings: Home.
        dsn: Of the database; only its catalog is read.
        catalog: Of the same.
        workload: What is asked of it.
        what_if: Whom the user wants to be asked; only a shadow can tell of these changes.
        estimates: Of the sets of indexes, to compare with; may be empty.
        progress: Told what is being done.
        min_bytes: Size from which a table is looked at for partitions.

    Returns:
        Recommended changes first, then by what they save. Where no shadow can be had, a note says why: the
        advice that was found before is not lost over it.
    """
    progress("looking for larger changes")
    views, views_dismissed = propose_views(catalog, workload)
    partitions, tables_dismissed = propose_partitions(catalog, workload, min_bytes=min_bytes)
    dismissed = (*views_dismissed, *tables_dismissed)
    if not views and not partitions:
        return LargerReview(dismissed=dismissed)
    if what_if is not WhatIf.SHADOW:
        return LargerReview(dismissed=dismissed, notes=(_SHADOW_ONLY,))
    try:
        priced, refused = _price(settings, dsn, catalog, workload, (views, partitions), estimates, progress)
    except (ServerError, EmbeddedServerError) as error:
        return LargerReview(dismissed=dismissed, notes=(_COULD_NOT.format(reason=error.message),))
    ranked = sorted(priced, key=lambda change: (not change.recommended, -change.saved_frac))
    return LargerReview(tuple(ranked), (*refused, *dismissed))


def _price(
    settings: Settings,
    dsn: str,
    catalog: Catalog,
    workload: Workload,
    candidates: tuple[Sequence[ViewCandidate], Sequence[PartitionCandidate]],
    estimates: Sequence[Estimate],
    progress: Progress,
) -> tuple[tuple[LargerChange, ...], tuple[Dismissed, ...]]:
    """Have a shadow price views and partitionings; return those priced, and those refused."""
    views, partitions = candidates
    with (
        open_shadow(dsn, home=settings.home, progress=progress) as shadow,
        open_shadow_costs(shadow, catalog, (), progress=progress) as provider,
    ):
        baseline = read_baseline(provider, workload, _with_indexes(estimates))
        priced_views, refused_views = price_views(shadow, catalog, views, baseline, progress)
        priced_tables, refused_tables = price_partitionings(shadow, catalog, partitions, baseline, progress)
    return (*priced_views, *priced_tables), (*refused_views, *refused_tables)


def _with_indexes(estimates: Sequence[Estimate]) -> Mapping[str, PlannerCost]:
    """Return what each statement costs with the set of indexes that saves most."""
    if not estimates:
        return {}
    best = min(estimates, key=lambda estimate: estimate.after)
    return {one.statement: one.after for one in best.statements}
