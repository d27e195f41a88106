"""Advise: candidates from the workload, priced by the planner, chosen into variants of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgproof import changes
from pgproof.config import Settings
from pgproof.model.advice import ChoiceExplanation
from pgproof.model.blueprint import Blueprint, Limits, RacePlan
from pgproof.model.candidate import Proof
from pgproof.model.catalog import Catalog
from pgproof.model.drop import DropReview
from pgproof.model.estimate import Estimate
from pgproof.model.larger_change import LargerReview
from pgproof.model.paired import PairedTiming
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.beside import Beside
from pgproof.pipeline.choosing import Task, make_choice
from pgproof.pipeline.larger import review_larger_changes
from pgproof.pipeline.looking import obtain_statements, open_target
from pgproof.pipeline.memory import demand_memory, remember
from pgproof.pipeline.pricing import open_planner
from pgproof.pipeline.unpriced import demand_a_plan
from pgproof.pipeline.wishes import Wishes, demand_sense
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.standbys import read_standbys
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.diagnose.plans import read_generic_plans, read_plans
from pgproof.stages.propose.drops import find_droppable
from pgproof.stages.propose.indexes import find_proposals


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
        beside: What else may help.
        larger: Materialised views and partitions, priced; no variant holds them.
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
    beside: Beside = field(default_factory=Beside)
    larger: LargerReview = field(default_factory=LargerReview)


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
        CapabilityMissing, ConfigError: There is no workload to be had, none of its statements can be planned,
            or the database can't be read.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    wishes = wishes or Wishes()
    demand_sense(wishes)
    demand_memory(settings)
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        standbys = read_standbys(session)
        asked = workload or obtain_statements(session, workload_file, wishes.seed, progress)
    with open_planner(settings, wishes.what_if, dsn, catalog, progress) as planner:
        if workload is None:
            with open_target(settings, dsn) as session:
                workload = fill_parameters(
                    session,
                    catalog,
                    asked,
                    seed=wishes.seed,
                    planner=planner.of_values(session),
                    progress=progress,
                )
        plans, unplanned = read_plans(planner.session, workload, progress)
        demand_a_plan(workload, plans, unplanned, catalog, planner.denied)
        progress("looking for candidates")
        shown = read_generic_plans(planner.session, workload)
        found = find_proposals(catalog, workload, max_width=wishes.max_width, plans=shown)
        review = find_droppable(
            catalog, workload, plans=plans, standbys=standbys, standbys_asked=wishes.standbys_asked
        )
        seen = tuple(one for one in found.candidates if one.change.table not in planner.denied)
        task = Task(settings, dsn, catalog, workload, seen, review, plans, wishes, progress)
        choice = make_choice(task, planner)
    larger = review_larger_changes(
        settings, dsn, catalog, workload, wishes.what_if, choice.estimates, progress
    )
    notes = (*map(str, workload.set_aside), *choice.notes, *found.notes)
    blueprint = Blueprint(
        name=f"indexes for {catalog.database}",
        goal="the captured workload faster, with no answer changed",
        workload=workload,
        variants=choice.variants,
        limits=Limits(index_bytes=wishes.budget.size_bytes if wishes.budget else None),
        race=RacePlan(seed=wishes.seed),
        notes=notes,
    )
    return Advice(
        run=remember(settings, "advise", blueprint.name, blueprint),
        blueprint=blueprint,
        estimates=choice.estimates,
        sql={variant.name: variant_sql(variant, catalog) for variant in choice.variants},
        notes=notes,
        explanations=choice.explanations,
        drops=choice.drops,
        proof=choice.proof,
        measured=choice.measured,
        beside=choice.beside,
        larger=larger,
    )


def variant_sql(variant: Variant, catalog: Catalog) -> tuple[str, ...]:
    """Return the statements that a variant would run on a database, in order."""
    wanted = changes.effective_changes(variant.changes, catalog)
    return tuple(step.sql for step in changes.forward_steps(wanted, catalog))
