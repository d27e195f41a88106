"""Which operands a B-tree can be built over, and be used for."""

from __future__ import annotations

from collections.abc import Iterable

from pgproof.model.catalog import Catalog
from pgproof.model.relation import IndexKey, Table
from pgproof.sqltext.shape import Operand, Predicate, PredicateKind
from pgproof.stages.propose.drafts.access import Access, Equal
from pgproof.stages.propose.drafts.draft import key_of, sort_keys
from pgproof.stages.propose.immutable import UNKNOWN, immutable_type
from pgproof.stages.propose.types import can_be_btree_key, is_too_wide, sorts


def usable_operand(access: Access, operand: Operand) -> bool:
    """Tell whether a B-tree over a column or an expression can be built, and serves what people write."""
    if operand.column is not None:
        column = access.table.column(operand.column)
        return column is not None and can_be_btree_key(column)
    base_type = expression_type(operand, access.table, access.catalog)
    return (
        base_type is not None and sorts(base_type) and not _is_copy_of_wide(access.table, operand, base_type)
    )


def expression_type(operand: Operand, table: Table, catalog: Catalog) -> str | None:
    """Return the type of an expression that may stand in an index, ``None`` for any other."""
    found = immutable_type(operand.expression, table, catalog)
    return None if found in (None, UNKNOWN, "json") else found


def _is_copy_of_wide(table: Table, operand: Operand, base_type: str) -> bool:
    """Tell whether an expression may be as wide as the wide column it is made of: ``lower(body)``.

    A hash, a number or a piece of a document is narrow, so only text made of wide text is ruled out.
    """
    columns = [column for name in operand.columns if (column := table.column(name)) is not None]
    narrows = operand.expression.startswith(("md5(", "left(", "substr", '"left"('))
    is_text = base_type in ("text", "varchar", "citext")
    wide = any(
        column.base_type in ("text", "varchar", "citext") and is_too_wide(column) for column in columns
    )
    return is_text and wide and not narrows


def usable_equals(access: Access, equals: Iterable[Equal]) -> tuple[Equal, ...]:
    """Return those whose operand a B-tree can be built over, most selective first."""
    usable = [equal for equal in equals if usable_operand(access, equal.operand)]
    return tuple(sorted(usable, key=lambda equal: equal.frac))


def order_keys(access: Access, leave: frozenset[str] = frozenset()) -> tuple[IndexKey, ...]:
    """Return the keys of the wanted order; none where any of it can't be a key, or is one of ``leave``."""
    operands = [sort.operand for sort in access.order]
    if any(o is None or not usable_operand(access, o) or leave.intersection(o.columns) for o in operands):
        return ()
    return sort_keys(access.order, access.table)


def range_keys(access: Access, predicate: Predicate) -> tuple[IndexKey, ...]:
    """Return the keys of a condition with a bound, several for a row of columns; none where it can't be."""
    if predicate.kind is PredicateKind.ROW_RANGE:
        columns = [access.table.column(name) for name in predicate.operand.columns]
        if any(column is None or not can_be_btree_key(column) for column in columns):
            return ()
        return tuple(IndexKey(column=name) for name in predicate.operand.columns)
    return (key_of(predicate.operand),) if usable_operand(access, predicate.operand) else ()
