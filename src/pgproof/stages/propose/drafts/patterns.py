"""Drafts for patterns in text: what begins with something, and what contains it.

**Source**: PostgreSQL documentation 11.10 (operator classes) and F.35 (pg_trgm).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateExtension
from pgproof.model.relation import Column, IndexKey
from pgproof.sqltext.shape import Operand, Predicate, PredicateKind
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.btree import looked_up, make_draft
from pgproof.stages.propose.drafts.draft import Draft, key_of, key_words
from pgproof.stages.propose.drafts.opclasses import operator_class
from pgproof.stages.propose.immutable import immutable_type
from pgproof.stages.propose.literals import known_values
from pgproof.stages.propose.types import can_be_btree_key, is_text

TRIGRAM = "pg_trgm"

MATCHED_FRAC = 0.01
"""Of the table, that a pattern is taken to leave. **Source**: judgement; patterns are made to find few."""

_C_COLLATIONS = ("C", "POSIX")
_PATTERN_CLASSES = {
    "text": "text_pattern_ops",
    "varchar": "varchar_pattern_ops",
    "bpchar": "bpchar_pattern_ops",
}
_THREE_IN_A_ROW = re.compile(r"\w{3}")
_WILDCARDS = ("%", "_")
_ANYWHERE = (
    PredicateKind.LIKE,
    PredicateKind.LIKE_PREFIX,
    PredicateKind.LIKE_CONTAINS,
    PredicateKind.ILIKE,
    PredicateKind.REGEX,
    PredicateKind.SIMILARITY,
)


def pattern_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield drafts for LIKE, ILIKE, regular expressions and similarity, in the order of the conditions."""
    matched: dict[str, IndexKey] = {}
    for predicate in (*access.others, *access.alternatives):
        if predicate.negated or predicate.kind not in _ANYWHERE:
            continue
        if _starts_fixed(predicate, access):
            yield from _prefix(access, predicate, max_width)
        elif _has_trigram(predicate, access) and _is_text(access, predicate.operand):
            matched.setdefault(predicate.operand.expression, _trigram_key(access, predicate.operand))
    if access.catalog.extension(TRIGRAM) is None:
        return
    for key in matched.values():
        yield _trigram(access, (key,), 0)
    if len(matched) > 1:  # one index for a search box that looks in several columns
        yield _trigram(access, tuple(matched.values()), 0)


def nearest_text_drafts(access: Access) -> Iterator[Draft]:
    """Yield a draft for ``ORDER BY name <-> $1 LIMIT 10``."""
    key = access.nearest
    if key is None or key.nearest is None or access.catalog.extension(TRIGRAM) is None:
        return
    if _is_text(access, key.nearest):
        opclass, requires = operator_class("gist_trgm_ops", TRIGRAM, access.catalog)
        words = f"most similar {key.nearest.expression} first"
        keys = (key_of(key.nearest, opclass),)
        yield Draft(access.table, keys, words, 0, method="gist", frac=MATCHED_FRAC, requires=requires)


def _patterns(predicate: Predicate, access: Access) -> tuple[str, ...]:
    return tuple(value for value, _ in known_values(predicate, access.statement))


def _starts_fixed(predicate: Predicate, access: Access) -> bool:
    if predicate.kind not in (PredicateKind.LIKE, PredicateKind.LIKE_PREFIX):
        return False
    patterns = _patterns(predicate, access)
    if not patterns:
        return predicate.kind is PredicateKind.LIKE_PREFIX
    return not any(pattern.startswith(_WILDCARDS) for pattern in patterns)


def _has_trigram(predicate: Predicate, access: Access) -> bool:
    if predicate.kind is PredicateKind.SIMILARITY:
        return True
    return any(_THREE_IN_A_ROW.search(pattern) for pattern in _patterns(predicate, access))


def _columns(access: Access, operand: Operand) -> list[Column]:
    found = [access.table.column(name) for name in operand.columns]
    return [column for column in found if column is not None]


def _is_text(access: Access, operand: Operand) -> bool:
    """Tell whether what is matched is text: a text column, or an immutable expression that gives text."""
    if operand.column is not None:
        column = access.table.column(operand.column)
        return column is not None and is_text(column) and column.generated != "virtual"
    return immutable_type(operand.expression, access.table, access.catalog) == "text"


def _prefix(access: Access, predicate: Predicate, max_width: int) -> Iterator[Draft]:
    columns = _columns(access, predicate.operand)
    if len(columns) != 1 or not can_be_btree_key(columns[0]) or columns[0].base_type not in _PATTERN_CLASSES:
        return
    if predicate.operand.column is None and not _is_text(access, predicate.operand):
        return
    opclass = (
        "text_pattern_ops" if predicate.operand.column is None else _PATTERN_CLASSES[columns[0].base_type]
    )
    if _is_c(columns[0], access.catalog):
        opclass = ""
    # The planner needs the pattern: with a parameter, only a custom plan can use the index.
    words = f"{predicate.operand.expression} begins with a given text"
    key = key_of(predicate.operand, opclass)
    equals = tuple(equal for equal in looked_up(access) if equal.operand != predicate.operand)
    for leading in dict.fromkeys((equals[: max_width - 1], ())):
        draft = make_draft(access, leading, (key,), words, 0 if leading == equals[: max_width - 1] else 1)
        yield replace(draft, frac=draft.frac * MATCHED_FRAC, pays_whole=False)


def _is_c(column: Column, catalog: Catalog) -> bool:
    """Tell whether a plain B-tree sorts byte by byte; where the server keeps silent, assume not."""
    return (column.collation or catalog.setting("lc_collate") or "") in _C_COLLATIONS


def _trigram_key(access: Access, operand: Operand) -> IndexKey:
    opclass, _ = operator_class("gin_trgm_ops", TRIGRAM, access.catalog)
    return key_of(operand, opclass)


def _trigram(access: Access, keys: tuple[IndexKey, ...], rank: int) -> Draft:
    requires: tuple[CreateExtension, ...] = operator_class("gin_trgm_ops", TRIGRAM, access.catalog)[1]
    words = f"{key_words(keys)} matches a pattern anywhere"
    return Draft(access.table, keys, words, rank, method="gin", frac=MATCHED_FRAC, requires=requires)
