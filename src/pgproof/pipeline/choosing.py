"""Choose sets of candidates, try them on clones where that is wished, and say why these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import monotonic

from pgproof.config import Settings
from pgproof.model.advice import ChoiceExplanation
from pgproof.model.candidate import IndexCandidate, IndexSet, Proof, Selection
from pgproof.model.catalog import Catalog
from pgproof.model.drop import DropReview
from pgproof.model.estimate import Estimate
from pgproof.model.figures import percent, size
from pgproof.model.paired import PairedTiming
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress
from pgproof.model.variant import ExpectedStatement, Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.beside import Beside, advise_beside
from pgproof.pipeline.dropping import Dropping
from pgproof.pipeline.pace import by_time
from pgproof.pipeline.pricing import Planner, Pricing
from pgproof.pipeline.recommending import recommended_first
from pgproof.pipeline.refining import refine
from pgproof.pipeline.trials import Trials, open_trials
from pgproof.pipeline.unpriced import told_unpriced
from pgproof.pipeline.wishes import Wishes
from pgproof.stages.estimate.explain_choice import explain_choice
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.key_order import in_sensible_order
from pgproof.stages.estimate.needless import without_needless
from pgproof.stages.estimate.repair import repaired
from pgproof.stages.estimate.select import choose, make_goal
from pgproof.stages.estimate.variants import estimate_variants
from pgproof.stages.propose.combine import propose_variants, told_drop
from pgproof.stages.propose.foreign_keys import foreign_key_checks

_RECOMMENDED_S = 12.0
"""For the explanation of the recommended set. **Source**: judgement: a reader waits that long for reasons."""

_OTHERS_S = 3.0
"""For that of each other set. **Source**: judgement; few read them."""

REPAIR_FRAC = 0.25
"""Share of a later choice's time that may go into mending the set that failed. **Source**: judgement."""

_SEARCH = "choosing indexes, seconds of the time limit"
_NOTHING = "no index is worth trying for these statements"


