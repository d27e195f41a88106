"""Asks the server for plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pgproof.errors import Refused, UsageError
from pgproof.model.plan import Plan
from pgproof.postgres.plan_json import parse_plan
from pgproof.postgres.plan_text import render_plan
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.sqltext.parse import Statement, parse_statement

__all__ = ["explain", "parse_plan", "render_plan"]

_HAVE_PLANS = ("select", "insert", "update", "delete", "merge")
_GENERIC_PLAN_SINCE = 16
_PREPARED = "pgproof_generic"
_OWN_SETTINGS = ("plan_cache_mode", "enable_partition_pruning")


def explain(
    session: Session,
    sql: str,
    values: Sequence[str | None] = (),
    *,
    analyze: bool = False,
    buffers: bool = False,
    timing: bool = True,
    settings: bool = True,
    generic: bool = False,
) -> Plan:
    """Ask for the plan of one statement, with its values bound as an application would bind them.

    Args:
        session: Where.
        sql: One SELECT, INSERT, UPDATE, DELETE or MERGE, with ``$1``... placeholders.
        values: ``$1`` first, in text form; the planner sees them, as in a custom plan.
        analyze: Execute it. Anything that writes needs a session that may, inside `Session.rolled_back`.
        buffers: Count buffers; without ``analyze``, those of planning.
        timing: With ``analyze``: time each node.
        settings: Report planner settings that differ from the defaults.
        generic: The plan for unknown values; ``values`` must be empty.

    Raises:
        ParseError: ``sql`` does not parse.
        UsageError: ``sql`` has no plan, or ``generic`` is combined with values or ``analyze``.
        Refused: ``analyze`` would write.
        CapabilityMissing, Unreachable, ServerError: As the server says.
    """
    statement = parse_statement(sql)
    if statement.kind not in _HAVE_PLANS:
        raise UsageError(
            f"Only SELECT, INSERT, UPDATE, DELETE and MERGE have a plan, not {statement.kind.upper()}.",
            hint="Leave this statement out.",
        )
    if generic:
        if analyze or values:
            raise UsageError(
                "A generic plan is made without values and without running the statement.",
                hint="Leave out either generic or the values and analyze.",
            )
        return _explain_generic(session, statement.text, _options(settings=settings, buffers=buffers))
    flags = {"buffers": buffers, "settings": settings}
    if analyze:  # not even ANALYZE false: HypoPG takes the word alone for an execution
        flags |= {"analyze": True, "timing": timing}
    command = f"EXPLAIN {OWN_STATEMENT} ({_options(**flags)}) {statement.text}"
    with _safe_to_run(session, statement, analyze):
        return parse_plan(session.value(command, values))


def _options(**flags: bool) -> str:
    return ", ".join(
        ["FORMAT JSON", "VERBOSE", *(f"{name.upper()} {value}" for name, value in flags.items())]
    )


@contextmanager
def _safe_to_run(session: Session, statement: Statement, analyze: bool) -> Iterator[None]:
    """Make sure that nothing stays changed: ANALYZE runs it, and functions of a SELECT may write."""
    undone = session.rolls_back and not session.read_only
    if analyze and not statement.is_read_only and not undone:
        raise Refused(
            "EXPLAIN ANALYZE executes the statement, and this one writes or locks rows.",
            hint="Run it on a clone, in a session that may write and inside rolled_back().",
            context={"kind": statement.kind},
        )
    if not analyze or session.read_only or undone:
        yield
        return
    with session.rolled_back():
        session.run("SET TRANSACTION READ ONLY")
        yield


def _explain_generic(session: Session, sql: str, options: str) -> Plan:
    if session.major >= _GENERIC_PLAN_SINCE:
        return parse_plan(session.value_unbound(f"EXPLAIN {OWN_STATEMENT} ({options}, GENERIC_PLAN) {sql}"))
    plan = _explain_with_nulls(session, sql, options)
    if any("Subplans Removed" in node.extra for node in plan.root.walk()):
        # No partition holds the NULLs we bind, and a plan without its scans says nothing.
        return _explain_with_nulls(session, sql, options, "enable_partition_pruning = off")
    return plan


def _explain_with_nulls(session: Session, sql: str, options: str, setting: str = "") -> Plan:
    with session.rolled_back():
        for assignment in filter(None, ("plan_cache_mode = force_generic_plan", setting)):
            session.run(f"SET LOCAL {assignment}")
        session.run(f"PREPARE {_PREPARED} AS {sql}")
        try:
            with session.rolled_back():  # so that DEALLOCATE still works after a failure
                execution = f"EXECUTE {_PREPARED}{_nulls(session)}"
                plan = parse_plan(session.value(f"EXPLAIN {OWN_STATEMENT} ({options}) {execution}"))
        finally:
            session.run(f"DEALLOCATE {_PREPARED}")
    return replace(plan, settings={k: v for k, v in plan.settings.items() if k not in _OWN_SETTINGS})


def _nulls(session: Session) -> str:
    count: Any = session.query("prepared_parameters", {"name": _PREPARED})[0].parameter_count
    return f"({', '.join(['NULL'] * count)})" if count else ""
