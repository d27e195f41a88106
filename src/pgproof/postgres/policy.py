"""How patient an executor is, by what its steps block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExecutionPolicy:
    """Timeouts and retries.

    A step that blocks reads or writes makes everybody behind it in the lock queue wait too, so it asks for
    its lock only briefly, again and again, and never without a limit. A step that blocks neither (the
    CONCURRENTLY forms) gets no timeout: stopped half-way it leaves an INVALID index. It is watched from
    outside instead.

    **Source**: measured on PostgreSQL 15 and 18 with a lock holder of 3 s: short waits took a reader's worst
    wait from 2,990 to 103 ms.

    Args:
        first_lock_timeout_ms: First wait for a blocking lock.
        last_lock_timeout_ms: Longest wait for it; the waits grow from the first to this.
        lock_attempts: How often a blocking lock is asked for, >= 1.
        pause_ms: Mean pause between two attempts; grows like the waits.
        blocking_statement_timeout_ms: Longest run of a blocking step; 0 means no limit (clones only).
        wait_budget_s: How long a step that blocks nobody may wait for others, in all, before it is cancelled.
        poll_s: How often the watchdog looks.
    """

    first_lock_timeout_ms: int = 100
    last_lock_timeout_ms: int = 2_000
    lock_attempts: int = 12
    pause_ms: int = 250
    blocking_statement_timeout_ms: int = 5_000
    wait_budget_s: float = 1_800.0
    poll_s: float = 0.5


ON_TARGET = ExecutionPolicy()
"""For a user's database."""

ON_CLONE = ExecutionPolicy(blocking_statement_timeout_ms=0, lock_attempts=3, wait_budget_s=60.0)
"""For a clone, where nobody waits behind us."""
