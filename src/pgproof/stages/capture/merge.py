"""A declared workload and what a server measured of it, in one."""

from __future__ import annotations

from dataclasses import replace

from pgproof.model.workload import Workload, WorkloadStatement


def adopt_counters(declared: Workload, measured: Workload) -> Workload:
    """Give the statements of a file the counters a server measured for the same shapes.

    Names, values and weights stay the file's; what the server saw beyond the file is only told.

    Args:
        declared: From a file or a scenario.
        measured: From pg_stat_statements.

    Returns:
        The declared statements, those with the most measured time first; then the unmeasured ones in the
        file's order.
    """
    by_fingerprint = {statement.query.fingerprint: statement for statement in measured.statements}
    statements = []
    for statement in declared.statements:
        seen = by_fingerprint.pop(statement.query.fingerprint, None)
        if seen is not None:
            query = replace(statement.query, queryids=seen.query.queryids)
            statement = replace(statement, query=query, counters=seen.counters)
        statements.append(statement)
    statements.sort(key=lambda s: -(s.counters.total_ms if s.counters else 0.0))
    notes = (*declared.notes, *measured.notes, *_beyond(list(by_fingerprint.values())))
    return replace(
        declared,
        statements=tuple(statements),
        source=f"{declared.source} + {measured.source}",
        captured_at=measured.captured_at,
        window_s=measured.window_s,
        server_version=measured.server_version,
        database=measured.database,
        notes=notes,
    )


def _beyond(others: list[WorkloadStatement]) -> tuple[str, ...]:
    if not others:
        return ()
    return (f"the server also saw {len(others)} statements that the workload file does not name",)
