"""Keys for new rows, and for unique columns that change: values that no unique index has seen yet."""

from __future__ import annotations

import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from pgproof.errors import ServerError, Unreachable
from pgproof.model.catalog import Catalog
from pgproof.model.relation import ConstraintKind, IndexKey, Table
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import qualify, quote_identifier
from pgproof.sqltext.uses import ParameterRole
from pgproof.stages.capture.parameter_plan import ParameterPlan
from pgproof.stages.capture.parameter_types import ParameterType
from pgproof.stages.capture.parameter_values import Slot

FreshKey = Callable[[int, "str | None"], str]
"""Makes a key from the number of the set and the key of an existing row."""


def find_fresh_keys(
    session: Session, catalog: Catalog, plan: ParameterPlan, rng: random.Random
) -> dict[int, FreshKey]:
    """For each key a write must not repeat, choose a parameter that gets values of its own.

    A key of an INSERT is repeated only where all its columns are; an UPDATE that sets one column of a key may
    meet the other columns of any row.

    Args:
        session: To ask for the largest key.
        catalog: For the unique indexes of the target.
        plan: Of the statement.
        rng: Chance.

    Returns:
        Makers by parameter number; empty for a statement that writes no unique column.
    """
    if plan.target is None:
        return {}
    role = ParameterRole.INSERT if plan.inserts else ParameterRole.UPDATE
    given: dict[str, list[Slot]] = defaultdict(list)
    for slot in plan.slots:
        if slot.use and slot.use.role is role and slot.use.operand:
            given[slot.use.operand.column or ""].append(slot)
    references = {
        column
        for constraint in catalog.constraints_of(plan.target.relation)
        if constraint.kind is ConstraintKind.FOREIGN_KEY
        for column in constraint.columns
    }
    fresh: dict[int, FreshKey] = {}
    for index in catalog.indexes_of(plan.target.relation):
        written = [column for key in index.keys for column in _columns_of(key, given)]
        if not index.unique or not written or (plan.inserts and len(written) < len(index.keys)):
            continue
        for column in sorted(written, key=lambda column: column in references):
            slots = given[column]
            maker = _fresh_maker(session, plan.target, column, slots[0].kind, rng)
            if maker is not None:
                maker = _sometimes(maker) if plan.upserts else maker
                fresh |= {slot.number: _in_row(maker, k, len(slots)) for k, slot in enumerate(slots)}
                break
    return fresh


def _columns_of(key: IndexKey, given: Mapping[str, object]) -> list[str]:
    """List the written columns of a key; an expression such as ``lower(email)`` names them in its text."""
    if key.column:
        return [key.column] if key.column in given else []
    words = (rf"(?<![\w\"]){re.escape(quote_identifier(column))}(?![\w\"])" for column in given)
    return [column for column, word in zip(given, words, strict=True) if re.search(word, key.expression)][:1]


def _in_row(maker: FreshKey, row: int, rows: int) -> FreshKey:
    """Let the rows of one VALUES list have different keys, and those of the next set others again."""
    return lambda i, value: maker(i * rows + row, value)


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
