"""Makes of a column's facts its values and their distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pgproof.model.synthesis import SourceColumn, WholeStatistics
from pgproof.stages.synth.chance import Longs
from pgproof.stages.synth.defaults import default_values, listed_values
from pgproof.stages.synth.estimator import values_for_estimate
from pgproof.stages.synth.forms import sampled_forms
from pgproof.stages.synth.ladder import Ladder, NumberLadder, ReferringLadder, Rungs
from pgproof.stages.synth.layout import fill_gaps, gap_weights, spread_rows
from pgproof.stages.synth.numbers import Line, line_of, numbered_line, texts
from pgproof.stages.synth.order import sort_key
from pgproof.stages.synth.shapes import shaped_line
from pgproof.stages.synth.slots import (
    Slot,
    array_slots,
    bit_slots,
    byte_slots,
    is_hexadecimal,
    json_slots,
    text_slots,
    vocabulary,
)
from pgproof.stages.synth.spread import Spread, even_spread
from pgproof.stages.synth.texts import ENDLESS, TextLadder, escaped, make_templates

_UNSTATED = WholeStatistics(0.0, -0.1, 0)
_WIDER = 1.3
"""From how much more than known texts the average width shows that long ones exist. **Source**: judgement."""
_HEADER_BYTES = 4
_CROWD = 8
"""Variants a known text must allow, of those wanted on average. **Source**: judgement."""
_TEXTS_OF_TEXT = ("_text", "_varchar", "_bpchar", "_citext", "_name")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a column has to satisfy besides its statistics.

    Args:
        rows: Of its table, to be made.
        unique: No two rows may hold the same value.
        least_distinct: Different values there must be.
        named: Values that referring columns name: they must be there.
        within: Only as far as they lie between its own, as in a partition.
        target: Values it may take: those of the referenced column; None where it refers to none.
        checks: Texts of CHECK constraints on it alone.
        seed: Of all chance.
    """

    rows: int
    unique: bool = False
    least_distinct: int = 0
    named: tuple[str, ...] = ()
    within: bool = False
    target: Ladder | None = None
    checks: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Domain:
    """A column's values and how its rows are spread over them.

    Args:
        ladder: The values.
        spread: Of the rows that are not NULL.
        null_frac: Share of the rows that are NULL.
        correlation: Physical against logical order, -1 to 1.
        known: Its statistics are known.
    """

    ladder: Ladder
    spread: Spread
    null_frac: float
    correlation: float
    known: bool


def make_domain(column: SourceColumn, demand: Demand) -> Domain | None:
    """Make a column's values and their distribution; None where no value of its type can be made.

    Args:
        column: Its facts.
        demand: What else it has to satisfy.
    """
    statistics = column.statistics or _UNSTATED
    null_frac = 0.0 if column.not_null else min(max(statistics.null_frac, 0.0), 1.0)
    if demand.target is not None and demand.target.size == 0:
        return None
    wanted = _distinct(statistics, demand, round(demand.rows * (1 - null_frac)))
    values = _known_values(column, statistics, demand)
    if not values:
        return None
    steps = _Steps(statistics, values, wanted, demand)
    line = _line(column, values, demand)
    ladder, spread = _on_line(steps, line, demand) if line else _of_texts(column, steps, demand)
    if ladder.size == 0:
        return None
    if demand.unique:
        spread = even_spread(ladder.size)
    correlation = statistics.correlation if statistics.correlation is not None else 0.0
    if column.statistics is None and demand.unique:
        correlation = 1.0
    return Domain(ladder, spread, null_frac, correlation, column.statistics is not None)


@dataclass(frozen=True, slots=True)
class _Steps:
    """What both kinds of ladder are built from."""

    statistics: WholeStatistics
    values: tuple[str, ...]
    wanted: int
    demand: Demand

    def spread(self, rungs: Rungs, place: dict[str, int], behind: int) -> Spread:
        pairs = zip(self.statistics.values, self.statistics.freqs, strict=False)
        frequent = {place[value]: freq for value, freq in pairs if value in place and freq > 0}
        held = sum(frequent.values()) / max(1.0 - self.statistics.null_frac, 1e-9)
        return spread_rows(
            rungs, frequent, self.buckets(place), frac_of_frequent=min(held, 1.0), behind=behind
        )

    def buckets(self, place: dict[str, int]) -> list[tuple[int, int]]:
        at = sorted(place[bound] for bound in self.statistics.bounds if bound in place)
        return list(pairwise(at))


def _distinct(statistics: WholeStatistics, demand: Demand, rows: int) -> int:
    """Return how many different values are wanted among that many rows that are not NULL."""
    if demand.unique:
        return rows
    count = statistics.n_distinct if statistics.n_distinct > 0 else -statistics.n_distinct * demand.rows
    held = min(sum(statistics.freqs) / max(1 - statistics.null_frac, 1e-9), 1.0)
    count = values_for_estimate(count, rows, len(statistics.values), held)
    return max(min(count, rows), min(demand.least_distinct, rows), 1)


