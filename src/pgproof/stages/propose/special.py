"""Drafts beyond plain B-tree: patterns, documents, arrays, ranges, full text.

**Source**: PostgreSQL documentation 11.10 (operator classes), F.35 (pg_trgm), 8.14.4 (jsonb), 12.9 (full
text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgproof.model.change import CreateExtension
from pgproof.model.relation import Catalog, Column, IndexKey
from pgproof.sqltext.shape import Predicate, PredicateKind
from pgproof.stages.propose.access import Access
from pgproof.stages.propose.draft import Draft, key_of
from pgproof.stages.propose.immutable import may_be_indexed
from pgproof.stages.propose.literals import known_values
from pgproof.stages.propose.types import can_be_btree_key, is_array, is_range, is_text

TRIGRAM = "pg_trgm"
_C_COLLATIONS = ("C", "POSIX")
_PATTERN_CLASSES = {
    "text": "text_pattern_ops",
    "varchar": "varchar_pattern_ops",
    "bpchar": "bpchar_pattern_ops",
}
_THREE_IN_A_ROW = re.compile(r"\w{3}")
_WILDCARDS = ("%", "_")


def special_drafts(access: Access, catalog: Catalog) -> Iterator[Draft]:
    """Yield drafts that serve the conditions a plain B-tree can't, in the order of the conditions."""
    for predicate in access.others:
        match predicate.kind:
            case PredicateKind.LIKE | PredicateKind.LIKE_PREFIX if _starts_fixed(predicate, access):
                yield from _prefix(access, predicate, catalog)
            case PredicateKind.LIKE | PredicateKind.LIKE_CONTAINS | PredicateKind.ILIKE | PredicateKind.REGEX:
                yield from _trigram(access, predicate, catalog)
            case PredicateKind.SIMILARITY:
                yield from _trigram(access, predicate, catalog)
            case PredicateKind.CONTAINS | PredicateKind.OVERLAPS | PredicateKind.HAS_KEY:
                yield from _container(access, predicate)
            case PredicateKind.FULL_TEXT:
                yield from _full_text(access, predicate)


def _patterns(predicate: Predicate, access: Access) -> tuple[str, ...]:
    return tuple(value for value, _ in known_values(predicate, access.statement))


def _starts_fixed(predicate: Predicate, access: Access) -> bool:
    patterns = _patterns(predicate, access)
    if not patterns:
        return predicate.kind is PredicateKind.LIKE_PREFIX
    return not any(pattern.startswith(_WILDCARDS) for pattern in patterns)


def _columns(access: Access, predicate: Predicate) -> list[Column]:
    found = [access.table.column(name) for name in predicate.operand.columns]
    return [column for column in found if column is not None]


def _is_text(access: Access, predicate: Predicate) -> bool:
    """Tell whether what is matched is text: a text column, or an immutable expression over text columns."""
    columns = _columns(access, predicate)
    if not columns or len(columns) != len(predicate.operand.columns) or not all(map(is_text, columns)):
        return False
    return predicate.operand.column is not None or may_be_indexed(predicate.operand.expression, columns)


def _prefix(access: Access, predicate: Predicate, catalog: Catalog) -> Iterator[Draft]:
    columns = _columns(access, predicate)
    if len(columns) != 1 or not can_be_btree_key(columns[0]) or columns[0].base_type not in _PATTERN_CLASSES:
        return
    if predicate.operand.column is None and not may_be_indexed(predicate.operand.expression, columns):
        return
    opclass = (
        "text_pattern_ops" if predicate.operand.column is None else _PATTERN_CLASSES[columns[0].base_type]
    )
    if _is_c(columns[0], catalog):
        opclass = ""
    # The planner needs the pattern: with a parameter, only a custom plan can use the index.
    words = f"{predicate.operand.expression} begins with a given text"
    yield Draft(access.table, (key_of(predicate.operand, opclass),), words, 0, ordered=True, frac=0.01)


def _is_c(column: Column, catalog: Catalog) -> bool:
    """Tell whether a plain B-tree sorts byte by byte; where the server keeps silent, assume not."""
    return (column.collation or catalog.setting("lc_collate") or "") in _C_COLLATIONS


def _trigram(access: Access, predicate: Predicate, catalog: Catalog) -> Iterator[Draft]:
    patterns = _patterns(predicate, access)
    is_pattern = predicate.kind is not PredicateKind.SIMILARITY
    if is_pattern and not any(_THREE_IN_A_ROW.search(pattern) for pattern in patterns):
        return
    if predicate.kind is PredicateKind.LIKE and not any(p.startswith(_WILDCARDS) for p in patterns):
        return
    extension = catalog.extension(TRIGRAM)
    if extension is None or not _is_text(access, predicate):
        return
    opclass = "gin_trgm_ops"
    requires: tuple[CreateExtension, ...] = (CreateExtension(TRIGRAM),)
    if extension.installed_version:
        requires = ()
        if extension.schema and extension.schema not in catalog.search_path:
            opclass = f"{extension.schema}.{opclass}"
    words = f"{predicate.operand.expression} matches a pattern anywhere"
    key = key_of(predicate.operand, opclass)
    yield Draft(access.table, (key,), words, 0, method="gin", frac=0.01, requires=requires)


def _container(access: Access, predicate: Predicate) -> Iterator[Draft]:
    """Yield a draft for ``@>``, ``&&`` and ``?`` on jsonb, arrays and ranges."""
    column = access.table.column(predicate.operand.column or "")
    if column is None:
        return
    operator = predicate.operator
    words = f"{predicate.operand.expression} {operator} a given value"
    if column.base_type == "jsonb" and operator in ("@>", "?", "?|", "?&"):
        opclass = "jsonb_path_ops" if operator == "@>" else ""
        yield _inverted(access, IndexKey(column=column.name, opclass=opclass), words)
    elif is_array(column) and operator in ("@>", "<@", "&&"):
        yield _inverted(access, IndexKey(column=column.name), words)
    elif is_range(column) and operator in ("@>", "<@", "&&"):
        yield Draft(access.table, (IndexKey(column=column.name),), words, 0, method="gist", frac=0.01)


def _full_text(access: Access, predicate: Predicate) -> Iterator[Draft]:
    operand = predicate.operand
    column = access.table.column(operand.column or "")
    words = f"text search in {operand.expression}"
    if column is not None and column.base_type == "tsvector":
        yield _inverted(access, IndexKey(column=column.name), words)
    elif operand.column is None and _NAMED_CONFIGURATION.match(operand.expression):
        # With the configuration named, to_tsvector is immutable; without, it depends on a setting.
        inner = operand.expression.partition(",")[2].removesuffix(")")
        if may_be_indexed(inner, _columns(access, predicate)):
            yield _inverted(access, IndexKey(expression=operand.expression), words)


_NAMED_CONFIGURATION = re.compile(r"to_tsvector\('[^']+'(?:::regconfig)?,", re.IGNORECASE)


def _inverted(access: Access, key: IndexKey, words: str) -> Draft:
    return Draft(access.table, (key,), words, 0, method="gin", frac=0.01)
