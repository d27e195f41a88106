"""Looks at a running step from outside: how far it is, whom it waits for, and when it has waited too long."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from pgproof.errors import ServerError
from pgproof.model.progress import Progress
from pgproof.postgres.session import Session


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that somebody waits for.

    Args:
        pid: Its backend; 0 for a prepared transaction.
        user: Its role; empty where not readable.
        application: Its application_name; empty where not readable.
        state: As in pg_stat_activity; empty where not readable.
        age_s: Age of its transaction in seconds; 0 where not readable.
    """

    pid: int
    user: str
    application: str
    state: str
    age_s: float

    def __str__(self) -> str:
        if self.pid == 0:
            return "a prepared transaction (see pg_prepared_xacts)"
        facts = [self.state, f"transaction open for {self.age_s:.0f} s" if self.age_s else ""]
        facts += [f"role {self.user}" if self.user else "", self.application]
        return f"pid {self.pid} ({', '.join(fact for fact in facts if fact)})"


def read_blockers(session: Session, pid: int) -> tuple[Blocker, ...]:
    """Return whom a backend waits for right now, the oldest transaction first; empty when it runs."""
    return tuple(
        Blocker(row.pid, row.user_name, row.application_name, row.state, row.transaction_age_s)
        for row in session.query("blockers", {"pid": pid})
    )


class Watchdog:
    """Watches one session from another one while it runs a step; a context manager.

    Never raises by itself: a watcher that lost its connection just stops watching.

    Args:
        watched: The session that runs the step.
        watcher: Another session of the same database; None watches nothing.
        task: What runs, for ``progress``.
        progress: Told how far it is and whom it waits for.
        wait_budget_s: After this much waiting for others, in all, the step is cancelled.
        poll_s: How often to look.

    Attributes:
        blockers: Whom it waited for when it was last seen waiting.
        gave_up: The budget ran out and the step was cancelled.
    """

    def __init__(
        self,
        watched: Session,
        watcher: Session | None,
        *,
        task: str,
        progress: Progress,
        wait_budget_s: float,
        poll_s: float,
    ) -> None:
        self.blockers: tuple[Blocker, ...] = ()
        self.gave_up = False
        self._watched = watched
        self._watcher = watcher
        self._task = task
        self._progress = progress
        self._wait_budget_s = wait_budget_s
        self._poll_s = poll_s
        self._waited_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pgproof-watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        if self._watcher is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._watcher is not None:
            self._thread.join()

    def _watch(self) -> None:
        seen_at = time.monotonic()
        while not self._over.wait(self._poll_s):
            try:
                waits = self._look()
            except ServerError:
                return
            now = time.monotonic()
            self._waited_s += now - seen_at if waits else 0.0
            seen_at = now
            if self._waited_s > self._wait_budget_s and not self._over.is_set():
                self._give_up()

    def _look(self) -> bool:
        """Report how far the step is; return whether it waits for somebody."""
        assert self._watcher is not None
        blockers = read_blockers(self._watcher, self._watched.backend_pid)
        if blockers:
            self.blockers = blockers
            self._progress(f"{self._task}: waiting for {'; '.join(map(str, blockers))}")
            return True
        rows = self._watcher.query("index_progress", {"pid": self._watched.backend_pid})
        if rows:
            row = rows[0]
            by_tuples = row.tuples_total > 0
            done, total = (
                (row.tuples_done, row.tuples_total) if by_tuples else (row.blocks_done, row.blocks_total)
            )
            self._progress(f"{self._task}: {row.phase}", done, total)
        return False

    def _give_up(self) -> None:
        try:
            self._watched.cancel()
        except ServerError:
            return  # no connection for the request: the next look tries again
        self.gave_up = True
