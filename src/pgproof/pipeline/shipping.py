"""Deploy, revert and resume: a winner's way into a database, and out again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from pgproof import changes
from pgproof.config import Settings
from pgproof.errors import EmbeddedServerError, Refused, UsageError
from pgproof.ledger import Run
from pgproof.model.blueprint import Blueprint
from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, Change
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import Rollout, StatementEffect, TargetIdentity
from pgproof.model.trial import ArmResult, Competition
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.competing import find_run
from pgproof.pipeline.looking import open_target
from pgproof.pipeline.memory import ledger_of
from pgproof.pipeline.proposing import variant_sql
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.dump import dump_schema
from pgproof.postgres.embedded import Binaries, find_binaries
from pgproof.stages.deploy.effect import compare_readings, read_statements
from pgproof.stages.deploy.forward import deploy_variant
from pgproof.stages.deploy.migration import write_migration
from pgproof.stages.deploy.reconcile import resume_rollout
from pgproof.stages.deploy.revert import revert_rollout

During = Callable[[], AbstractContextManager[object]]
"""What goes on while steps run; the demo's application, for one."""


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What deploy would do; nothing was done yet.

    Args:
        run: The competition that speaks for it.
        variant: Name of the variant.
        rollout: As planned, the gate passed.
        target: Which database.
        sql: What would be run, in order.
        up_sql: The migration file.
        down_sql: Its inverse.
        workload: To look at the effect with.
        notes: Warnings of the gate.
        is_done: The database has every change of the variant already; statistics may be gathered anew, but
            there is nothing that a rollout could take back.
    """

    run: str
    variant: str
    rollout: Rollout
    target: TargetIdentity
    sql: tuple[str, ...]
    up_sql: str
    down_sql: str
    workload: Workload
    notes: tuple[str, ...]
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Shipped:
    """A rollout that came to an end, in either direction.

    Args:
        rollout: Where it stands.
        sql: What was run on the way in, in order.
        effects: Read statements before and after; empty for revert and resume.
        notes: What limits them, and what the rollout itself has to tell.
    """

    rollout: Rollout
    sql: tuple[str, ...]
    effects: tuple[StatementEffect, ...]
    notes: tuple[str, ...]


def plan_deploy(
    settings: Settings,
    reference: str,
    dsn: str,
    *,
    variant: str | None = None,
    progress: Progress = ignore_progress,
) -> DeployPlan:
    """Choose what to ship, and pass every check that can be made without changing anything.

    Args:
        settings: Guards, ledger.
        reference: A competition's id, a unique beginning of it, or "last".
        dsn: Of the database.
        variant: Another one than the winner; its gates must have passed.
        progress: Told what is being done.

    Raises:
        Refused: The competition does not speak for it, or the gate says no.
        UsageError: There is no such competition or variant.
        Unreachable, ServerError: As the server says.
    """
    run, blueprint, competition = find_run(settings, reference)
    chosen = _choose(run, blueprint, competition, variant)
    with ledger_of(settings) as ledger:
        rollout = deploy_variant(
            dsn, chosen.changes, run_id=run, variant=chosen.name, sink=ledger, dry_run=True, progress=progress
        )
    catalog = _catalog(settings, dsn)
    effective = replace(chosen, changes=rollout.changes)
    up_sql, down_sql = write_migration(rollout.changes, variant=chosen.name, run_id=run, catalog=catalog)
    return DeployPlan(
        run=run,
        variant=chosen.name,
        rollout=rollout,
        target=rollout.target,
        sql=variant_sql(effective, catalog),
        up_sql=up_sql,
        down_sql=down_sql,
        workload=blueprint.workload,
        notes=rollout.notes,
        is_done=_is_done(chosen.changes, rollout.changes),
    )


def deploy(
    settings: Settings,
    plan: DeployPlan,
    dsn: str,
    *,
    during: During = nullcontext,
    progress: Progress = ignore_progress,
) -> Shipped:
    """Ship what was planned: read the statements, make the changes step by step, read them again.

    Args:
        settings: Guards, ledger.
        plan: What `plan_deploy` gave.
        dsn: The same database.
        during: What goes on while the steps run.
        progress: Told each step.

    Raises:
        Refused, StepFailed, LockNotAcquired: What was done is in the journal; `resume` or `revert` goes on.
        Cancelled: By Ctrl-C; nothing half-made is left.
    """
    with open_target(settings, dsn) as session:
        before = read_statements(session, plan.workload, progress=progress)
    with during(), ledger_of(settings) as ledger:
        rollout = deploy_variant(
            dsn,
            plan.rollout.changes,
            run_id=plan.run,
            variant=plan.variant,
            sink=ledger,
            dump=_schema_dump(settings, dsn),
            progress=progress,
        )
    with open_target(settings, dsn) as session:
        after = read_statements(session, plan.workload, progress=progress)
    return Shipped(rollout, plan.sql, compare_readings(before, after), rollout.notes)


def revert(
    settings: Settings,
    reference: str,
    dsn: str,
    *,
    during: During = nullcontext,
    progress: Progress = ignore_progress,
) -> Shipped:
    """Take a rollout back and compare the schema with before, byte by byte.

    Args:
        settings: Guards, ledger.
        reference: A rollout's id, a unique beginning of it, or "last".
        dsn: The database it was made on.
        during: What goes on while the steps run.
        progress: Told each step.

    Raises:
        RevertFailed: Something could not be undone; running it again goes on.
        RolloutError, UsageError: It is another database's, or there is no such rollout.
    """
    with ledger_of(settings) as ledger:
        rollout = ledger.rollout(_rollout_reference(reference))
        with during():
            done = revert_rollout(
                dsn, rollout, sink=ledger, dump=_schema_dump(settings, dsn), progress=progress
            )
    return Shipped(done, _sql_back(settings, dsn, rollout), (), done.notes)


def resume(settings: Settings, reference: str, dsn: str, *, progress: Progress = ignore_progress) -> Shipped:
    """Go on with a rollout that was interrupted; arguments and errors as for `revert`."""
    with ledger_of(settings) as ledger:
        rollout = ledger.rollout(_rollout_reference(reference))
        done = resume_rollout(dsn, rollout, sink=ledger, dump=_schema_dump(settings, dsn), progress=progress)
    catalog = _catalog(settings, dsn)
    return Shipped(done, variant_sql(Variant(done.variant, "", done.changes), catalog), (), done.notes)


def runs(settings: Settings, limit: int = 20) -> tuple[Run, ...]:
    """Return what the ledger remembers, newest first."""
    with ledger_of(settings) as ledger:
        return ledger.runs(limit=limit)


def _choose(run: str, blueprint: Blueprint, competition: Competition, wanted: str | None) -> Variant:
    name = wanted or competition.winner
    if name is None:
        raise Refused(
            f"Competition {run} has no winner: {competition.decision}",
            hint="Name a variant with --variant if you want it all the same; its gates must have passed.",
        )
    by_name = {variant.name: variant for variant in blueprint.variants}
    if name not in by_name:
        raise UsageError(f"Competition {run} has no variant {name!r}.", hint=f"It has: {', '.join(by_name)}.")
    _demand_gates(competition.arm(name))
    return by_name[name]


def _is_done(wanted: tuple[Change, ...], missing: tuple[Change, ...]) -> bool:
    lasting = [change for change in wanted if not isinstance(change, AnalyzeTable)]
    return bool(lasting) and all(isinstance(change, AnalyzeTable) for change in missing)


def _demand_gates(arm: ArmResult) -> None:
    failed = [f"{gate.name}: {gate.evidence}" for gate in arm.gates if not gate.passed]
    if failed:
        raise Refused(
            f"Variant {arm.name} failed its gates and must not be shipped.\n" + "\n".join(failed),
            hint="Ship another variant, or change this one and let it compete again.",
        )


def _catalog(settings: Settings, dsn: str) -> Catalog:
    with open_target(settings, dsn) as session:
        return read_catalog(session)


def _schema_dump(settings: Settings, dsn: str) -> Callable[[], bytes] | None:
    """Return a function that dumps the schema; None where no pg_dump new enough is at hand."""
    with open_target(settings, dsn) as session:
        major = session.major
    binaries = binaries_for(settings, major)
    return None if binaries is None else lambda: dump_schema(dsn, binaries)


def binaries_for(settings: Settings, major: int) -> Binaries | None:
    """Return an install whose pg_dump can read a server: of its major version or later.

    Args:
        settings: The folder named there is taken unless it is too old.
        major: Of the server.

    Returns:
        None where there is no such install.

    Raises:
        EmbeddedServerError: The folder named in the settings holds no PostgreSQL.
    """
    if settings.bindir is not None:
        given = find_binaries(bindir=settings.bindir)
        if given.major >= major:
            return given
    try:
        newest = find_binaries()
        return newest if newest.major >= major else find_binaries(major)
    except EmbeddedServerError:
        return None


def _rollout_reference(reference: str) -> str:
    return "last:rollout" if reference == "last" else reference


def _sql_back(settings: Settings, dsn: str, rollout: Rollout) -> tuple[str, ...]:
    catalog = _catalog(settings, dsn)
    return tuple(step.sql for step in changes.backward_steps(rollout.changes, catalog))
