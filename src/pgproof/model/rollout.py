"""A rollout: a variant's way into a user's database, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgproof.model.change import Change


class RolloutState(StrEnum):
    """Where a rollout stands."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    REVERTING = "reverting"
    REVERTED = "reverted"


class JournalEvent(StrEnum):
    """What a journal line says: intent before a step, outcome after it."""

    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """Which database, beyond doubt.

    Args:
        system_identifier: The cluster's; empty where not readable.
        database: Its name.
        database_oid: Its oid.
        server_version: "15.20".
        address: Host and port or socket, never a password.
    """

    system_identifier: str
    database: str
    database_oid: int
    server_version: str
    address: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of the append-only, hash-chained journal.

    Args:
        sequence: From 1, without gaps.
        at: Aware.
        event: What it says.
        change: Position of the change in the variant, from 0; -1 for STATE.
        step: Position of the step in the change, from 0; -1 for STATE.
        direction: "forward" or "backward".
        sql: The statement; empty for STATE.
        detail: Outcome in words; no row values.
        elapsed_ms: Of the step; 0 for INTENT.
        previous_hash: ``hash`` of the line before; 64 zeros for the first.
        hash: SHA-256 over previous_hash and every other field.
    """

    sequence: int
    at: datetime
    event: JournalEvent
    change: int
    step: int
    direction: str
    sql: str
    detail: str
    elapsed_ms: float
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class StatementEffect:
    """A statement on the target before and after.

    Args:
        statement: Its name.
        before_ms: Median before; None where it was not run.
        after_ms: Median after.
        rows_equal: Results equal; None where not comparable.
        note: What limits the figure; may be empty.
    """

    statement: str
    before_ms: float | None
    after_ms: float | None
    rows_equal: bool | None
    note: str = ""

    @property
    def speedup(self) -> float | None:
        """Before / after; None where either is missing or after is 0."""
        if self.before_ms is None or not self.after_ms:
            return None
        return self.before_ms / self.after_ms


@dataclass(frozen=True, slots=True)
class Rollout:
    """A variant on its way.

    Args:
        id: Of the rollout.
        run: The competition it comes from.
        variant: Name of the variant.
        target: Which database.
        changes: What is applied, in order.
        state: Where it stands.
        schema_digest_before: SHA-256 of the schema dump before the first step.
        journal: All lines so far.
        valid_indexes: New indexes that the catalog says are valid, sorted; set when APPLIED.
        reverted_schema_equal: After a revert: schema dump byte-equal to before; None until then, and where no
            dump was to be had.
        notes: What the gate warned of, and what could not be done; may be empty.
    """

    id: str
    run: str
    variant: str
    target: TargetIdentity
    changes: tuple[Change, ...]
    state: RolloutState
    schema_digest_before: str = ""
    journal: tuple[JournalEntry, ...] = ()
    valid_indexes: tuple[str, ...] = ()
    reverted_schema_equal: bool | None = None
    notes: tuple[str, ...] = ()
