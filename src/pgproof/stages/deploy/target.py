"""A target that is being changed: the session that runs the steps, and one that looks at it from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pgproof.errors import RolloutError
from pgproof.model.catalog import Catalog
from pgproof.model.progress import Progress
from pgproof.model.rollout import TargetIdentity
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.policy import ExecutionPolicy
from pgproof.postgres.run_lock import take_run_lock
from pgproof.postgres.session import Session, open_session


@dataclass(frozen=True, slots=True)
class Target:
    """What a verb of this room needs of a target.

    Args:
        session: Holds the run lock and runs the steps.
        watcher: Reads only.
        catalog: As it was when the lock was taken.
        identity: Which database.
        policy: Timeouts and retries.
        progress: Told what goes on.
    """

    session: Session
    watcher: Session
    catalog: Catalog
    identity: TargetIdentity
    policy: ExecutionPolicy
    progress: Progress


@contextmanager
def open_target(
    dsn: str, *, policy: ExecutionPolicy, progress: Progress, lock_wait_s: float = 0.0
) -> Iterator[Target]:
    """Open a target and hold its run lock until the block ends.

    Raises:
        LockNotAcquired: Another pgproof changes this database.
        Unreachable: No direct connection is to be had; a transaction pooler is refused.
    """
    with (
        open_session(dsn, read_only=False, application_name="pgproof deploy") as session,
        open_session(dsn, application_name="pgproof watchdog") as watcher,
    ):
        take_run_lock(session, wait_s=lock_wait_s, progress=progress)
        catalog = read_catalog(session)
        yield Target(session, watcher, catalog, read_identity(session, catalog), policy, progress)


def read_identity(session: Session, catalog: Catalog) -> TargetIdentity:
    """Return which database a session is in."""
    return TargetIdentity(
        system_identifier=catalog.system_identifier,
        database=catalog.database,
        database_oid=session.query("database")[0].database_oid,
        server_version=catalog.version,
        address=session.address,
    )


def demand_same_target(found: TargetIdentity, expected: TargetIdentity, rollout_id: str) -> None:
    """Refuse another database than the one the rollout belongs to; a minor upgrade in between is fine.

    Raises:
        RolloutError: It is another one.
    """
    if (found.system_identifier, found.database_oid) != (expected.system_identifier, expected.database_oid):
        raise RolloutError(
            f"Rollout {rollout_id} belongs to database {expected.database} at {expected.address}, not to"
            f" {found.database} at {found.address}",
            hint="Give the address of the database it was made on. After a restore or a major upgrade, undo"
            " it by its down.sql.",
        )
