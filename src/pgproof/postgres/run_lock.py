"""Only one pgproof changes a database at a time."""

from __future__ import annotations

import time

from pgproof.errors import LockNotAcquired
from pgproof.model.progress import Progress, ignore_progress
from pgproof.postgres.session import Session

_SPACE = 0x70677072
"""First key of the advisory lock ("pgpr" in ASCII)."""
_KEY = 1
_POLL_S = 0.25


def take_run_lock(session: Session, *, wait_s: float = 0.0, progress: Progress = ignore_progress) -> None:
    """Take the run lock in the session that will run the steps; it is free again when that session ends.

    In the same session, because a runner that is killed leaves its backend building: the lock must live as
    long as the build, not as long as the runner. Polled, because a session that waits for an advisory lock
    holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for it: a deadlock.

    Args:
        session: That will run the steps.
        wait_s: How long to ask again; 0 asks once.
        progress: Told who holds it.

    Raises:
        LockNotAcquired: Another session has it.
    """
    deadline = time.monotonic() + wait_s
    while True:
        row = session.query("run_lock", {"space": _SPACE, "key": _KEY})[0]
        if row.is_ours:
            return
        if time.monotonic() >= deadline:
            raise LockNotAcquired(
                f"Another pgproof is changing database {session.database} (backend"
                f" {row.holder_pid or 'unknown'})",
                hint="Wait until it is done. If its program is gone, its backend may still be at work:\n"
                f"  SELECT pid, state, query_start FROM pg_stat_activity WHERE pid = {row.holder_pid or 0};",
                context={"holder_pid": row.holder_pid or 0},
            )
        progress(f"waiting for backend {row.holder_pid}, which still changes this database")
        time.sleep(_POLL_S)
