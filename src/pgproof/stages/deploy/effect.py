"""What a rollout did to the statements on the target itself: read before, read after."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

from pgproof.errors import ServerError, Unreachable
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import StatementEffect
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.session import Session
from pgproof.sqltext.calls import called_functions
from pgproof.sqltext.parameters import parameter_numbers

SETS = 3
"""Parameter sets read for a statement. Source: judgement; the target has other work to do."""

REPEATS = 3
"""Executions of each; the first one warms up and is not counted. Source: judgement."""

PATIENCE_S = 0.5
"""A parameter set that took this long is not repeated more than once: what is slow shows at once. Source:
judgement."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One statement on the target at one time.

    Args:
        median_ms: Over its parameter sets and repeats; None where it was not run.
        digests: Of the rows each parameter set returned, order left out.
        note: Why it was not run; empty otherwise.
    """

    median_ms: float | None
    digests: tuple[str, ...] = ()
    note: str = ""


def read_statements(
    session: Session, workload: Workload, *, time_limit_s: float = 20.0, progress: Progress = ignore_progress
) -> dict[str, Reading]:
    """Time the workload's read statements on the target and take digests of their results.

    Args:
        session: Read-only, on the target; its statement timeout bounds each execution.
        workload: Statements that write are left out; one that calls a volatile function is not run, for it
            may do anything (``SELECT pg_stat_statements_reset()``, ``SELECT bill_customer($1)``).
        time_limit_s: Of the whole; what is not reached is noted.
        progress: Told after each statement.

    Returns:
        One reading a read statement, by name.

    Raises:
        Unreachable: The connection was lost.
    """
    ends_at = time.monotonic() + time_limit_s
    reads = [s for s in workload.statements if s.query.read_only]
    calls = {s.name: tuple(called.name for called in called_functions(s.query.sql)) for s in reads}
    volatile = _volatile(session, {name for names in calls.values() for name in names})
    readings = {}
    for done, statement in enumerate(reads):
        progress("reading statements on the target", done, len(reads))
        risky = [name for name in calls[statement.name] if name in volatile]
        if risky:
            readings[statement.name] = Reading(None, note=f"not run here: {risky[0]}() may have side effects")
        else:
            readings[statement.name] = _read(session, statement, ends_at)
    return readings


def compare_readings(
    before: Mapping[str, Reading], after: Mapping[str, Reading]
) -> tuple[StatementEffect, ...]:
    """Return each statement's effect, in the order of ``before``.

    Rows that differ are no proof of harm here: the application may have written in between, so they come
    out as not comparable. Equality is proved on the clones, where nobody else writes.
    """
    return tuple(_compare(name, reading, after[name]) for name, reading in before.items() if name in after)


def _volatile(session: Session, names: set[str]) -> set[str]:
    """Return those names that belong to a volatile function."""
    return {str(row.name) for row in session.query("volatile_functions", {"names": sorted(names)})}


def _read(session: Session, statement: WorkloadStatement, ends_at: float) -> Reading:
    sets = statement.parameter_sets[:SETS]
    if not sets and parameter_numbers(statement.query.sql):
        return Reading(None, note="no parameter values are known")
    times, digests = [], []
    try:
        for chosen in sets or (ParameterSet(()),):
            if time.monotonic() > ends_at:
                break
            began = time.monotonic()
            for repeat in range(REPEATS):
                start = time.perf_counter()
                result = session.run(statement.query.sql, chosen.values, as_text=True)
                if repeat:
                    times.append((time.perf_counter() - start) * 1000)
                    if time.monotonic() - began > PATIENCE_S:
                        break
            digests.append(_digest(result.rows))
    except Unreachable:
        raise
    except ServerError as error:
        return Reading(None, note=error.message)
    if not times:
        return Reading(None, note="there was no time left for it")
    return Reading(statistics.median(times), tuple(digests))


def _digest(rows: list[tuple[str | None, ...]]) -> str:
    lines = sorted(repr(row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _compare(name: str, before: Reading, after: Reading) -> StatementEffect:
    if before.median_ms is None or after.median_ms is None:
        return StatementEffect(name, before.median_ms, after.median_ms, None, before.note or after.note)
    pairs = list(zip(before.digests, after.digests, strict=False))
    equal = bool(pairs) and all(left == right for left, right in pairs)
    note = "" if equal else "rows differ, or the application wrote in between"
    return StatementEffect(name, before.median_ms, after.median_ms, True if equal else None, note)
