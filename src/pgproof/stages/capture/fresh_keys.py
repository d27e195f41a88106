"""Keys for new rows: values that a unique index has not seen yet."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from pgproof.errors import ServerError, Unreachable
from pgproof.model.relation import Catalog, ConstraintKind, Table
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import qualify, quote_identifier
from pgproof.sqltext.uses import ParameterRole
from pgproof.stages.capture.parameter_plan import ParameterPlan
from pgproof.stages.capture.parameter_types import ParameterType

FreshKey = Callable[[int, "str | None"], str]
"""Makes a key from the number of the set and the key of an existing row."""


def find_fresh_keys(
    session: Session, catalog: Catalog, plan: ParameterPlan, rng: random.Random
) -> dict[int, FreshKey]:
    """For each key an INSERT must not repeat, choose a parameter that gets values of its own.

    Args:
        session: To ask for the largest key.
        catalog: For the unique indexes of the target.
        plan: Of the statement.
        rng: Chance.

    Returns:
        Makers by parameter number; empty for anything but an INSERT that writes keys itself.
    """
    if plan.target is None:
        return {}
    given = {
        slot.use.operand.column: slot
        for slot in plan.slots
        if slot.use and slot.use.role is ParameterRole.INSERT and slot.use.operand
    }
    references = {
        column
        for constraint in catalog.constraints_of(plan.target.relation)
        if constraint.kind is ConstraintKind.FOREIGN_KEY
        for column in constraint.columns
    }
    fresh: dict[int, FreshKey] = {}
    for index in catalog.indexes_of(plan.target.relation):
        columns = [key.column for key in index.keys]
        if not index.unique or not columns or any(column not in given for column in columns):
            continue
        for column in sorted(columns, key=lambda column: column in references):
            slot = given[column]
            maker = _fresh_maker(session, plan.target, column or "", slot.kind, rng)
            if maker is not None:
                fresh[slot.number] = _sometimes(maker) if plan.upserts else maker
                break
    return fresh


def _sometimes(maker: FreshKey) -> FreshKey:
    """An upsert meets rows that exist as well as new ones."""
    return lambda i, value: maker(i, value) if i % 2 or value is None else value


def _fresh_maker(
    session: Session, table: Table, column: str, kind: ParameterType, rng: random.Random
) -> FreshKey | None:
    if kind.base in ("int2", "int4", "int8", "numeric"):
        return numbers_after(_largest(session, table, column, "0"))
    if kind.base == "date":
        return days_after(_largest(session, table, column, "2000-01-01"))
    if kind.base == "uuid":
        return lambda _i, _value: str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if kind.base in ("text", "varchar", "bpchar"):
        return lambda _, value: f"{(value or '')[:8]}{rng.getrandbits(32):08x}"
    return None


def numbers_after(top: str | None) -> FreshKey | None:
    """Make whole numbers above one in text form, however large; None where there is no next one."""
    try:
        first = int(Decimal(top or "NaN")) + 1
    except (InvalidOperation, ValueError, OverflowError):  # numeric knows NaN and Infinity
        return None
    return lambda i, _: str(first + i)


def days_after(top: str | None) -> FreshKey | None:
    """Make days after an ISO date; None behind the last ones Python knows, ``infinity`` and years BC."""
    try:
        first = date.fromisoformat(top or "") + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    room_days = (date.max - first).days
    return lambda i, _: str(first + timedelta(days=i % (room_days + 1)))


def _largest(session: Session, table: Table, column: str, default: str) -> str | None:
    """Return a column's largest value, ``default`` where there is no row, None where it can't be read."""
    name = qualify(table.relation.schema, table.relation.name)
    try:
        rows = session.run(
            f"SELECT {OWN_STATEMENT} max({quote_identifier(column)}) FROM {name}", as_text=True
        ).rows
    except Unreachable:
        raise
    except ServerError:
        return None
    return default if rows[0][0] is None else rows[0][0]
