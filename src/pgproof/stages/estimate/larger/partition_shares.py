"""How a table's rows would fall into partitions, from the key's statistics. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.relation import Column
from pgproof.model.statistics import ColumnStatistics
from pgproof.sqltext.value_position import read_position


@dataclass(frozen=True, slots=True)
class PartitionShare:
    """What falls into one partition.

    Args:
        partition: Which one.
        frac: Of the table's rows, 0 to 1; those of all partitions add up to 1.
        key: Statistics of the key within it; None where nothing is known.
    """

    partition: Partition
    frac: float
    key: ColumnStatistics | None


def share_out(scheme: PartitionTable, column: Column) -> tuple[PartitionShare, ...] | None:
    """Tell how the rows of a table fall into its partitions.

    Args:
        scheme: The partitions.
        column: The key as it is in the table.

    Returns:
        One a partition, in order; None where the key has no statistics that tell.
    """
    statistics = column.statistics
    if statistics is None:
        return None
    if scheme.method is PartitionMethod.HASH:
        frac = 1 / len(scheme.partitions)
        return tuple(PartitionShare(partition, frac, statistics) for partition in scheme.partitions)
    if scheme.method is PartitionMethod.LIST:
        shares = [_of_list(partition, statistics) for partition in scheme.partitions]
    else:
        line = _Line.read(column.base_type, statistics)
        if line is None:
            return None
        shares = [_of_range(partition, statistics, line, column) for partition in scheme.partitions]
    return _with_rest(shares)


@dataclass(frozen=True, slots=True)
class _Line:
    """The key's values on a line.

    Args:
        common: Positions of the most common values.
        bounds: Of the histogram, ascending.
        spread_frac: Share of the rows that the histogram stands for.
    """

    common: tuple[float, ...]
    bounds: tuple[float, ...]
    spread_frac: float

    @staticmethod
    def read(base_type: str, statistics: ColumnStatistics) -> _Line | None:
        common = [read_position(base_type, text) for text in statistics.most_common_vals]
        bounds = [read_position(base_type, text) for text in statistics.histogram_bounds]
        known_common = tuple(place for place in common if place is not None)
        known_bounds = tuple(place for place in bounds if place is not None)
        if len(known_common) < len(common) or len(known_bounds) < len(bounds):
            return None
        if not known_common and len(known_bounds) < 2:
            return None
        spread = 1.0 - statistics.null_frac - sum(statistics.most_common_freqs)
        return _Line(known_common, known_bounds, max(spread, 0.0) if len(known_bounds) > 1 else 0.0)

    def below(self, place: float) -> float:
        """Return the share of the histogram's rows below a place, 0 to 1."""
        bounds = self.bounds
        if place <= bounds[0]:
            return 0.0
        if place >= bounds[-1]:
            return 1.0
        step = bisect_right(bounds, place) - 1
        low, high = bounds[step], bounds[step + 1]
        inside = (place - low) / (high - low) if high > low else 0.0
        return (step + inside) / (len(bounds) - 1)


def _of_range(
    partition: Partition, statistics: ColumnStatistics, line: _Line, column: Column
) -> PartitionShare:
    if partition.default:
        return PartitionShare(partition, 0.0, None)
    low = read_position(column.base_type, partition.lower) if partition.lower else float("-inf")
    high = read_position(column.base_type, partition.upper) if partition.upper else float("inf")
    if low is None or high is None:
        return PartitionShare(partition, 0.0, None)
    common = [
        (text, frequency)
        for text, frequency, place in zip(
            statistics.most_common_vals, statistics.most_common_freqs, line.common, strict=True
        )
        if low <= place < high
    ]
    spread = line.spread_frac * (line.below(high) - line.below(low)) if line.spread_frac else 0.0
    frac = sum(frequency for _, frequency in common) + spread
    if frac <= 0:
        return PartitionShare(partition, 0.0, None)
    inside = [
        text
        for text, place in zip(statistics.histogram_bounds, line.bounds, strict=True)
        if low <= place < high
    ]
    # Where a step of the histogram reaches beyond the partition, it is cut at the partition's limit.
    cut_low = bool(partition.lower) and bool(line.bounds) and line.bounds[0] < low < line.bounds[-1]
    cut_high = bool(partition.upper) and bool(line.bounds) and line.bounds[0] < high < line.bounds[-1]
    bounds = [partition.lower] * cut_low + inside + [partition.upper] * cut_high
    return PartitionShare(partition, frac, _within(statistics, frac, common, bounds if spread > 0 else []))


def _of_list(partition: Partition, statistics: ColumnStatistics) -> PartitionShare:
    common = [
        (text, frequency)
        for text, frequency in zip(statistics.most_common_vals, statistics.most_common_freqs, strict=True)
        if text in partition.values
    ]
    frac = sum(frequency for _, frequency in common)
    if partition.default or frac <= 0:
        return PartitionShare(partition, 0.0, None)
    return PartitionShare(partition, frac, _within(statistics, frac, common, []))


def _within(
    statistics: ColumnStatistics, frac: float, common: Sequence[tuple[str, float]], bounds: Sequence[str]
) -> ColumnStatistics:
    """Return the key's statistics in a partition of a share of the rows; no NULL is in it."""
    distinct = statistics.n_distinct
    if distinct > 0:
        distinct = max(distinct * frac, float(len(common)), 1.0)
    return replace(
        statistics,
        null_frac=0.0,
        n_distinct=float(len(common)) if common and not bounds else distinct,
        most_common_vals=tuple(text for text, _ in common),
        most_common_freqs=tuple(min(frequency / frac, 1.0) for _, frequency in common),
        histogram_bounds=tuple(bounds) if len(bounds) > 1 else (),
    )


def _with_rest(shares: Sequence[PartitionShare]) -> tuple[PartitionShare, ...]:
    """Give what belongs into no partition to the default one, and make the shares add up to 1."""
    total = sum(share.frac for share in shares)
    if total <= 0:
        return ()
    rest = max(1.0 - total, 0.0)
    places = [place for place, share in enumerate(shares) if share.partition.default]
    if places and rest > 0:
        return tuple(
            replace(share, frac=rest) if place == places[0] else share for place, share in enumerate(shares)
        )
    return tuple(replace(share, frac=share.frac / total) for share in shares)
