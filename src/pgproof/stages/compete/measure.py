"""One execution on one arm: wall time, the backend's on-CPU time, buffers, plan."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pgproof.errors import ServerError, Unreachable
from pgproof.model.plan import Plan
from pgproof.model.query import StatementKind
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.stages.compete.placement import find_server_process
from pgproof.stages.compete.samples import Sample

QUERY_CANCELED = "57014"
_LOCK_TIMEOUT_MS = 10_000


class CpuClock:
    """Reads how long a server process has been on a processor.

    Works on Linux, for a server on the same host whose processes are visible here. Parallel workers are
    processes of their own and not counted.

    **Source**: /proc/PID/schedstat, nanoseconds on a processor and waiting for one: Linux,
    Documentation/scheduler/sched-stats.rst.

    Args:
        process: Folder of the process in /proc (see `find_server_process`); None where it can't be seen.
    """

    def __init__(self, process: Path | None) -> None:
        self._file: int | None = None
        if process is not None:
            with contextlib.suppress(OSError):
                self._file = os.open(process / "schedstat", os.O_RDONLY)

    def read_ns(self) -> int | None:
        """Return nanoseconds on CPU so far; None where they can't be read."""
        return self._read(0)

    def read_queued_ns(self) -> int | None:
        """Return nanoseconds it was ready to run, and others had the processors; None likewise."""
        return self._read(1)

    def _read(self, field: int) -> int | None:
        if self._file is None:
            return None
        try:
            return int(os.pread(self._file, 128, 0).split()[field])
        except (OSError, ValueError, IndexError):
            return None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of one execution.

    Args:
        wall_ms: From sending it to its last row.
        error: The server's message, empty when it finished.
        timed_out: It was stopped by the statement timeout.
    """

    wall_ms: float
    error: str = ""
    timed_out: bool = False


class Lane:
    """An arm's connection in the race, with the clock of its server process.

    ``server_pid`` is that process's number; None where it is not to be seen from here.

    Args:
        arm: Its name.
        dsn: Of its database; never printed.
        statement_timeout_ms: Longer executions are stopped; 0 means no limit.
    """

    def __init__(self, arm: str, dsn: str, statement_timeout_ms: int) -> None:
        self.arm = arm
        self.session: Session = open_session(
            dsn,
            read_only=False,
            statement_timeout_ms=statement_timeout_ms,
            lock_timeout_ms=_LOCK_TIMEOUT_MS,
            application_name="pgproof race",
        )
        process = find_server_process(self.session.backend_pid, self.session.database)
        self.server_pid: int | None = None if process is None else self.session.backend_pid
        self._clock = CpuClock(process)
        self._timeout_ms = statement_timeout_ms

    def queued_ms(self) -> float:
        """Return how long its server process has waited for a processor; 0 where that can't be read."""
        return (self._clock.read_queued_ns() or 0) / 1e6

    def set_timeout(self, timeout_ms: int) -> None:
        """Stop executions from now on after this many milliseconds; 0 means never."""
        if timeout_ms != self._timeout_ms:
            self.session.run(f"SET statement_timeout = {int(timeout_ms)}")
            self._timeout_ms = timeout_ms

    def execute(self, statement: WorkloadStatement, values: Sequence[str | None]) -> Execution:
        """Run a statement once; what it writes is rolled back, and only the statement itself is timed.

        Raises:
            Unreachable: The connection is gone.
        """
        undone = contextlib.nullcontext() if statement.query.read_only else self.session.rolled_back()
        started = time.perf_counter_ns()
        try:
            with undone:
                started = time.perf_counter_ns()
                self.session.run(statement.query.sql, values, as_text=True)
                ended = time.perf_counter_ns()
        except Unreachable:
            raise
        except ServerError as error:
            spent = (time.perf_counter_ns() - started) / 1e6
            return Execution(spent, str(error), error.sqlstate == QUERY_CANCELED)
        return Execution((ended - started) / 1e6)

    def sample(self, statement: WorkloadStatement, sets: Sequence[ParameterSet], round_number: int) -> Sample:
        """Run a statement with each of ``sets`` and return what it took."""
        before = self._clock.read_ns()
        executions = [self.execute(statement, one.values) for one in sets]
        after = self._clock.read_ns()
        counted = [e for e in executions if not e.error or e.timed_out]
        spent = None if before is None or after is None else (after - before) / 1e6 / len(executions)
        return Sample(
            arm=self.arm,
            statement=statement.name,
            round=round_number,
            walls_ms=tuple(e.wall_ms for e in counted),
            cpu_ms=spent,
            errors=len(executions) - len(counted),
            timed_out=sum(e.timed_out for e in executions),
        )

    def read_plan(
        self, statement: WorkloadStatement, values: Sequence[str | None], *, execute: bool = True
    ) -> Plan:
        """Return a statement's plan, executed under EXPLAIN (ANALYZE, BUFFERS); writes are rolled back.

        Args:
            statement: What to run.
            values: ``$1`` first.
            execute: False only plans it.

        Raises:
            ServerError: The statement fails, or takes longer than the timeout.
        """
        with self.session.rolled_back():
            return explain(
                self.session, statement.query.sql, values, analyze=execute, buffers=execute, timing=False
            )

    def read_wal(self, statement: WorkloadStatement, values: Sequence[str | None]) -> float:
        """Return the WAL bytes a write takes, the least of three runs; all are rolled back.

        A run that is the first to touch a page after a checkpoint logs the whole page, which says nothing
        about the statement.

        Raises:
            ServerError: The statement fails.
        """
        seen = []
        for _ in range(3):
            with self.session.rolled_back():
                before = self.session.query("wal_position")[0].wal_bytes
                self.session.run(statement.query.sql, values, as_text=True)
                seen.append(float(self.session.query("wal_position")[0].wal_bytes - before))
        return min(seen)

    def close(self) -> None:
        """Close the connection."""
        self._clock.close()
        self.session.close()

    def __enter__(self) -> Lane:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def why_not_executable(statement: WorkloadStatement) -> str:
    """Say why a statement can't be measured; empty when it can."""
    if statement.query.kind is StatementKind.UTILITY:
        return "a utility statement: it has no plan to compare"
    wanted = parameter_numbers(statement.query.sql)
    if wanted and not statement.parameter_sets:
        return "no values are known for its parameters"
    if any(len(s.values) < max(wanted, default=0) for s in statement.parameter_sets):
        return f"a parameter set has fewer than {max(wanted)} values"
    return ""


def is_parallel(plan: Plan) -> bool:
    """Tell whether a plan uses worker processes, whose on-CPU time the leader's does not contain."""
    return any(node.node_type.startswith("Gather") for node in plan.root.walk())
