"""Makes a variant's changes on a target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pgproof.changes import describe, effective_changes, remember, verify_steps
from pgproof.errors import (
    Cancelled,
    PgproofError,
    RolloutError,
    ServerError,
    StepFailed,
)
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, CreateMaterializedView
from pgproof.model.journal import with_journal
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import Rollout, RolloutState
from pgproof.model.run_id import new_run_id
from pgproof.postgres.dsn import shell_argument
from pgproof.postgres.execute import run_steps
from pgproof.postgres.index_state import IndexState, read_index_status
from pgproof.postgres.policy import ON_TARGET, ExecutionPolicy
from pgproof.stages.deploy.gate import GateLimits, demand_passed, preflight
from pgproof.stages.deploy.journal import Journal, JournalSink, done, intents
from pgproof.stages.deploy.settle import Leftover, settle
from pgproof.stages.deploy.steps import (
    PlannedStep,
    adopt_or_clear,
    plan_steps,
    run_planned,
)
from pgproof.stages.deploy.target import Target, open_target

SchemaDump = Callable[[], bytes]
"""Gives the target's schema as text, byte-stable and without schema ``pgproof``."""


def deploy_variant(
    target_dsn: str,
    changes: tuple[Change, ...],
    *,
    run_id: str,
    variant: str,
    sink: JournalSink,
    rollout_id: str | None = None,
    dump: SchemaDump | None = None,
    dry_run: bool = False,
    policy: ExecutionPolicy = ON_TARGET,
    limits: GateLimits | None = None,
    progress: Progress = ignore_progress,
) -> Rollout:
    """Apply changes to a target, step by step, under a journal.

    Args:
        target_dsn: The primary itself, not a pooler.
        changes: In order; what is so already is left out and named in the rollout's notes.
        run_id: The competition that speaks for them.
        variant: Its variant.
        sink: Keeps rollout and journal; usually the ledger.
        rollout_id: Its id; made from the clock when None.
        dump: Dumps the target's schema, so that a revert can be proven; None goes without the proof.
        dry_run: Pass the gate only; nothing is written anywhere.
        policy: Timeouts and retries.
        limits: When others' transactions stop the rollout.
        progress: Told each step, whom it waits for and how far an index build is.

    Returns:
        The rollout, APPLIED; with ``dry_run`` PLANNED.

    Raises:
        Refused: The gate said no; nothing was touched.
        StepFailed, LockNotAcquired: A step failed; what it left half-made was removed, earlier changes stay.
        Cancelled: The same, by Ctrl-C.
        Unreachable: The server can't be reached.
    """
    with open_target(target_dsn, policy=policy, progress=progress) as target:
        planned = effective_changes(changes, target.catalog)
        result = preflight(target.session, target.catalog, planned, limits or GateLimits())
        demand_passed(result)
        rollout = Rollout(
            id=rollout_id or new_run_id("d", datetime.now(UTC)),
            run=run_id,
            variant=variant,
            target=target.identity,
            changes=planned,
            state=RolloutState.PLANNED,
            notes=result.warnings + _already_so(changes, planned, target.catalog),
        )
        if dry_run:
            return rollout
        digest = hashlib.sha256(dump()).hexdigest() if dump else ""
        rollout = replace(rollout, schema_digest_before=digest)
        sink.record_rollout(rollout)
        return advance(target_dsn, target, rollout, sink)


def _already_so(
    changes: tuple[Change, ...], planned: tuple[Change, ...], catalog: Catalog
) -> tuple[str, ...]:
    left_out = (change for change in changes if remember(change, catalog) not in planned)
    return tuple(f"Already so: {describe(change)}." for change in left_out)


def advance(dsn: str, target: Target, rollout: Rollout, sink: JournalSink) -> Rollout:
    """Run every step of a rollout that its journal does not show as done, then verify all of it.

    Raises:
        StepFailed, LockNotAcquired, Cancelled: See `deploy_variant`.
    """
    plan = plan_steps(rollout.changes, target.catalog)
    try:
        journal = Journal(rollout.id, sink, target.session)
        if journal.note:
            rollout = replace(rollout, notes=(*rollout.notes, journal.note))
        journal.state(RolloutState.APPLYING)
        for number, planned in enumerate(plan):
            target.progress(planned.what.purpose, number, len(plan))
            _make(target, journal, planned)
        _verify(target, rollout)
        journal.state(RolloutState.APPLIED)
    except KeyboardInterrupt:
        left = settle(dsn, target, rollout, plan, sink, "stopped by the user")
        raise Cancelled(
            f"Stopped by the user. {left.words}", hint=_go_on(rollout, left, dsn), context=_context(rollout)
        ) from None
    except (RolloutError, ServerError) as error:
        left = settle(dsn, target, rollout, plan, sink, error.message)
        raise _told(error, rollout, left, dsn) from error
    return replace(with_journal(rollout, journal.entries), valid_indexes=_valid_indexes(rollout))


def _make(target: Target, journal: Journal, planned: PlannedStep) -> None:
    if planned.what.sql in done(journal.entries, planned.change):
        return
    if planned.what.sql in intents(journal.entries, planned.change):
        if adopt_or_clear(target, journal, planned):
            return
    elif planned.what.creates is not None:
        status = read_index_status(target.session, planned.what.creates)
        if status.state is not IndexState.ABSENT:
            raise StepFailed(
                f"The name {planned.what.creates} was taken since the rollout began ({status.state.value})",
                hint="Look at what stands there; rename or drop it if nobody needs it.",
            )
    run_planned(target, journal, planned)


def _verify(target: Target, rollout: Rollout) -> None:
    questions = [step for change in rollout.changes for step in verify_steps(change)]
    target.progress("verifying")
    for outcome in run_steps(target.session, questions, policy=target.policy):
        if not outcome.ok:
            raise StepFailed(
                f"All steps were done, but the catalog disagrees: {outcome.message}",
                hint="Somebody else changed the same objects meanwhile.",
            )


def _valid_indexes(rollout: Rollout) -> tuple[str, ...]:
    views = (change for change in rollout.changes if isinstance(change, CreateMaterializedView))
    indexes = [change for change in rollout.changes if isinstance(change, CreateIndex)]
    indexes += [index for view in views for index in view.indexes]
    return tuple(sorted(f"{index.table.schema}.{index.name}" for index in indexes))


def _told(error: PgproofError, rollout: Rollout, left: Leftover, dsn: str) -> RolloutError:
    kind = type(error) if isinstance(error, RolloutError) else StepFailed
    message = f"{error.message.rstrip('.')}.\nState of rollout {rollout.id}: {left.words}"
    hint = "\n".join(part for part in (error.hint, _go_on(rollout, left, dsn)) if part)
    return kind(message, hint=hint, context={**error.context, **_context(rollout)})


def _go_on(rollout: Rollout, left: Leftover, dsn: str) -> str:
    rest = f" {rollout.id}{shell_argument(dsn, '--to')}`"
    if left.nothing:
        return f"`pgproof resume{rest} starts again."
    return f"`pgproof resume{rest} goes on, `pgproof revert{rest} takes back what was made."


def _context(rollout: Rollout) -> dict[str, str]:
    return {"rollout": rollout.id}
