"""Replaces values in statistics by ones that say nothing, in the same order, equal where they were equal.

Texts become their place among all texts of the database, written in letters and filled up to their length.
Numbers and times move a little, without passing their neighbours. What stands in the schema anyway (labels,
constants of constraints) stays, and so do keys and arrays of numbers, ranges, booleans, and small whole
numbers, which leave no room.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from pgproof.model.synthesis import (
    JointStatistics,
    SourceColumn,
    SourceTable,
    SynthesisSource,
    WholeStatistics,
)
from pgproof.stages.synth.chance import mixed, seed_of, uniform
from pgproof.stages.synth.facts import Facts
from pgproof.stages.synth.numbers import line_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789abcdef"
_SINGLE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_ARRAY_ITEM = re.compile(r'"(?:[^"\\]|\\.)*"|[^,{}]+')
_HALF = 0.5
_TEXTS = ("text", "varchar", "bpchar", "citext", "name")


@dataclass(frozen=True, slots=True)
class Masking:
    """Which value stands for which.

    Args:
        forward: Substitutes of texts, by what they stand for.
        backward: The other way round.
    """

    forward: Mapping[str, str]
    backward: Mapping[str, str]

    def for_copy(self, value: str | None) -> str | None:
        """Return a value as the copy has it."""
        return value if value is None else self.forward.get(value, value)

    def for_source(self, value: str | None) -> str | None:
        """Return a value as the source has it."""
        return value if value is None else self.backward.get(value, value)


NO_MASKING = Masking({}, {})


def mask_source(source: SynthesisSource, *, seed: int) -> tuple[SynthesisSource, Masking]:
    """Replace all values that were read of a source.

    Args:
        source: What was read.
        seed: The same seed gives the same substitutes.
    """
    kept = _constants_of(source)
    texts = _substitutes(sorted(_texts_in(source) - kept), seed)
    facts = Facts(source)
    masked: dict[tuple[str, str], Callable[[str], str]] = {}
    tables = []
    for table in source.tables:
        columns = []
        for column in table.columns:
            change = _change_of(facts, table, column, texts, seed)
            masked[str(table.relation), column.name] = change
            columns.append(_masked_column(column, change, texts))
        tables.append(replace(table, columns=tuple(columns)))
    joint = tuple(_masked_joint(found, masked) for found in source.joint)
    backward = {substitute: value for value, substitute in texts.items()}
    return replace(source, tables=tuple(tables), joint=joint), Masking(texts, backward)


def _masked_column(
    column: SourceColumn, change: Callable[[str], str], texts: Mapping[str, str]
) -> SourceColumn:
    known = column.statistics
    if known is None:
        return column
    bounds = [change(bound) for bound in known.bounds]
    masked = WholeStatistics(
        known.null_frac,
        known.n_distinct,
        known.avg_width_bytes,
        known.correlation,
        tuple(change(value) for value in known.values),
        known.freqs,
        tuple(sorted(bounds)) if _is_text(column) else tuple(bounds),
        tuple(texts.get(element, element) for element in known.elements),
        known.element_freqs,
        known.elements_a_row,
        known.range_bounds,
        known.range_lengths,
        known.empty_frac,
    )
    return replace(column, statistics=masked)


def _masked_joint(
    found: JointStatistics, masked: Mapping[tuple[str, str], Callable[[str], str]]
) -> JointStatistics:
    changes = [masked.get((str(found.table), name), str) for name in found.columns]
    combinations = tuple(
        tuple(None if value is None else change(value) for change, value in zip(changes, values, strict=True))
        for values in found.combinations
    )
    return replace(found, combinations=combinations)


def _change_of(
    facts: Facts, table: SourceTable, column: SourceColumn, texts: Mapping[str, str], seed: int
) -> Callable[[str], str]:
    """Return what is done to a column's values."""
    if column.kind in ("e", "r", "m") or column.base_type == "bool" or column.labels:
        return str
    if column.kind == "c":
        return _letters_changed(seed)
    if _is_text(column):
        return lambda value: texts.get(value, value)
    if column.base_type in ("uuid", "bytea", "bit", "varbit"):
        return _digits_changed(_values_of(column), seed, column.base_type)
    if column.base_type in ("json", "jsonb"):
        return lambda value: _masked_json(value, texts)
    if column.category == "A":
        return (lambda value: _masked_array(value, texts)) if _holds_texts(column) else str
    in_key = any(column.name in key for key in facts.keys_of(table.relation))
    if in_key or any(column.name in reference.columns for reference in facts.references_of(table.relation)):
        return str
    if facts.named_by_children(table.relation, column.name):
        return str
    if line_of(column.base_type, _values_of(column), column.scale, column.precision) is None:
        return _letters_changed(seed)
    moved = _moved(column, seed_of(seed, str(table.relation), column.name))
    return lambda value: moved.get(value, value)


def _letters_changed(seed: int) -> Callable[[str], str]:
    """Exchange the letters of a text whose form is not known here; digits and marks are part of the form."""

    def change(value: str) -> str:
        other = _filling(value, seed)
        return "".join(new if old.isalpha() else old for old, new in zip(value, other, strict=True))

    return change


def _is_text(column: SourceColumn) -> bool:
    return column.category == "S" or column.base_type == "citext"


