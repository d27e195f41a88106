"""Runs the steps of a change, one statement each, as patiently as what they block allows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pgproof.errors import ServerError, Unreachable
from pgproof.model.change import Step
from pgproof.model.progress import Progress, ignore_progress
from pgproof.postgres.policy import ON_TARGET, ExecutionPolicy
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.postgres.watchdog import Blocker, Watchdog

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"
QUERY_CANCELED = "57014"

_GROWTH = 1.5
_JITTER_FRAC = 0.25


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step.

    Args:
        step: The step.
        elapsed_ms: Wall time with all waiting and retries.
        wal_bytes: WAL the whole server wrote meanwhile; others' writes are in it.
        ok: It was done; for a question, the answer was yes.
        sqlstate: Of the last failure, empty when ok, when a question was answered no, and when the connection
            was lost without a word (then nobody knows yet whether the step was done).
        message: Why it failed, empty when ok.
        hint: What to do about it, may be empty.
        attempts: How often it was tried.
        blockers: Whom it waited for when last seen waiting.
    """

    step: Step
    elapsed_ms: float
    wal_bytes: int
    ok: bool
    sqlstate: str = ""
    message: str = ""
    hint: str = ""
    attempts: int = 1
    blockers: tuple[Blocker, ...] = ()

    @property
    def got_no_lock(self) -> bool:
        """Whether it failed because others held a lock; nothing was changed then by a step that blocks."""
        return self.sqlstate in (LOCK_NOT_AVAILABLE, DEADLOCK)


StepListener = Callable[[int, Step, StepOutcome | None], None]
"""Called with a step's position before it starts (outcome None) and once it is over."""


def ignore_step(position: int, step: Step, outcome: StepOutcome | None) -> None:
    """Take no note of a step: the default listener."""


def run_steps(
    session: Session,
    steps: Sequence[Step],
    *,
    policy: ExecutionPolicy = ON_TARGET,
    on_step: StepListener = ignore_step,
    progress: Progress = ignore_progress,
    watcher: Session | None = None,
) -> tuple[StepOutcome, ...]:
    """Run steps in order; stop after the first that fails.

    Args:
        session: Where; writable, in autocommit.
        steps: One statement each.
        policy: Timeouts and retries.
        on_step: Told before and after each step. What it raises goes through: the step is not run.
        progress: Told whom a step waits for and how far an index build is; called from another thread.
        watcher: A second session of the same database, to look at the first from outside; without one
            nothing is told, and the wait budget does not hold.

    Returns:
        One outcome for each step that was started; only the last can be a failure. A failed step's effects
        must be read from the catalog (see `pgproof.postgres.index_state`).

    Raises:
        KeyboardInterrupt: The user stopped it; the statement was cancelled on the server, the outcome told.
    """
    outcomes: list[StepOutcome] = []
    with _own_timeouts(session):
        for position, step in enumerate(steps):
            on_step(position, step, None)
            try:
                outcome = _run_step(session, step, policy, progress, watcher)
            except KeyboardInterrupt:
                stopped = StepOutcome(
                    step, 0.0, 0, ok=False, sqlstate=QUERY_CANCELED, message="stopped by the user"
                )
                on_step(position, step, stopped)
                raise
            on_step(position, step, outcome)
            outcomes.append(outcome)
            if not outcome.ok:
                break
    return tuple(outcomes)


def _run_step(
    session: Session, step: Step, policy: ExecutionPolicy, progress: Progress, watcher: Session | None
) -> StepOutcome:
    started = time.perf_counter()
    try:
        wal_before = _wal_bytes(session)
        if step.verifies:
            outcome = _ask(session, step)
        elif step.lock_mode.blocks_writes:
            outcome = _run_briefly(session, step, policy, progress, watcher)
        else:
            outcome = _run_patiently(session, step, policy, progress, watcher)
        wal_bytes = _wal_bytes(session) - wal_before
    except Unreachable as error:
        outcome, wal_bytes = _failure(step, error), 0
    return _timed(outcome, (time.perf_counter() - started) * 1000, wal_bytes)


def _ask(session: Session, step: Step) -> StepOutcome:
    try:
        answer = session.value(step.sql)
    except Unreachable:
        raise
    except ServerError as error:
        return _failure(step, error)
    if answer is True:
        return StepOutcome(step, 0.0, 0, ok=True)
    return StepOutcome(step, 0.0, 0, ok=False, message=f"not so: {step.purpose}")


