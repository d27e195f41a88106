"""Sample values of types whose statistics tell of parts: ranges by their ends, sets of words by each word."""

from __future__ import annotations

import numpy as np

from pgproof.model.synthesis import SourceColumn, WholeStatistics
from pgproof.stages.synth.chance import uniform
from pgproof.stages.synth.numbers import line_of

_SAMPLES = 400
"""Different ranges or sets made of a column. **Source**: judgement."""


def sampled_forms(column: SourceColumn, statistics: WholeStatistics, seed: int) -> tuple[str, ...]:
    """Return values put together from what statistics know of parts; empty where they know nothing.

    Args:
        column: A range, a tsvector or an array.
        statistics: Its own.
        seed: Of all chance.
    """
    if column.kind == "r" and len(statistics.range_bounds) > 1:
        return _ranges(column, statistics, seed)
    if statistics.elements and not statistics.values and not statistics.bounds:
        return _sets(column, statistics, seed)
    return ()


def _ranges(column: SourceColumn, statistics: WholeStatistics, seed: int) -> tuple[str, ...]:
    """Draw a lower end and a length independently, as the planner takes them to be."""
    lows = [bound.strip("[]()").split(",")[0].strip('"') for bound in statistics.range_bounds]
    line = line_of(column.element, [low for low in lows if low])
    if line is None:
        return ()
    ends = [number for low in lows if low and (number := line.read(low)) is not None]
    lengths = statistics.range_lengths or (1.0,)
    if not ends:
        return ()
    unit = {"timestamp": 1e6, "timestamptz": 1e6}.get(column.element, 1.0)
    if column.element == "numeric":
        unit = float(line.read("1") or 1)
    at = np.arange(_SAMPLES, dtype=np.int64)
    low = np.interp((at + uniform(at, seed)) / _SAMPLES * (len(ends) - 1), np.arange(len(ends)), ends)
    length = np.interp(uniform(at, seed + 1) * (len(lengths) - 1), np.arange(len(lengths)), lengths) * unit
    lower = np.floor(low / line.step).astype(np.int64) * line.step
    upper = lower + np.maximum(np.rint(length / line.step).astype(np.int64), 1) * line.step
    pairs = zip(line.write(lower).tolist(), line.write(upper).tolist(), strict=True)
    found = dict.fromkeys(f"[{begin},{end})" for begin, end in pairs)
    empty = round(statistics.empty_frac * _SAMPLES) > 0
    return (*found, *(("empty",) if empty else ()))


def _sets(column: SourceColumn, statistics: WholeStatistics, seed: int) -> tuple[str, ...]:
    """Put each element into as many sets as there are rows that hold it."""
    at = np.arange(_SAMPLES, dtype=np.int64)
    members: list[list[str]] = [[] for _ in range(_SAMPLES)]
    for number, (element, freq) in enumerate(
        zip(statistics.elements, statistics.element_freqs, strict=False)
    ):
        for place in np.flatnonzero(uniform(at, seed + number) < freq).tolist():
            members[place].append(element)
    if column.base_type == "tsvector":
        written = [" ".join(_quoted(word, "'") for word in words) for words in members]
    else:
        written = ["{" + ",".join(_quoted(word, '"') for word in words) + "}" for words in members]
    return tuple(dict.fromkeys(written))


def _quoted(word: str, mark: str) -> str:
    inside = word.replace("\\", "\\\\")
    return mark + (inside.replace("'", "''") if mark == "'" else inside.replace('"', '\\"')) + mark
