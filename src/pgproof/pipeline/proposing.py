"""Advise: candidates from the workload, priced by the planner, chosen into variants of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from pgproof import changes
from pgproof.config import Settings
from pgproof.errors import UsageError
from pgproof.model.advice import ChoiceExplanation
from pgproof.model.blueprint import Blueprint, Limits, RacePlan
from pgproof.model.candidate import Correction, IndexBudget, IndexSet, Proof, Selection
from pgproof.model.drop import DropReview
from pgproof.model.estimate import Estimate
from pgproof.model.figures import percent, size
from pgproof.model.paired import PairedTiming
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import Catalog
from pgproof.model.variant import ExpectedStatement, Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.looking import obtain_workload, open_target
from pgproof.pipeline.memory import demand_memory, remember
from pgproof.pipeline.pricing import Pricing, ToPrice, WhatIf, open_pricing
from pgproof.pipeline.refining import refine
from pgproof.pipeline.trials import open_trials
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.standbys import read_standbys
from pgproof.stages.estimate.explain_choice import explain_choice
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.select import TIME_LIMIT_S, choose, make_goal
from pgproof.stages.estimate.variants import estimate_variants
from pgproof.stages.propose.combine import propose_variants
from pgproof.stages.propose.drops import find_droppable, names_of
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import Proposals, find_proposals

_NOTHING = "no index is worth trying for these statements"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to try.

    Args:
        run: Its id in the ledger.
        blueprint: Ready to compete; without variants when nothing is worth trying.
        estimates: One a variant, in planner cost.
        sql: What each variant would run, by its name.
        notes: What limits trust in it, or why nothing is proposed.
        explanations: Why the indexes of each variant, by its name.
        drops: Which existing indexes may go.
        proof: How far the best set may be from what is possible; None without one.
        measured: What each variant did on a clone, by its name; empty where nobody tried.
    """

    run: str
    blueprint: Blueprint
    estimates: tuple[Estimate, ...]
    sql: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    explanations: Mapping[str, ChoiceExplanation] = field(default_factory=dict)
    drops: DropReview | None = None
    proof: Proof | None = None
    measured: Mapping[str, tuple[PairedTiming, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to advise.

    Args:
        budget: What the new indexes of a variant may take; None means no limit.
        max_width: Key columns of an index, >= 1.
        what_if: Who prices candidates.
        time_limit_s: When to be content with the sets found so far.
        corrections: What real runs of earlier sets taught.
        measure: Build the sets on a clone, and choose again without what makes a statement slower.
        seed: Of the sampling of values.
    """

    budget: IndexBudget | None = None
    max_width: int = 4
    what_if: WhatIf = WhatIf.SHADOW
    time_limit_s: float = TIME_LIMIT_S
    corrections: tuple[Correction, ...] = ()
    measure: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Priced:
    variants: tuple[Variant, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = (_NOTHING,)
    explanations: Mapping[str, ChoiceExplanation] = field(default_factory=dict)
    measured: Mapping[str, tuple[PairedTiming, ...]] = field(default_factory=dict)
    proof: Proof | None = None


def advise(
    settings: Settings,
    dsn: str,
    *,
    workload_file: Path | None = None,
    workload: Workload | None = None,
    wishes: Wishes | None = None,
    progress: Progress = ignore_progress,
) -> Advice:
    """Propose variants. The database is only read; what-if is asked elsewhere, unless HypoPG is wanted.

    Args:
        settings: Guards, home, ledger.
        dsn: Of the database.
        workload_file: Instead of pg_stat_statements.
        workload: Instead of both.
        wishes: How to advise; None takes the defaults.
        progress: Told what is being done.

    Raises:
        UsageError: The wishes contradict each other.
        CapabilityMissing, ConfigError: There is no workload to be had, or the database can't be read.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    wishes = wishes or Wishes()
    demand_sense(wishes)
    demand_memory(settings)
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        standbys = read_standbys(session)
        workload = workload or obtain_workload(session, catalog, workload_file, wishes.seed, progress)
    progress("looking for candidates")
    found = find_proposals(catalog, workload, max_width=wishes.max_width)
    review = find_droppable(catalog, workload, standbys=standbys)
    priced = _Priced()
    if found.candidates:
        priced = _price(settings, dsn, catalog, workload, found, review, wishes, progress)
    notes = (*priced.notes, *found.notes)
    blueprint = Blueprint(
        name=f"indexes for {catalog.database}",
        goal="the captured workload faster, with no answer changed",
        workload=workload,
        variants=priced.variants,
        limits=Limits(index_bytes=wishes.budget.size_bytes if wishes.budget else None),
        race=RacePlan(seed=wishes.seed),
        notes=notes,
    )
    return Advice(
        run=remember(settings, "advise", blueprint.name, blueprint),
        blueprint=blueprint,
        estimates=priced.estimates,
        sql={variant.name: variant_sql(variant, catalog) for variant in priced.variants},
        notes=notes,
        explanations=priced.explanations,
        drops=review,
        proof=priced.proof,
        measured=priced.measured,
    )


def demand_sense(wishes: Wishes) -> None:
    """Refuse limits that no set of indexes could keep.

    Raises:
        UsageError: One is negative, or they contradict each other.
    """
    budget = wishes.budget or IndexBudget()
    for name, value in (
        ("The size budget", budget.size_bytes),
        ("The number of indexes", budget.count),
        ("The build time", budget.build_s),
        ("The write overhead", budget.write_frac),
        ("The time limit", wishes.time_limit_s),
    ):
        if value is not None and value < 0:
            raise UsageError(f"{name} can't be less than zero.", hint="Leave it out for no limit.")
    if wishes.time_limit_s == 0:
        raise UsageError("A time limit of zero leaves no time to look.", hint="Give at least a second.")
    none_at_all = [budget.size_bytes, budget.count, budget.build_s]
    if 0 in none_at_all and any(value not in (None, 0) for value in none_at_all):
        raise UsageError(
            "The limits contradict each other: one admits no index at all, another one does.",
            hint="Leave out the limit that is zero, or the others.",
        )


def _price(
    settings: Settings,
    dsn: str,
    catalog: Catalog,
    workload: Workload,
    found: Proposals,
    review: DropReview,
    wishes: Wishes,
    progress: Progress,
) -> _Priced:
    """Choose sets of candidates, and price and explain the variants that come of it."""
    ends_at = monotonic() + wishes.time_limit_s
    checks = foreign_key_checks(catalog, workload)
    asked = ToPrice(dsn, catalog, found.candidates, names_of(review.candidates))
    with open_pricing(settings, wishes.what_if, asked, progress) as pricing:
        progress("choosing indexes")
        goal = make_goal(
            pricing.provider,
            catalog,
            workload,
            pricing.candidates,
            checks=checks,
            budget=wishes.budget,
            corrections=wishes.corrections,
        )
        selection = choose(goal, ends_at=ends_at, progress=progress)
        measured: Mapping[str, tuple[PairedTiming, ...]] = {}
        doubts: tuple[str, ...] = ()
        if wishes.measure and selection.sets:

            def as_variants(chosen: Selection) -> tuple[Variant, ...]:
                return propose_variants(catalog, pricing.candidates, chosen.sets, review.candidates)

            with open_trials(settings, dsn, workload, progress) as trials:
                goal, selection, measured, doubts = refine(
                    goal, selection, as_variants, trials.measure, wishes.time_limit_s, progress
                )
        variants = propose_variants(catalog, pricing.candidates, selection.sets, review.candidates)
        estimates = estimate_variants(pricing.provider, workload, variants, checks=checks, costs=goal.costs)
        progress("explaining the choice")
        explanations = _explain(goal, pricing, catalog, workload, selection.sets, review)
    reason = (selection.reason,) if selection.reason else ()
    return _Priced(
        variants=tuple(_with_figure(*pair) for pair in zip(variants, estimates, strict=True)),
        estimates=estimates,
        notes=(*reason, *doubts, *_skipped(goal), *selection.refused, *pricing.notes),
        explanations=explanations,
        measured=measured,
        proof=selection.proof,
    )


def _explain(
    goal: Goal,
    pricing: Pricing,
    catalog: Catalog,
    workload: Workload,
    sets: Sequence[IndexSet],
    review: DropReview,
) -> dict[str, ChoiceExplanation]:
    return {
        chosen.ambition.value: explain_choice(
            goal,
            (*chosen.names, *(goal.base - set(chosen.dropped))),
            pricing.candidates,
            catalog,
            workload.statements,
            now=goal.base,
            drops=[drop for drop in review.candidates if drop.name in chosen.dropped],
            sizes=pricing.sizes,
        )
        for chosen in sets
    }


def _skipped(goal: Goal) -> tuple[str, ...]:
    """Say which statements could not be planned."""
    return tuple(f"{name} is not priced: {reason}" for name, reason in goal.costs.skipped.items())


def _with_figure(variant: Variant, estimate: Estimate) -> Variant:
    """Put what the planner expects in front of what a variant bets on; beside it, each statement apart."""
    saved, weight = percent(estimate.saved_frac, 1), size(estimate.index_bytes)
    figure = f"The planner expects {saved} less cost for {weight} of indexes."
    expected = tuple(
        ExpectedStatement(found.statement, float(f"{found.after.value / found.before.value:.4g}"))
        for found in estimate.statements
        if found.before.value > 0
    )
    return replace(variant, why="\n".join(filter(None, (figure, variant.why))), expected=expected)


def variant_sql(variant: Variant, catalog: Catalog) -> tuple[str, ...]:
    """Return the statements that a variant would run on a database, in order."""
    wanted = changes.effective_changes(variant.changes, catalog)
    return tuple(step.sql for step in changes.forward_steps(wanted, catalog))
