"""Blueprints beside a database: what in them can't be done there, and values that have to come from there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pgproof.changes import kind_of, race_refusals, refusals, remember
from pgproof.config import Settings
from pgproof.errors import ConfigError, Refused, UsageError
from pgproof.model.blueprint import Blueprint
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateMaterializedView
from pgproof.model.charter import TargetDatabase
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.pipeline.competing import COMPETITION, CompetitionRun
from pgproof.pipeline.looking import open_target
from pgproof.pipeline.memory import ledger_of
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.stages.capture.spec import WorkloadSpec
from pgproof.stages.compete.arms import as_owner
from pgproof.stages.compete.unsupported import find_unsupported, refuse_unsupported
from pgproof.stages.diagnose.plans import read_plans

_WITH_BLUEPRINT = ("advise", COMPETITION)


@dataclass(frozen=True, slots=True)
class Objection:
    """Something of a blueprint that a database speaks against.

    Args:
        path: What it is about: keys and 0-based positions from the top of the blueprint's file.
        message: The danger, in plain words.
        hint: What to do; may be empty.
    """

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


def make_ready(
    settings: Settings,
    blueprint: Blueprint,
    spec: WorkloadSpec,
    dsn: str,
    *,
    only: tuple[str, ...] = (),
    progress: Progress = ignore_progress,
) -> Blueprint:
    """Prepare a blueprint for its race: nothing of it is passed over, and every statement has its values.

    Args:
        settings: Guards.
        blueprint: As it was read.
        spec: Its workload file.
        dsn: Of the database to be cloned.
        only: Names of the variants that shall race; empty means all.
        progress: Told what is being done.

    Raises:
        UsageError: There is no such variant.
        Refused: It asks for what is not run yet, or it is about another database.
        ConfigError: Values can't be had.
        Unreachable, ServerError: As the server says.
    """
    chosen = replace(blueprint, variants=choose_variants(blueprint.variants, only))
    refuse_unsupported(chosen)
    asks = chosen.charter.target != TargetDatabase()
    if not (spec.needs_server or asks):
        return replace(chosen, workload=resolve_generators(None, spec))
    with open_target(settings, dsn) as session:
        if asks:
            _demand_target(chosen.charter.target, read_catalog(session))
        progress("drawing parameter values")
        return replace(chosen, workload=resolve_generators(session, spec))


def find_not_run(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the parts of a blueprint that a competition does not run yet, and refuses; empty without any."""
    return find_unsupported(blueprint)


def find_blueprint(settings: Settings, reference: str) -> Blueprint:
    """Return the blueprint of an earlier run of advise or compete.

    Args:
        settings: Which ledger.
        reference: An id, a unique beginning of one, "last:advise" or "last:competition"; "last" means the
            last of advise.

    Raises:
        UsageError: There is no such run, or it has no blueprint.
    """
    with ledger_of(settings) as ledger:
        run = ledger.run("last:advise" if reference == "last" else reference)
    if run.kind not in _WITH_BLUEPRINT:
        raise UsageError(
            f"{run.id} is a {run.kind} run, which has no blueprint.",
            hint="`pgproof runs` lists what there is; advise and compete leave blueprints.",
        )
    return run.load(CompetitionRun).blueprint if run.kind == COMPETITION else run.load(Blueprint)


def choose_variants(variants: tuple[Variant, ...], only: tuple[str, ...]) -> tuple[Variant, ...]:
    """Return the variants of these names, in the blueprint's order; all of them where none is named.

    Raises:
        UsageError: There is no variant of a name.
    """
    names = [variant.name for variant in variants]
    for name in only:
        if name not in names:
            raise UsageError(
                f"The blueprint has no variant {name!r}.", hint=f"Its variants: {', '.join(names)}."
            )
    return tuple(variant for variant in variants if not only or variant.name in only)


def find_objections(
    settings: Settings,
    blueprint: Blueprint,
    spec: WorkloadSpec,
    dsn: str,
    *,
    progress: Progress = ignore_progress,
) -> tuple[Objection, ...]:
    """Say what of a blueprint a database speaks against; reads only, and never runs a statement of it.

    Args:
        settings: Guards.
        blueprint: As it was read.
        spec: Its workload file.
        dsn: Of the database.
        progress: Told what is being done.

    Returns:
        Another database than meant, changes that would be refused, statements that can't be planned; in the
        order of the blueprint. Empty when nothing speaks against it.

    Raises:
        Unreachable, ServerError: As the server says.
    """
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        found = [Objection(("target",), told) for told in _target_faults(blueprint.charter.target, catalog)]
        for number, variant in enumerate(blueprint.variants):
            found += _variant_objections(variant, number, as_owner(catalog))
        progress("planning statements")
        found += _statement_objections(session, blueprint)
        found += _value_objections(session, spec)
    return tuple(found)


def _variant_objections(variant: Variant, number: int, catalog: Catalog) -> list[Objection]:
    """Say which changes would be refused; what is so already is not made, and can't be."""
    found: list[Objection] = []
    earlier: list[Change] = []
    for place, change in enumerate(variant.changes):
        if kind_of(change).is_so(change, catalog):
            continue
        planned = remember(change, catalog)
        told = (*refusals(planned, catalog, tuple(earlier)), *race_refusals((planned,), catalog))
        path = ("variants", number, "changes", place)
        found += [Objection(path, refusal.reason, refusal.hint) for refusal in told]
        earlier.append(planned)
    return found


def _statement_objections(session: Session, blueprint: Blueprint) -> list[Objection]:
    """Plan every statement as for unknown values, and those that replace one where all they read is there."""
    known = {
        statement.name: replace(statement, parameter_sets=()) for statement in blueprint.workload.statements
    }
    found = [each for statement in known.values() for each in _plan_faults(session, statement, ("workload",))]
    for number, variant in enumerate(blueprint.variants):
        views = {change.view.name for change in variant.changes if isinstance(change, CreateMaterializedView)}
        for each in variant.statements:
            if _reads_any(each.sql, views):
                continue  # only on a clone that has them
            old = known[each.statement]
            new = replace(old, query=replace(old.query, sql=each.sql))
            found += _plan_faults(session, new, ("variants", number, "statements", each.statement))
    return found


def _reads_any(sql: str, views: Collection[str]) -> bool:
    shapes = find_shapes(parse_statement(sql)) if views else ()
    return any(relation.name in views for shape in shapes for relation in shape.relations)


def _plan_faults(
    session: Session, statement: WorkloadStatement, path: tuple[str | int, ...]
) -> list[Objection]:
    _, skipped = read_plans(session, Workload((statement,), source="file"))
    return [Objection(path, each.reason, each.hint) for each in skipped]


def _value_objections(session: Session, spec: WorkloadSpec) -> list[Objection]:
    try:
        resolve_generators(session, spec)
    except ConfigError as error:
        return [Objection(("workload",), error.message, error.hint)]
    return []


def _demand_target(target: TargetDatabase, catalog: Catalog) -> None:
    faults = _target_faults(target, catalog)
    if faults:
        raise Refused(
            faults[0], hint="Nothing was done. Name the right database, or change target in the blueprint."
        )


def _target_faults(target: TargetDatabase, catalog: Catalog) -> list[str]:
    faults = []
    if target.database and target.database != catalog.database:
        faults.append(f"The blueprint is about database {target.database}, and this is {catalog.database}.")
    if target.min_version is not None and catalog.major < target.min_version:
        faults.append(
            f"The blueprint wants PostgreSQL {target.min_version} or newer, and this is {catalog.version}."
        )
    return faults
