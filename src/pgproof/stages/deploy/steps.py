"""Runs single steps of a rollout under its journal: intent before, outcome after, catalog in doubt."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from pgproof.changes import apply_steps, verify_steps
from pgproof.changes.index import drop_index_step
from pgproof.errors import LockNotAcquired, StepFailed
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, Step
from pgproof.model.relation import RelationName
from pgproof.model.rollout import JournalEvent
from pgproof.postgres.execute import StepOutcome, run_steps
from pgproof.postgres.index_state import IndexState, read_index_status, remove_index
from pgproof.stages.deploy.journal import BACKWARD, FORWARD, Journal, done, intents
from pgproof.stages.deploy.target import Target


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its place.

    Args:
        change: Position of its change in the rollout, from 0.
        step: Its position in the change, from 0.
        what: The step.
        verify: Questions that are true once it was done; empty where nothing tells.
    """

    change: int
    step: int
    what: Step
    verify: tuple[Step, ...] = ()


def plan_steps(changes: tuple[Change, ...], catalog: Catalog) -> tuple[PlannedStep, ...]:
    """Return all steps of a rollout forward, in order."""
    return tuple(step for place, change in enumerate(changes) for step in plan_change(place, change, catalog))


def plan_change(place: int, change: Change, catalog: Catalog) -> tuple[PlannedStep, ...]:
    """Return the steps of one change forward, in order."""
    return tuple(
        PlannedStep(place, position, step, _verify_of(change, step))
        for position, step in enumerate(apply_steps(change, catalog))
    )


def run_planned(target: Target, journal: Journal, planned: PlannedStep, direction: str = FORWARD) -> None:
    """Run one step under the journal.

    Raises:
        StepFailed: The server refused it, or the connection was lost.
        LockNotAcquired: A blocking step did not get its lock.
        KeyboardInterrupt: The user stopped it; the server was told, the journal too.
    """

    def on_step(_: int, __: Step, outcome: StepOutcome | None) -> None:
        if outcome is None:
            _write(journal, planned, JournalEvent.INTENT, direction)
        elif outcome.ok:
            detail = f"wal {outcome.wal_bytes} bytes, attempts {outcome.attempts}"
            _write(journal, planned, JournalEvent.DONE, direction, detail, outcome.elapsed_ms)
        else:
            detail = f"[{outcome.sqlstate or 'unknown'}] {outcome.message}"
            _write(journal, planned, JournalEvent.FAILED, direction, detail, outcome.elapsed_ms)

    target.progress(planned.what.purpose)
    outcome = run_steps(
        target.session,
        (planned.what,),
        policy=target.policy,
        on_step=on_step,
        progress=target.progress,
        watcher=target.watcher,
    )[0]
    if not outcome.ok:
        kind = LockNotAcquired if outcome.got_no_lock else StepFailed
        waited = f"; it waited for {'; '.join(map(str, outcome.blockers))}" if outcome.blockers else ""
        told = outcome.message.startswith("gave up")
        raise kind(
            f"{planned.what.purpose}: {outcome.message.rstrip('.')}{'' if told else waited}",
            hint=outcome.hint,
            context={"sqlstate": outcome.sqlstate, "sql": planned.what.sql},
        )


def adopt_or_clear(target: Target, journal: Journal, planned: PlannedStep) -> bool:
    """Find out what became of a step that was started once and whose outcome nobody knows.

    Returns:
        True when it is done (the journal says so now); False when it must be run (again), with nothing of it
        in the way.

    Raises:
        StepFailed: Something else stands under the name of its index.
    """
    step = planned.what
    if step.creates is not None:
        return _settle_index(target, journal, planned, step.creates)
    if step.drops is not None:
        gone = read_index_status(target.session, step.drops).state is IndexState.ABSENT
        if gone:
            _write(journal, planned, JournalEvent.DONE, FORWARD, "found done")
        return gone
    # What has no question is fit to run twice (ANALYZE, ATTACH PARTITION).
    is_so = bool(planned.verify) and all(
        target.session.value(question.sql) is True for question in planned.verify
    )
    if is_so:
        _write(journal, planned, JournalEvent.DONE, FORWARD, "found done")
    return is_so


def remove_leftovers(target: Target, journal: Journal, plan: tuple[PlannedStep, ...]) -> list[str]:
    """Remove INVALID indexes that started steps of this rollout left behind; return their names.

    Raises:
        RevertFailed: One is still there.
    """
    removed = []
    for planned in plan:
        index = planned.what.creates
        if index is None or planned.what.sql not in intents(journal.entries, planned.change):
            continue
        if planned.what.sql in done(journal.entries, planned.change):
            continue
        if read_index_status(target.session, index).is_leftover:
            remove_created(target, journal, planned, index)
            removed.append(str(index))
    return removed


def remove_created(target: Target, journal: Journal, planned: PlannedStep, index: RelationName) -> None:
    """Remove an index of ours under the journal.

    Raises:
        RevertFailed: It is still there.
    """
    partitioned = read_index_status(target.session, index).partitioned
    drop = replace(planned, what=drop_index_step(index, partitioned=partitioned))
    target.progress(f"removing index {index}")
    _write(journal, drop, JournalEvent.INTENT, BACKWARD)
    started = time.perf_counter()
    remove_index(
        target.session, index, policy=target.policy, progress=target.progress, watcher=target.watcher
    )
    elapsed_ms = (time.perf_counter() - started) * 1000
    _write(journal, drop, JournalEvent.DONE, BACKWARD, "removed", elapsed_ms)


def _settle_index(target: Target, journal: Journal, planned: PlannedStep, index: RelationName) -> bool:
    status = read_index_status(target.session, index, planned.verify)
    if status.state is IndexState.ABSENT:
        return False
    if status.state is IndexState.VALID or (status.is_leftover and status.partitioned):
        # A partitioned index stays invalid until the last of its parts is attached.
        _write(journal, planned, JournalEvent.DONE, FORWARD, f"found {status.state.value}")
        return True
    if status.is_leftover:
        remove_created(target, journal, planned, index)
        return False
    raise StepFailed(
        f"{index} is {status.state.value}: it is not what this rollout builds, and pgproof leaves it alone",
        hint="Look at it, give it another name or drop it, then run `pgproof resume`.",
    )


def _verify_of(change: Change, step: Step) -> tuple[Step, ...]:
    """Return a change's questions for the step they are about; none for a step that is fit to run twice."""
    if step.repeatable:
        return ()
    own = RelationName(change.table.schema, change.name) if isinstance(change, CreateIndex) else None
    return verify_steps(change) if own is None or step.creates == own else ()


def _write(
    journal: Journal,
    planned: PlannedStep,
    event: JournalEvent,
    direction: str,
    detail: str = "",
    elapsed_ms: float = 0.0,
) -> None:
    journal.write(event, direction, planned.change, planned.step, planned.what.sql, detail, elapsed_ms)
