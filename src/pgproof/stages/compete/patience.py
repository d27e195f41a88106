"""Stops an execution that takes too long by itself, not one that the machine keeps waiting.

On a machine that others use, a statement of ten seconds may take a minute. A plain timeout would stop it, and
nothing would be known of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pgproof.errors import ServerError
from pgproof.stages.compete.measure import Lane

PATIENCE = 20.0
"""Times the limit after which an execution is stopped whatever it waits for. **Source**: judgement."""

_LOOK_S = 0.05


@contextmanager
def stopped_after(lane: Lane, limit_ms: float) -> Iterator[None]:
    """Cancel what a block runs on a lane once it has taken too long, waiting for a processor left out.

    Args:
        lane: Whose session runs it; its statement timeout is set.
        limit_ms: Of each execution; 0 means none. Where the waiting can't be read, it counts too.
    """
    if limit_ms <= 0:
        lane.set_timeout(0)
        yield
        return
    lane.set_timeout(int(limit_ms * PATIENCE))
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(lane, limit_ms, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()  # a cancel request that came later would meet another statement


def _watch(lane: Lane, limit_ms: float, done: threading.Event) -> None:
    began, queued_ms = time.perf_counter(), lane.queued_ms()
    while not done.wait(_LOOK_S):
        passed_ms = (time.perf_counter() - began) * 1e3
        if passed_ms - (lane.queued_ms() - queued_ms) > limit_ms:
            # A session that is gone is told of by the statement itself.
            with contextlib.suppress(ServerError):
                lane.session.cancel()
            return
