"""Which value a parameter gets from a sampled row. Pure: rows in, values out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgproof.sqltext.uses import ParameterRole, ParameterUse
from pgproof.stages.capture.parameter_types import ParameterType, plain_value
from pgproof.stages.capture.row_samples import Cell

DEFAULT_LIMIT = 20
"""Rows of a page, where nothing tells how many an application asks for."""

_OFFSETS = ("0", "0", "0", "0", "0", "20", "0", "100", "0", "1000")
_WIDTHS_FRAC = (0.01, 0.05, 0.001, 0.2)
"""Share of the rows that a window or an open range covers, one after the other."""
_OPEN_WIDTHS_FRAC = (0.01, 0.05, 0.2, 0.001, 0.5)
_ARRAY_LENGTHS = (1, 3, 5, 10)
_LOWER = (">", ">=")
_UPPER = ("<", "<=")
_REGULAR = ("~", "!~", "~*", "!~*")
_PATTERN_LENGTHS = (5, 4, 6, 8)
_TRUNCATIONS = ("day", "hour", "month", "week")


@dataclass(frozen=True, slots=True)
class Slot:
    """One placeholder and what is known of it.

    Args:
        number: 1 for ``$1``.
        kind: Its type.
        use: What it is for; None where the text does not tell.
        cell: Where its values are; None where no row tells.
        wildcards: What a pattern still needs around it: "%" in front, behind, or nothing.
        in_row: Compared as part of a row of columns, ``(a, b) > ($1, $2)``.
    """

    number: int
    kind: ParameterType
    use: ParameterUse | None = None
    cell: Cell | None = None
    wildcards: tuple[str, str] = ("%", "%")
    in_row: bool = False


Reader = Callable[[Cell, int], "str | None"]
"""Gives the value of a cell in the current row, or so many rows further on."""


class SetMaker:
    """Makes one parameter set after the other.

    Args:
        slots: ``$1`` first.
        columns: All sampled values of each cell, for windows.
        fresh: Values that must not be in the table yet, by parameter number.
        rng: Chance.
        now: The server's clock.
        limit: Value of a LIMIT.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        columns: Mapping[Cell, Sequence[str | None]],
        fresh: Mapping[int, Callable[[int, str | None], str]],
        rng: random.Random,
        now: datetime,
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        self._slots = slots
        self._sorted = {
            cell: sorted((v for v in values if v is not None), key=_order) for cell, values in columns.items()
        }
        self._fresh = fresh
        self._rng = rng
        self._now = now
        self._limit = str(limit)

    def make(self, i: int, read: Reader) -> tuple[str | None, ...]:
        """Make the ``i``-th set.

        Args:
            i: From 0; decides widths, depths and lengths.
            read: The sampled row.

        Returns:
            ``$1`` first; None is NULL.
        """
        values: dict[int, str | None] = {}
        # Keys of a document come first: what stands under a key can be read only when the key is known.
        for slot in sorted(self._slots, key=lambda slot: (_role(slot) is not ParameterRole.KEY, slot.number)):
            values[slot.number] = self._value(slot, i, read, values)
        return tuple(values[slot.number] for slot in self._slots)

    def _value(self, slot: Slot, i: int, read: Reader, known: Mapping[int, str | None]) -> str | None:
        role = _role(slot)
        if slot.number in self._fresh:
            shift = slot.use.argument if slot.use and role is ParameterRole.INSERT else 0
            value = read(slot.cell, shift) if slot.cell else None
            return self._fresh[slot.number](i, value)
        if role is ParameterRole.LIMIT:
            return self._limit
        if role is ParameterRole.OFFSET:
            return _OFFSETS[i % len(_OFFSETS)]
        value = self._from_document(slot, read, known)
        is_sampled = slot.cell is not None and slot.cell in self._sorted
        if value is None and is_sampled:
            value = self._from_cell(slot, role, i, read)
        if value is None and is_sampled and role is ParameterRole.INSERT:
            return None  # the row it was taken from has a NULL there as well
        return self._plain(slot, role) if value is None else value

    def _plain(self, slot: Slot, role: ParameterRole) -> str | None:
        if role is ParameterRole.ARGUMENT and slot.use and slot.use.function in ("date_trunc", "date_part"):
            return self._rng.choice(_TRUNCATIONS)
        return plain_value(slot.kind, self._rng, self._now)

    def _from_document(self, slot: Slot, read: Reader, known: Mapping[int, str | None]) -> str | None:
        """``doc ->> $1 = $2``: the value under the key that was chosen for ``$1``."""
        operand = slot.use.operand if slot.use else None
        match = re.fullmatch(r"(.+) ->> \$(\d+)", operand.expression) if operand else None
        if operand is None or match is None:
            return None
        value = _loaded(read((operand.relation, match[1]), 0))
        found = value.get(known.get(int(match[2]))) if isinstance(value, dict) else None
        return found if isinstance(found, str) or found is None else json.dumps(found)

    def _from_cell(self, slot: Slot, role: ParameterRole, i: int, read: Reader) -> str | None:
        assert slot.cell is not None
        value = read(slot.cell, 0)
        match role:
            case ParameterRole.UPDATE:
                return read(slot.cell, 7)  # another row's, so that something changes
            case ParameterRole.IN_LIST | ParameterRole.INSERT:
                return read(slot.cell, slot.use.argument if slot.use else 0)
            case ParameterRole.ARRAY:
                count = _ARRAY_LENGTHS[i % len(_ARRAY_LENGTHS)]
                return render_array(list(dict.fromkeys(read(slot.cell, k) for k in range(count))))
            case ParameterRole.PATTERN:
                return None if value is None else self._pattern(slot, value, i)
            case ParameterRole.KEY:
                document = _loaded(value)
                return self._rng.choice(sorted(document)) if isinstance(document, dict) and document else None
            case ParameterRole.ARITHMETIC:
                return None
            case ParameterRole.LOW | ParameterRole.HIGH | ParameterRole.COMPARISON:
                return self._compared(slot, role, i, value)
        return value

    def _compared(self, slot: Slot, role: ParameterRole, i: int, value: str | None) -> str | None:
        operator = slot.use.operator if slot.use else "="
        if value is None:
            return None
        if role is ParameterRole.LOW or (operator in _LOWER and self._has_upper(slot)):
            return value
        if role is ParameterRole.HIGH or (operator in _UPPER and self._has_lower(slot)):
            return self._above(slot, value, _WIDTHS_FRAC[i % len(_WIDTHS_FRAC)])
        if operator in (*_LOWER, *_UPPER) and not slot.in_row:
            return self._open_end(slot, operator, _OPEN_WIDTHS_FRAC[i % len(_OPEN_WIDTHS_FRAC)])
        return _fitting(value, operator, slot.kind)

    def _above(self, slot: Slot, value: str, width_frac: float) -> str:
        """The upper end of a window that begins with the row's own value."""
        assert slot.cell is not None
        ordered = self._sorted[slot.cell]
        place = ordered.index(value) + max(1, round(width_frac * len(ordered)))
        return ordered[min(place, len(ordered) - 1)]

    def _open_end(self, slot: Slot, operator: str, width_frac: float) -> str:
        """A bound that leaves a small share of the rows on its side."""
        assert slot.cell is not None
        ordered = self._sorted[slot.cell]
        place = round(width_frac * self._rng.uniform(0.5, 1.5) * (len(ordered) - 1))
        return ordered[-1 - place] if operator in _LOWER else ordered[place]

    def _has_upper(self, slot: Slot) -> bool:
        return any(s.cell == slot.cell and s.use and s.use.operator in _UPPER for s in self._slots)

    def _has_lower(self, slot: Slot) -> bool:
        return any(s.cell == slot.cell and s.use and s.use.operator in _LOWER for s in self._slots)

    def _pattern(self, slot: Slot, value: str, i: int) -> str:
        length = _PATTERN_LENGTHS[i % len(_PATTERN_LENGTHS)]
        before, behind = slot.wildcards
        start = self._rng.randrange(max(len(value) - length, 0) + 1) if before else 0
        part = value[start : start + length]
        if slot.use and slot.use.operator in _REGULAR:
            return re.escape(part)
        return before + re.sub(r"([\\%_])", r"\\\1", part) + behind