def _run_briefly(
    session: Session, step: Step, policy: ExecutionPolicy, progress: Progress, watcher: Session | None
) -> StepOutcome:
    """Ask for a blocking lock in short waits that grow; the last try has a limit like all others."""
    outcome = StepOutcome(step, 0.0, 0, ok=False)
    blockers: tuple[Blocker, ...] = ()
    for attempt, (timeout_ms, pause_ms) in enumerate(_waits(policy), start=1):
        _set_timeouts(session, timeout_ms, policy.blocking_statement_timeout_ms)
        poll_s = min(policy.poll_s, timeout_ms / 4000)
        outcome, seen = _run_once(session, step, policy, progress, watcher, poll_s)
        blockers = seen or blockers
        outcome = _retried(outcome, attempt, blockers)
        if not outcome.got_no_lock or attempt == policy.lock_attempts:
            break
        progress(f"{step.purpose}: lock not free, attempt {attempt} of {policy.lock_attempts}")
        time.sleep(pause_ms / 1000)
    return outcome


def _run_patiently(
    session: Session, step: Step, policy: ExecutionPolicy, progress: Progress, watcher: Session | None
) -> StepOutcome:
    _set_timeouts(session, 0, 0)
    outcome, blockers = _run_once(session, step, policy, progress, watcher, policy.poll_s)
    return _retried(outcome, 1, blockers)


def _run_once(
    session: Session,
    step: Step,
    policy: ExecutionPolicy,
    progress: Progress,
    watcher: Session | None,
    poll_s: float,
) -> tuple[StepOutcome, tuple[Blocker, ...]]:
    watchdog = Watchdog(
        session,
        watcher,
        task=step.purpose,
        progress=progress,
        wait_budget_s=policy.wait_budget_s,
        poll_s=poll_s,
    )
    try:
        with watchdog:
            session.run(step.sql)
    except ServerError as error:
        if not watchdog.gave_up:
            return _failure(step, error), watchdog.blockers
        names = "; ".join(map(str, watchdog.blockers))
        return StepOutcome(
            step, 0.0, 0, ok=False, sqlstate=error.sqlstate,
            message=f"gave up after waiting {policy.wait_budget_s:.0f} s for {names}",
            hint="End or wait out that transaction, then try again.",
        ), watchdog.blockers  # fmt: skip
    return StepOutcome(step, 0.0, 0, ok=True), watchdog.blockers


def _waits(policy: ExecutionPolicy) -> Iterator[tuple[int, float]]:
    """Yield (lock timeout, pause after it) in milliseconds, growing, with jitter, ``lock_attempts`` times."""
    timeout_ms, pause_ms = float(policy.first_lock_timeout_ms), float(policy.pause_ms)
    for _ in range(policy.lock_attempts):
        # Jitter keeps several runners, or a runner and a cron job, from meeting again and again.
        jitter = random.uniform(1 - _JITTER_FRAC, 1 + _JITTER_FRAC)
        yield max(1, min(round(timeout_ms * jitter), policy.last_lock_timeout_ms)), pause_ms * jitter
        timeout_ms *= _GROWTH
        pause_ms = min(pause_ms * _GROWTH, 10 * policy.pause_ms)


@contextmanager
def _own_timeouts(session: Session) -> Iterator[None]:
    """Give the session its timeouts back at the end, unless the connection is gone."""
    before = session.run(
        f"SELECT {OWN_STATEMENT} pg_catalog.current_setting('lock_timeout'),"
        " pg_catalog.current_setting('statement_timeout')"
    ).rows[0]
    try:
        yield
    finally:
        if not session.closed:
            session.query("step_timeouts", {"lock_timeout": before[0], "statement_timeout": before[1]})


def _set_timeouts(session: Session, lock_timeout_ms: int, statement_timeout_ms: int) -> None:
    session.query(
        "step_timeouts",
        {"lock_timeout": str(lock_timeout_ms), "statement_timeout": str(statement_timeout_ms)},
    )


def _wal_bytes(session: Session) -> int:
    return int(session.query("wal_position")[0].wal_bytes)


def _failure(step: Step, error: ServerError) -> StepOutcome:
    return StepOutcome(
        step, 0.0, 0, ok=False, sqlstate=error.sqlstate, message=error.message, hint=error.hint
    )


def _timed(outcome: StepOutcome, elapsed_ms: float, wal_bytes: int) -> StepOutcome:
    return replace(outcome, elapsed_ms=elapsed_ms, wal_bytes=wal_bytes)


def _retried(outcome: StepOutcome, attempts: int, blockers: tuple[Blocker, ...]) -> StepOutcome:
    return replace(outcome, attempts=attempts, blockers=blockers)
