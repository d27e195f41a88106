"""Which keys a GIN index takes from a column, by its type and operator class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pgproof.model.estimate import Confidence
from pgproof.model.relation import Column
from pgproof.model.statistics import ColumnStatistics
from pgproof.stages.estimate.sizes.documents import Parts, keys_and_values, paths_with_values
from pgproof.stages.estimate.sizes.duplicates import TableSample, uncommon_keys
from pgproof.stages.estimate.sizes.layout import layout_of
from pgproof.stages.estimate.sizes.spectrum import ElementClass, Weighted, spectrum
from pgproof.stages.estimate.sizes.texts import trigrams, words

_LEXEME_BYTES = 14.0
"""Of a tsvector, a lexeme with its position. **Source**: 4 of entry, about 5 of text, 2 + 2 of position."""

_MCELEM_CUT = 9 * 7 / 1000
"""Elements rarer than this many times elements a row / number kept are not kept (array_typanalyze.c, 18)."""

_RARE_FRAC = 0.1  # how frequent the elements not kept are, on average, of the most they can be
_RARE_ROWS = 2.0  # rows of such an element, at least
_WORD_WIDTH_BYTES = 8.0
_TRIGRAMS_A_BYTE = 0.75
_KEYS_OF_PROSE = 10_000.0
_ENOUGH_VALUES = 20


@dataclass(frozen=True, slots=True)
class ColumnKeys:
    """What a GIN index keeps of a column.

    Args:
        classes: Its keys, by frequency.
        confidence: How far to believe it.
        reason: What it rests on.
    """

    classes: tuple[ElementClass, ...]
    confidence: Confidence
    reason: str


@lru_cache(maxsize=1024)
def gin_keys(column: Column, opclass: str, expression: str, sample: TableSample) -> ColumnKeys | None:
    """Return the keys of a column, None where there are no statistics to tell them from.

    Args:
        column: The column, or what stands in for an expression.
        opclass: As in the index, without schema; empty for the type's default.
        expression: Of the index key; empty for a column.
        sample: Where the statistics come from.
    """
    statistics = column.statistics
    if statistics is None:
        return None
    if expression and "to_tsvector" in expression.lower():
        return _from_samples(statistics, _in_one_part(words), sample, "values in the statistics, by words")
    if "trgm" in opclass:
        return _from_samples(
            statistics, _in_one_part(trigrams), sample, "trigrams of the values in the statistics"
        )
    if column.base_type == "jsonb":
        reader = paths_with_values if "path" in opclass else keys_and_values
        return _from_samples(statistics, reader, sample, "documents in the statistics")
    if column.base_type == "tsvector" or column.base_type.startswith("_"):
        return _from_elements(column, statistics, sample)
    return _whole_values(column, statistics, sample)


def _from_samples(
    statistics: ColumnStatistics, keys_in: Callable[[str], Parts], sample: TableSample, what: str
) -> ColumnKeys:
    """Take apart the values that the statistics show; parts of a document are judged each by itself."""
    others = max(1.0 - statistics.null_frac - sum(statistics.most_common_freqs), 0.0)
    bounds = statistics.histogram_bounds
    pairs = zip(statistics.most_common_vals, statistics.most_common_freqs, strict=False)
    values = [(share, keys_in(value), True) for value, share in pairs]
    values += [(others / len(bounds), keys_in(value), False) for value in bounds]
    if not values:
        return _of_wide_text(statistics)
    places = sorted({place for _, parts, _ in values for place in parts})
    found = [
        each
        for place in places
        for each in spectrum(
            [Weighted(share, parts.get(place, {}), common) for share, parts, common in values], sample.rows
        )
    ]
    stretch = _stretch(statistics)
    classes = tuple(ElementClass(c.keys, min(c.share * stretch, 1.0), c.width_bytes) for c in found)
    sure = len(values) >= _ENOUGH_VALUES and stretch == 1.0
    return ColumnKeys(classes, Confidence.MEDIUM if sure else Confidence.LOW, f"{len(values)} {what}")


def _in_one_part(keys_in: Callable[[str], dict[str, int]]) -> Callable[[str], Parts]:
    return lambda value: {"": keys_in(value)}


def _stretch(statistics: ColumnStatistics) -> float:
    """Return how much wider the column's values are than those shown, which are of 1 kB at most."""
    shown = statistics.histogram_bounds or statistics.most_common_vals
    mean = sum(len(value.encode()) for value in shown) / len(shown)
    ratio = statistics.avg_width_bytes / max(mean, 1.0)
    return ratio if ratio > 1.3 else 1.0


def _of_wide_text(statistics: ColumnStatistics) -> ColumnKeys:
    """Guess the keys of texts too wide for the statistics to show any."""
    pairs = statistics.avg_width_bytes * _TRIGRAMS_A_BYTE * (1.0 - statistics.null_frac)
    classes = (ElementClass(_KEYS_OF_PROSE, min(pairs / _KEYS_OF_PROSE, 1.0), 4.0),)
    return ColumnKeys(classes, Confidence.LOW, "a guess from the width: the statistics show no values")


def _from_elements(column: Column, statistics: ColumnStatistics, sample: TableSample) -> ColumnKeys:
    """Return the elements of arrays, or the lexemes of documents."""
    present = 1.0 - statistics.null_frac
    kept = statistics.element_freqs
    width = statistics.element_width_bytes or _WORD_WIDTH_BYTES
    fixed = layout_of(column.base_type.lstrip("_"), 0).length_bytes if column.base_type != "tsvector" else 0
    width = float(fixed or width + 1)
    each_row = statistics.elements_a_row or max(statistics.avg_width_bytes / _LEXEME_BYTES, sum(kept))
    classes = [ElementClass(1.0, min(share * present, 1.0), width) for share in kept]
    rest = each_row - sum(kept)
    if rest > 0.02 * each_row:
        highest = _MCELEM_CUT * each_row / (10 * sample.target)
        share = highest * _RARE_FRAC if kept else each_row / _KEYS_OF_PROSE
        keys = max(min(rest / share, rest * sample.rows / _RARE_ROWS), 1.0)
        classes.append(ElementClass(keys, min(rest * present / keys, 1.0), width))
        sure = rest < 0.3 * each_row and column.base_type != "tsvector"
        confidence = Confidence.MEDIUM if sure else Confidence.LOW
        return ColumnKeys(
            tuple(classes), confidence, "frequent elements from the statistics, rare ones guessed"
        )
    return ColumnKeys(tuple(classes), Confidence.HIGH, "elements from the statistics")


def _whole_values(column: Column, statistics: ColumnStatistics, sample: TableSample) -> ColumnKeys:
    """Return the values themselves, as btree_gin keeps them."""
    width = float(
        layout_of(column.base_type, statistics.avg_width_bytes).length_bytes or statistics.avg_width_bytes
    )
    classes = [ElementClass(1.0, share, width) for share in statistics.most_common_freqs]
    others = uncommon_keys(statistics, sample)
    left = 1.0 - statistics.null_frac - sum(statistics.most_common_freqs)
    if others is not None:
        classes.append(ElementClass(others.distinct, left / others.distinct, width))
    return ColumnKeys(tuple(classes), Confidence.HIGH, "column statistics")
