"""The memory: what was seen, tried, decided and applied. Lines are added, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Engine, Row, func, insert, select

from pgproof.errors import RolloutError, UsageError
from pgproof.ledger.codec import from_json, to_json
from pgproof.ledger.schema import JOURNAL, RUNS
from pgproof.ledger.store import address_of, open_engine, reading, writing
from pgproof.model.journal import FIRST_HASH, with_journal
from pgproof.model.rollout import JournalEntry, Rollout
from pgproof.model.run_id import new_run_id

T = TypeVar("T")

ROLLOUT = "rollout"
"""The kind of run under which rollouts are kept."""


@dataclass(frozen=True, slots=True)
class Run:
    """One remembered run.

    Args:
        id: Like "r-20261120-101530-ab12".
        kind: "capture", "check", "advise", "competition", "rollout"...
        created_at: Aware, UTC.
        name: Of the blueprint, database or variant it was about.
        body: What it gave, as JSON text.
    """

    id: str
    kind: str
    created_at: datetime
    name: str
    body: str

    def load(self, wanted: type[T]) -> T:
        """Return the body as a value of a model class; ConfigError when it is not one."""
        return from_json(wanted, self.body)


class Ledger:
    """An open ledger. Several processes may write to the same one.

    Workloads in it hold the parameter values that statements are replayed with, which are the user's data;
    passwords and connection strings are in none.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def address(self) -> str:
        """Where it is, safe to print."""
        return address_of(self._engine)

    def record_run(self, kind: str, name: str, body: object, *, run_id: str | None = None) -> str:
        """Add a run.

        Args:
            kind: What was done.
            name: What it was about.
            body: A model value, or a mapping or list of plain values.
            run_id: Its id where it has one already; made from the clock otherwise.

        Returns:
            The id.
        """
        now = datetime.now(UTC)
        run_id = run_id or new_run_id("r", now)
        row = {
            "id": run_id,
            "kind": kind,
            "created_at": now.isoformat(),
            "name": name,
            "body": to_json(body),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(RUNS).values(row))
        return run_id

    def run(self, reference: str) -> Run:
        """Find one run.

        Args:
            reference: An id, a prefix that only one id has, "last", or "last:KIND".

        Raises:
            UsageError: There is none, or there are several.
        """
        if reference == "last" or reference.startswith("last:"):
            kind = reference.partition(":")[2] or None
            found = self.runs(kind, limit=1)
        else:
            found = self._find(reference)
        exact = [run for run in found if run.id == reference]
        if exact:
            return exact[0]
        if len(found) == 1:
            return found[0]
        raise _not_found(reference, found)

    def runs(self, kind: str | None = None, limit: int = 50) -> tuple[Run, ...]:
        """Return runs, the latest first; of one kind only, where one is given."""
        query = select(RUNS).order_by(RUNS.c.number.desc()).limit(limit)
        if kind is not None:
            query = query.where(RUNS.c.kind == kind)
        with reading(self._engine) as connection:
            return tuple(_to_run(row) for row in connection.execute(query))

    def record_rollout(self, rollout: Rollout) -> None:
        """Add a rollout before its first journal line; its journal is kept beside it, not in it."""
        self.record_run(ROLLOUT, rollout.variant, rollout, run_id=rollout.id)

    def rollout(self, reference: str) -> Rollout:
        """Return a rollout as its journal says it is now.

        Args:
            reference: As for `run`; "last" means the last rollout.

        Raises:
            UsageError: There is none, several, or the run is not a rollout.
        """
        run = self.run(f"last:{ROLLOUT}" if reference == "last" else reference)
        if run.kind != ROLLOUT:
            raise UsageError(
                f"Run {run.id} is a {run.kind}, not a rollout",
                hint="`pgproof runs --kind rollout` lists rollouts.",
            )
        return with_journal(run.load(Rollout), self.journal(run.id))

    def append_journal(self, rollout_id: str, entry: JournalEntry) -> None:
        """Add a line to a rollout's journal; it is on disk when this returns.

        Raises:
            RolloutError: It does not follow the last line: another pgproof works on the same rollout.
        """
        last = (
            select(JOURNAL.c.sequence, JOURNAL.c.hash)
            .where(JOURNAL.c.rollout_id == rollout_id)
            .order_by(JOURNAL.c.sequence.desc())
            .limit(1)
        )
        with writing(self._engine) as connection:
            row = connection.execute(last).first()
            sequence, previous_hash = (row.sequence, row.hash) if row else (0, FIRST_HASH)
            if (entry.sequence, entry.previous_hash) != (sequence + 1, previous_hash):
                raise RolloutError(
                    f"Line {entry.sequence} does not follow line {sequence} of the journal of {rollout_id}:"
                    " another pgproof works on the same rollout",
                    hint="Wait until it is done, then run `pgproof resume`.",
                )
            connection.execute(
                insert(JOURNAL).values(
                    rollout_id=rollout_id, sequence=entry.sequence, hash=entry.hash, body=to_json(entry)
                )
            )

    def journal(self, rollout_id: str) -> tuple[JournalEntry, ...]:
        """Return a rollout's journal, first line first; empty when there is none."""
        query = select(JOURNAL.c.body).where(JOURNAL.c.rollout_id == rollout_id).order_by(JOURNAL.c.sequence)
        with reading(self._engine) as connection:
            return tuple(from_json(JournalEntry, row.body) for row in connection.execute(query))

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()

    def _find(self, prefix: str) -> tuple[Run, ...]:
        starts = func.substr(RUNS.c.id, 1, len(prefix)) == prefix
        query = select(RUNS).where(starts).order_by(RUNS.c.number.desc()).limit(5)
        with reading(self._engine) as connection:
            return tuple(_to_run(row) for row in connection.execute(query))


def open_ledger(url: str) -> Ledger:
    """Open a ledger, making it where there is none.

    Args:
        url: ``sqlite:///path``, ``postgresql://...``, or a bare path of an SQLite file.

    Raises:
        ConfigError: It can't be opened, is damaged, or was written by a newer pgproof.
    """
    return Ledger(open_engine(url))


def _to_run(row: Row[tuple[object, ...]]) -> Run:
    return Run(row.id, row.kind, datetime.fromisoformat(row.created_at), row.name, row.body)


def _not_found(reference: str, found: tuple[Run, ...]) -> UsageError:
    latest, _, kind = reference.partition(":")
    if not found and latest == "last":
        return UsageError(
            f"There is no {kind or 'run'} in the ledger yet", hint="`pgproof runs` shows what there is."
        )
    if not found:
        return UsageError(f"There is no run {reference} in the ledger", hint="`pgproof runs` lists them.")
    names = ", ".join(run.id for run in found)
    return UsageError(f"{reference} could be any of {names}", hint="Write more of the id.")
