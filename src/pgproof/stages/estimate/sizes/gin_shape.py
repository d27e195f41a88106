"""A GIN index's shape: the keys in its columns put through the model of its pages."""

from __future__ import annotations

from dataclasses import replace

from pgproof.model.estimate import Confidence, IndexShape
from pgproof.stages.estimate.sizes.gin import count_gin_pages
from pgproof.stages.estimate.sizes.gin_keys import ColumnKeys, gin_keys
from pgproof.stages.estimate.sizes.known import KnownIndex
from pgproof.stages.estimate.sizes.spectrum import ElementClass
from pgproof.stages.estimate.sizes.trust import least

_NOTHING_KNOWN = ColumnKeys(
    (ElementClass(1000.0, 0.01, 8.0),), Confidence.LOW, "a guess: there are no statistics of the column"
)


def gin_shape(known: KnownIndex) -> IndexShape:
    """Return the shape of a GIN index."""
    found = [
        gin_keys(column, key.opclass.rpartition(".")[2], key.expression, known.sample_of(column))
        or _NOTHING_KNOWN
        for key, column in zip(known.change.keys, known.key_columns, strict=True)
    ]
    pages = max(known.table_sample.pages, 1)
    rows_a_page = max(known.table_sample.rows, 1.0) / pages
    index = count_gin_pages([each.classes for each in found], known.rows, rows_a_page)
    weakest = least(found, key=lambda each: each.confidence)
    confidence = Confidence.LOW if known.guesses else weakest.confidence
    reason = "; ".join((weakest.reason, *known.guesses))
    if known.rows < 0.5:
        return IndexShape(2, 0.0, 0, confidence, reason, gin=replace(index.shape, entry_pages=1, entries=0))
    return IndexShape(index.pages, index.tuples, 0, confidence, reason, gin=index.shape)
