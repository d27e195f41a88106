"""Undoes one change of a rollout: only what its journal proves ours, by what the catalog says is there."""

from __future__ import annotations

from pgproof.changes import revert_steps, verify_steps
from pgproof.errors import RevertFailed, RolloutError
from pgproof.model.change import AnalyzeTable, Change, CreateIndex, DropIndex
from pgproof.model.rollout import JournalEvent
from pgproof.postgres.index_state import IndexState, read_index_status
from pgproof.stages.deploy.journal import BACKWARD, Journal, done, intents
from pgproof.stages.deploy.steps import PlannedStep, plan_change, remove_created, run_planned
from pgproof.stages.deploy.target import Target


def undo_change(target: Target, journal: Journal, place: int, change: Change) -> None:
    """Undo a change, whatever part of it was made; harmless when none was.

    Raises:
        RevertFailed: Something else stands in its place, others depend on it, or the server refused.
    """
    try:
        if isinstance(change, CreateIndex):
            _undo_create(target, journal, place, change)
        elif isinstance(change, DropIndex):
            _undo_drop(target, journal, place, change)
        elif not isinstance(change, AnalyzeTable):
            _undo_if_so(target, journal, place, change)
        _forget_steps(journal, place, change)
    except RevertFailed:
        raise
    except RolloutError as error:
        raise RevertFailed(error.message, hint=error.hint, context=error.context) from error


def undo_half_made_trees(target: Target, journal: Journal, changes: tuple[Change, ...]) -> list[str]:
    """Undo indexes of partitioned tables that were begun and can't be valid yet; return their names.

    Raises:
        RevertFailed: One could not be undone.
    """
    undone = []
    for place, change in enumerate(changes):
        if not isinstance(change, CreateIndex):
            continue
        made = done(journal.entries, place)
        plan = [p.what.sql for p in plan_change(place, change, target.catalog)]
        if len(plan) > 2 and made and not made.issuperset(plan):
            undo_change(target, journal, place, change)
            undone.append(f"{change.table.schema}.{change.name}")
    return undone


def _undo_create(target: Target, journal: Journal, place: int, change: CreateIndex) -> None:
    for planned in plan_change(place, change, target.catalog):
        index = planned.what.creates
        if index is None or planned.what.sql not in intents(journal.entries, place):
            continue
        status = read_index_status(target.session, index, planned.verify)
        if status.state is IndexState.ABSENT:
            _skip(journal, planned, "gone already, or with the index it was a part of")
        elif status.state is IndexState.OTHER:
            raise RevertFailed(
                f"{index} is no longer the index that this rollout built: pgproof leaves it alone",
                hint="Look at it. Once it is dropped or renamed, run the revert again.",
            )
        else:
            remove_created(target, journal, planned, index)


def _undo_drop(target: Target, journal: Journal, place: int, change: DropIndex) -> None:
    forward = plan_change(place, change, target.catalog)
    if not intents(journal.entries, place):
        return
    status = read_index_status(target.session, change.index)
    if status.state in (IndexState.VALID, IndexState.BUSY):
        _skip(journal, forward[0], "was never dropped")
        return
    if status.state is IndexState.OTHER:
        raise RevertFailed(
            f"The name {change.index} is taken by something else now, so the index can't be rebuilt",
            hint="Rename what stands there, then run the revert again, or build it by hand:\n"
            f"  {change.definition};",
        )
    if status.is_leftover:
        remove_created(target, journal, forward[0], change.index)
    for step in revert_steps(change, target.catalog):
        run_planned(target, journal, PlannedStep(place, 0, step), BACKWARD)


def _undo_if_so(target: Target, journal: Journal, place: int, change: Change) -> None:
    """Undo a change that is still as it was made; one that others changed since is theirs, and left alone."""
    if not intents(journal.entries, place):
        return
    if not all(target.session.value(question.sql) is True for question in verify_steps(change)):
        _skip(journal, plan_change(place, change, target.catalog)[0], "not there as it was made")
        return
    for step in revert_steps(change, target.catalog):
        run_planned(target, journal, PlannedStep(place, 0, step), BACKWARD)


def _forget_steps(journal: Journal, place: int, change: Change) -> None:
    """Note for every step still counted as done that it went with its change (ATTACH, ANALYZE)."""
    detail = "nothing to undo" if isinstance(change, AnalyzeTable) else "undone with its change"
    made = done(journal.entries, place)
    for entry in journal.entries:
        if entry.change == place and entry.sql in made and entry.event is JournalEvent.DONE:
            journal.write(JournalEvent.SKIPPED, BACKWARD, place, entry.step, entry.sql, detail)
            made.discard(entry.sql)


def _skip(journal: Journal, planned: PlannedStep, detail: str) -> None:
    journal.write(JournalEvent.SKIPPED, BACKWARD, planned.change, planned.step, planned.what.sql, detail)
