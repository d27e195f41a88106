"""Live rows to take values from: rows of one table, or of tables that a statement joins, read together."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from pgproof.errors import ServerError, Unreachable
from pgproof.model.relation import Column, RelationKind, Table
from pgproof.model.workload import ParameterSource
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import qualify, quote_identifier

_TIMEOUT_MS = 5_000
_MAX_ROWS = 5_000
_WANTED_ROWS = 1_000
_FEW_VALUES = 20
_BLOCK_BYTES = 8_192
_SMALL_BLOCKS = 500
_SAMPLED_BLOCKS = 100

Cell = tuple[str, str]
"""Alias of a relation in the statement, and an expression over its columns."""


@dataclass(frozen=True, slots=True)
class Source:
    """A relation whose values are wanted.

    Args:
        alias: In the statement.
        table: What it is.
        expressions: SQL with bare column names, in any order, no repeats.
        required: Those whose NULLs no predicate would ever meet.
        conditions: SQL with bare column names that the statement itself demands of its rows.
    """

    alias: str
    table: Table
    expressions: tuple[str, ...]
    required: frozenset[str] = frozenset()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """Two columns that the statement joins by equality."""

    left: str
    left_column: str
    right: str
    right_column: str


@dataclass(frozen=True, slots=True)
class RowSample:
    """Rows read together.

    Args:
        cells: What each value of a row is.
        rows: Values in text form, NULL as None.
        source: Rows, or the planner's statistics where rows can't be read.
    """

    cells: tuple[Cell, ...]
    rows: tuple[tuple[str | None, ...], ...]
    source: ParameterSource = ParameterSource.SAMPLED_ROWS


def sample_rows(
    session: Session, sources: Sequence[Source], edges: Sequence[Edge], seed: int
) -> tuple[RowSample, ...]:
    """Read rows for each group of sources that joins tie together.

    Args:
        session: Reads only; each query may run five seconds.
        sources: Relations, aliases unique.
        edges: Joins between them; others are ignored.
        seed: Of the sampling.

    Returns:
        One sample a group. Where a group's join is too slow or meets no rows, one for each relation; where
        rows can't be read, values from the statistics; a relation without either is left out.
    """
    samples: list[RowSample] = []
    for group in _groups(sources, edges):
        rows = _read(session, group, edges, seed) if len(group) > 1 else None
        if rows:
            samples.append(RowSample(_cells(group), rows))
            continue
        for source in group:
            rows = _read(session, [source], (), seed)
            sample = RowSample(_cells([source]), rows) if rows else _from_statistics(source, seed)
            if sample is not None:
                samples.append(sample)
    return tuple(samples)


def stratify(sample: RowSample, rng: random.Random, count: int) -> list[int]:
    """Choose rows so that each value of a column with few values comes about as often as any other.

    Args:
        sample: With at least one row.
        rng: Chance.
        count: Rows wanted; the order returned has at least twice as many, with repeats.

    Returns:
        Numbers of rows.
    """
    columns = range(len(sample.cells))
    few = [k for k in columns if len({row[k] for row in sample.rows}) <= _FEW_VALUES]
    strata: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for number in rng.sample(range(len(sample.rows)), len(sample.rows)):
        strata[tuple(sample.rows[number][k] for k in few)].append(number)
    turns = [cycle(strata[key]) for key in sorted(strata, key=repr)]
    return [next(turns[n % len(turns)]) for n in range(max(count, 2) * 2)]


def _groups(sources: Sequence[Source], edges: Sequence[Edge]) -> Iterable[list[Source]]:
    """Yield connected sources together, in an order in which each but the first joins an earlier one."""
    left = sorted(sources, key=lambda source: -source.table.rows)
    while left:
        group = [left.pop(0)]
        while True:
            known = {source.alias for source in group}
            found = next((s for s in left if any(_ties(edge, s.alias, known) for edge in edges)), None)
            if found is None:
                break
            left.remove(found)
            group.append(found)
        yield group


def _ties(edge: Edge, alias: str, known: set[str]) -> bool:
    return (edge.left == alias and edge.right in known) or (edge.right == alias and edge.left in known)


def _cells(group: Sequence[Source]) -> tuple[Cell, ...]:
    return tuple((source.alias, expression) for source in group for expression in source.expressions)


def _read(
    session: Session, group: Sequence[Source], edges: Sequence[Edge], seed: int
) -> tuple[tuple[str | None, ...], ...] | None:
    """Read rows; None where the server refuses or takes too long."""
    for sampled in (True, False):
        try:
            with session.rolled_back():
                session.run(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
                rows = session.run(_render(group, edges, seed, sampled=sampled), as_text=True).rows
        except Unreachable:
            raise
        except ServerError:
            return None
        if rows:
            return tuple(rows)
    return None


def _render(group: Sequence[Source], edges: Sequence[Edge], seed: int, *, sampled: bool) -> str:
    """Write the sampling query: the first relation is sampled, the others are joined to it."""
    values = ", ".join(f"r{i}.v{k}" for i, source in enumerate(group) for k in range(len(source.expressions)))
    keys = {source.alias: _keys_of(source.alias, edges) for source in group}
    pieces = [f"SELECT {OWN_STATEMENT} {values} FROM"]
    for i, source in enumerate(group):
        first = i == 0
        subquery = _subquery(source, keys[source.alias], seed, sampled=sampled and first, capped=first)
        if first:
            pieces.append(f"{subquery} AS r0")
        else:
            conditions = " AND ".join(_conditions(group[:i], i, source.alias, edges, keys))
            pieces.append(f"JOIN {subquery} AS r{i} ON {conditions}")
    return " ".join([*pieces, f"LIMIT {_MAX_ROWS}"])


def _keys_of(alias: str, edges: Sequence[Edge]) -> list[str]:
    """List the columns by which a relation is joined, without repeats."""
    left = [edge.left_column for edge in edges if edge.left == alias]
    return list(dict.fromkeys([*left, *(edge.right_column for edge in edges if edge.right == alias)]))


def _subquery(source: Source, keys: Sequence[str], seed: int, *, sampled: bool, capped: bool) -> str:
    columns = [f"({expression}) AS v{k}" for k, expression in enumerate(source.expressions)]
    columns += [f"{quote_identifier(key)} AS k{k}" for k, key in enumerate(keys)]
    name = qualify(source.table.relation.schema, source.table.relation.name)
    clause = _tablesample(source.table, seed) if sampled else ""
    required = [f"({expression}) IS NOT NULL" for expression in sorted(source.required)]
    conditions = [*required, *(f"({condition})" for condition in source.conditions)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    limit = f" LIMIT {_MAX_ROWS}" if capped else ""
    return f"(SELECT {', '.join(columns)} FROM {name}{clause}{where}{limit})"


def _conditions(
    before: Sequence[Source], i: int, alias: str, edges: Sequence[Edge], keys: Mapping[str, Sequence[str]]
) -> Iterable[str]:
    places = {known.alias: f"r{place}" for place, known in enumerate(before)} | {alias: f"r{i}"}
    for edge in edges:
        sides = {edge.left, edge.right}
        if alias in sides and len(sides) == 2 and sides <= places.keys():
            left = f"{places[edge.left]}.k{keys[edge.left].index(edge.left_column)}"
            yield f"{left} = {places[edge.right]}.k{keys[edge.right].index(edge.right_column)}"


def _tablesample(table: Table, seed: int) -> str:
    """Choose how to sample: blocks of a large table, rows of a small one, nothing for a view."""
    if table.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW):
        return ""
    blocks = max(table.size_bytes // _BLOCK_BYTES, table.pages)
    if blocks > _SMALL_BLOCKS:
        return f" TABLESAMPLE SYSTEM ({100 * _SAMPLED_BLOCKS / blocks:.6f}) REPEATABLE ({seed})"
    if table.rows > 2 * _WANTED_ROWS:
        return f" TABLESAMPLE BERNOULLI ({100 * _WANTED_ROWS / table.rows:.6f}) REPEATABLE ({seed})"
    return ""


def _from_statistics(source: Source, seed: int) -> RowSample | None:
    """Draw each column by itself from its most common values and its histogram."""
    rng = random.Random(f"{seed} {source.alias}")
    drawn: dict[str, list[str | None]] = {}
    for expression in source.expressions:
        column = next((c for c in source.table.columns if quote_identifier(c.name) == expression), None)
        if column is not None and (values := _draw(column, rng)):
            drawn[expression] = values
    if not drawn:
        return None
    cells = tuple((source.alias, expression) for expression in drawn)
    return RowSample(cells, tuple(zip(*drawn.values(), strict=True)), ParameterSource.STATISTICS)


def _draw(column: Column, rng: random.Random) -> list[str | None]:
    statistics = column.statistics
    if statistics is None or not (statistics.most_common_vals or statistics.histogram_bounds):
        return []
    common = sum(statistics.most_common_freqs)
    weights = list(statistics.most_common_freqs)
    bounds = statistics.histogram_bounds
    rest = max(1.0 - common - statistics.null_frac, 0.01) / len(bounds) if bounds else 0.0
    values: list[str | None] = [*statistics.most_common_vals, *bounds]
    return rng.choices(values, [*weights, *(rest for _ in bounds)], k=_WANTED_ROWS)
