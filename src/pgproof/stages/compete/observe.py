"""Before the race: each statement once on each arm, for its plan, its buffers and the time to expect."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pgproof.errors import ServerError, TrialFailed, Unreachable
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.variant import CONTROL
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.stages.compete.intervals import MIN_PAIRS
from pgproof.stages.compete.measure import QUERY_CANCELED, Lane, why_not_executable

OBSERVE_FRAC = 0.3
"""Share of the race's time that looking at plans may take."""

LEAST_TIMEOUT_MS = 500

AFFORDABLE_FRAC = 0.4
"""Share of the race's time that a statement which is slow on every arm may take for a verdict's pairs.

Source: judgement; the others need the rest.
"""


@dataclass(slots=True)
class Observed:
    """What was seen of the arms before the race.

    Args:
        plans: By arm, then statement; without actual figures where the execution was stopped.
        blocks: Buffers one execution touches, likewise; only of executions that finished.
        cost_ms: Time of one execution, likewise; infinite where it was stopped.
        wal: WAL bytes one execution of a write takes, likewise.
        skipped: Statements that can't be measured, each with the reason.
    """

    plans: dict[str, dict[str, Plan]] = field(default_factory=dict)
    blocks: dict[str, dict[str, float]] = field(default_factory=dict)
    cost_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    wal: dict[str, dict[str, float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def observe_arms(
    lanes: Sequence[Lane],
    statements: Sequence[WorkloadStatement],
    *,
    time_limit_s: float,
    timeout_ms: int,
    known_ms: Mapping[str, float] | None = None,
    progress: Progress = ignore_progress,
) -> Observed:
    """Execute each statement once on each arm under EXPLAIN, outside the timed part.

    Args:
        lanes: The arms, control first.
        statements: Of the workload.
        time_limit_s: Of the whole race. What would take up too much of it is stopped and planned only.
        timeout_ms: The user's statement timeout; 0 means no limit.
        known_ms: What statements took on the control before, infinite where they were stopped. One that ends
            on no arm here is measured only if this says that the race has time for it.
        progress: Told how many statements are done.

    Raises:
        TrialFailed: An arm's connection was lost.
    """
    seen = Observed()
    ends_at = time.monotonic() + time_limit_s * OBSERVE_FRAC
    for done, statement in enumerate(statements):
        progress("reading plans", done, len(statements))
        reason = why_not_executable(statement)
        if not reason:
            # half of what is left, shared by the arms: one slow statement must not leave nothing for the next
            share_ms = 1000.0 * max(ends_at - time.monotonic(), 0.0) / len(lanes) / 2.0
            limit_ms = max(LEAST_TIMEOUT_MS, int(min(timeout_ms or share_ms, share_ms)))
            reason = _observe_statement(lanes, statement, limit_ms, seen)
            if not reason and all(math.isinf(seen.cost_ms[lane.arm][statement.name]) for lane in lanes):
                once_ms = (known_ms or {}).get(statement.name, math.inf)
                seen.cost_ms[CONTROL.name][statement.name] = once_ms
                if once_ms * len(lanes) * MIN_PAIRS > 1000.0 * time_limit_s * AFFORDABLE_FRAC:
                    # stopped on both sides it would only stand in the way of every verdict on the others
                    reason = "takes too long on every arm for the time there is; --time-limit gives it more"
        if reason:
            seen.skipped[statement.name] = reason
    return seen


def lost_connection(lane: Lane, error: Unreachable) -> TrialFailed:
    """Put into words that an arm's server process is gone."""
    return TrialFailed(
        f"The clone server ended the connection of {lane.arm} in the middle of the race.",
        hint=f"Nothing can be concluded. The server said: {error.message} "
        "A statement that needs more memory than this machine has is the usual cause.",
    )


def _observe_statement(
    lanes: Sequence[Lane], statement: WorkloadStatement, limit_ms: int, seen: Observed
) -> str:
    """Fill in ``seen`` for a statement; return why it can't be measured, empty when it can."""
    one = (statement.parameter_sets or (ParameterSet(()),))[0]
    for lane in lanes:
        try:
            lane.set_timeout(limit_ms)
            cost_ms = _execute_once(lane, statement, one, seen)
        except Unreachable as error:
            raise lost_connection(lane, error) from error
        except ServerError as error:
            if error.sqlstate != QUERY_CANCELED and lane.arm == CONTROL.name:
                return f"fails: {error}"
            cost_ms = math.inf if error.sqlstate == QUERY_CANCELED else 0.0
        seen.cost_ms.setdefault(lane.arm, {})[statement.name] = cost_ms
    return ""


def _execute_once(lane: Lane, statement: WorkloadStatement, one: ParameterSet, seen: Observed) -> float:
    """Note plan, buffers and WAL of one execution; return its time in ms, infinite when it was stopped."""
    plans = seen.plans.setdefault(lane.arm, {})
    started = time.perf_counter()
    try:
        plan = lane.read_plan(statement, one.values)
    except Unreachable:
        raise
    except ServerError as error:
        if error.sqlstate == QUERY_CANCELED:
            plans[statement.name] = lane.read_plan(statement, one.values, execute=False)
            return math.inf
        raise
    spent_ms = (time.perf_counter() - started) * 1000.0
    plans[statement.name] = plan
    if plan.root.shared_blks is not None:
        seen.blocks.setdefault(lane.arm, {})[statement.name] = float(plan.root.shared_blks)
    if not statement.query.read_only:
        seen.wal.setdefault(lane.arm, {})[statement.name] = lane.read_wal(statement, one.values)
    return spent_ms