def _known_values(column: SourceColumn, statistics: WholeStatistics, demand: Demand) -> tuple[str, ...]:
    """Return every value that must be there, without repeats, in no order."""
    found = [*statistics.values, *statistics.bounds]
    found += [] if found else sampled_forms(column, statistics, demand.seed)
    target = demand.target
    if target is not None:
        inside = [
            value for value in dict.fromkeys((*found, *demand.named)) if target.code_of(value) is not None
        ]
        return tuple(inside) or ("",)
    named = _inside(column, found, demand.named) if demand.within else demand.named
    if not found and not named:
        found = list(default_values(column, demand.rows, demand.checks))
    return tuple(dict.fromkeys((*found, *named)))


def _inside(column: SourceColumn, own: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Return those of some values that lie between a column's own."""
    line = line_of(column.base_type, (*own, *named), column.scale, column.precision)
    if line is None:
        return ()
    placed = [number for value in own if (number := line.read(value)) is not None]
    if not placed:
        return ()
    return tuple(v for v in named if (n := line.read(v)) is not None and min(placed) <= n <= max(placed))


def _line(column: SourceColumn, values: Sequence[str], demand: Demand) -> Line | None:
    target = demand.target
    if target is not None:
        return Line(target.code_of, lambda numbers: texts(numbers.tolist()), 1, 0, target.size - 1)
    if column.category in ("A", "E") or column.kind != "b":
        return None
    line = _own_line(column, values)
    placed = line is not None and any(line.read(value) is not None for value in values)
    return line if placed else None


def _own_line(column: SourceColumn, values: Sequence[str]) -> Line | None:
    if column.category == "S" and column.statistics is not None:
        return numbered_line(values, column.limit) or shaped_line(values)
    if column.base_type in ("uuid", "bytea") and column.statistics is not None:
        return shaped_line(values)
    return line_of(column.base_type, values, column.scale, column.precision)


def _on_line(steps: _Steps, line: Line, demand: Demand) -> tuple[Ladder, Spread]:
    known, strange = _placed(steps.values, line)
    last_known = known[-1][0] if known else 0
    stretched = _is_stretched(known, steps, line)
    if demand.target is not None and (not known or demand.unique):
        known = _with_ends(known, 0, demand.target.size - 1)
    elif demand.target is not None and stretched:
        known = _with_ends(known, known[0][0], demand.target.size - 1)
    known = _thinned(known, steps.wanted if demand.unique else len(known))
    numbers = np.array([number for number, _ in known], dtype=np.int64)
    place = {text: number for number, (_, names) in enumerate(known) for text in names}
    gaps = _gaps(numbers, steps, line, place)
    if demand.target is None and stretched:
        short = steps.wanted - len(known) - int(gaps.sum())
        gaps[-1] += max(min(short, (line.greatest - int(numbers[-1])) // line.step), 0)
    rungs = Rungs(gaps)
    exact = {
        int(rungs.codes[n]): escaped(names[0])
        for n, (number, names) in enumerate(known)
        if names and (number in strange or line.rounded)
    }
    codes = {text: int(rungs.codes[number]) for text, number in place.items()}
    chosen = NumberLadder(rungs, numbers, line, line.step, exact, codes)
    behind = int(rungs.codes[np.searchsorted(numbers, min(last_known, int(numbers[-1])))]) + 1
    spread = steps.spread(rungs, place, behind if stretched else rungs.size)
    if demand.target is None:
        return chosen, spread
    if not steps.statistics.values and not steps.statistics.bounds:
        spread = even_spread(chosen.size)
    return ReferringLadder(chosen, demand.target), spread


def _gaps(numbers: Longs, steps: _Steps, line: Line, place: dict[str, int]) -> Longs:
    """Decide how many values lie between known ones."""
    widths = np.append(np.diff(numbers) // line.step, 0)
    weights = gap_weights(len(numbers), steps.buckets(place), widths.astype(np.float64))
    return fill_gaps(steps.wanted - len(numbers), np.maximum(widths - 1, 0), weights)


def _is_stretched(known: list[tuple[int, list[str]]], steps: _Steps, line: Line) -> bool:
    """Tell whether there have to be more values than there is room for between known ones.

    Then the table has grown since it was analysed: the number of values grew with it, as far as the planner
    is concerned, and new ones can only lie behind the last known one. A partition has no room there.
    """
    demand = steps.demand
    grows = demand.unique or demand.least_distinct > 0 or steps.statistics.n_distinct < 0
    room = (known[-1][0] - known[0][0]) // line.step + 1 if known else 0
    return grows and not demand.within and steps.wanted > room


def _placed(values: Sequence[str], line: Line) -> tuple[list[tuple[int, list[str]]], set[int]]:
    """Sort values by their numbers; those without one go to the ends, where they are kept as they are."""
    placed: dict[int, list[str]] = {}
    without = []
    for value in values:
        number = line.read(value)
        if number is None or not line.least <= number <= line.greatest:
            if _is_endless(value):
                without.append(value)
            continue
        placed.setdefault(number, []).append(value)
    strange: set[int] = set()
    for value in without:
        ends = sorted(placed) or [0]
        number = ends[0] - line.step if value.startswith("-") else ends[-1] + line.step
        placed[number] = [value]
        strange.add(number)
    return sorted(placed.items()), strange


def _is_endless(value: str) -> bool:
    return value.lstrip("-").lower() in ("infinity", "nan")


def _with_ends(known: list[tuple[int, list[str]]], first: int, last: int) -> list[tuple[int, list[str]]]:
    placed = dict(known)
    placed.setdefault(first, [])
    placed.setdefault(last, [])
    return sorted(placed.items())


def _thinned(known: list[tuple[int, list[str]]], most: int) -> list[tuple[int, list[str]]]:
    """Leave out evenly what is too much, as in a copy with fewer rows than the statistics have values."""
    if len(known) <= max(most, 1):
        return known
    kept = np.unique(np.linspace(0, len(known) - 1, max(most, 1)).round().astype(np.int64))
    return [known[number] for number in kept.tolist()]


def _of_texts(column: SourceColumn, steps: _Steps, demand: Demand) -> tuple[Ladder, Spread]:
    key = sort_key(column)
    values = sorted(steps.values, key=key)
    if demand.unique and len(values) > steps.wanted:
        kept = np.unique(np.linspace(0, len(values) - 1, max(steps.wanted, 1)).round().astype(np.int64))
        values = [values[number] for number in kept.tolist()]
    ready = [escaped(_trimmed(column, value)) for value in values]
    plain = column.category == "S" or column.base_type == "citext"
    closed = bool(listed_values(demand.checks))
    templates = make_templates(
        ready,
        [[] for _ in ready] if closed else _slots(column, ready),
        needed=_CROWD * max(steps.wanted // len(values), 1),
        limit=column.limit,
        longer_by=_longer_by(column, steps),
        open_ended=plain and not demand.checks,
    )
    capacity = np.array([template.variants for template in templates], dtype=np.int64)
    place = {value: number for number, value in enumerate(values)}
    even = np.ones(len(values), dtype=np.float64)
    buckets = steps.buckets(place)
    weights = gap_weights(len(values), buckets, even)
    if buckets and not capacity[: buckets[-1][1]].any():
        weights = even
    gaps = fill_gaps(steps.wanted - len(values), capacity, weights)
    rungs = Rungs(gaps)
    codes = {value: int(rungs.codes[number]) for value, number in place.items()}
    return TextLadder(rungs, templates, codes), steps.spread(rungs, place, rungs.size)


def _trimmed(column: SourceColumn, value: str) -> str:
    """Leave out the blanks that char(n) is filled with: the server adds them again."""
    return value.rstrip(" ") if column.base_type == "bpchar" else value


def _longer_by(column: SourceColumn, steps: _Steps) -> int:
    """Return how many characters made-up texts must have more than known ones to be as wide on average.

    The server keeps no value of more than a kilobyte in its statistics.
    """
    average = steps.statistics.avg_width_bytes - _HEADER_BYTES
    known = sum(len(value.encode()) for value in steps.values) / len(steps.values)
    if column.category != "S" or average <= known * _WIDER + _HEADER_BYTES:
        return 0
    return min(round(average - known), ENDLESS)


def _slots(column: SourceColumn, values: Sequence[str]) -> list[list[Slot]]:
    if column.kind != "b" or column.labels or column.base_type == "bool":
        return [[] for _ in values]
    shared = vocabulary(values)
    if column.base_type == "uuid":
        return [text_slots(value, frozenset(), hexadecimal=True) for value in values]
    if column.base_type == "bytea":
        return [byte_slots(value) for value in values]
    if column.base_type in ("bit", "varbit"):
        return [bit_slots(value) for value in values]
    if column.base_type in ("json", "jsonb"):
        return [json_slots(value, shared) for value in values]
    if column.category == "A":
        of_text = column.base_type in _TEXTS_OF_TEXT
        numeric = column.element in ("int2", "int4", "int8", "numeric", "float4", "float8")
        return [array_slots(value, shared, of_text=of_text) if of_text or numeric else [] for value in values]
    if column.category == "S" or column.base_type == "citext":
        hexadecimal = is_hexadecimal(values)
        return [text_slots(value, shared, hexadecimal=hexadecimal) for value in values]
    return [[] for _ in values]


def without_null(domain: Domain) -> Domain:
    """Return the same without NULLs."""
    return replace(domain, null_frac=0.0)
