"""Executes a workload's statements on a clone, and keeps the plans with the rows that really came."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.errors import ParseError, ServerError, UsageError
from pgproof.model.finding import Skipped
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.query import StatementKind
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session

SETS_A_STATEMENT = 3
"""Parameter sets that a statement is executed with, the heaviest. **Source**: judgement."""


def execute_plans(
    session: Session, workload: Workload, progress: Progress = ignore_progress
) -> tuple[dict[str, tuple[Plan, ...]], tuple[Skipped, ...]]:
    """EXPLAIN ANALYZE every statement with its heaviest parameter sets; what they write is rolled back.

    Args:
        session: On a clone, writable; its ``statement_timeout`` decides how long a statement may take.
        workload: What to execute.
        progress: Told before each statement.

    Returns:
        Plans by statement name, one a parameter set, and the statements that could not be executed with the
        reason: no values, a timeout, an error.

    Raises:
        UsageError: The session may not write.
        Unreachable: The connection was lost.
    """
    demand_clone(session)
    plans: dict[str, tuple[Plan, ...]] = {}
    skipped: list[Skipped] = []
    for done, statement in enumerate(workload.statements):
        progress("executing statements", done, len(workload.statements))
        if statement.query.kind is StatementKind.UTILITY:
            continue
        try:
            plans[statement.name] = tuple(execute(session, statement))
        except (ServerError, ParseError, UsageError) as error:
            if session.closed:
                raise
            skipped.append(
                Skipped("statistics", f"{statement.name} was not executed: {error.message}", error.hint)
            )
    return plans, tuple(skipped)


def demand_clone(session: Session) -> None:
    """Refuse a session that may not write: it is not one on a clone.

    Raises:
        UsageError: It is read-only.
    """
    if session.read_only:
        raise UsageError(
            "Statements are executed on clones only, and this session is read-only.",
            hint="Open one on a clone, with read_only=False.",
        )


def execute(session: Session, statement: WorkloadStatement, *, timing: bool = False) -> Iterator[Plan]:
    """Yield a statement's executed plan with each of its heaviest parameter sets.

    Args:
        session: On a clone.
        statement: Any but a utility statement.
        timing: Time each node, which makes the whole slower.

    Raises:
        UsageError: It has placeholders and no values are known.
        ServerError: As the server says; nothing is left of it.
    """
    chosen = sorted(statement.parameter_sets, key=lambda each: -each.weight)[:SETS_A_STATEMENT]
    if not chosen and "$" in statement.query.sql:
        raise UsageError("no values are known for its parameters", hint="Write some into the workload file.")
    for parameters in chosen or [ParameterSet(())]:
        with session.rolled_back():
            yield explain(
                session, statement.query.sql, parameters.values, analyze=True, timing=timing, buffers=False
            )