@dataclass(frozen=True, slots=True)
class Task:
    """What there is to choose from, and how.

    Args:
        settings: Home, binaries, guards.
        dsn: Of the database; only read.
        catalog: Of the same.
        workload: What is to become cheaper.
        candidates: Most promising first; may be empty.
        review: Existing indexes that may go.
        plans: Of the statements as the database is, by name.
        wishes: How to choose.
        progress: Told what is being done.
    """

    settings: Settings
    dsn: str
    catalog: Catalog
    workload: Workload
    candidates: tuple[IndexCandidate, ...]
    review: DropReview
    plans: Mapping[str, Sequence[Plan]]
    wishes: Wishes
    progress: Progress


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of it.

    Args:
        variants: Least ambitious first; those without indexes last.
        estimates: One a variant with indexes, in order.
        notes: What limits trust in it, or why nothing is proposed.
        explanations: Why the indexes of each variant, by its name.
        measured: What each variant did on a clone, by its name; empty where nobody tried.
        drops: Existing indexes that may go, with those that the sets make superfluous.
        proof: How far the best set may be from what is possible; None without one.
        beside: What else may help.
    """

    variants: tuple[Variant, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = ()
    explanations: Mapping[str, ChoiceExplanation] = field(default_factory=dict)
    measured: Mapping[str, tuple[PairedTiming, ...]] = field(default_factory=dict)
    drops: DropReview = field(default_factory=DropReview)
    proof: Proof | None = None
    beside: Beside = field(default_factory=Beside)


def make_choice(task: Task, planner: Planner) -> Choice:
    """Choose, price and explain variants; see `Choice`.

    Args:
        task: What there is to choose from.
        planner: Prices it.

    Raises:
        CapabilityMissing: HypoPG is not installed, or the database can't be copied.
        Unreachable, ServerError, EmbeddedServerError, TrialFailed: As the servers say.
    """
    with ExitStack() as stack:
        trials = None
        if task.wishes.measure:
            trials = stack.enter_context(open_trials(task.settings, task.dsn, task.workload, task.progress))
        if not task.candidates:
            return _with_beside(task, Choice(notes=(_NOTHING,), drops=task.review), trials)
        dropping = Dropping(task.catalog, task.workload, task.candidates, task.review)
        pricing = stack.enter_context(planner.price(task.candidates, dropping.droppable))
        return _with_beside(task, _choose(task, pricing, dropping, trials), trials)


def _choose(task: Task, pricing: Pricing, dropping: Dropping, trials: Trials | None) -> Choice:
    """Choose sets of candidates, and price and explain the variants that come of it."""
    task.progress(_SEARCH)
    workload = trials.weigh(task.workload) if trials else task.workload
    checks = foreign_key_checks(task.catalog, workload)
    goal = make_goal(
        pricing.provider,
        task.catalog,
        workload,
        pricing.candidates,
        checks=checks,
        budget=task.wishes.budget,
        corrections=task.wishes.corrections,
    )
    limit_s = task.wishes.time_limit_s
    pace = by_time(task.progress, _SEARCH, limit_s)

    def chosen_by(wanted: Goal, failed: Selection | None = None) -> Selection:
        now = monotonic()
        starts = [_repaired(wanted, failed, now + REPAIR_FRAC * limit_s)] if failed and failed.sets else []
        selection = choose(wanted, starts=starts, ends_at=now + limit_s, progress=pace)
        return in_sensible_order(wanted, selection, task.catalog)

    def as_variants(chosen: Selection) -> tuple[Variant, ...]:
        sets = dropping.apply(goal, chosen).sets
        return propose_variants(task.catalog, pricing.candidates, sets, dropping.of)

    selection = chosen_by(goal)
    measured: Mapping[str, tuple[PairedTiming, ...]] = {}
    doubts: tuple[str, ...] = ()
    if trials is not None and selection.sets:
        goal, selection, measured, doubts = refine(
            goal, selection, as_variants, trials.measure, chosen_by, task.progress
        )
    selection = dropping.apply(goal, selection)
    variants = as_variants(selection) or _only_drops(goal, task.review)
    estimates = estimate_variants(pricing.provider, workload, variants, checks=checks, costs=goal.costs)
    reason = (selection.reason,) if selection.reason else ()
    unpriced = told_unpriced(goal.costs.skipped, workload, task.catalog, pricing.denied)
    return Choice(
        variants=tuple(_with_figure(*pair) for pair in zip(variants, estimates, strict=True)),
        estimates=estimates,
        notes=(*reason, *doubts, *unpriced, *selection.refused, *pricing.notes),
        explanations=_explain(task, goal, pricing, dropping, selection.sets, recommended_first(variants)),
        measured=measured,
        drops=dropping.told(selection.sets),
        proof=selection.proof,
    )


def _repaired(goal: Goal, failed: Selection, ends_at: float) -> frozenset[str]:
    """Return what is left of the set that saves most, once what failed is taken out."""
    best = min(failed.sets, key=lambda chosen: chosen.after.value + chosen.write_penalty.value)
    return repaired(goal, goal.base.difference(best.dropped).union(best.names), ends_at)


def _only_drops(goal: Goal, review: DropReview) -> tuple[Variant, ...]:
    """Return the variant that only removes existing indexes no plan misses; nothing without any."""
    kept = without_needless(goal, goal.base, frozenset(drop.name for drop in review.candidates))
    gone = [drop for drop in review.candidates if drop.name in goal.base - kept]
    if not gone:
        return ()
    return (
        Variant(
            name="tidy",
            title=f"existing indexes that no plan misses go ({len(gone)})",
            changes=tuple(drop.change for drop in gone),
            why="\n".join(map(told_drop, gone)),
        ),
    )


def _with_beside(task: Task, choice: Choice, trials: Trials | None) -> Choice:
    """Add statistics and settings, and the variants of them."""
    beside = advise_beside(
        task.plans, task.catalog, task.workload, task.wishes.machine, trials, task.progress
    )
    return replace(choice, variants=(*choice.variants, *beside.variants), beside=beside)


def _explain(
    task: Task,
    goal: Goal,
    pricing: Pricing,
    dropping: Dropping,
    sets: Sequence[IndexSet],
    ranked: Sequence[Variant],
) -> dict[str, ChoiceExplanation]:
    """Explain each set, in its order; the recommended one is asked about first and longest."""
    chosen = {each.ambition.value: each for each in sets}
    found: dict[str, ChoiceExplanation] = {}
    for place, name in enumerate(variant.name for variant in ranked if variant.name in chosen):
        task.progress("explaining the choice", place, len(chosen))
        dropped = chosen[name].dropped
        found[name] = explain_choice(
            goal,
            (*chosen[name].names, *(goal.base - set(dropped))),
            pricing.candidates,
            task.catalog,
            task.workload.statements,
            now=goal.base,
            drops=dropping.of(chosen[name]),
            sizes=pricing.sizes,
            time_limit_s=_OTHERS_S if found else _RECOMMENDED_S,
        )
    return {name: found[name] for name in chosen if name in found}


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
