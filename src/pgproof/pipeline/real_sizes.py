"""What really built indexes teach about the sizes of those that were not built."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from pgproof.model.change import CreateIndex
from pgproof.model.relation import RelationName

_Rows = tuple[RelationName, str]


def with_real_sizes(
    estimated: Mapping[str, int], built: Mapping[str, int], indexes: Mapping[str, CreateIndex]
) -> dict[str, int]:
    """Return sizes of candidates: the real one of those that were built, a better estimate of their like.

    A partial index holds the rows that its predicate lets through, whatever its keys are. Where the planner
    misjudges a predicate, as it does one that compares two columns, it does so for all indexes with it.

    Args:
        estimated: Bytes of each candidate, by name.
        built: Real bytes of those that were built, by name; others than candidates are ignored.
        indexes: The candidates, by name.
    """
    factors: dict[_Rows, list[float]] = {}
    for name, size_bytes in built.items():
        if name in estimated and indexes[name].where and estimated[name] > 0:
            factors.setdefault(_rows(indexes[name]), []).append(size_bytes / estimated[name])
    return {
        name: built.get(name, round(size_bytes * median(factors.get(_rows(indexes[name]), [1.0]))))
        for name, size_bytes in estimated.items()
    }


def _rows(index: CreateIndex) -> _Rows:
    """Return which rows an index holds."""
    return index.table, index.where
