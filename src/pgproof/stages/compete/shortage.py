"""What a race could not find out for lack of time, and how much more would do."""

from __future__ import annotations

import math

from pgproof.model.variant import CONTROL
from pgproof.stages.compete.intervals import MIN_PAIRS
from pgproof.stages.compete.result import Record

_ROUND_UP_TO_S = 30.0
_NAMED = 5


def describe_shortage(record: Record) -> list[str]:
    """Say which executions were stopped and which statements had too few turns; empty when time was enough.

    Args:
        record: Of a finished race.
    """
    return [note for note in (_describe_stopped(record), _describe_too_few(record)) if note]


def _describe_stopped(record: Record) -> str:
    """Name the statements whose times are lower bounds, with the full time where it was seen."""
    race, limits = record.race, record.blueprint.race
    if race.timeout_ms >= (limits.statement_timeout_ms or race.timeout_ms + 1):
        return ""
    text = (
        f"slow executions were stopped, from {race.timeout_ms / 1000:.1f} s on, so that the race fits its "
        "time limit; such a time is a lower bound"
    )
    stopped = [s.name for s in record.statements if race.samples.timed_out(CONTROL.name, s.name)]
    return f"{text}, on the control: {_some([_in_full(record, n) for n in stopped])}" if stopped else text


def _in_full(record: Record, statement: str) -> str:
    once_ms = record.seen.cost_ms.get(CONTROL.name, {}).get(statement, math.inf)
    return statement if math.isinf(once_ms) else f"{statement} ({once_ms / 1000:,.1f} s in full)"


def _describe_too_few(record: Record) -> str:
    """Name the statements that were run too seldom to tell, and the time limit that would do."""
    race = record.race
    arms = [arm for arm in record.comparisons if arm not in race.dropped]
    too_few = [
        s.name
        for s in record.statements
        if any(race.samples.pairs(arm, CONTROL.name, s.name) < MIN_PAIRS for arm in arms)
    ]
    if not too_few:
        return ""
    wanted_s = record.blueprint.race.time_limit_s * max(race.shortage, 1.0)
    rounded_s = math.ceil(wanted_s / _ROUND_UP_TO_S) * _ROUND_UP_TO_S
    return (
        f"{len(too_few)} of {len(record.statements)} statements had fewer than {MIN_PAIRS} turns on each "
        f"arm, too few for a verdict: {_some(too_few)}; try --time-limit {rounded_s:.0f}"
    )


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