def render_array(values: Sequence[str | None]) -> str:
    """Write an array literal; every element is quoted, so that NULL and the text 'NULL' stay different."""
    return "{" + ",".join("NULL" if v is None else _quoted(v) for v in values) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _role(slot: Slot) -> ParameterRole:
    return slot.use.role if slot.use else ParameterRole.OTHER


def _order(value: str) -> tuple[int, float, str]:
    """Sort numbers as numbers and the rest as text, which suits ISO dates."""
    try:
        return (0, float(value), value)
    except ValueError:
        return (1, 0.0, value)


def _loaded(value: str | None) -> object:
    try:
        return json.loads(value) if value is not None else None
    except json.JSONDecodeError:
        return None


def _fitting(value: str, operator: str, kind: ParameterType) -> str | None:
    """Turn a column's value into what its operator wants on the other side."""
    if operator == "@>" and kind.base == "jsonb":
        document = _loaded(value)
        if isinstance(document, dict) and document:
            key = min(document)
            return json.dumps({key: document[key]})
        return value
    if operator in ("?", "?|", "?&"):
        document = _loaded(value)
        key = min(document) if isinstance(document, dict) and document else None
        return key if operator == "?" or key is None else render_array([key])
    if kind.base == "tsquery" or operator == "@@":
        words = re.findall(r"'((?:[^']|'')+)'", value)
        return words[0].replace("''", "'") if words else None
    if value.startswith("{") and not kind.is_array and kind.category not in ("U", "C", "S"):
        return _first_element(value)
    if value.startswith("{") and kind.category == "S" and operator == "=":
        return _first_element(value)
    return value


def _first_element(array: str) -> str | None:
    match = re.match(r'\{+(?:"((?:[^"\\]|\\.)*)"|([^,{}"]*))', array)
    if match is None:
        return None
    return re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2] or None
