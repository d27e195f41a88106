"""Which index would serve what a plan asks of a table, by the rules that every B-tree follows.

**Source**: PostgreSQL documentation 11.3 (columns compared by equality lead, then one range), 11.4 (sort
order), 11.7 (expressions), 11.10 (operator classes for LIKE).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pgproof.model.relation import Index, IndexKey, Table
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.shape import Nulls, Operand, Predicate, PredicateKind, SortKey

MAX_KEYS = 4
"""Source: judgement; wider keys are rarely read to their end."""

HANDFUL_ROWS = 10
"""Once equality leaves so few rows, more keys only make the index wider. Source: judgement."""

_GIN_KINDS = (
    PredicateKind.CONTAINS,
    PredicateKind.HAS_KEY,
    PredicateKind.OVERLAPS,
    PredicateKind.FULL_TEXT,
)
_PATTERN_CLASS = {
    "text": "text_pattern_ops",
    "varchar": "varchar_pattern_ops",
    "bpchar": "bpchar_pattern_ops",
}
_RELABELS = {
    "text": ("text", "varchar"),
    "int": ("int4",),
    "integer": ("int4",),
    "bigint": ("int8",),
    "numeric": ("numeric",),
    "timestamp with time zone": ("timestamptz",),
    "timestamp without time zone": ("timestamp",),
}
"""Casts that change nothing, by the types they may be applied to (a domain's, or varchar's to text)."""

_TEXT = ("text", "varchar")
_TEXT_CALL = re.compile(r"(?:lower|upper|btrim|ltrim|rtrim|md5|length)\([^()]+\)")
_DATE_CAST = re.compile(r"[^()]+::date")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index that would serve.

    Args:
        keys: In order; at least one.
        equal: How many of them, from the left, are compared for equality.
        method: Access method.
        is_sorted: The rest of the keys must come in this order and direction.
    """

    keys: tuple[IndexKey, ...]
    equal: int
    method: str = "btree"
    is_sorted: bool = False


def find_key(table: Table, operand: Operand) -> IndexKey | None:
    """Return the index key for a column, or for an expression that surely is immutable; None for others."""
    column = bare_column(table, operand)
    if column is not None:
        return IndexKey(column=column)
    columns = [table.column(name) for name in operand.columns]
    if len(columns) != 1 or columns[0] is None:
        return None
    text_call = columns[0].base_type in _TEXT and _TEXT_CALL.fullmatch(operand.expression)
    day = columns[0].base_type == "timestamp" and _DATE_CAST.fullmatch(operand.expression)
    return IndexKey(expression=operand.expression) if text_call or day else None


def bare_column(table: Table, operand: Operand) -> str | None:
    """Return the column that an operand is, looking through casts that change nothing; None for others."""
    if operand.column is not None:
        return operand.column if table.column(operand.column) else None
    if len(operand.columns) != 1:
        return None
    column = table.column(operand.columns[0])
    inner, _, target = operand.expression.rpartition("::")
    if column is None or inner != quote_identifier(column.name):
        return None
    # of any other type, a cast to the type it is made of is how a domain is compared
    changes_nothing = column.base_type in _RELABELS.get(target, (target.rpartition(".")[2],))
    return column.name if changes_nothing else None


def order_equals(table: Table, keys: Iterable[IndexKey]) -> tuple[IndexKey, ...]:
    """Order keys compared for equality, most selective first, and stop where a handful of rows is left."""
    rows = max(table.rows, 1.0)
    ranked = sorted(dict.fromkeys(keys), key=lambda key: -_distinct_rows(table, key))
    for count, key in enumerate(ranked, 1):
        if rows / _distinct_rows(table, key) <= HANDFUL_ROWS:
            return tuple(ranked[:count])
    return tuple(ranked)


def leaves_a_handful(table: Table, keys: Sequence[IndexKey]) -> bool:
    """Whether one of the keys, compared for equality, leaves only a handful of rows."""
    return any(max(table.rows, 1.0) / _distinct_rows(table, key) <= HANDFUL_ROWS for key in keys)


def _distinct_rows(table: Table, key: IndexKey) -> float:
    column = table.column(key.column)
    return column.statistics.distinct_rows(max(table.rows, 1.0)) if column and column.statistics else 1.0


def range_key(table: Table, predicate: Predicate) -> IndexKey | None:
    """Return the key for a range or for LIKE 'x%', which needs its own operator class outside locale C."""
    key = find_key(table, predicate.operand)
    if key is None or predicate.kind is not PredicateKind.LIKE_PREFIX:
        return key
    column = table.column(key.column)
    opclass = _PATTERN_CLASS.get(column.base_type) if column else "text_pattern_ops"
    return IndexKey(key.column, key.expression, opclass) if opclass else None


def sort_keys(table: Table, order: Sequence[SortKey]) -> tuple[IndexKey, ...]:
    """Return the keys that give an order; ascending where the index may as well be read backwards.

    Returns:
        Empty where a key can't be one of an index.
    """
    keys = []
    for sort in order:
        key = find_key(table, sort.operand) if sort.operand else None
        if key is None:
            return ()
        first = sort.nulls is Nulls.FIRST or (sort.nulls is Nulls.DEFAULT and not sort.ascending)
        keys.append(IndexKey(key.column, key.expression, descending=not sort.ascending, nulls_first=first))
    turned = tuple(map(turn, keys))
    return turned if keys and keys[0].descending else tuple(keys)


def turn(key: IndexKey) -> IndexKey:
    """Return the key as a scan from the other end sees it."""
    return IndexKey(
        key.column, key.expression, key.opclass, key.collation, not key.descending, not key.nulls_first
    )


def gin_index(table: Table, predicates: Iterable[Predicate]) -> Wanted | None:
    """Return a GIN index for the first containment or full-text condition on a bare column, if any."""
    for predicate in predicates:
        column = table.column(predicate.operand.column or "")
        if predicate.kind in _GIN_KINDS and column is not None and _has_gin_class(column.base_type):
            return Wanted((IndexKey(column=column.name),), 0, "gin")
    return None


def _has_gin_class(base_type: str) -> bool:
    return base_type in ("jsonb", "tsvector") or base_type.startswith("_")


def is_served(index: Index, wanted: Wanted) -> bool:
    """Whether a valid full index has what is wanted already: then the planner had its reasons."""
    if not index.valid or index.predicate or len(index.keys) < len(wanted.keys):
        return index.valid and not index.predicate and _hashes(index, wanted)
    if index.method != wanted.method:
        return _hashes(index, wanted)
    led = index.keys[: len(wanted.keys)]
    if not wanted.is_sorted:
        return set(map(_what, led)) == set(map(_what, wanted.keys))
    if set(map(_what, led[: wanted.equal])) != set(map(_what, wanted.keys[: wanted.equal])):
        return False
    rest, own = wanted.keys[wanted.equal :], led[wanted.equal :]
    return own in (rest, tuple(map(turn, rest)))


def _hashes(index: Index, wanted: Wanted) -> bool:
    return index.method == "hash" and wanted.equal == 1 == len(wanted.keys) and index.keys == wanted.keys


def _what(key: IndexKey) -> tuple[str, str, str]:
    """Return a key without its direction; expressions without the casts and brackets the server adds."""
    plain = re.sub(r"[()\s]|::text", "", key.expression)
    return key.column, plain, key.opclass
