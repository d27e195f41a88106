"""After a failed step: leaves nothing half-made, and says what is left."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.changes import describe
from pgproof.errors import LockNotAcquired, RevertFailed, ServerError
from pgproof.model.rollout import Rollout, RolloutState
from pgproof.stages.deploy.journal import Journal, JournalSink, done
from pgproof.stages.deploy.steps import PlannedStep, remove_leftovers
from pgproof.stages.deploy.target import Target, open_target
from pgproof.stages.deploy.undo import undo_half_made_trees


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is left of a rollout that stopped half-way.

    Args:
        words: In words.
        nothing: The target is as it was: there is nothing to take back.
    """

    words: str
    nothing: bool


_LOCK_WAIT_S = 10.0
"""How long to wait for the server to notice that the failed session is gone."""


def settle(
    dsn: str,
    target: Target,
    rollout: Rollout,
    plan: tuple[PlannedStep, ...],
    sink: JournalSink,
    reason: str,
) -> Leftover:
    """Remove what a failed step left half-made, over a connection of its own, and write the state FAILED.

    Never raises for a server that does not answer: what can't be looked at now is left to a resume.

    Args:
        dsn: Of the target.
        target: As it was when the step failed; its session is closed here.
        rollout: Whose step it was.
        plan: All its steps.
        sink: Keeps the journal.
        reason: Why it failed, for the journal.

    Returns:
        What is left of the rollout.
    """
    target.session.close()  # frees the run lock, unless the server still works for it
    try:
        with open_target(
            dsn, policy=target.policy, progress=target.progress, lock_wait_s=_LOCK_WAIT_S
        ) as fresh:
            journal = Journal(rollout.id, sink, fresh.session)
            removed = remove_leftovers(fresh, journal, plan)
            removed += undo_half_made_trees(fresh, journal, rollout.changes)
            kept = [
                describe(change)
                for place, change in enumerate(rollout.changes)
                if done(journal.entries, place)
            ]
            told = _told_state(removed, kept)
            journal.state(RolloutState.FAILED, f"{told} Reason: {reason}")
            return Leftover(told, nothing=not kept)
    except (LockNotAcquired, RevertFailed, ServerError) as error:
        told = f"what the last step left could not be looked at: {error.message.rstrip('.')}."
        journal = Journal(rollout.id, sink, None)
        journal.state(RolloutState.FAILED, f"{told} Reason: {reason}")
        return Leftover(told[:1].upper() + told[1:], nothing=False)


def _told_state(removed: list[str], kept: list[str]) -> str:
    left = f"still made: {'; '.join(kept)}." if kept else "nothing remains of this rollout."
    return f"{left} Removed half-made: {', '.join(removed)}." if removed else left
