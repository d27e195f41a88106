"""The scenario's application: a reader and a writer that keep asking while something else happens."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from types import TracebackType

from pgproof.errors import ServerError
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.postgres.session import Session, open_session

_STATEMENT_TIMEOUT_MS = 60_000
_PAUSE_S = 0.005


@dataclass(frozen=True, slots=True)
class ApplicationLog:
    """What the application did.

    Args:
        reads: Statements the reader finished.
        writes: Statements the writer finished.
        errors: Statements that failed, in either.
        worst_ms: The slowest statement, 0 without one.
        first_error: The first failure's message, empty without one.
    """

    reads: int
    writes: int
    errors: int
    worst_ms: float
    first_error: str = ""


class Application:
    """A reader and a writer, each with a connection of its own, from entry to exit of the context.

    Args:
        dsn: The database.
        workload: Its statements; those without values are left out. Picked by weight, seeded.
        seed: Of the picking.
    """

    def __init__(self, dsn: str, workload: Workload, seed: int = 1) -> None:
        self._stop = threading.Event()
        runnable = [s for s in workload.statements if s.parameter_sets or "$" not in s.query.sql]
        reads = [s for s in runnable if s.query.read_only]
        writes = [s for s in runnable if not s.query.read_only]
        self._reader = _Caller(dsn, reads, random.Random(f"{seed} reader"), self._stop)
        self._writer = _Caller(dsn, writes, random.Random(f"{seed} writer"), self._stop)

    def __enter__(self) -> Application:
        for caller in (self._reader, self._writer):
            caller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for caller in (self._reader, self._writer):
            caller.join()

    def log(self) -> ApplicationLog:
        """Return what was done so far; complete after the context."""
        callers = (self._reader, self._writer)
        return ApplicationLog(
            reads=self._reader.finished,
            writes=self._writer.finished,
            errors=sum(caller.errors for caller in callers),
            worst_ms=max(caller.worst_ms for caller in callers),
            first_error=next((caller.first_error for caller in callers if caller.first_error), ""),
        )


class _Caller(threading.Thread):
    """One connection that asks one statement after another."""

    def __init__(
        self, dsn: str, statements: list[WorkloadStatement], rng: random.Random, stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._dsn, self._statements, self._rng, self._stop_asked = dsn, statements, rng, stop
        self.finished = 0
        self.errors = 0
        self.worst_ms = 0.0
        self.first_error = ""

    def run(self) -> None:
        if not self._statements:
            return
        try:
            with open_session(
                self._dsn,
                read_only=False,
                statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
                lock_timeout_ms=_STATEMENT_TIMEOUT_MS,
                application_name="scenario application",
            ) as session:
                while not self._stop_asked.wait(_PAUSE_S):
                    self._ask(session)
        except ServerError as error:
            self._note(error)

    def _ask(self, session: Session) -> None:
        statement = self._rng.choices(self._statements, [s.calls for s in self._statements])[0]
        sets = statement.parameter_sets
        values = self._rng.choices(sets, [s.weight for s in sets])[0].values if sets else ()
        start = time.perf_counter()
        try:
            session.run(statement.query.sql, values)
        except ServerError as error:
            if session.closed:
                raise
            self._note(error)
            return
        self.finished += 1
        self.worst_ms = max(self.worst_ms, (time.perf_counter() - start) * 1000)

    def _note(self, error: ServerError) -> None:
        self.errors += 1
        self.first_error = self.first_error or error.message
