"""A workload: what the application asks, how often, with which values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgproof.model.query import Query


class ParameterSource(StrEnum):
    """Where the values of a parameter set come from, most trusted first."""

    DECLARED = "declared"
    LOG = "log"
    ACTIVITY = "activity"
    GENERATED = "generated"
    SAMPLED_ROWS = "sampled_rows"
    STATISTICS = "statistics"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One set of values for a statement's placeholders.

    Args:
        values: ``$1`` first, each in PostgreSQL's text input form; ``None`` is NULL. The server
            infers the types, exactly as for an untyped literal.
        source: Where they come from.
        weight: Share among the statement's sets, > 0; not normalised.
    """

    values: tuple[str | None, ...]
    source: ParameterSource = ParameterSource.DECLARED
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class StatementCounters:
    """What pg_stat_statements counted in a window (a delta, never cumulative).

    Args:
        calls: Executions.
        total_ms: Execution time.
        rows: Rows returned or changed.
        shared_blks_hit: Buffers found in cache.
        shared_blks_read: Buffers read.
        temp_blks_written: Temporary blocks written.
        wal_bytes: WAL written.
        stddev_ms: Standard deviation of the execution time, None where unknown.
    """

    calls: float
    total_ms: float
    rows: float
    shared_blks_hit: float = 0
    shared_blks_read: float = 0
    temp_blks_written: float = 0
    wal_bytes: float = 0
    stddev_ms: float | None = None

    @property
    def mean_ms(self) -> float:
        """Mean execution time in milliseconds; 0 without a call."""
        return self.total_ms / self.calls if self.calls else 0.0

    @property
    def rows_a_call(self) -> float:
        """Rows that one call returns or changes; 0 without a call."""
        return self.rows / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class WorkloadStatement:
    """One statement of a workload.

    Args:
        name: Short and unique in its workload; the user's own or made from the fingerprint.
        query: The shape.
        calls: How often in the window, or the declared weight; > 0. Only ratios matter.
        parameter_sets: At least one where the statement has placeholders and values are known;
            empty where they are not (then the statement can be explained, not executed).
        counters: What the server measured, if it did.
        notes: What limits trust in this entry ("text truncated at 1024 bytes"), may be empty.
    """

    name: str
    query: Query
    calls: float
    parameter_sets: tuple[ParameterSet, ...] = ()
    counters: StatementCounters | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAside:
    """A statement of a workload file that can't be used.

    Args:
        name: As its author calls it; may be empty.
        message: The place in the file and why, in plain words.
        hint: What to do about it; may be empty.
    """

    name: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Say that it is left out, and why."""
        named = f" (statement {self.name})" if self.name else ""
        return f"left out: {self.message}{named}"


@dataclass(frozen=True, slots=True)
class Workload:
    """Statements with weights and values.

    Args:
        statements: Heaviest first (by time where known, else by calls).
        source: "pg_stat_statements", "file", "scenario".
        captured_at: When the window ended (aware), None for a hand-written file.
        window_s: Length of the window in seconds, None where unknown.
        server_version: As the server said it, empty for a hand-written file.
        database: Name of the database it was captured on, empty for a file.
        notes: What the capture could not see (dealloc, resets, truncated texts), may be empty.
        set_aside: Statements of a file that can't be used, in its order.
    """

    statements: tuple[WorkloadStatement, ...]
    source: str
    captured_at: datetime | None = None
    window_s: float | None = None
    server_version: str = ""
    database: str = ""
    notes: tuple[str, ...] = field(default=())
    set_aside: tuple[SetAside, ...] = ()

    def statement(self, name: str) -> WorkloadStatement:
        """Return the statement of that name; KeyError when there is none."""
        for statement in self.statements:
            if statement.name == name:
                return statement
        raise KeyError(name)

    def share_frac(self, statement: WorkloadStatement) -> float:
        """Return a statement's share of all calls, 0 to 1."""
        total = sum(s.calls for s in self.statements)
        return statement.calls / total if total else 0.0
