"""Ask for the plans that the checks look at. Plans only: nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.errors import CapabilityMissing, ParseError, ServerError, Unreachable, UsageError
from pgproof.model.finding import Skipped
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.query import StatementKind
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session
from pgproof.sqltext.parameters import parameter_numbers

SETS_A_STATEMENT = 3
"""Plans asked for a statement: its heaviest parameter set and two others. Source: judgement."""

WRITES_NAMED = 3
"""Names given of the statements that a reader can't plan. Source: judgement."""


def read_plans(
    session: Session, workload: Workload, progress: Progress = ignore_progress
) -> tuple[dict[str, tuple[Plan, ...]], tuple[Skipped, ...]]:
    """Explain each statement with a few of its parameter sets, or generically where it has none.

    Args:
        session: On the database the workload comes from; it may be read-only.
        workload: What to explain.
        progress: Told after each statement.

    Returns:
        Plans by statement name, and the statements that could not be explained, each with the reason; those
        that write, and which a role that only reads may not plan, are one entry together.

    Raises:
        Unreachable: The connection was lost.
    """
    plans: dict[str, tuple[Plan, ...]] = {}
    skipped, writes = [], []
    for done, statement in enumerate(workload.statements):
        progress("reading plans", done, len(workload.statements))
        if statement.query.kind is StatementKind.UTILITY:
            continue
        try:
            plans[statement.name] = _plans_of(session, statement)
        except Unreachable:
            raise
        except ServerError as error:
            if isinstance(error, CapabilityMissing) and not statement.query.read_only:
                writes.append(statement.name)
                continue
            skipped.append(
                Skipped("plans", f"{statement.name} can't be explained: {error.message}", error.hint)
            )
    return plans, (*skipped, *_reader_cannot_plan(session.user, writes))


def read_generic_plans(session: Session, workload: Workload) -> dict[str, Plan]:
    """Explain each statement as for unknown values, so that nothing in its plan depends on them.

    Args:
        session: Where to plan; it may be read-only.
        workload: What to explain.

    Returns:
        Plans by statement name, without the statements that can't be planned.

    Raises:
        Unreachable: The connection was lost.
    """
    plans: dict[str, Plan] = {}
    for statement in workload.statements:
        sql = statement.query.sql
        try:
            plans[statement.name] = explain(session, sql, generic=bool(parameter_numbers(sql)))
        except Unreachable:
            raise
        except (ServerError, ParseError, UsageError):
            continue
    return plans


def _reader_cannot_plan(user: str, writes: list[str]) -> Iterator[Skipped]:
    """Say once that the server plans a write only for a role that may write: nothing is wrong with that."""
    if writes:
        named = ", ".join(writes[:WRITES_NAMED])
        more = f" and {len(writes) - WRITES_NAMED} more" if len(writes) > WRITES_NAMED else ""
        yield Skipped(
            "plans",
            f"role {user} only reads, and a reader can't plan writes ({named}{more}): "
            "compete runs them on clones",
        )


def _plans_of(session: Session, statement: WorkloadStatement) -> tuple[Plan, ...]:
    if not statement.parameter_sets:
        return (explain(session, statement.query.sql, generic="$" in statement.query.sql),)
    return tuple(explain(session, statement.query.sql, chosen.values) for chosen in _chosen(statement))


def _chosen(statement: WorkloadStatement) -> tuple[ParameterSet, ...]:
    """Return the heaviest set, the lightest and the middle one: hot and cold values plan differently."""
    ranked = sorted(statement.parameter_sets, key=lambda s: -s.weight)
    picks = dict.fromkeys((0, len(ranked) - 1, len(ranked) // 2))
    return tuple(ranked[position] for position in picks)[:SETS_A_STATEMENT]
