"""What has become of an index: the catalog's answer, after an error, a crash or a restart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from pgproof.changes.index import drop_index_step
from pgproof.errors import RevertFailed
from pgproof.model.change import Step
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.postgres.execute import run_steps
from pgproof.postgres.policy import ON_TARGET, ExecutionPolicy
from pgproof.postgres.session import Session

_DROP_ATTEMPTS = 5


class IndexState(StrEnum):
    """What stands under an index's name."""

    ABSENT = "absent"
    BUSY = "busy"
    """Another backend builds or drops it, perhaps one whose client is gone."""
    INVALID = "invalid"
    """Left behind by a build that failed, or killed by a drop that did; no query uses it."""
    ENFORCING = "invalid but maintained"
    """INVALID and yet written to by every INSERT; a unique one rejects rows."""
    VALID = "valid as planned"
    OTHER = "valid but other"
    """A valid index that is not the planned one, or no index at all."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """An index and its state.

    Args:
        index: Its name.
        state: What stands there.
        oid: Of the relation; 0 when absent.
        table: The table it is on; None when absent or no index.
        partitioned: It is the index of a partitioned table.
        attached: It is a part of a partitioned index, and goes when that one goes.
        busy_pid: Who works on it; 0 when nobody does.
    """

    index: RelationName
    state: IndexState
    oid: int = 0
    table: RelationName | None = None
    partitioned: bool = False
    attached: bool = False
    busy_pid: int = 0

    @property
    def is_leftover(self) -> bool:
        """Whether it is INVALID and nobody works on it."""
        return self.state in (IndexState.INVALID, IndexState.ENFORCING)


def read_index_status(session: Session, index: RelationName, verify: tuple[Step, ...] = ()) -> IndexStatus:
    """Read what stands under an index's name.

    Args:
        session: Any session of the database.
        index: The name.
        verify: Questions that tell the planned index from another; without them any valid one is as planned.
    """
    rows = session.query("index_state", {"schema": index.schema, "name": index.name})
    if not rows:
        return IndexStatus(index, IndexState.ABSENT)
    row = rows[0]
    if row.relation_kind not in ("i", "I"):
        return IndexStatus(index, IndexState.OTHER, oid=row.index_oid)
    if row.busy_pid is not None:
        state = IndexState.BUSY
    elif not row.is_valid:
        state = IndexState.ENFORCING if row.is_ready and row.is_live else IndexState.INVALID
    elif all(session.value(step.sql) is True for step in verify):
        state = IndexState.VALID
    else:
        state = IndexState.OTHER
    return IndexStatus(
        index,
        state,
        oid=row.index_oid,
        table=RelationName(row.table_schema, row.table_name),
        partitioned=row.relation_kind == "I",
        attached=row.is_attached,
        busy_pid=row.busy_pid or 0,
    )


def wait_until_idle(
    session: Session, index: RelationName, *, budget_s: float, progress: Progress = ignore_progress
) -> IndexStatus:
    """Wait until nobody builds or drops an index any more; BUSY is returned when the budget ran out."""
    deadline = time.monotonic() + budget_s
    while True:
        status = read_index_status(session, index)
        if status.state is not IndexState.BUSY or time.monotonic() >= deadline:
            return status
        progress(f"waiting for backend {status.busy_pid}, which works on index {index}")
        time.sleep(0.2)


def remove_index(
    session: Session,
    index: RelationName,
    *,
    policy: ExecutionPolicy = ON_TARGET,
    progress: Progress = ignore_progress,
    watcher: Session | None = None,
) -> bool:
    """Remove an index of ours for good, whatever its state.

    A DROP INDEX CONCURRENTLY that fails half-way has already taken the index from the planner, so it is
    repeated until the index is gone.

    Returns:
        Whether there was one.

    Raises:
        RevertFailed: It is still there; ``hint`` holds the statement to finish by hand.
        Unreachable: The connection was lost.
    """
    message = ""
    for attempt in range(_DROP_ATTEMPTS):
        status = wait_until_idle(session, index, budget_s=policy.wait_budget_s, progress=progress)
        if status.state is IndexState.ABSENT:
            return attempt > 0
        if status.state is IndexState.BUSY:
            message = f"backend {status.busy_pid} still works on it"
            break
        step = drop_index_step(index, partitioned=status.partitioned)
        outcome = run_steps(session, (step,), policy=policy, progress=progress, watcher=watcher)[0]
        if outcome.ok:
            return True
        message = outcome.message
    raise RevertFailed(
        f"Index {index} is still there: {message}",
        hint=f"Finish by hand, when nothing holds the table:\n  {drop_index_step(index).sql};",
        context={"index": str(index)},
    )
