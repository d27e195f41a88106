"""The hash chain of a rollout's journal: how lines are made, checked and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pgproof.model.rollout import JournalEntry, JournalEvent, Rollout, RolloutState

FIRST_HASH = "0" * 64
"""``previous_hash`` of the first line."""

NO_STEP = -1
"""``change`` and ``step`` of a STATE line."""


def next_entry(
    previous: JournalEntry | None,
    event: JournalEvent,
    *,
    at: datetime,
    direction: str,
    change: int = NO_STEP,
    step: int = NO_STEP,
    sql: str = "",
    detail: str = "",
    elapsed_ms: float = 0.0,
) -> JournalEntry:
    """Make the line that follows another.

    Args:
        previous: The last line so far; None starts a journal.
        event: What it says.
        at: Aware; kept in UTC, so that a line read back from any store hashes the same.
        direction: "forward" or "backward".
        change: Position of the change, from 0.
        step: Position of the step in its change, from 0.
        sql: The statement.
        detail: Outcome in words; no row values.
        elapsed_ms: Of the step, kept to a microsecond.
    """
    entry = JournalEntry(
        sequence=previous.sequence + 1 if previous else 1,
        at=at.astimezone(UTC),
        event=event,
        change=change,
        step=step,
        direction=direction,
        sql=sql,
        detail=detail,
        elapsed_ms=round(elapsed_ms, 3),
        previous_hash=previous.hash if previous else FIRST_HASH,
        hash="",
    )
    return replace(entry, hash=entry_hash(entry))


def entry_hash(entry: JournalEntry) -> str:
    """Return SHA-256, in hex, over every field of a line but its own hash."""
    fields = [
        entry.previous_hash,
        entry.sequence,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.event.value,
        entry.change,
        entry.step,
        entry.direction,
        entry.sql,
        entry.detail,
        f"{entry.elapsed_ms:.3f}",
    ]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True).encode()).hexdigest()


def first_broken_line(entries: Sequence[JournalEntry]) -> int | None:
    """Return the position, from 1, of the first line that does not follow from the one before.

    A changed, missing, doubled or moved line is found; lines cut off at the end are not, which only a second
    copy of the journal can show.

    Args:
        entries: In the order in which they were stored.

    Returns:
        None when all lines hold.
    """
    previous_hash = FIRST_HASH
    for position, entry in enumerate(entries, start=1):
        follows = entry.sequence == position and entry.previous_hash == previous_hash
        if not follows or entry.hash != entry_hash(entry):
            return position
        previous_hash = entry.hash
    return None


def state_of(entries: Sequence[JournalEntry]) -> RolloutState:
    """Return the state the last STATE line names (its first word); PLANNED without one."""
    for entry in reversed(entries):
        if entry.event is JournalEvent.STATE:
            return RolloutState(entry.detail.partition(":")[0])
    return RolloutState.PLANNED


def with_journal(rollout: Rollout, entries: Sequence[JournalEntry]) -> Rollout:
    """Return a rollout as its journal says it is now."""
    return replace(rollout, journal=tuple(entries), state=state_of(entries))
