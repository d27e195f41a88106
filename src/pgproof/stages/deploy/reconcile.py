"""Goes on with a rollout that stopped half-way: a killed runner, a lost connection, a failed step."""

from __future__ import annotations

from pgproof.errors import UsageError
from pgproof.model.journal import with_journal
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import Rollout, RolloutState
from pgproof.postgres.policy import ON_TARGET, ExecutionPolicy
from pgproof.stages.deploy.forward import SchemaDump, advance
from pgproof.stages.deploy.journal import JournalSink
from pgproof.stages.deploy.revert import demand_whole_journal, revert_rollout
from pgproof.stages.deploy.target import demand_same_target, open_target

ORPHAN_WAIT_S = 1_800.0
"""How long to wait for the backend of a killed runner, which goes on building and holds the run lock.
Source: judgement; `GateLimits` refuses at the same half hour."""


def resume_rollout(
    target_dsn: str,
    rollout: Rollout,
    *,
    sink: JournalSink,
    dump: SchemaDump | None = None,
    policy: ExecutionPolicy = ON_TARGET,
    lock_wait_s: float = ORPHAN_WAIT_S,
    progress: Progress = ignore_progress,
) -> Rollout:
    """Bring a rollout to its end: forward when it was being applied, backward when it was being reverted.

    Steps whose outcome nobody wrote down are judged by the catalog: a finished build is adopted, an INVALID
    one removed and built again.

    Args:
        target_dsn: The database it was made on.
        rollout: As its journal says it is now.
        sink: Keeps the journal.
        dump: See `revert_rollout`.
        policy: Timeouts and retries.
        lock_wait_s: How long to wait for the backend of a killed runner.
        progress: Told what goes on.

    Raises:
        UsageError: It was reverted already.
        StepFailed, LockNotAcquired, Cancelled, RevertFailed, RolloutError: As for deploy and revert.
    """
    rollout = with_journal(rollout, sink.journal(rollout.id))
    if rollout.state is RolloutState.REVERTED:
        raise UsageError(f"Rollout {rollout.id} was reverted", hint="Deploy the variant again.")
    if rollout.state is RolloutState.REVERTING:
        return revert_rollout(
            target_dsn,
            rollout,
            sink=sink,
            dump=dump,
            policy=policy,
            lock_wait_s=lock_wait_s,
            progress=progress,
        )
    demand_whole_journal(rollout, sink)
    with open_target(target_dsn, policy=policy, progress=progress, lock_wait_s=lock_wait_s) as target:
        demand_same_target(target.identity, rollout.target, rollout.id)
        return advance(target_dsn, target, rollout, sink)
