"""``pgproof advise``: propose variants and write them as a blueprint."""

from __future__ import annotations

from pathlib import Path

from pgproof import pipeline
from pgproof.config import read_settings
from pgproof.frontends.blueprint_file import write_blueprint
from pgproof.frontends.cli import advise_options as opt
from pgproof.frontends.cli.machine import parse_machine
from pgproof.frontends.cli.options import Dsn, Json, WorkloadFile, parse_seconds
from pgproof.frontends.cli.outputs import demand_writable_file
from pgproof.frontends.cli.screen import Screen
from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report.advice import print_advice
from pgproof.pipeline import Advice, WhatIf, Wishes, recommended_first


def advise(
    dsn: Dsn = "",
    workload: WorkloadFile = None,
    out: opt.Out = Path("blueprint.yaml"),
    budget: opt.Budget = None,
    max_indexes: opt.MaxIndexes = None,
    max_build: opt.MaxBuild = None,
    max_write_overhead: opt.MaxWriteOverhead = None,
    max_width: opt.MaxWidth = 4,
    what_if: opt.WhatIfOption = WhatIf.SHADOW,
    time_limit: opt.TimeLimit = "60s",
    measure: opt.Measure = False,
    machine: opt.MachineOption = None,
    standbys_checked: opt.StandbysChecked = False,
    verbose: opt.Verbose = False,
    seed: opt.Seed = 1,
    json: Json = None,
) -> None:
    """Propose ways to make the workload faster, priced by the planner."""
    wishes = Wishes(
        budget=opt.read_budget(budget, max_indexes, max_build, max_write_overhead),
        max_width=max_width,
        what_if=what_if,
        time_limit_s=parse_seconds(time_limit),
        machine=None if machine is None else parse_machine(machine),
        standbys_asked=standbys_checked,
        measure=measure,
        seed=seed,
    )
    screen = Screen(json)
    screen.check_writable()
    demand_writable_file(out, "--out")
    with screen.progress() as progress:
        advice = pipeline.advise(
            read_settings(), dsn, workload_file=workload, wishes=wishes, progress=progress
        )
    if advice.blueprint.variants:
        write_blueprint(advice.blueprint, out)
    document = _document(advice, str(out) if advice.blueprint.variants else "")
    print_advice(screen.text, document, dsn, everything=verbose)
    screen.emit(document)


def _document(advice: Advice, written: str) -> AdviseDocument:
    priced = {estimate.variant for estimate in advice.estimates}
    best = recommended_first(variant for variant in advice.blueprint.variants if variant.name in priced)
    return AdviseDocument(
        run=advice.run,
        blueprint=written,
        variants=advice.blueprint.variants,
        sql=dict(advice.sql),
        estimates=advice.estimates,
        notes=advice.notes,
        explanations=dict(advice.explanations),
        drops=advice.drops,
        proof=advice.proof,
        measured=dict(advice.measured),
        statistics=advice.beside.statistics,
        statistics_checks=advice.beside.checks,
        settings=advice.beside.settings,
        larger=advice.larger,
        recommended=best[0].name if best else "",
        statements={each.name: each.query.sql for each in advice.blueprint.workload.statements},
    )
