"""Kinds of change: what each does to a database, as data. Nothing here runs anything.

The same steps run on a clone and in production; DDL text is rendered in this room alone.
"""

from __future__ import annotations

from typing import Any

from pgproof.changes.extension import CREATE_EXTENSION
from pgproof.changes.index import CREATE_INDEX, DROP_INDEX
from pgproof.changes.kind import Kind
from pgproof.changes.materialized_view import CREATE_MATERIALIZED_VIEW
from pgproof.changes.setting import SET_SETTING
from pgproof.changes.statistics import ANALYZE_TABLE
from pgproof.changes.statistics_object import CREATE_STATISTICS
from pgproof.changes.statistics_target import SET_STATISTICS_TARGET
from pgproof.changes.table_option import SET_TABLE_OPTION
from pgproof.errors import UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CloneOnly, Refusal, Step
from pgproof.model.partitioning import WHAT_IF_ONLY, PartitionTable

KINDS: tuple[Kind[Any], ...] = (
    CREATE_INDEX,
    DROP_INDEX,
    CREATE_EXTENSION,
    ANALYZE_TABLE,
    CREATE_STATISTICS,
    SET_STATISTICS_TARGET,
    SET_TABLE_OPTION,
    SET_SETTING,
    CREATE_MATERIALIZED_VIEW,
)


def kind_of(change: Change | PartitionTable) -> Kind[Any]:
    """Return the kind that serves a change; KeyError when none does.

    Raises:
        UsageError: It is a partitioning, which can be priced and not made.
    """
    for kind in KINDS:
        if isinstance(change, kind.change):
            return kind
    if isinstance(change, PartitionTable):
        raise UsageError(WHAT_IF_ONLY, hint="Take it as advice, and plan the move yourself.")
    raise KeyError(type(change).__name__)


def apply_steps(change: Change, catalog: Catalog | None = None) -> tuple[Step, ...]:
    """Return the steps that make a change, in order.

    Args:
        change: What to do.
        catalog: Of the database it is done to. Without one every table is taken for an ordinary table, and
            the server refuses the step (SQLSTATE 0A000) when it is a partitioned one.

    Raises:
        UsageError: The change can't be written as single statements (see `refusals`).
        ParseError: An expression in it does not parse.
    """
    return kind_of(change).apply(change, catalog)


def revert_steps(change: Change, catalog: Catalog | None = None) -> tuple[Step, ...]:
    """Return the steps that undo a change of which all steps were done; empty where nothing remains of it.

    Args:
        change: What was done.
        catalog: Of the database; None takes every table for an ordinary one.

    Raises:
        UsageError: A saved definition can't be rebuilt.
    """
    return kind_of(change).revert(change, catalog)


def forward_steps(changes: tuple[Change, ...], catalog: Catalog | None = None) -> tuple[Step, ...]:
    """Return the steps that make several changes, in order; see `apply_steps`."""
    return tuple(step for change in changes for step in apply_steps(change, catalog))


def backward_steps(changes: tuple[Change, ...], catalog: Catalog | None = None) -> tuple[Step, ...]:
    """Return the steps that undo several changes, the last change first; see `revert_steps`."""
    return tuple(step for change in reversed(changes) for step in revert_steps(change, catalog))


def verify_steps(change: Change) -> tuple[Step, ...]:
    """Return questions of one boolean each that are all true once a change is made; may be empty."""
    return kind_of(change).verify(change)


def simulate_steps(change: Change) -> tuple[Step, ...] | CloneOnly:
    """Return steps that may run in a transaction that is rolled back, or why there are none.

    They block writes while they run: never on a user's database.
    """
    return kind_of(change).simulate(change)


def refusals(change: Change, catalog: Catalog, earlier: tuple[Change, ...] = ()) -> tuple[Refusal, ...]:
    """Say why a change must not be made on a database, worst first; empty when it may.

    Args:
        change: What is planned; leave out what `effective_changes` leaves out.
        catalog: Of the database.
        earlier: Changes that come before it in its variant, in order.
    """
    return kind_of(change).refuse(change, catalog, earlier)


def all_refusals(changes: tuple[Change, ...], catalog: Catalog) -> tuple[Refusal, ...]:
    """Say why several changes must not be made one after the other: those of the first change first."""
    return tuple(
        refusal
        for place, change in enumerate(changes)
        for refusal in refusals(change, catalog, changes[:place])
    )


def effective_changes(changes: tuple[Change, ...], catalog: Catalog) -> tuple[Change, ...]:
    """Leave out what is so already: an installed extension, an equal index, an index that is gone.

    What is left out is neither made nor undone, so an extension that was there before stays after a revert.
    What remains knows what was there before it (`remember`).
    """
    return tuple(
        remember(change, catalog) for change in changes if not kind_of(change).is_so(change, catalog)
    )


def remember(change: Change, catalog: Catalog) -> Change:
    """Return a change with the value that it replaces noted in it, so that it can be undone.

    Args:
        change: What is planned.
        catalog: Of the database, read before the change is made.
    """
    remembering: Change = kind_of(change).remember(change, catalog)
    return remembering


def race_refusals(changes: tuple[Change, ...], catalog: Catalog) -> tuple[Refusal, ...]:
    """Say why changes can't be tried on one clone while others of its server do without."""
    found = (kind_of(change).refuse_race(change, catalog) for change in changes)
    return tuple(refusal for refusal in found if refusal is not None)


def describe(change: Change) -> str:
    """Return one line about a change for humans, without a full stop."""
    return kind_of(change).describe(change)


def render_sql(steps: tuple[Step, ...]) -> str:
    """Write steps as a script, each under a comment that says what it does; empty without steps."""
    return "\n".join(f"-- {' '.join(step.purpose.split())}\n{step.sql};\n" for step in steps)
