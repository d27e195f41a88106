"""Writes each line of a rollout's journal twice: to the ledger first, then to the target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from pgproof.model.journal import next_entry
from pgproof.model.rollout import JournalEntry, JournalEvent, Rollout, RolloutState
from pgproof.postgres.session import Session
from pgproof.postgres.target_journal import (
    append_target_journal,
    prepare_target_journal,
    read_target_journal,
)

FORWARD = "forward"
BACKWARD = "backward"


class JournalSink(Protocol):
    """Whoever keeps rollouts and their journals; the ledger is one."""

    def record_rollout(self, rollout: Rollout) -> None:
        """Keep a new rollout; its journal comes line by line."""
        ...

    def append_journal(self, rollout_id: str, entry: JournalEntry) -> None:
        """Keep a line for good before returning."""
        ...

    def journal(self, rollout_id: str) -> tuple[JournalEntry, ...]:
        """Return all lines of a rollout, first one first."""
        ...


class Journal:
    """The journal of one rollout while it is worked on.

    Args:
        rollout_id: Whose.
        sink: The first copy; what it lacks was never done.
        session: Of the target, for the second copy; None writes the first alone.

    Attributes:
        note: Why the target keeps no copy; empty when it does.
    """

    def __init__(self, rollout_id: str, sink: JournalSink, session: Session | None) -> None:
        self.rollout_id = rollout_id
        self._sink = sink
        self._entries = list(sink.journal(rollout_id))
        self._session = session
        self.note = "" if session is None else prepare_target_journal(session)
        if self.note:
            self._session = None
        self._catch_up()

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """All lines so far."""
        return tuple(self._entries)

    def state(self, state: RolloutState, detail: str = "", *, direction: str = FORWARD) -> None:
        """Write where the rollout stands now."""
        text = f"{state.value}: {detail}" if detail else state.value
        self._append(JournalEvent.STATE, direction=direction, detail=text)

    def write(
        self,
        event: JournalEvent,
        direction: str,
        change: int,
        step: int,
        sql: str,
        detail: str = "",
        elapsed_ms: float = 0.0,
    ) -> None:
        """Write the intent or the outcome of a step."""
        self._append(
            event,
            direction=direction,
            change=change,
            step=step,
            sql=sql,
            detail=detail,
            elapsed_ms=elapsed_ms,
        )

    def _append(
        self,
        event: JournalEvent,
        *,
        direction: str,
        change: int = -1,
        step: int = -1,
        sql: str = "",
        detail: str = "",
        elapsed_ms: float = 0.0,
    ) -> None:
        entry = next_entry(
            self._entries[-1] if self._entries else None,
            event,
            at=datetime.now(UTC),
            direction=direction,
            change=change,
            step=step,
            sql=sql,
            detail=detail,
            elapsed_ms=elapsed_ms,
        )
        self._sink.append_journal(self.rollout_id, entry)
        self._entries.append(entry)
        if self._session is not None and not self._session.closed:
            append_target_journal(self._session, self.rollout_id, entry)

    def _catch_up(self) -> None:
        """Give the target the lines it missed when a runner or a connection died between the two copies."""
        if self._session is None:
            return
        known = len(read_target_journal(self._session, self.rollout_id))
        for entry in self._entries[known:]:
            append_target_journal(self._session, self.rollout_id, entry)


def intents(entries: Sequence[JournalEntry], change: int) -> set[str]:
    """Return the statements of a change that were started forward and not refused because the name was taken.

    Only these can have left something of ours behind.
    """
    started = {e.sql for e in _forward(entries, change) if e.event is JournalEvent.INTENT}
    taken = tuple(f"[{sqlstate}]" for sqlstate in NAMES_TAKEN)
    foreign = {e.sql for e in _forward(entries, change) if e.detail.startswith(taken)}
    return started - foreign


def done(entries: Sequence[JournalEntry], change: int) -> set[str]:
    """Return the statements of a change that were done forward and not undone since."""
    by_step: dict[int, str] = {}
    for entry in entries:
        if entry.change != change or entry.event not in (JournalEvent.DONE, JournalEvent.SKIPPED):
            continue
        if entry.direction == BACKWARD:
            by_step.pop(entry.step, None)
        elif entry.event is JournalEvent.DONE:
            by_step[entry.step] = entry.sql
    return set(by_step.values())


NAMES_TAKEN = ("42P07", "42710")
"""SQLSTATEs of a step that found its name taken: what stands there is somebody else's."""


def _forward(entries: Sequence[JournalEntry], change: int) -> list[JournalEntry]:
    return [e for e in entries if e.change == change and e.direction == FORWARD]