def _holds_texts(column: SourceColumn) -> bool:
    """Tell whether a column's values have words as elements."""
    return column.element in _TEXTS or column.base_type == "tsvector"


def _values_of(column: SourceColumn) -> tuple[str, ...]:
    known = column.statistics
    return () if known is None else (*known.values, *known.bounds)


def _texts_in(source: SynthesisSource) -> set[str]:
    """Return every text that is known, those within arrays and documents too."""
    found: set[str] = set()
    for column in (column for table in source.tables for column in table.columns):
        if column.statistics is not None and _holds_texts(column):
            found |= set(column.statistics.elements)
        for value in _values_of(column):
            if _is_text(column):
                found.add(value)
            elif column.base_type in ("json", "jsonb"):
                found |= set(_strings_in(_read_json(value)))
            elif _holds_texts(column) and column.category == "A":
                found |= set(_items(value))
    return found


def _constants_of(source: SynthesisSource) -> set[str]:
    """Return the constants that constraints and partial indexes name: they leave with the schema anyway."""
    definitions = [constraint.definition for constraint in source.constraints]
    definitions += [index.predicate for index in source.indexes]
    return {text.replace("''", "'") for line in definitions for text in _LITERAL.findall(line)}


def _substitutes(values: Sequence[str], seed: int) -> dict[str, str]:
    """Give every text another one of its length, in the same order."""
    width = 1
    while len(_LETTERS) ** width < max(len(values), 1):
        width += 1
    long = [value for value in values if len(value) >= width]
    found = {
        value: _in_letters(place, width) + _filling(value[width:], seed) for place, value in enumerate(long)
    }
    for length in range(1, width):
        found |= _short_substitutes([value for value in values if len(value) == length], length)
    return found


def _short_substitutes(values: Sequence[str], length: int) -> dict[str, str]:
    if length == 1:
        return dict(zip(values, _SINGLE, strict=False))
    if len(values) > len(_LETTERS) ** length:
        return {}
    return {value: _in_letters(place, length) for place, value in enumerate(values)}


def _in_letters(number: int, width: int) -> str:
    letters = ""
    for _ in range(width):
        number, place = divmod(number, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters


def _filling(rest: str, seed: int) -> str:
    """Return letters in the place of letters and digits in that of digits; blanks and marks stay."""
    if not rest:
        return ""
    chance = mixed(np.arange(len(rest), dtype=np.int64), seed_of(seed, rest)).tolist()
    return "".join(_other(character, number) for character, number in zip(rest, chance, strict=True))


def _other(character: str, number: int) -> str:
    if character.isdigit():
        return str(number % 10)
    if character.isalpha():
        letter = _LETTERS[number % 26]
        return letter.upper() if character.isupper() else letter
    return character


def _digits_changed(values: Sequence[str], seed: int, base_type: str) -> Callable[[str], str]:
    """Exchange hexadecimal digits (or bits) for others, the same ones in every column."""
    del values
    alphabet = "01" if base_type in ("bit", "varbit") else _DIGITS
    start = 2 if base_type == "bytea" else 0

    def change(value: str) -> str:
        chance = mixed(np.arange(len(value), dtype=np.int64), seed_of(seed, value)).tolist()
        body = "".join(
            alphabet[number % len(alphabet)] if character in alphabet else character
            for character, number in zip(value[start:], chance[start:], strict=True)
        )
        return value[:start] + body

    return change


def _moved(column: SourceColumn, seed: int) -> dict[str, str]:
    """Move numbers and times by up to half the way to the next greater one."""
    values = _values_of(column)
    line = line_of(column.base_type, values, column.scale, column.precision)
    if line is None:
        return {}
    placed = sorted({number: value for value in values if (number := line.read(value)) is not None}.items())
    if len(placed) < 2:
        return {}
    gaps = [right - left for (left, _), (right, _) in pairwise(placed)]
    chance = uniform(np.arange(len(placed), dtype=np.int64), seed).tolist()
    numbers = [
        number + int(share * _HALF * gap / line.step) * line.step
        for (number, _), share, gap in zip(placed, chance, [*gaps, gaps[-1]], strict=True)
    ]
    written = line.write(np.array(numbers, dtype=np.int64)).tolist()
    return {value: text for (_, value), text in zip(placed, written, strict=True)}


def _masked_array(value: str, texts: Mapping[str, str]) -> str:
    def change(match: re.Match[str]) -> str:
        item = match[0]
        bare = json.loads(item) if item.startswith('"') and _is_json(item) else item
        if bare not in texts:
            return item
        return '"' + texts[bare].replace("\\", "\\\\").replace('"', '\\"') + '"'

    return _ARRAY_ITEM.sub(change, value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _items(value: str) -> Iterable[str]:
    for item in _ARRAY_ITEM.findall(value):
        bare = json.loads(item) if item.startswith('"') and _is_json(item) else item
        if bare.upper() != "NULL" and not bare.lstrip("-").replace(".", "").isdigit():
            yield bare


def _masked_json(value: str, texts: Mapping[str, str]) -> str:
    def change(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: change(inner) for key, inner in part.items()}
        if isinstance(part, list):
            return [change(inner) for inner in part]
        return texts.get(part, part) if isinstance(part, str) else part

    return json.dumps(change(_read_json(value)), ensure_ascii=False)


def _read_json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _strings_in(part: Any) -> Iterable[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _strings_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _strings_in(inner)
