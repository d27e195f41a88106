"""A declared workload and what a server measured of it, in one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pgproof.model.workload import Workload, WorkloadStatement


def adopt_counters(declared: Workload, measured: Workload, *, weighted: bool) -> Workload:
    """Give the statements of a file the counters a server measured for the same shapes.

    Names and values stay the file's. So do its weights, where its author gave any: they say what the
    application will do, counters what it did. Where no weight was given, the server knows better than 1 each.

    Args:
        declared: From a file or a scenario.
        measured: From pg_stat_statements.
        weighted: The file says how often its statements run.

    Returns:
        The declared statements, those with the most measured time first; then the unmeasured ones in the
        file's order.
    """
    by_fingerprint = {statement.query.fingerprint: statement for statement in measured.statements}
    statements = []
    for statement in declared.statements:
        seen = by_fingerprint.pop(statement.query.fingerprint, None)
        if seen is not None and seen.counters is not None:
            query = replace(statement.query, queryids=seen.query.queryids)
            calls = statement.calls if weighted else seen.counters.calls
            statement = replace(statement, query=query, counters=seen.counters, calls=calls)
        statements.append(statement)
    statements.sort(key=lambda s: -(s.counters.total_ms if s.counters else 0.0))
    told = (*_about_weights(statements, weighted), *_beyond(list(by_fingerprint.values())))
    return replace(
        declared,
        statements=tuple(statements),
        source=f"{declared.source} + {measured.source}",
        captured_at=measured.captured_at,
        window_s=measured.window_s,
        server_version=measured.server_version,
        database=measured.database,
        notes=(*declared.notes, *measured.notes, *told),
    )


def _about_weights(statements: list[WorkloadStatement], weighted: bool) -> Iterable[str]:
    """Say whose figures the weights are."""
    unseen = sum(statement.counters is None for statement in statements)
    if len(statements) == unseen:
        return
    if weighted:
        yield "Weights are the file's; calls and times are the server's."
    elif unseen:
        yield f"Weights are the server's calls; what it has not counted ({unseen}) weighs as one call each."
    else:
        yield "Weights are the server's calls."


def _beyond(others: list[WorkloadStatement]) -> Iterable[str]:
    if others:
        noun = "statement" if len(others) == 1 else "statements"
        yield f"The server also counted {len(others)} {noun} that the workload file does not name."
