"""A watchdog whose cancel request can't be sent: a real server does not fail on demand."""

import time
from types import SimpleNamespace
from typing import Any, cast

from pgproof.errors import ServerError
from pgproof.model.progress import ignore_progress
from pgproof.postgres.session import Session
from pgproof.postgres.watchdog import Watchdog

BLOCKER = SimpleNamespace(pid=7, user_name="app", application_name="", state="idle", transaction_age_s=9.0)


class Watched:
    """Takes a cancel request only when asked a third time, as where no connection is free."""

    backend_pid = 1
    asked = 0

    def cancel(self) -> None:
        self.asked += 1
        if self.asked < 3:
            raise ServerError("too many clients")


class Watcher:
    def query(self, name: str, params: dict[str, Any]) -> list[SimpleNamespace]:
        return [BLOCKER]


def test_a_cancel_request_that_fails_is_sent_again() -> None:
    watched = Watched()
    watchdog = Watchdog(
        cast(Session, watched),
        cast(Session, Watcher()),
        task="build",
        progress=ignore_progress,
        wait_budget_s=0.0,
        poll_s=0.001,
    )
    with watchdog:
        deadline = time.monotonic() + 5
        while not watchdog.gave_up and time.monotonic() < deadline:
            time.sleep(0.001)
    assert watchdog.gave_up
    assert watched.asked >= 3
    assert [blocker.pid for blocker in watchdog.blockers] == [7]
