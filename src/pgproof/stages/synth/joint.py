"""Columns that extended statistics know something about together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pgproof.model.synthesis import JointStatistics
from pgproof.stages.synth.columns import Domain
from pgproof.stages.synth.members import NULL, ColumnMember, Joint
from pgproof.stages.synth.spread import Spread, spread_of


def make_joint(statistics: JointStatistics, domains: Mapping[str, Domain], rows: int, seed: int) -> Joint:
    """Make columns together as extended statistics say.

    Common combinations get their share of the rows. In the others the column with most values comes first;
    each further one follows it as far as the dependency says, or as few combinations were counted.

    Args:
        statistics: What is known.
        domains: Values of its columns.
        rows: Of the table.
        seed: Of all chance.
    """
    names = sorted(statistics.columns, key=lambda name: (-domains[name].spread.values, name))
    codes, freqs = _combinations(statistics, domains, names)
    members = tuple(
        ColumnMember(name, domains[name], _remaining(domains[name].spread, codes[:, place], freqs))
        for place, name in enumerate(names)
    )
    follows = tuple(_follows(statistics, domains, names[0], name) for name in names[1:])
    return Joint(members, codes, np.concatenate(([0.0], np.cumsum(freqs))), follows, rows, seed)


def _combinations(
    statistics: JointStatistics, domains: Mapping[str, Domain], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    order = [statistics.columns.index(name) for name in names]
    found, freqs = [], []
    for combination, freq in zip(statistics.combinations, statistics.freqs, strict=True):
        values = [combination[place] for place in order]
        codes = [
            NULL if value is None else domains[name].ladder.code_of(value)
            for name, value in zip(names, values, strict=True)
        ]
        if None not in codes:
            found.append(codes)
            freqs.append(freq)
    weights = np.array(freqs, dtype=np.float64)
    if weights.sum() > 1:
        weights /= weights.sum()
    return np.array(found, dtype=np.int64).reshape(len(found), len(names)), weights


def _remaining(spread: Spread, codes: np.ndarray, freqs: np.ndarray) -> Spread:
    """Take from a distribution what combinations hold of it already."""
    taken: dict[int, float] = {}
    for code, freq in zip(codes.tolist(), freqs.tolist(), strict=True):
        if code >= 0:
            taken[code] = taken.get(code, 0.0) + freq
    mass = np.diff(spread.edges)
    left = [
        max(weight - taken.get(int(first), 0.0), weight * 1e-3) if count == 1 else weight
        for first, count, weight in zip(spread.first, spread.count, mass, strict=True)
    ]
    return spread_of(spread.first, spread.count, left)


def _follows(statistics: JointStatistics, domains: Mapping[str, Domain], first: str, name: str) -> float:
    for group, degree in statistics.dependencies:
        if group == (first, name):
            return degree
    pair = {first, name}
    for columns, distinct in statistics.distinct:
        if set(columns) == pair:
            one, other = (float(domains[column].spread.values) for column in (first, name))
            least, most = max(one, other), one * other
            return 1.0 - min(max((distinct - least) / max(most - least, 1.0), 0.0), 1.0)
    return 0.0
