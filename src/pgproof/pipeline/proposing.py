"""Advise: candidates from the workload, priced on a clone, chosen into variants, written as a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pgproof import changes
from pgproof.config import Settings
from pgproof.model.blueprint import Blueprint, Limits, RacePlan
from pgproof.model.candidate import IndexBudget, IndexCandidate
from pgproof.model.estimate import Estimate
from pgproof.model.figures import percent, size
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import Catalog
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.looking import obtain_workload, open_target
from pgproof.pipeline.memory import demand_memory, remember
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import open_session
from pgproof.stages.compete.clones import open_clones
from pgproof.stages.estimate.clone_costs import open_clone_costs
from pgproof.stages.estimate.select import choose_sets
from pgproof.stages.estimate.variants import estimate_variants
from pgproof.stages.propose.combine import propose_variants
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import propose_indexes

Priced: TypeAlias = tuple[tuple[Variant, ...], tuple[Estimate, ...], tuple[str, ...]]

_NOTHING: Priced = ((), (), ("no index is worth trying for these statements",))


@dataclass(frozen=True, slots=True)
class Advice:
    """What to try.

    Args:
        run: Its id in the ledger.
        blueprint: Ready to compete; without variants when nothing is worth trying.
        estimates: One a variant, in planner cost.
        sql: What each variant would run, by its name.
        notes: What limits trust in it, or why nothing is proposed.
    """

    run: str
    blueprint: Blueprint
    estimates: tuple[Estimate, ...]
    sql: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def advise(
    settings: Settings,
    dsn: str,
    *,
    workload_file: Path | None = None,
    workload: Workload | None = None,
    budget: IndexBudget | None = None,
    max_width: int = 4,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> Advice:
    """Propose variants. The database itself is only read; indexes are tried on a clone.

    Args:
        settings: Guards, home, ledger.
        dsn: Of the database.
        workload_file: Instead of pg_stat_statements.
        workload: Instead of both.
        budget: What the new indexes of a variant may take; None means no limit.
        max_width: Key columns of an index.
        seed: Of the sampling of values.
        progress: Told what is being done.

    Raises:
        CapabilityMissing, ConfigError: There is no workload to be had, or the database can't be copied.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    demand_memory(settings)
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        workload = workload or obtain_workload(session, catalog, workload_file, seed, progress)
    progress("looking for candidates")
    candidates = propose_indexes(catalog, workload, max_width=max_width)
    priced = _NOTHING
    if candidates:
        priced = _price(settings, dsn, catalog, workload, candidates, budget, progress)
    variants, estimates, notes = priced
    blueprint = Blueprint(
        name=f"indexes for {catalog.database}",
        goal="the captured workload faster, with no answer changed",
        workload=workload,
        variants=variants,
        limits=Limits(index_bytes=budget.size_bytes if budget else None),
        race=RacePlan(seed=seed),
        notes=notes,
    )
    run = remember(settings, "advise", blueprint.name, blueprint)
    return Advice(run, blueprint, estimates, {v.name: variant_sql(v, catalog) for v in variants}, notes)


def _price(
    settings: Settings,
    dsn: str,
    catalog: Catalog,
    workload: Workload,
    candidates: tuple[IndexCandidate, ...],
    budget: IndexBudget | None,
    progress: Progress,
) -> Priced:
    """Build the candidates on a clone, choose sets of them, and price the variants that come of it."""
    with (
        open_clones(
            dsn, home=settings.home, arms=1, writes=False, clone_bindir=settings.bindir, progress=progress
        ) as (host, _),
        open_session(host.make("estimate"), read_only=False, statement_timeout_ms=0) as session,
        open_clone_costs(session, candidates, progress=progress) as provider,
    ):
        progress("choosing indexes")
        checks = foreign_key_checks(catalog, workload)
        selection = choose_sets(
            provider,
            catalog,
            workload,
            candidates,
            checks=checks,
            budget=budget,
            progress=progress,
        )
        variants = propose_variants(catalog, candidates, selection.sets)
        estimates = estimate_variants(provider, workload, variants, checks=checks)
        variants = tuple(_with_figure(*priced) for priced in zip(variants, estimates, strict=True))
    reason = (selection.reason,) if selection.reason else ()
    return variants, estimates, (*reason, *selection.refused)


def _with_figure(variant: Variant, estimate: Estimate) -> Variant:
    """Put what the planner expects in front of what a variant bets on."""
    saved, weight = percent(estimate.saved_frac, 1), size(estimate.index_bytes)
    figure = f"The planner expects {saved} less cost for {weight} of indexes."
    return replace(variant, why="\n".join(filter(None, (figure, variant.why))))


def variant_sql(variant: Variant, catalog: Catalog) -> tuple[str, ...]:
    """Return the statements that a variant would run on a database, in order."""
    wanted = changes.effective_changes(variant.changes, catalog)
    return tuple(step.sql for step in changes.forward_steps(wanted, catalog))
