"""Takes a rollout back."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from pgproof.errors import Cancelled, RevertFailed, RolloutError, ServerError
from pgproof.model.journal import first_broken_line, state_of, with_journal
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import Rollout, RolloutState
from pgproof.postgres.dsn import shell_argument
from pgproof.postgres.policy import ON_TARGET, ExecutionPolicy
from pgproof.postgres.target_journal import read_target_journal, remove_target_journal
from pgproof.stages.deploy.forward import SchemaDump
from pgproof.stages.deploy.journal import BACKWARD, Journal, JournalSink
from pgproof.stages.deploy.target import Target, demand_same_target, open_target
from pgproof.stages.deploy.undo import undo_change

DIFFERS = "the schema differs from the one before"
"""Written into the last line when a revert did not give the schema back byte for byte."""


def revert_rollout(
    target_dsn: str,
    rollout: Rollout,
    *,
    sink: JournalSink,
    dump: SchemaDump | None = None,
    policy: ExecutionPolicy = ON_TARGET,
    lock_wait_s: float = 0.0,
    progress: Progress = ignore_progress,
) -> Rollout:
    """Undo a rollout, last change first; only what its journal proves to be its own.

    Args:
        target_dsn: The database it was made on.
        rollout: As its journal says it is now.
        sink: Keeps the journal.
        dump: Dumps the target's schema, to compare with the dump before the rollout; None compares nothing.
        policy: Timeouts and retries.
        lock_wait_s: How long to wait for another pgproof, or for a backend whose runner is gone.
        progress: Told what goes on.

    Returns:
        The rollout, REVERTED; ``reverted_schema_equal`` says whether the schema is as before, byte for byte.
        False means that somebody changed the schema since. One that was reverted before says so in its notes.

    Raises:
        RevertFailed: Something could not be undone; ``hint`` says how to finish. Running it again goes on.
        RolloutError: The journal was tampered with, or this is another database.
        Cancelled: By Ctrl-C.
    """
    demand_whole_journal(rollout, sink)
    with open_target(target_dsn, policy=policy, progress=progress, lock_wait_s=lock_wait_s) as target:
        demand_same_target(target.identity, rollout.target, rollout.id)
        entries = sink.journal(rollout.id)
        if state_of(entries) is RolloutState.REVERTED:
            _finish(target, rollout, sink)
            told = f"Rollout {rollout.id} was reverted before: nothing was changed now."
            return replace(with_journal(rollout, entries), notes=(told,))
        journal = Journal(rollout.id, sink, target.session)
        journal.state(RolloutState.REVERTING, direction=BACKWARD)
        try:
            for place in reversed(range(len(rollout.changes))):
                undo_change(target, journal, place, rollout.changes[place])
        except KeyboardInterrupt:
            raise Cancelled(
                "Stopped by the user in the middle of a revert.", hint=_go_on(rollout, target_dsn)
            ) from None
        except (RevertFailed, ServerError) as error:
            raise _told(error, rollout, target_dsn) from error
        equal = _compare(rollout, dump)
        journal.state(RolloutState.REVERTED, DIFFERS if equal is False else "", direction=BACKWARD)
        note = _tidy(target)
    # What limited the way in, such as the free disk, is no news on the way out.
    notes = (note,) if note else ()
    return replace(with_journal(rollout, journal.entries), reverted_schema_equal=equal, notes=notes)


def demand_whole_journal(rollout: Rollout, sink: JournalSink) -> None:
    """Refuse to act on a journal that does not hold.

    Raises:
        RolloutError: A line was changed, removed or added; the message names the first one.
    """
    broken = first_broken_line(sink.journal(rollout.id))
    if broken is not None:
        raise RolloutError(
            f"Line {broken} of the journal of rollout {rollout.id} was changed after it was written: it can't"
            " tell any more what is in the database",
            hint="Compare with pgproof.journal in the database itself, then undo by the rollout's down.sql.",
        )


def _compare(rollout: Rollout, dump: SchemaDump | None) -> bool | None:
    if dump is None or not rollout.schema_digest_before:
        return None
    return hashlib.sha256(dump()).hexdigest() == rollout.schema_digest_before


def _finish(target: Target, rollout: Rollout, sink: JournalSink) -> None:
    """Tidy up after a runner that died between its last line and its tidying."""
    if read_target_journal(target.session, rollout.id):
        Journal(rollout.id, sink, target.session)  # gives the target the last line
        _tidy(target)


def _tidy(target: Target) -> str:
    """Leave the target without any trace of ours, once no rollout is live there."""
    try:
        remove_target_journal(target.session)
    except ServerError as error:
        return f"Schema pgproof stays in {target.identity.database}: {error.message}"
    return ""


def _told(error: RolloutError | ServerError, rollout: Rollout, dsn: str) -> RevertFailed:
    return RevertFailed(
        f"Rollout {rollout.id} is reverted only in part: {error.message}",
        hint="\n".join(part for part in (error.hint, _go_on(rollout, dsn)) if part),
        context={**error.context, "rollout": rollout.id},
    )


def _go_on(rollout: Rollout, dsn: str) -> str:
    return f"`pgproof revert {rollout.id}{shell_argument(dsn, '--to')}` goes on from there."
